//! Owns: products' addresses in the API's JSON.
//! Does not own: telling them (the engine).

use harness_inbox::{WebhookAttempt as Attempt, WebhookState as State, WebhookView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookAttemptTag, WebhookTag};
use crate::api::{ids::WebhookRef, time::Time};

/// An address to be told what changes from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// `https://…`; one in a private network only where the operator lists its host.
    #[schema(example = "https://inbox.example/hooks")]
    pub(crate) url: String,
    /// Which events: names, or beginnings such as `message.*`. Without any, every event.
    #[serde(default)]
    #[schema(example = json!(["message.*", "reply.updated"]))]
    pub(crate) kinds: Vec<String>,
}

/// What to change. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeWebhook {
    /// Another address.
    pub(crate) url: Option<String>,
    /// Other events.
    pub(crate) kinds: Option<Vec<String>>,
    /// Pause it, or resume it: also after it failed.
    pub(crate) paused: Option<bool>,
    /// The id of an event: those after it are told, again or for the first time.
    #[schema(example = "4711")]
    pub(crate) position: Option<String>,
}

/// Whether it is told.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebhookState {
    /// It is told.
    Active,
    /// Somebody paused it.
    Paused,
    /// It failed for three days, or said that it is gone: `problem` says which.
    Failed,
}

/// An address that is told what changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    object: WebhookTag,
    id: WebhookRef,
    url: String,
    /// Empty: every event.
    kinds: Vec<String>,
    state: WebhookState,
    /// Why the last attempt failed, or why it is not told any more.
    problem: Option<String>,
    /// The id of the last event that it was told, or that it does not ask for.
    position: String,
    /// Since when every attempt fails.
    failing_since_at: Option<Time>,
    /// How many failed since then.
    failed_attempts: u32,
    /// When the next attempt is made, while they fail.
    next_attempt_at: Option<Time>,
    created_at: Time,
}

impl From<WebhookView> for Webhook {
    fn from(view: WebhookView) -> Self {
        let failing = view.failing_since.is_some() && view.state == State::Active;
        Self {
            object: WebhookTag::Tag,
            id: view.id.into(),
            url: view.url,
            kinds: view.kinds.names().to_vec(),
            state: match view.state {
                State::Active => WebhookState::Active,
                State::Paused => WebhookState::Paused,
                State::Failed => WebhookState::Failed,
            },
            problem: view.problem,
            position: view.position.to_string(),
            failing_since_at: view.failing_since.map(Time::from),
            failed_attempts: view.attempts,
            next_attempt_at: failing.then(|| Time::from(view.next_attempt_at)),
            created_at: view.created_at.into(),
        }
    }
}

/// A new address, with the secret that signs what it is told. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookWithSecret {
    #[serde(flatten)]
    pub(crate) webhook: Webhook,
    /// As the Standard Webhooks libraries take it.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(crate) secret: String,
}

/// An attempt to tell an address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookAttempt {
    object: WebhookAttemptTag,
    /// The event; null for a test.
    event_id: Option<String>,
    attempted_at: Time,
    /// Whether the address took it.
    delivered: bool,
    /// The status of the answer; null if there was none.
    status: Option<u16>,
    /// Why it was not taken.
    problem: Option<String>,
}

impl From<Attempt> for WebhookAttempt {
    fn from(attempt: Attempt) -> Self {
        Self {
            object: WebhookAttemptTag::Tag,
            event_id: (attempt.seq > 0).then(|| attempt.seq.to_string()),
            attempted_at: attempt.at.into(),
            delivered: attempt.problem.is_none(),
            status: attempt.status,
            problem: attempt.problem,
        }
    }
}
