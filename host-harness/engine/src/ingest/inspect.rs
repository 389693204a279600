//! Owns: looking at a delivery that was recorded: what it carries, what components make of it, applying it again.
//! Does not own: translating what comes in (`translate`), what an event changes (the inbox).

use std::sync::Arc;

use harness_contract::{
    Event,
    differences::{Difference, differences},
};
use harness_egress::Known;
use harness_inbox::{DeliveryId, DeliveryState, DeliveryView, EventCounts, InboxError};
use serde_json::Value;

use super::{
    Ingest, IngestError, InspectError,
    parse::{Problem, keep_contract},
    translate::after_applying,
};
use crate::{channels::loaded::LoadedChannel, error::Interrupted};

/// The most of a body that is shown, in bytes.
const SHOWN_BODY: usize = 256 << 10;
/// The most differences that are listed.
const MAX_DIFFERENCES: usize = 500;

/// What a delivery carries, without credentials.
#[derive(Clone, Debug)]
pub struct DeliveryContent {
    /// The headers that the channel asked for, by name.
    pub headers: Vec<(String, String)>,
    /// The query of the webhook's address.
    pub query: String,
    /// The body, as far as it is shown.
    pub body: ShownBody,
    /// Whether the body is longer than what is shown.
    pub truncated: bool,
}

/// A body, as text if it is text.
#[derive(Clone, Debug)]
pub enum ShownBody {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Binary(Vec<u8>),
}

/// A component that is at hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ComponentView {
    /// SHA-256, in hex.
    pub digest: String,
    /// The version in its manifest.
    pub version: String,
    /// Whether it is the one that runs; otherwise it is the one before.
    pub running: bool,
}

/// What a component makes of a delivery.
#[derive(Clone, Debug)]
pub struct Translation {
    /// Which one.
    pub component: ComponentView,
    /// The events in the contract's JSON form, without credentials.
    pub events: Vec<Value>,
    /// Why there are none, as a sentence.
    pub problem: Option<String>,
}

/// What replaying a delivery showed or did.
#[derive(Clone, Debug)]
pub struct Replay {
    /// By the chosen component, then by the others at hand.
    pub translations: Vec<Translation>,
    /// Where the second differs from the first, if both could read it.
    pub differences: Vec<Difference>,
    /// What applying the first one did; `None` if it was not to be applied, or there were no events.
    pub applied: Option<EventCounts>,
}

/// A component at hand, with its view.
type Loaded = (ComponentView, Arc<LoadedChannel>);

impl Ingest {
    /// What a delivery carries.
    pub(crate) async fn content_of(&self, id: DeliveryId) -> Result<DeliveryContent, InboxError> {
        let (delivery, origin) = self.base.inbox.recorded(id).await?.into_parts();
        let known = Known::new(&self.secrets, origin.channel(), None);
        let without = |text: &str| {
            let mut text = text.to_owned();
            known.redact_in(&mut text);
            text
        };
        let headers = delivery.headers.iter().map(|header| (without(&header.name), without(&header.value))).collect();
        let whole = String::from_utf8_lossy(&delivery.body);
        let redacted = without(&whole);
        let is_text = std::str::from_utf8(&delivery.body).is_ok();
        // A secret in what is no text is not handed out in base64 either.
        let (body, truncated) = if is_text || redacted != whole {
            let shown = redacted.floor_char_boundary(SHOWN_BODY);
            let truncated = shown < redacted.len();
            (ShownBody::Text(redacted.get(..shown).unwrap_or_default().to_owned()), truncated)
        } else {
            let shown = delivery.body.get(..SHOWN_BODY).unwrap_or(&delivery.body);
            (ShownBody::Binary(shown.to_vec()), shown.len() < delivery.body.len())
        };
        Ok(DeliveryContent { headers, query: without(&delivery.query), body, truncated })
    }

    /// What the component that runs makes of a delivery.
    pub(crate) async fn translation_of(&self, id: DeliveryId) -> Result<Translation, IngestError> {
        let view = self.translatable(id).await?;
        let (component, loaded) = self.at_hand(&view.channel, None)?.swap_remove(0);
        Ok(self.translate_by(id, component, &loaded).await?.0)
    }

