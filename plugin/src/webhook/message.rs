//! Messages and postbacks: a customer's messages and taps, and echoes of the business's messages.
//! What belongs here is the content of `message` and `postback`; `item` determines the author.

use channel_sdk::blank;
use channel_sdk::json::Json;
use channel_sdk::lenient::Notes;
use channel_sdk::names::window_opener;

use super::{attachment, referral};
use crate::types::{Answer, AnswerSource, Attachment, Message, ReplyTarget, Story, UnavailableReason};

/// A message with the flags inside it.
pub(super) struct Read {
    pub(super) message: Message,
    /// Whether the business sent it.
    pub(super) is_echo: bool,
    /// Whether it was unsent; only its id is left.
    pub(super) is_deleted: bool,
    /// In echoes: the application that sent it.
    pub(super) app: Option<String>,
    /// In echoes: the metadata that we attached when sending it.
    pub(super) metadata: Option<String>,
}

/// Parses `message`.
pub(super) fn read(notes: &mut Notes, value: &Json<'_>) -> Read {
    let [mid, text, attachments, quick_reply, reply_to, referral, flags @ .., app, metadata] = notes.pick(
        value,
        &[
            "mid",
            "text",
            "attachments",
            "quick_reply",
            "reply_to",
            "referral",
            "is_echo",
            "is_self",
            "is_deleted",
            "is_unsupported",
            "app_id",
            "metadata",
        ],
    );
    let [is_echo, is_self, is_deleted, is_unsupported] = flags.map(|flag| notes.flag(flag));
    let mut message = Message {
        id: notes.id(mid),
        text: notes.text(text),
        reply_to: reply_target(notes, reply_to),
        referral: referral::read(notes, referral),
        to_self: is_self,
        ..blank::message()
    };
    for value in notes.elements(attachments) {
        attachment::read(notes, value, &mut message.attachments);
    }
    if !matches!(quick_reply, Json::Null) {
        let [payload] = notes.pick_or_first(quick_reply, &["payload"]);
        message.answer = Some(Answer {
            source: AnswerSource::QuickReply,
            title: message.text.clone(),
            payload: notes.text(payload),
            values: Vec::new(),
            token: None,
        });
    }
    let only_ephemeral = !message.attachments.is_empty()
        && message
            .attachments
            .iter()
            .all(|attachment| matches!(attachment, Attachment::Unavailable(UnavailableReason::Ephemeral)));
    if is_unsupported {
        message.unavailable = Some(UnavailableReason::PlatformUnsupported);
    } else if only_ephemeral && message.text.is_none() {
        message.unavailable = Some(UnavailableReason::Ephemeral);
    }
    let (app, metadata) = (notes.id(app), notes.text(metadata));
    Read { message, is_echo, is_deleted, app, metadata }
}

/// Parses `postback`, which becomes a message: the customer tapped instead of typing.
///
/// Meta uses the same format for a button, an ice breaker and a menu entry, so `button` represents all three.
pub(super) fn read_postback(notes: &mut Notes, value: &Json<'_>) -> Message {
    let [mid, title, payload, referral, is_self] =
        notes.pick(value, &["mid", "title", "payload", "referral", "is_self"]);
    let title = notes.text(title);
    Message {
        id: notes.id(mid),
        text: title.clone(),
        answer: Some(Answer {
            source: AnswerSource::Button,
            title,
            payload: notes.text(payload),
            values: Vec::new(),
            token: None,
        }),
        referral: referral::read(notes, referral),
        to_self: notes.flag(is_self),
        ..blank::message()
    }
}

/// How a customer's message opens the window: the most specific reason.
pub(super) fn opener(message: &Message) -> &'static str {
    let mentions = |attachment: &Attachment| matches!(attachment, Attachment::StoryMention(_));
    if referral::is_ad(message.referral.as_ref()) {
        return window_opener::AD_MESSAGE;
    }
    match &message.answer {
        Some(answer) if matches!(answer.source, AnswerSource::QuickReply) => {
            return window_opener::QUICK_REPLY;
        }
        Some(_) => return window_opener::BUTTON,
        None => {}
    }
    if message.attachments.iter().any(mentions) {
        return window_opener::STORY_MENTION;
    }
    match &message.reply_to {
        Some(ReplyTarget::Story(_)) => window_opener::STORY_REPLY,
        _ => window_opener::MESSAGE,
    }
}

/// Whether there is anything to show, or at least an id to request it by.
pub(super) fn says_something(message: &Message) -> bool {
    message.id.is_some()
        || message.text.is_some()
        || !message.attachments.is_empty()
        || message.unavailable.is_some()
        || message.answer.as_ref().is_some_and(|answer| answer.payload.is_some())
}

fn reply_target(notes: &mut Notes, value: &Json<'_>) -> Option<ReplyTarget> {
    // `is_self_reply` marks a reply to the sender's own message, which the target already shows.
    let [mid, story, _] = notes.pick(value, &["mid", "story", "is_self_reply"]);
    if matches!(story, Json::Null) {
        return notes.id(mid).map(ReplyTarget::Message);
    }
    let [id, url] = notes.pick(story, &["id", "url"]);
    Some(ReplyTarget::Story(Story { id: notes.id(id), url: notes.text(url) }))
}
