//! Owns: the line under a message: when, and what became of it, in words, with the next step beside it.
//! Does not own: the states and failures themselves (the inbox, the channel).

use harness_contract::{AnswerSource, FailureCategory, SendResult};
use harness_inbox::{PublicId as _, StepState};
use maud::{Markup, html};

use super::{
    entry::{Entry, From},
    thread::Thread,
};
use crate::pages::{parts::icon, times, words::fill};

/// The line. `seen`: the customer has read it.
pub(super) fn line(entry: &Entry<'_>, seen: bool, thread: &Thread<'_>) -> Markup {
    if entry.row.deleted_at.is_some() {
        return html! {};
    }
    if entry.from == From::Customer { incoming(entry, thread) } else { outgoing(entry, seen, thread) }
}

fn incoming(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let answer = entry.message.as_ref().and_then(|message| message.answer.as_ref());
    html! {
        p.outcome {
            (times::of_day(entry.row.at, thread.reader))
            @if let Some(answer) = answer {
                " · " (match answer.source {
                    AnswerSource::QuickReply => &words.tapped_quick_reply,
                    AnswerSource::Button => &words.tapped_button,
                    AnswerSource::IceBreaker => &words.tapped_ice_breaker,
                    AnswerSource::Menu => &words.tapped_menu,
                    _ => &words.tapped_other,
                })
            }
            (marks(entry, thread))
        }
    }
}

/// Edited, late, from the history.
fn marks(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    html! {
        @if entry.row.revision.is_some_and(|revision| revision > 0) { " · " (words.edited) }
        @if entry.row.late { " · " span.chip title=(words.late_hint) { (icon("clock")) (words.late) } }
        @if entry.row.origin == "history" { " · " (words.from_history) }
    }
}

fn outgoing(entry: &Entry<'_>, seen: bool, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let channel = [("channel", thread.channel_name)];
    let time = times::of_day(entry.row.at, thread.reader);
    let outcome = entry.row.outcome.as_ref().and_then(|outcome| serde_json::from_str::<SendResult>(outcome.get()).ok());
    let failure = || {
        let failure = outcome.as_ref()?.failure()?;
        let fix = failure.fix.as_deref().map(|fix| format!(" {fix}")).unwrap_or_default();
        Some(format!("{}{fix}", failure.message))
    };
    let hopeless =
        || outcome.as_ref().and_then(SendResult::failure).is_some_and(|failure| is_hopeless(failure.category));
    let settled = |tone: Option<&str>, symbol: &str, text: &str| {
        html! { p.outcome data-tone=[tone] { (icon(symbol)) (text) " " (time) (marks(entry, thread)) } }
    };
    match entry.row.state {
        None | Some(StepState::Sent) if seen => settled(None, "checks", &words.read),
        None | Some(StepState::Sent) => settled(None, "check", &words.sent),
        Some(StepState::Queued) => match failure() {
            Some(why) => settled(Some("warn"), "clock", &format!("{}: {why}", words.waiting)),
            None => settled(None, "clock", &words.waiting),
        },
        Some(StepState::Sending) => settled(None, "clock", &words.sending),
        Some(StepState::Cancelled) => html! {
            div.outcome data-tone="fail" { (icon("stop")) span { (words.not_tried) (again(entry, thread)) } }
        },
        Some(StepState::Rejected) => {
            let why = failure()
                .map_or_else(|| words.not_sent.to_string(), |why| fill(&words.not_sent_because, &[("why", &why)]));
            html! { div.outcome data-tone="fail" { (icon("stop")) span { (why) @if !hopeless() { (again(entry, thread)) } (requests(entry, thread)) } } }
        }
        Some(StepState::Ambiguous) => html! {
            p.outcome data-tone="warn" { (icon("alert")) (fill(&words.maybe_delivered, &channel)) }
            @if let Some(reply) = entry.row.reply {
                form.outcome data-organise method="post" action={ "/inbox/" (thread.id.public()) "/settle" } data-tone="warn" {
                    input type="hidden" name="reply" value=(reply.public());
                    button.textbtn name="how" value="look" { (fill(&words.composer.look, &channel)) }
                    button.textbtn name="how" value="arrived" { (words.it_arrived) }
                    button.textbtn name="how" value="not" { (words.it_did_not_arrive) }
                    button.textbtn name="how" value="again" { (words.send_again_anyway) }
                }
            }
        },
    }
}

/// The way to what was asked of the platform, for whoever may look at it.
fn requests(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    html! {
        @if let Some(reply) = entry.row.reply.filter(|_| thread.reader.is_of_host) {
            a.textbtn href={ "/inspector/replies/" (reply.public()) } { (thread.reader.words.plugins.show_reply) }
        }
    }
}

/// Whether the same, sent again, would fail again.
fn is_hopeless(category: FailureCategory) -> bool {
    use FailureCategory as Failed;
    matches!(
        category,
        Failed::ContentInvalid
            | Failed::Unsupported
            | Failed::OptedOut
            | Failed::WindowClosed
            | Failed::WindowNeedsHuman
    )
}

/// The button that writes the same again, as a new reply.
fn again(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    html! {
        @if entry.row.reply.is_some() && entry.part.is_some() && thread.continued_in.is_none() {
            form.inline method="post" action={ "/inbox/" (thread.id.public()) "/again" } data-organise {
                input type="hidden" name="message" value=(entry.row.id.public());
                button.textbtn { (thread.reader.words.try_again) }
            }
        }
    }
}
