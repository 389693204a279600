//! Owns: answering a message and reacting to it: the buttons beside it, the choice of emoji, sending the reaction.
//! Does not own: showing reactions (`thread`), the emoji themselves (`emoji`), whether one may be sent (the channel).

use std::time::Duration;

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use harness_contract::{MessageRef, OutboundPart, OutboundReaction, ReactionAction, SendResult};
use harness_engine::HostError;
use harness_inbox::{MessageId, PublicId as _, ReplyState, ReplyView};
use maud::{Markup, html};
use serde::Deserialize;

use super::{Desk, can::Can, draft::written_by, entry::Entry, here::Here, load::Opened, sending, thread::Thread};
use crate::pages::{error, parts::icon, reader::Reader, redirect::see, words::fill};

/// How long a reaction's end is waited for. After that the page shows it once it is there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Changes read at once while waiting.
const CHANGES: usize = 500;
/// The longest emoji or name of a reaction, in bytes.
const LONGEST: usize = 100;

/// The buttons beside a message. Without scripts they lead to the page with what is to be chosen.
pub(super) fn acts(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = &thread.reader.words.composer;
    let Some(id) = entry.row.platform_id.as_deref().filter(|_| entry.row.deleted_at.is_none()) else { return html! {} };
    let address = |field: &str, value: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(field, value).finish();
        format!("/inbox/{}?{query}#composer", thread.id.public())
    };
    html! {
        @if thread.can_answer || thread.can_react {
            p.acts {
                @if thread.can_answer { a.btn.icon.small.quiet href=(address("reply_to", id)) data-answer aria-label=(words.answer) title=(words.answer) { (icon("reply")) } }
                @if thread.can_react { a.btn.icon.small.quiet href=(address("react", &entry.row.id.public())) data-react=(entry.row.id.public()) aria-label=(words.react) title=(words.react) { (icon("smile")) } }
            }
        }
    }
}

/// The choice of a reaction. The script shows it beside the message; without it, it stands over the composer for the message
/// `to`.
pub(super) fn choice(opened: &Opened, to: Option<&str>, reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    let can = opened.capabilities.as_ref().filter(|_| opened.goes_on_in.is_none());
    let Some(can) = can.map(|capabilities| Can(capabilities)) else { return html! {} };
    let offered = can.reactions();
    let row = to.and_then(|to| opened.messages.iter().find(|row| row.id.public() == to));
    html! {
        @if !offered.is_empty() {
            form.reactions id="reactions" method="post" action={ "/inbox/" (opened.summary.id.public()) "/react" } data-organise
                popover[row.is_none()] role="group" aria-label=(words.react) {
                @if let Some(row) = row { p.small { (fill(&words.react_to, &[("text", row.text.as_deref().unwrap_or("…"))])) } }
                input type="hidden" name="message" value=(to.unwrap_or_default());
                @for what in offered {
                    button.btn.icon.quiet name="what" value=(what) aria-label=(fill(&words.react_with, &[("what", what)])) { span aria-hidden="true" { (what) } }
                }
                @if can.any_reaction() {
                    button.btn.icon.quiet.needs-script type="button" data-emoji-open="reactions" aria-haspopup="dialog" aria-label=(words.more_emoji) title=(words.more_emoji) { (icon("plus")) }
                }
            }
        }
    }
}

/// A reaction of the business's own, with the button that takes it back.
pub(super) fn own(what: &str, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let label = fill(&thread.reader.words.composer.remove_reaction, &[("what", what)]);
    html! {
        form.inline method="post" action={ "/inbox/" (thread.id.public()) "/react" } data-organise {
            input type="hidden" name="message" value=(entry.row.id.public());
            button.react name="remove" value="1" aria-label=(label) title=(label) { span aria-hidden="true" { (what) } (icon("x")) }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Reaction {
    message: String,
    what: Option<String>,
    remove: Option<String>,
}

/// `POST …/react`: gives a reaction, or takes it back. The answer says why, if it was refused.
pub(super) async fn react(
    State(desk): State<Desk>,
    Here(summary): Here,
    reader: Reader,
    form: Result<Form<Reaction>, FormRejection>,
) -> Response {
    let Ok(Form(wanted)) = form else { return error::no_form(&reader) };
    let what = wanted.what.filter(|what| !what.is_empty() && what.len() <= LONGEST);
    let (Ok(message), true) = (MessageId::from_public(&wanted.message), what.is_some() != wanted.remove.is_some())
    else {
        return error::no_form(&reader);
    };
    let words = &reader.words.composer;
    let refused =
        |why: &str| error::page(&reader, StatusCode::UNPROCESSABLE_ENTITY, why, &reader.words.error_form_hint);
    let ended = async {
        let Some(row) = sending::message(&desk.host, summary.id, message).await? else { return Ok(None) };
        let Some(target) = row.platform_id else { return Ok(None) };
        // What is no emoji is the platform's own name.
        let is_name = what.as_deref().is_some_and(|what| what.is_ascii());
        let (name, emoji) = if is_name { (what, None) } else { (None, what) };
        let action = if wanted.remove.is_some() { ReactionAction::Removed } else { ReactionAction::Added };
        let reaction = OutboundReaction { target: MessageRef { id: target, context: None }, action, emoji, name };
        let key = format!("react-{}", hex::encode(harness_engine::random::<16>()?));
        let written = written_by(&reader, None, vec![OutboundPart::Reaction(reaction)]);
        let mut changes = desk.host.inbox().follow();
        let reply = desk.host.reply_as(reader.user, summary.id, &key, written).await?.reply;
        let end = async {
            loop {
                let view = desk.host.inbox().reply(reply).await?;
                if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                    return Ok::<_, HostError>(view);
                }
                changes.next(CHANGES).await?;
            }
        };
        Ok(Some(tokio::time::timeout(PATIENCE, end).await.ok().transpose()?))
    };
    match ended.await {
        Ok(None) => refused(&words.no_such_message),
        Ok(Some(None)) => see(&format!("/inbox/{}", summary.id.public())),
        Ok(Some(Some(view))) => match why_not(&view) {
            Some(why) => refused(&fill(&words.not_reacted, &[("why", &why)])),
            None => see(&format!("/inbox/{}", summary.id.public())),
        },
        Err(HostError::NotSendable(violations)) => {
            let why = violations.first().map(|one| one.message.as_str()).unwrap_or_default();
            refused(&fill(&words.not_reacted, &[("why", why)]))
        }
        Err(failed) => error::failed(&reader, &failed),
    }
}

/// Why a reaction was not taken.
fn why_not(view: &ReplyView) -> Option<String> {
    let failed = view.steps.iter().filter_map(|step| step.outcome.as_ref()).find_map(|outcome| {
        let outcome: SendResult = serde_json::from_str(outcome.get()).ok()?;
        Some(outcome.failure()?.message.clone())
    });
    failed.or_else(|| {
        view.violations.first().filter(|_| view.state == ReplyState::Refused).map(|one| one.message.clone())
    })
}
