//! The messaging window: whether Meta lets this sender write now, and with which tag.
//! What belongs here is the rule; the host computes the window's state from the policy in `capabilities`.

use channel_sdk::names::{comment_place, violation_code};
use channel_sdk::report::Report;

use super::Piece;
use super::settings::Settings;
use crate::limits::LONG_WINDOW;
use crate::types::{ConversationContext, OutboundMessage, SenderKind, Severity, WindowState};

/// The consequence of the window's state for a message.
struct Verdict {
    code: &'static str,
    sentence: &'static str,
}

const NEVER: Verdict = Verdict {
    code: violation_code::WINDOW_NEVER_OPENED,
    sentence: "The customer has never written. On Instagram the customer must write first.",
};
const CLOSED: Verdict = Verdict {
    code: violation_code::WINDOW_CLOSED,
    sentence: "The 24 hours after the customer's last message are over. Wait until the customer writes again.",
};
const PEOPLE_ONLY: Verdict = Verdict {
    code: violation_code::WINDOW_NEEDS_HUMAN,
    sentence: "The 24 hours are over, and after them only a person may answer. Let an agent write.",
};
const NOT_GRANTED: Verdict = Verdict {
    code: violation_code::NOT_AVAILABLE_ON_ACCOUNT,
    sentence: "The 24 hours are over, and this account may not use the 7 days for people. Ask Meta for the Human Agent feature and set `human-agent`, or wait until the customer writes again.",
};
const UNCERTAIN: &str = "Only Instagram knows whether the window is still open. The message may be refused.";
const SIGNAL: &str = "The window is not open. Instagram may refuse the signal, or the customer may not see it.";

/// Checks the window and returns whether the message is sent with the tag for people.
///
/// Messages need an open window. Typing indicators, read receipts and reactions only cause a warning: Meta's pages do
/// not say that they need one, and nothing is lost if one is refused.
pub(super) fn check(
    report: &mut Report,
    message: &OutboundMessage,
    context: &ConversationContext,
    settings: &Settings<'_>,
    pieces: &[(usize, Piece<'_>)],
) -> bool {
    let path = "context.window";
    let state = context.window.state;
    let human = message.sender.kind == SenderKind::Human;
    let signals_only = !pieces.is_empty() && pieces.iter().all(|(_, piece)| !piece.is_message());
    if signals_only {
        if !matches!(state, WindowState::Open | WindowState::Unknown) {
            report.warning(violation_code::WINDOW_UNCERTAIN, path, SIGNAL);
        }
        return false;
    }
    let verdict = match state {
        WindowState::Open => return false,
        WindowState::Unknown => {
            report.warning(violation_code::WINDOW_UNCERTAIN, path, UNCERTAIN);
            return false;
        }
        WindowState::NeverOpened => NEVER,
        // With the Human Agent feature, a person could still answer.
        WindowState::Closed if human && !settings.human_agent && is_recent(context) => NOT_GRANTED,
        WindowState::Closed => CLOSED,
        WindowState::HumanOnly if !human => PEOPLE_ONLY,
        WindowState::HumanOnly if settings.human_agent => return true,
        WindowState::HumanOnly => NOT_GRANTED,
    };
    let severity = if message.try_anyway { Severity::Warning } else { Severity::Error };
    report.add(severity, verdict.code, path, verdict.sentence);
    // After 24 hours a person's attempt can only succeed with the tag. Programs never get it.
    human && message.try_anyway && is_recent(context)
}

/// Whether the 7 days for people are still running.
fn is_recent(context: &ConversationContext) -> bool {
    let opened = context.window.opened_at;
    matches!(context.window.state, WindowState::HumanOnly)
        || opened.is_some_and(|opened| context.now.saturating_sub(opened) < LONG_WINDOW)
}

const COMMENT_TOO_OLD: &str = "The comment is older than 7 days, and Instagram takes no private reply to it any more. Answer the comment in public.";
const COMMENT_AGE_UNKNOWN: &str =
    "How old the comment is, is not known. Instagram takes private replies for 7 days only and may refuse this one.";
const LIVE_ONLY: &str =
    "Instagram takes a private reply to a comment on a live broadcast only while the broadcast lasts.";

/// Checks the age of the comment for a private reply (Meta, "Private Replies").
pub(super) fn check_comment(report: &mut Report, message: &OutboundMessage, context: &ConversationContext) {
    let path = "private_reply_to";
    let comment = context.comment.as_ref();
    match comment.and_then(|comment| comment.at) {
        Some(at) if context.now.saturating_sub(at) > LONG_WINDOW => {
            let severity = if message.try_anyway { Severity::Warning } else { Severity::Error };
            report.add(severity, violation_code::WINDOW_CLOSED, path, COMMENT_TOO_OLD);
        }
        Some(_) => {}
        None => report.warning(violation_code::WINDOW_UNCERTAIN, path, COMMENT_AGE_UNKNOWN),
    }
    if comment.is_some_and(|comment| comment.place == comment_place::LIVE) {
        report.warning(violation_code::WINDOW_UNCERTAIN, path, LIVE_ONLY);
    }
}