    /// What the components at hand make of a delivery: the one with this digest, or the one that runs, first. With
    /// `apply`, its events are applied, as if the delivery had come in again: those that were applied before change
    /// nothing.
    pub(crate) async fn replay(
        &self,
        id: DeliveryId,
        digest: Option<&str>,
        apply: bool,
    ) -> Result<Replay, IngestError> {
        let view = self.translatable(id).await?;
        let mut translations = Vec::new();
        let mut chosen = None;
        for (component, loaded) in self.at_hand(&view.channel, digest)? {
            let (translation, events) = self.translate_by(id, component, &loaded).await?;
            if translations.is_empty() {
                chosen = events;
            }
            translations.push(translation);
        }
        let differences = match &translations[..] {
            [first, second, ..] if first.problem.is_none() && second.problem.is_none() => {
                let json = |one: &Translation| Value::Array(one.events.clone());
                differences(&json(first), &json(second), MAX_DIFFERENCES)
            }
            _ => Vec::new(),
        };
        let applied = match (apply, chosen, translations.first()) {
            (true, Some(events), Some(first)) => Some(self.apply_again(id, events, &first.component.digest).await?),
            _ => None,
        };
        Ok(Replay { translations, differences, applied })
    }

    /// A delivery that can be translated again.
    async fn translatable(&self, id: DeliveryId) -> Result<DeliveryView, IngestError> {
        let view = self.base.inbox.delivery(id).await?;
        match view.state {
            DeliveryState::Purged => Err(InspectError::Purged.into()),
            DeliveryState::Received => Err(InspectError::Waiting.into()),
            DeliveryState::Applied | DeliveryState::Unrouted | DeliveryState::Failed => Ok(view),
        }
    }

    /// The components of a channel at hand, the chosen one first. Never empty.
    fn at_hand(&self, channel: &str, digest: Option<&str>) -> Result<Vec<Loaded>, IngestError> {
        let running = self.channels.get(channel)?;
        let of = |loaded: Arc<LoadedChannel>, running| {
            let digest = loaded.channel.inspection().digest.clone();
            let version = loaded.channel.manifest().channel.version.clone();
            (ComponentView { digest, version, running }, loaded)
        };
        let before = self.channels.before(channel).map(|before| of(before, false));
        let mut all: Vec<Loaded> = std::iter::once(of(running, true)).chain(before).collect();
        let Some(digest) = digest else { return Ok(all) };
        let Some(chosen) = all.iter().position(|(one, _)| one.digest == digest) else {
            let loaded: Vec<_> = all.iter().map(|(one, _)| format!("{} ({})", one.digest, one.version)).collect();
            let channel = channel.to_owned();
            return Err(InspectError::NoComponent { channel, loaded: loaded.join(", ") }.into());
        };
        all.swap(0, chosen);
        Ok(all)
    }

    /// Translates a delivery without counting it against the component, however it ends.
    async fn translate_by(
        &self,
        id: DeliveryId,
        component: ComponentView,
        loaded: &LoadedChannel,
    ) -> Result<(Translation, Option<Vec<Event>>), IngestError> {
        let mut pending = [self.base.inbox.recorded(id).await?];
        self.tell_settings(loaded, &mut pending).await?;
        let [pending] = pending;
        let (delivery, origin) = pending.into_parts();
        let channel = loaded.channel.clone();
        let parsed = tokio::task::spawn_blocking(move || channel.parse_webhook(&delivery)).await;
        let known = Known::new(&self.secrets, origin.channel(), None);
        let problem: Problem = match parsed.map_err(|_| Interrupted)? {
            Ok(Ok(mut events)) => {
                events.iter_mut().for_each(keep_contract);
                let shown = events.iter().map(|event| without_secrets(&known, event)).collect();
                return Ok((Translation { component, events: shown, problem: None }, Some(events)));
            }
            Ok(Err(mut error)) => {
                known.redact_in_parse_error(&mut error);
                error.into()
            }
            Err(error) => error.into(),
        };
        Ok((Translation { component, events: Vec::new(), problem: Some(problem.to_string()) }, None))
    }

    async fn apply_again(&self, id: DeliveryId, events: Vec<Event>, digest: &str) -> Result<EventCounts, IngestError> {
        let (inbox, wake, digest) = (self.base.inbox.clone(), Arc::clone(&self.base.wake), digest.to_owned());
        let (credentials, bounds) = (self.credentials.clone(), self.backlog.budget.parking());
        let apply = async move {
            let (_, origin) = inbox.recorded(id).await?.into_parts();
            let applied = inbox.apply(vec![origin.translated(events, digest)], bounds).await?;
            after_applying(&credentials, &wake, applied.lost).await;
            Ok(applied.events)
        };
        self.base.begun.whole(apply).await
    }
}

/// An event in the contract's JSON form, without credentials.
fn without_secrets(known: &Known, event: &Event) -> Value {
    let mut text = serde_json::to_string(event).unwrap_or_default();
    known.redact_in(&mut text);
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
