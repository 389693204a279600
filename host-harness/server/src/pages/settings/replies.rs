//! Owns: the pages of a team's saved replies.
//! Does not own: putting one into a message (the composer), their variables (the engine).

use axum::{
    extract::{Path, State},
    response::Response,
};
use harness_engine::{HostError, VARIABLES};
use harness_inbox::{CannedAnswerId, CannedAnswerText, InboxError, PublicId as _};
use maud::{Markup, html};

use super::{Desk, Tab, done, shown};
use crate::pages::{
    error,
    forms::{Field, Sent, Wrong},
    parts::icon,
    reader::Reader,
    words::fill,
};

/// The longest text that is shown again, in characters.
const LONGEST: usize = 12_000;
/// How much of a reply the list shows, in characters.
const PREVIEW: usize = 160;

struct Tried {
    wrong: Wrong,
    content: CannedAnswerText,
}

fn empty() -> CannedAnswerText {
    CannedAnswerText { shortcut: String::new(), title: String::new(), text: String::new() }
}

/// `GET /settings/replies`.
pub(super) async fn page(State(desk): State<Desk>, reader: Reader) -> Response {
    all(&desk, &reader, &Tried { wrong: Wrong::default(), content: empty() }).await
}

async fn all(desk: &Desk, reader: &Reader, tried: &Tried) -> Response {
    let words = &reader.words.settings;
    let replies = match desk.host.inbox().canned_answers(reader.workspace).await {
        Ok(replies) => replies,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let content = html! {
        p.muted { (words.replies_hint) }
        @if !replies.is_empty() {
            section.panel.flush aria-labelledby="saved" {
                header { h2 id="saved" { (reader.words.saved_replies) } }
                ul {
                    @for one in &replies {
                        li.check-row {
                            (icon("slash"))
                            div {
                                a href={ "/settings/replies/" (one.id.public()) } { strong { bdi { (one.title) } } }
                                " " code { "/" bdi { (one.shortcut) } }
                                p.small.muted dir="auto" { (one.text.chars().take(PREVIEW).collect::<String>()) }
                            }
                        }
                    }
                }
            }
        }
        section.panel.stack aria-labelledby="new" {
            header { h2 id="new" { (words.new_reply) } }
            form.stack.narrow-form method="post" action="/settings/replies" novalidate {
                (fields(tried, reader))
                p { button.btn.primary { (words.add) } }
            }
        }
    };
    shown(Tab::Replies, &tried.wrong, reader, &content)
}

fn fields(tried: &Tried, reader: &Reader) -> Markup {
    let (words, wrong, content) = (&reader.words.settings, &tried.wrong, &tried.content);
    let variables = VARIABLES.map(|name| format!("{{{{{name}}}}}")).join(", ");
    let hint = fill(&words.reply_text_hint, &[("variables", &variables)]);
    html! {
        (Field { id: "shortcut", label: &words.shortcut, hint: Some(&words.shortcut_hint), wrong }.line("text", "off", &content.shortcut))
        (Field { id: "title", label: &words.reply_title, hint: None, wrong }.line("text", "off", &content.title))
        (Field { id: "text", label: &reader.words.message, hint: Some(&hint), wrong }.lines(5, &content.text))
    }
}

fn content(sent: &Sent) -> CannedAnswerText {
    let field = |name: &str| sent.one(name).replace("\r\n", "\n").chars().take(LONGEST).collect();
    CannedAnswerText { shortcut: field("shortcut"), title: field("title"), text: field("text") }
}

/// The field that an error is about; the error itself if it is about none.
fn wrong(failed: HostError, reader: &Reader) -> Result<Wrong, HostError> {
    match failed {
        HostError::WrongField(wrong) => Ok(Wrong::of(wrong.field(), &wrong.to_string().replace('`', ""))),
        HostError::Inbox(InboxError::NameTaken { .. }) => {
            Ok(Wrong::of("shortcut", &reader.words.settings.shortcut_taken))
        }
        failed => Err(failed),
    }
}

/// `POST /settings/replies`.
pub(super) async fn add(State(desk): State<Desk>, reader: Reader, sent: Sent) -> Response {
    let content = content(&sent);
    match desk.host.add_canned_answer(reader.workspace, &content).await {
        Ok(_) => done(Tab::Replies),
        Err(failed) => match wrong(failed, &reader) {
            Ok(wrong) => all(&desk, &reader, &Tried { wrong, content }).await,
            Err(failed) => error::failed(&reader, &failed),
        },
    }
}

/// `GET /settings/replies/{reply}`.
pub(super) async fn one(State(desk): State<Desk>, reader: Reader, Path(id): Path<String>) -> Response {
    let id: CannedAnswerId = match reader.row(&desk.host, &id).await {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    match desk.host.inbox().canned_answer(id).await {
        Ok(known) => {
            let content = CannedAnswerText { shortcut: known.shortcut, title: known.title, text: known.text };
            edit(id, &Tried { wrong: Wrong::default(), content }, &reader)
        }
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}

fn edit(id: CannedAnswerId, tried: &Tried, reader: &Reader) -> Response {
    let words = &reader.words.settings;
    let content = html! {
        section.panel.stack aria-labelledby="change" {
            header { h2 id="change" { (words.change_reply) } }
            form.stack.narrow-form method="post" action={ "/settings/replies/" (id.public()) } novalidate {
                (fields(tried, reader))
                p.line.wrap {
                    button.btn.primary name="do" value="save" { (reader.words.save) }
                    button.btn.quiet name="do" value="delete" { (words.delete) }
                }
            }
        }
    };
    shown(Tab::Replies, &tried.wrong, reader, &content)
}

/// `POST /settings/replies/{reply}`.
pub(super) async fn change(State(desk): State<Desk>, reader: Reader, Path(id): Path<String>, sent: Sent) -> Response {
    let id: CannedAnswerId = match reader.row(&desk.host, &id).await {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let content = content(&sent);
    let changed = match sent.one("do") {
        "delete" => desk.host.delete_canned_answer(id).await,
        _ => desk.host.edit_canned_answer(id, &content).await,
    };
    match changed {
        Ok(()) => done(Tab::Replies),
        Err(failed) => match wrong(failed, &reader) {
            Ok(wrong) => edit(id, &Tried { wrong, content }, &reader),
            Err(failed) => error::failed(&reader, &failed),
        },
    }
}
