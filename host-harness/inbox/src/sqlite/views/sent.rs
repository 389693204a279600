//! Owns: messages sent from here in the form of incoming ones, so that a user interface handles a single form.
//! Does not own: the exact request, which is returned alongside.

use harness_contract::{
    Attachment, Failure, FailureCategory, Media, MediaSource, Message, OutboundMedia, OutboundPart, ReplyTarget,
    Retention, SendResult, Severity, Violation,
};
use serde_json::value::RawValue;

use crate::{error::InboxError, model::TimelineEntry};

/// The contract's `message` for a step, sent or not. `part` is the JSON of its `outbound-part`, `answers` the platform's id
/// of the message that it quotes.
pub(crate) fn as_message(
    entry: &TimelineEntry,
    part: &str,
    answers: Option<String>,
) -> Result<Box<RawValue>, InboxError> {
    let attachments = match serde_json::from_str(part)? {
        OutboundPart::Media(files) => files.into_iter().map(|file| Attachment::Media(media(file))).collect(),
        OutboundPart::Location(location) => vec![Attachment::Location(location)],
        OutboundPart::ContactCards(cards) => vec![Attachment::ContactCards(cards)],
        OutboundPart::Cards(cards) => vec![Attachment::Cards(cards)],
        _ => Vec::new(),
    };
    let message = Message {
        id: entry.platform_id.clone(),
        context: None,
        text: entry.text.clone(),
        formatted: None,
        attachments,
        answer: None,
        reply_to: answers.map(ReplyTarget::Message),
        referral: None,
        unavailable: None,
        to_self: false,
        automatic: false,
        album: None,
    };
    Ok(serde_json::value::to_raw_value(&message)?)
}

/// The contract's `send-result` for a reply that the channel declared unsendable. `violations` is JSON.
pub(crate) fn refused(violations: &str) -> Result<Box<RawValue>, InboxError> {
    let violations: Vec<Violation> = serde_json::from_str(violations)?;
    let reasons = violations.iter().filter(|one| one.severity == Severity::Error).map(|one| one.message.as_str());
    let failure = Failure {
        category: FailureCategory::ContentInvalid,
        code: None,
        subcode: None,
        message: reasons.collect::<Vec<_>>().join(" "),
        fix: None,
        retry_after: None,
        trace_id: None,
    };
    Ok(serde_json::value::to_raw_value(&SendResult::Rejected(failure))?)
}

fn media(file: OutboundMedia) -> Media {
    let OutboundMedia { kind, source, mime, size, duration, preview: _, name, caption, description } = file;
    let (url, handle) = match source {
        MediaSource::Url(url) => (Some(url), None),
        MediaSource::Handle(handle) => (None, Some(handle)),
        MediaSource::File(file) => (None, Some(file.handle)),
        MediaSource::Other(_) => (None, None),
    };
    Media {
        kind,
        url,
        handle,
        inline: None,
        mime,
        size,
        duration,
        name,
        caption,
        description,
        retention: Retention::Storable,
    }
}
