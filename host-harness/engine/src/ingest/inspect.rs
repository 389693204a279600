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
use crate::{
    channels::loaded::{ComponentVersion, LoadedChannel},
    error::Interrupted,
};

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

/// What a component makes of a delivery.
#[derive(Clone, Debug)]
pub struct Translation {
    /// Which one.
    pub component: ComponentVersion,
    /// Whether it is the one that runs; otherwise it ran before.
    pub running: bool,
    /// The events in the contract's JSON form, without credentials.
    pub events: Vec<Value>,
    /// Why there are none, as a sentence.
    pub problem: Option<String>,
}

/// What replaying a delivery showed or did.
#[derive(Clone, Debug)]
pub struct Replay {
    /// By the chosen component, then by the one that it is compared with, where there is one: the one that runs, or else
    /// the newest that ran before.
    pub translations: Vec<Translation>,
    /// The versions at hand that ran before, the newest first.
    pub earlier: Vec<ComponentVersion>,
    /// Where the second translation differs from the first, if both could read it.
    pub differences: Vec<Difference>,
    /// What applying the first one did; `None` if it was not to be applied, or there were no events.
    pub applied: Option<EventCounts>,
}

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
        let running = self.channels.get(&view.channel)?;
        let (events, known) = self.translate_by(id, &running).await?;
        Ok(Translation::of(running.version(), true, &events, &known))
    }

    /// What components at hand make of a delivery: first the one with this digest, or the one that runs; then the one that it
    /// is compared with. With `apply`, the events of the first are applied, as if the delivery had come in again: those that
    /// were applied before change nothing.
    pub(crate) async fn replay(
        &self,
        id: DeliveryId,
        digest: Option<&str>,
        apply: bool,
    ) -> Result<Replay, IngestError> {
        let view = self.translatable(id).await?;
        let running = self.channels.get(&view.channel)?;
        let earlier = self.channels.earlier(&running).await;
        let own = running.version();
        let other = match digest.filter(|digest| *digest != own.digest) {
            Some(digest) => Some(find(&view.channel, digest, &own, &earlier)?),
            None => earlier.first(),
        };
        let (by_own, known) = self.translate_by(id, &running).await?;
        let mut both = vec![(Translation::of(own.clone(), true, &by_own, &known), by_own)];
        if let Some(other) = other {
            let translated = match self.channels.load_earlier(&running, &other.digest).await {
                Ok(loaded) => self.translate_by(id, &loaded).await?.0,
                Err(problem) => Err(problem),
            };
            both.push((Translation::of(other.clone(), false, &translated, &known), translated));
        }
        if digest.is_some_and(|digest| digest != own.digest) {
            both.reverse();
        }
        let (translations, mut events): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let differences = match &translations[..] {
            [first, second] if first.problem.is_none() && second.problem.is_none() => {
                let json = |one: &Translation| Value::Array(one.events.clone());
                differences(&json(first), &json(second), MAX_DIFFERENCES)
            }
            _ => Vec::new(),
        };
        let applied = match (translations.first(), events.swap_remove(0)) {
            (Some(first), Ok(events)) if apply => Some(self.apply_again(id, events, &first.component).await?),
            _ => None,
        };
        Ok(Replay { translations, earlier, differences, applied })
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

    /// Translates a delivery without counting it against the component, however it ends: into events, or a sentence that says
    /// why there are none. With the credentials that are not to be shown.
    async fn translate_by(
        &self,
        id: DeliveryId,
        loaded: &LoadedChannel,
    ) -> Result<(Result<Vec<Event>, String>, Known), IngestError> {
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
                return Ok((Ok(events), known));
            }
            Ok(Err(mut error)) => {
                known.redact_in_parse_error(&mut error);
                error.into()
            }
            Err(error) => error.into(),
        };
        Ok((Err(problem.to_string()), known))
    }

    async fn apply_again(
        &self,
        id: DeliveryId,
        events: Vec<Event>,
        component: &ComponentVersion,
    ) -> Result<EventCounts, IngestError> {
        let (inbox, wake) = (self.base.inbox.clone(), Arc::clone(&self.base.wake));
        let ComponentVersion { digest, version } = component.clone();
        let (credentials, bounds) = (self.credentials.clone(), self.backlog.budget.parking());
        let apply = async move {
            let (_, origin) = inbox.recorded(id).await?.into_parts();
            // One that is kept need not have run on this inbox.
            inbox.note_component(origin.channel(), &digest, &version).await?;
            let applied = inbox.apply(vec![origin.translated(events, digest)], bounds).await?;
            after_applying(&credentials, &wake, applied.lost).await;
            Ok(applied.events)
        };
        self.base.begun.whole(apply).await
    }
}

impl Translation {
    fn of(component: ComponentVersion, running: bool, events: &Result<Vec<Event>, String>, known: &Known) -> Self {
        let (events, problem) = match events {
            Ok(events) => (events.iter().map(|event| without_secrets(known, event)).collect(), None),
            Err(problem) => (Vec::new(), Some(problem.clone())),
        };
        Self { component, running, events, problem }
    }
}

/// The version with this digest.
fn find<'a>(
    channel: &str,
    digest: &str,
    running: &ComponentVersion,
    earlier: &'a [ComponentVersion],
) -> Result<&'a ComponentVersion, InspectError> {
    earlier.iter().find(|one| one.digest == digest).ok_or_else(|| {
        let all = std::iter::once(running).chain(earlier);
        let known: Vec<_> = all.map(|one| format!("{} ({})", one.digest, one.version)).collect();
        InspectError::NoComponent { channel: channel.to_owned(), known: known.join(", ") }
    })
}

/// An event in the contract's JSON form, without credentials.
fn without_secrets(known: &Known, event: &Event) -> Value {
    let mut text = serde_json::to_string(event).unwrap_or_default();
    known.redact_in(&mut text);
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
