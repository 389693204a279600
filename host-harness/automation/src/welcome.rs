//! Owns: who is greeted, and with what.
//! Does not own: sending it (`follow`).

use harness_contract::{ButtonAction, OutboundMessage, OutboundPart, OutboundText, QuickReply};
use harness_engine::Host;
use harness_inbox::{ConversationId, InboxError, TimelineEntry};
use serde::{Deserialize, Serialize};

use crate::{
    compose::automatic,
    decision::{Decision, Outcome, Reason},
    facts::{Writer, at, writer},
    settings::Welcome,
};

/// In milliseconds.
const DAY: u64 = 24 * 3_600_000;

/// What is known of a conversation.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Welcomed {
    /// The platform's time of the message that was answered with the greeting.
    pub(crate) at: Option<u64>,
}

/// What there was before the entries that are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Past {
    /// Older entries of the same conversation.
    pub(crate) more: bool,
    /// The platform's time of the newest message of the conversations that went on in this one: who is new is a matter of the
    /// person.
    pub(crate) before: Option<u64>,
}

impl Past {
    /// Of a conversation of which there are `more` entries than are looked at.
    pub(crate) async fn of(host: &Host, conversation: ConversationId, more: bool) -> Result<Self, InboxError> {
        Ok(Self { more, before: host.automations().written_before(conversation).await? })
    }
}

/// Decides about the message at `index` of a conversation's entries. `None`: the message is none that could be greeted.
pub(crate) fn decide(
    welcome: &Welcome,
    entries: &[TimelineEntry],
    index: usize,
    past: Past,
    known: Welcomed,
) -> Option<Decision> {
    if !welcome.on {
        return None;
    }
    let (before, rest) = entries.split_at_checked(index)?;
    let (entry, after) = rest.split_first()?;
    if writer(entry) != Writer::Customer {
        return None;
    }
    let since = |then: u64| at(entry).saturating_sub(then);
    let long_ago = |then: u64| welcome.again_after_days.is_some_and(|days| since(then) >= u64::from(days) * DAY);
    let skipped = |reason| Some(Decision::skipped("welcome", reason));
    let new = match before.last() {
        Some(previous) => long_ago(at(previous)),
        None => !past.more && past.before.is_none_or(long_ago),
    };
    if !new {
        return skipped(Reason::NotNew);
    }
    if known.at.is_some_and(|then| !long_ago(then)) {
        return skipped(Reason::Welcomed);
    }
    if after.iter().any(|later| writer(later) == Writer::Person) {
        return skipped(Reason::Person);
    }
    Some(Decision::new(Outcome::Sent, "welcome"))
}

/// The greeting.
pub(crate) fn message(welcome: &Welcome) -> OutboundMessage {
    let part = match &welcome.card {
        Some(card) => OutboundPart::Cards(vec![card.clone()]),
        None => OutboundPart::Text(OutboundText { text: welcome.text.clone(), ..OutboundText::default() }),
    };
    let quick_replies = welcome.quick_replies.iter().map(|choice| QuickReply {
        title: choice.title.clone(),
        action: ButtonAction::Postback(choice.payload.clone()),
        image_url: None,
    });
    OutboundMessage { quick_replies: quick_replies.collect(), ..automatic("welcome", vec![part]) }
}
