//! Owns: private notes: showing, writing and deleting them.
//! Does not own: keeping them (the inbox), who is told of a mention (the engine).

use axum::{
    Form,
    extract::{Path, State, rejection::FormRejection},
    response::Response,
};
use harness_engine::HostError;
use harness_inbox::{InboxError, NoteId, NoteView, PublicId as _, UserView, named_in};
use maud::{Markup, html};

use super::{
    Desk,
    form::MAX_KEY,
    here::{Here, is_here},
    team::given,
    thread::Thread,
};
use crate::pages::{
    error,
    parts::{icon, linked},
    reader::Reader,
    redirect::see,
    times,
    words::fill,
};

/// A note in the log.
pub(super) fn note(note: &NoteView, at: i64, thread: &Thread<'_>) -> Markup {
    let reader = thread.reader;
    let words = reader.words;
    let own = reader.user.is_some() && note.user == reader.user;
    html! {
        li.item id={ "n-" (note.id.public()) } data-from="note" tabindex="-1" {
            p.who { (icon("lock")) (fill(&words.note_by, &[("name", &note.author)])) }
            div.bubble dir="auto" { (mentioning(&note.text, thread.people, reader)) }
            div.outcome {
                (times::of_day(at, reader))
                @if note.edited_at.is_some() { " · " (words.edited) }
                @if own {
                    form.inline method="post" action={ "/inbox/" (note.conversation.public()) "/notes/" (note.id.public()) "/delete" } data-organise {
                        button.textbtn { (words.delete_note) }
                    }
                }
            }
        }
    }
}

/// A note's text with the names of colleagues that it mentions marked.
fn mentioning(text: &str, people: &[UserView], reader: &Reader) -> Markup {
    let mut done = 0;
    let mut before = Vec::new();
    for (at, meant) in named_in(text, people) {
        let Some(name) = meant.first().map(|user| user.name.as_str()) else { continue };
        let me = meant.iter().any(|user| reader.user == Some(user.id));
        before.push((text.get(done..at).unwrap_or_default(), name, me));
        done = at + 1 + name.len();
    }
    html! {
        @for (plain, name, me) in before {
            (linked(plain))
            strong.mention data-me[me] { "@" (name) }
        }
        (linked(text.get(done..).unwrap_or_default()))
    }
}

/// `POST …/notes`: writes a private note.
pub(super) async fn add_note(
    State(desk): State<Desk>,
    Here(summary): Here,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    let text = given(&fields, "text").unwrap_or_default().replace("\r\n", "\n");
    let key = given(&fields, "key").filter(|key| !key.is_empty() && key.len() <= MAX_KEY);
    let back = see(&format!("/inbox/{}", summary.id.public()));
    if text.trim().is_empty() {
        return back;
    }
    let add = async |key| desk.host.add_note(summary.id, reader.user, &reader.name, text.trim(), key).await;
    let added = match add(key).await {
        // The same form with another text is another note.
        Err(HostError::Inbox(InboxError::KeyReused(_))) => add(None).await,
        added => added,
    };
    match added {
        Ok(_) => back,
        Err(failed) => error::failed(&reader, &failed),
    }
}

/// `POST …/notes/{note}/delete`: deletes a note of the reader's own.
pub(super) async fn delete_note(
    State(desk): State<Desk>,
    Path((conversation, note)): Path<(String, String)>,
    reader: Reader,
) -> Response {
    let Ok(id) = NoteId::from_public(&note) else { return error::no_page(&reader) };
    let own = match desk.host.inbox().note(id).await {
        Ok(note) => reader.user.is_some() && note.user == reader.user,
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    if !own || !is_here(&desk, id, &reader).await {
        return error::no_page(&reader);
    }
    match desk.host.delete_note(id).await {
        Ok(()) => see(&format!("/inbox/{conversation}")),
        Err(failed) => error::failed(&reader, &failed),
    }
}
