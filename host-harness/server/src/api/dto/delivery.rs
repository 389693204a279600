//! Owns: deliveries in the API's JSON: what came in, what a component makes of it, what it changed.
//! Does not own: translating them (the engine).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_contract::differences::Difference;
use harness_engine::{ComponentVersion, DeliveryContent, Event, Replay, ShownBody, Translation};
use harness_inbox::{DeliveryState, DeliveryView, EventCounts, Translator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{DeliveryReplayTag, DeliveryTag, event::EventShape};
use crate::api::{ids::DeliveryRef, time::Time};

/// A verified request of a platform, as it came in, or a page of a platform's history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    object: DeliveryTag,
    id: DeliveryRef,
    /// The channel's id.
    channel: String,
    /// `webhook` or `history`.
    source: String,
    /// The platform's id of the account, if the address or the secret named one.
    account_platform_id: Option<String>,
    received_at: Time,
    state: State,
    /// How often it was translated.
    attempts: u32,
    /// Why it is not applied, or why it was emptied.
    problem: Option<String>,
    /// The component that translated it last.
    translated_by: Option<TranslatedBy>,
    /// The size of its body, in bytes.
    size: u64,
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
enum State {
    /// It waits to be translated.
    Received,
    /// Its events are applied.
    Applied,
    /// It waits for its account or its channel.
    Unrouted,
    /// The channel cannot translate it.
    Failed,
    /// It was emptied: what it brought was unsent, deleted, or is no longer kept.
    Purged,
}

/// A component.
#[derive(Debug, Serialize, ToSchema)]
struct TranslatedBy {
    /// SHA-256, in hex.
    digest: String,
    /// The version in its manifest; null if it has not been loaded since the host records versions.
    version: Option<String>,
}

impl From<DeliveryView> for Delivery {
    fn from(view: DeliveryView) -> Self {
        Self {
            object: DeliveryTag::Tag,
            id: view.id.into(),
            channel: view.channel,
            source: view.source,
            account_platform_id: view.account,
            received_at: view.received_at.into(),
            state: match view.state {
                DeliveryState::Received => State::Received,
                DeliveryState::Applied => State::Applied,
                DeliveryState::Unrouted => State::Unrouted,
                DeliveryState::Failed => State::Failed,
                DeliveryState::Purged => State::Purged,
            },
            attempts: view.attempts,
            problem: view.problem,
            translated_by: view.translator.map(|Translator { digest, version }| TranslatedBy { digest, version }),
            size: view.size,
        }
    }
}

/// A delivery with what it carries, what the running component makes of it, and what it changed. Credentials are taken out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: Delivery,
    /// The headers that the channel asked for.
    headers: Vec<Header>,
    /// The query of the address.
    query: String,
    /// The body, at most its first 256 KiB; null if it is no text.
    body: Option<String>,
    /// The body, if it is no text.
    body_base64: Option<String>,
    /// Whether the body is longer than what is shown.
    body_truncated: bool,
    /// What the running component makes of it: exactly the events that were applied, if `translated_by` is the same one.
    /// Null if nothing can be made of it now: it was emptied, waits, or its channel is not loaded.
    translation: Option<DeliveryTranslation>,
    /// What it changed, in order, as far as the change feed is kept: at most 500.
    #[schema(value_type = Vec<EventShape>)]
    changes: Vec<Event>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryHeader)]
struct Header {
    name: String,
    value: String,
}

impl DeliveryDetail {
    pub(crate) fn new(
        view: DeliveryView,
        content: DeliveryContent,
        translation: Option<Translation>,
        changes: Vec<Event>,
    ) -> Self {
        let DeliveryContent { headers, query, body, truncated } = content;
        let (body, body_base64) = match body {
            ShownBody::Text(text) => (Some(text), None),
            ShownBody::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        Self {
            delivery: view.into(),
            headers: headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
            query,
            body,
            body_base64,
            body_truncated: truncated,
            translation: translation.map(DeliveryTranslation::from),
            changes,
        }
    }
}

/// What a component makes of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryTranslation {
    /// SHA-256 of the component, in hex.
    digest: String,
    /// The version in its manifest.
    version: String,
    /// Whether it is the one that runs. Otherwise it ran before.
    running: bool,
    /// In order: the contract's `event`.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    /// Why there are none.
    problem: Option<String>,
}

impl From<Translation> for DeliveryTranslation {
    fn from(translation: Translation) -> Self {
        let Translation { component: ComponentVersion { digest, version }, running, events, problem } = translation;
        Self { digest, version, running, events, problem }
    }
}

/// How to translate a delivery again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayDelivery {
    /// Whether its events are applied. What was applied before changes nothing, so nothing comes twice.
    #[serde(default)]
    pub(crate) apply: bool,
    /// The component to use: the one that runs, or one of those under `earlier` of a replay. Without it, the one that runs.
    #[serde(default)]
    pub(crate) digest: Option<String>,
}

/// What translating a delivery again showed and did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryReplay {
    object: DeliveryReplayTag,
    delivery_id: DeliveryRef,
    /// By the chosen component, and by the one that it is compared with, where there is one: the one that runs, or else the
    /// newest that ran before.
    translations: Vec<DeliveryTranslation>,
    /// The versions at hand that ran before, the newest first: those that are kept of an installed package, and for a while
    /// after an update the one before it.
    earlier: Vec<EarlierVersion>,
    /// Where the events of the second differ from those of the first, if both could read it: at most 500 places.
    differences: Vec<EventDifference>,
    /// What became of the events; null if they were not applied.
    applied: Option<AppliedEvents>,
}

/// A version of a channel that ran before.
#[derive(Debug, Serialize, ToSchema)]
struct EarlierVersion {
    /// SHA-256 of the component, in hex.
    digest: String,
    /// The version in its manifest.
    version: String,
}

impl From<ComponentVersion> for EarlierVersion {
    fn from(ComponentVersion { digest, version }: ComponentVersion) -> Self {
        Self { digest, version }
    }
}

/// A place at which the events of two components differ.
#[derive(Debug, Serialize, ToSchema)]
struct EventDifference {
    /// A JSON pointer into `events`.
    path: String,
    /// The value of the first translation; null if it has none.
    #[schema(value_type = Value)]
    first: Value,
    /// The value of the second.
    #[schema(value_type = Value)]
    second: Value,
}

/// Numbers of events.
#[derive(Debug, Serialize, ToSchema)]
struct AppliedEvents {
    /// They changed the inbox.
    new: usize,
    /// They were applied before.
    repeated: usize,
    /// Their account is not connected here, so the delivery waits for it.
    unrouted: usize,
    /// The delivery may not speak for their account.
    foreign: usize,
}

impl DeliveryReplay {
    pub(crate) fn new(id: DeliveryRef, replay: Replay) -> Self {
        let Replay { translations, earlier, differences, applied } = replay;
        let different = |Difference { path, before, after }| EventDifference { path, first: before, second: after };
        let counted =
            |EventCounts { new, repeated, unrouted, foreign }| AppliedEvents { new, repeated, unrouted, foreign };
        Self {
            object: DeliveryReplayTag::Tag,
            delivery_id: id,
            translations: translations.into_iter().map(DeliveryTranslation::from).collect(),
            earlier: earlier.into_iter().map(EarlierVersion::from).collect(),
            differences: differences.into_iter().map(different).collect(),
            applied: applied.map(counted),
        }
    }
}
