//! Outgoing replies: an agent's message becomes the ordered requests that deliver it, or the reasons why it cannot be
//! sent.
//! What belongs here is the plan of a message; each kind of part has its own file.
//!
//! Checking and rendering use the same plan, so everything that validates can be rendered, and nothing refused ever is.
//! The data flows `parts` → `text`, `media`, `rich` → `render` → `body`.

mod body;
mod media;
mod native;
mod parts;
mod render;
mod rich;
mod settings;
mod text;
mod window;

use channel_sdk::limit::items;
use channel_sdk::names::{feature, violation_code};
use channel_sdk::report::Report;

use crate::limits::INSTAGRAM;
use crate::types::{
    Card, ConversationContext, OutboundMedia, OutboundMessage, SendStep, Severity, Validation, Violation,
};
pub(crate) use body::button;
pub(crate) use settings::{Login, Settings, is_id, read as read_settings};

/// The content of one request, from a part.
enum Piece<'m> {
    Text(&'m str),
    Media(Vec<media::Item<'m>>),
    Sticker(&'m str),
    Share(&'m str),
    Cards(&'m [Card]),
    Buttons(String, &'m [crate::types::Button]),
    Products(&'m [String]),
    React(&'m str, &'m str),
    Unreact(&'m str),
    Typing(bool),
    MarkSeen,
}

impl Piece<'_> {
    /// Whether it is a message that the customer sees, rather than an action.
    fn is_message(&self) -> bool {
        !matches!(self, Self::React(..) | Self::Unreact(_) | Self::Typing(_) | Self::MarkSeen)
    }

    /// Whether it is a single attachment with a payload.
    fn has_payload(&self) -> bool {
        match self {
            Self::Media(items) => items.len() == 1,
            Self::Share(_) | Self::Cards(_) | Self::Buttons(..) | Self::Products(_) => true,
            _ => false,
        }
    }

    /// Whether quick replies may be attached: to text or files (Meta, "Quick Replies").
    fn takes_quick_replies(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Media(_))
    }

    /// Whether it can be a reply to a message: text, files or a template (changelogs of 2025-12-19, 2026-09-21).
    fn takes_reply_to(&self) -> bool {
        self.is_message() && !matches!(self, Self::Sticker(_) | Self::Share(_))
    }
}

/// The plan of a message.
struct Plan<'m> {
    /// Each with the index of its part.
    pieces: Vec<(usize, Piece<'m>)>,
    settings: Settings<'m>,
    /// Whether the message is sent with the tag that lets people answer for 7 days.
    human_tag: bool,
    /// The message that the first piece replies to.
    reply_to: Option<&'m str>,
    report: Report,
}

/// Reports all errors and warnings of a message at once.
pub fn validate(message: &OutboundMessage, context: &ConversationContext) -> Validation {
    plan(message, context).report.into_validation()
}

/// Renders a message into the ordered requests that deliver it.
///
/// # Errors
/// The errors of [`validate`], if there are any.
pub fn build(message: &OutboundMessage, context: &ConversationContext) -> Result<Vec<SendStep>, Vec<Violation>> {
    let plan = plan(message, context);
    if plan.report.has_errors() {
        let mut errors = plan.report.into_validation().violations;
        errors.retain(|violation| matches!(violation.severity, Severity::Error));
        return Err(errors);
    }
    Ok(render::steps(message, context, plan))
}

fn plan<'m>(message: &'m OutboundMessage, context: &'m ConversationContext) -> Plan<'m> {
    let mut report = Report::new(INSTAGRAM, message.fallback);
    let settings = settings::read(&mut report, &context.account);
    let mut pieces = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        parts::read(&mut report, &settings, at, part, &mut pieces);
    }
    if message.parts.is_empty() {
        let sentence = "The message is empty. Write a text or attach something.";
        report.error(violation_code::EMPTY_MESSAGE, "parts", sentence);
    }
    if message.private_reply_to.is_none() {
        recipient(&mut report, context.contact.as_deref().unwrap_or_default());
    }
    rich::quick_replies(&mut report, message, &pieces);
    let reply_to = reply_target(&mut report, message, &pieces);
    let human_tag = match &message.private_reply_to {
        Some(comment) => {
            private_reply(&mut report, message, comment, &pieces);
            window::check_comment(&mut report, message, context);
            false
        }
        None => window::check(&mut report, message, context, &settings, &pieces),
    };
    native::check(&mut report, message, human_tag, &pieces);
    Plan { pieces, settings, human_tag, reply_to, report }
}

/// Checks the recipient: only an id of digits is ever sent.
fn recipient(report: &mut Report, contact: &str) {
    let path = "context.contact";
    if contact.is_empty() {
        let sentence = "The message has no recipient. Open the customer's conversation and answer there.";
        report.error(violation_code::MISSING_FIELD, path, sentence);
    } else if !is_id(contact) {
        let sentence = "The recipient is no customer of Instagram's: an id has digits only. Open the customer's conversation and answer there.";
        report.error(violation_code::INVALID_FIELD, path, sentence);
    }
}

/// Checks `reply-to`, and returns its target if it can be sent.
fn reply_target<'m>(
    report: &mut Report,
    message: &'m OutboundMessage,
    pieces: &[(usize, Piece<'_>)],
) -> Option<&'m str> {
    let target = message.reply_to.as_ref()?.id.as_str();
    if target.is_empty() {
        let sentence = "The answered message has no id. Answer without quoting it.";
        report.error(violation_code::MISSING_FIELD, "reply_to", sentence);
        return None;
    }
    report.reference("reply_to", "The id of the answered message", target);
    if message.private_reply_to.is_some() {
        let sentence = "A private reply answers a comment and cannot quote a message. Remove one of the two.";
        report.error(violation_code::UNSUPPORTED_COMBINATION, "reply_to", sentence);
        return None;
    }
    let first = pieces.iter().find(|(_, piece)| piece.is_message());
    match first {
        Some((_, piece)) if piece.takes_reply_to() => Some(target),
        // The first part has already been refused.
        None if report.has_errors() => None,
        _ => {
            let part = first.map_or(0, |(part, _)| *part);
            let sentence =
                "Instagram cannot quote a message in a heart, a share or a signal. Begin with a text or a file.";
            report.lost(part, feature::REPLY_TO, "reply_to", sentence);
            None
        }
    }
}

/// Checks a private reply: exactly one message per comment (Meta, "Private Replies").
fn private_reply(report: &mut Report, message: &OutboundMessage, comment: &str, pieces: &[(usize, Piece<'_>)]) {
    let path = "private_reply_to";
    if comment.is_empty() {
        let sentence = "The comment has no id. Open the comment again and answer there.";
        report.error(violation_code::MISSING_FIELD, path, sentence);
    } else if !is_id(comment) {
        let sentence =
            "That is no comment of Instagram's: an id has digits only. Open the comment again and answer there.";
        report.error(violation_code::INVALID_FIELD, path, sentence);
    }
    if pieces.len() > 1 || message.parts.len() > 1 {
        let sentence =
            "Instagram takes one message as a private reply to a comment. Send one part that needs no splitting.";
        report.error_with(violation_code::TOO_MANY, path, sentence, |violation| {
            violation.limit = Some(items(1));
            violation.actual = Some(pieces.len().max(message.parts.len()) as u64);
        });
    }
    match pieces.first() {
        Some((_, piece)) if !piece.is_message() => {
            let sentence = "A private reply must be a message. Write a text.";
            report.error(violation_code::UNSUPPORTED_COMBINATION, path, sentence);
        }
        Some((_, piece)) if !matches!(piece, Piece::Text(_)) => {
            let sentence = "Meta documents private replies with text only; this may be refused.";
            report.warning(violation_code::DOCUMENTED_OTHERWISE, path, sentence);
        }
        _ => {}
    }
}

/// The path of a part, or of a member inside it.
fn path(part: usize, inside: &str) -> String {
    element("parts", part, inside)
}

/// The path of an element of a list.
pub(crate) fn element(list: &str, at: usize, inside: &str) -> String {
    match inside {
        "" => format!("{list}[{at}]"),
        inside => format!("{list}[{at}].{inside}"),
    }
}

/// The files of a part.
type Files<'m> = &'m [OutboundMedia];
