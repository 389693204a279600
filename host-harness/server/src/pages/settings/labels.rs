//! Owns: the page of a team's labels and collections.
//! Does not own: which conversation has which (the inbox's pages).

use axum::{extract::State, response::Response};
use harness_engine::{COLORS, HostError};
use harness_inbox::{CollectionId, InboxError, LabelId, PublicId as _};
use maud::{Markup, html};

use super::{Admin, Desk, Tab, done, shown};
use crate::pages::{
    error,
    forms::{Field, Sent, Wrong},
    parts::icon,
    reader::Reader,
};

/// What a form brought: what is wrong with which of the two lists, and what was typed in.
#[derive(Default)]
struct Tried {
    wrong: Wrong,
    /// The id of the row that it was about; nothing for a new one.
    row: String,
    name: String,
}

/// `GET /settings/labels`.
pub(super) async fn page(State(desk): State<Desk>, Admin(reader): Admin) -> Response {
    draw(&desk, &reader, &Tried::default()).await
}

async fn draw(desk: &Desk, reader: &Reader, tried: &Tried) -> Response {
    let inbox = desk.host.inbox();
    let both = async {
        Ok::<_, InboxError>((inbox.labels(reader.workspace).await?, inbox.collections(reader.workspace).await?))
    };
    let (labels, collections) = match both.await {
        Ok(both) => both,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let words = &reader.words.settings;
    let content = html! {
        section.panel.flush aria-labelledby="labels" {
            header { div { h2 id="labels" { (words.labels_title) } p.small.muted { (words.labels_hint) } } }
            ul {
                @for label in &labels { (line("label", &label.id.public(), &label.name, Some(&label.color), tried, reader)) }
            }
            (new("label", &words.new_label, true, tried, reader))
        }
        section.panel.flush aria-labelledby="collections" {
            header { div { h2 id="collections" { (words.collections) } p.small.muted { (words.collections_hint) } } }
            ul {
                @for one in &collections { (line("collection", &one.id.public(), &one.name, None, tried, reader)) }
            }
            (new("collection", &words.new_collection, false, tried, reader))
        }
    };
    shown(Tab::Labels, &tried.wrong, reader, &content)
}

fn color_name<'w>(color: &str, reader: &'w Reader) -> &'w str {
    let words = &reader.words.settings;
    match color {
        "red" => &words.red,
        "orange" => &words.orange,
        "yellow" => &words.yellow,
        "green" => &words.green,
        "teal" => &words.teal,
        "blue" => &words.blue,
        "purple" => &words.purple,
        "pink" => &words.pink,
        _ => &words.gray,
    }
}

fn colors(chosen: &str, label: &str, reader: &Reader) -> Markup {
    html! {
        select.input.small name="color" aria-label={ (reader.words.settings.color) ", " (label) } {
            @for color in COLORS { option value=(color) selected[color == chosen] { (color_name(color, reader)) } }
        }
    }
}

fn line(kind: &str, id: &str, name: &str, color: Option<&str>, tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let shown = if tried.row == id { &tried.name } else { name };
    html! {
        li.check-row.tight {
            (icon(if color.is_some() { "tag" } else { "archive" }))
            form.line.wrap method="post" action="/settings/labels" {
                input type="hidden" name="kind" value=(kind);
                input type="hidden" name="row" value=(id);
                input.input.small id=(id) name="name" value=(shown) dir="auto" aria-label={ (words.name) ", " (name) }
                    aria-invalid=[(tried.row == id && !tried.wrong.is_empty()).then_some("true")];
                @if let Some(color) = color { (colors(color, name, reader)) }
                button.btn.small name="do" value="save" { (reader.words.save) span.sr { " " (name) } }
                button.btn.small.quiet name="do" value="delete" { (words.delete) span.sr { " " (name) } }
            }
        }
    }
}

fn new(kind: &str, title: &str, colored: bool, tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let id = format!("new-{kind}");
    let typed = if tried.row == id { tried.name.as_str() } else { "" };
    html! {
        form.stack.padded.narrow-form method="post" action="/settings/labels" novalidate {
            input type="hidden" name="kind" value=(kind);
            input type="hidden" name="row" value=(id);
            (Field { id: &id, label: title, hint: None, wrong: &tried.wrong }.line("text", "off", typed))
            div.line.wrap {
                @if colored { (colors("gray", title, reader)) }
                button.btn.primary.small name="do" value="add" { (words.add) span.sr { ", " (title) } }
            }
        }
    }
}

/// `POST /settings/labels`: adds, changes or deletes a label or a collection.
pub(super) async fn change(State(desk): State<Desk>, Admin(reader): Admin, sent: Sent) -> Response {
    let (named, place) = (sent.one("row"), sent.one("row").to_owned());
    // A new one has its name in the field that its form is called after.
    let name = if sent.one("do") == "add" { sent.one(&place) } else { sent.one("name") };
    let (host, color) = (&desk.host, sent.one("color"));
    let changed = match (sent.one("kind"), sent.one("do")) {
        ("label", "add") => host.add_label(reader.workspace, name, color).await.map(drop),
        ("collection", "add") => host.add_collection(reader.workspace, name).await.map(drop),
        ("label", "save" | "delete") => {
            let id: LabelId = match reader.row(&desk.host, named).await {
                Ok(id) => id,
                Err(answer) => return answer,
            };
            if sent.one("do") == "save" { host.edit_label(id, name, color).await } else { host.delete_label(id).await }
        }
        ("collection", "save" | "delete") => {
            let id: CollectionId = match reader.row(&desk.host, named).await {
                Ok(id) => id,
                Err(answer) => return answer,
            };
            if sent.one("do") == "save" {
                host.rename_collection(id, name).await
            } else {
                host.delete_collection(id).await
            }
        }
        _ => return error::no_form(&reader),
    };
    let sentence = match changed {
        Ok(()) => return done(Tab::Labels),
        Err(HostError::WrongField(_)) => &reader.words.settings.bad_name,
        Err(HostError::Inbox(InboxError::NameTaken { .. })) => &reader.words.settings.name_taken,
        Err(failed) => return error::failed(&reader, &failed),
    };
    let wrong = Wrong::of(&place, sentence);
    draw(&desk, &reader, &Tried { wrong, row: place, name: name.chars().take(200).collect() }).await
}
