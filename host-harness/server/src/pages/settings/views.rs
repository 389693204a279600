//! Owns: the pages on which saved views are renamed and deleted.
//! Does not own: saving one (the list's head).

use axum::{
    extract::{Path, State},
    response::Response,
};
use harness_inbox::{PublicId as _, SavedView, SavedViewId};
use maud::html;

use super::{Desk, Tab, done, shown};
use crate::pages::{
    error,
    forms::{Field, Sent, Wrong},
    inbox::{view_address, wrong_view},
    parts::icon,
    reader::Reader,
};

/// The longest name that is shown again, in characters.
const LONGEST: usize = 100;

/// `GET /settings/views`.
pub(super) async fn page(State(desk): State<Desk>, reader: Reader) -> Response {
    let words = &reader.words.find;
    let views = match desk.host.inbox().saved_views(reader.workspace, reader.user).await {
        Ok(views) => views,
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let content = html! {
        p.muted { (words.views_hint) }
        @if views.is_empty() { p { a href="/inbox" { (words.to_list) } } } @else {
            section.panel.flush aria-labelledby="saved" {
                header { h2 id="saved" { (words.saved_views) } }
                ul {
                    @for view in &views {
                        li.check-row {
                            (icon("star"))
                            div {
                                a href=(view_address(&view.filters)) { strong { bdi { (view.name) } } }
                                @if view.user.is_none() { " " span.chip { (words.shared_view) } }
                            }
                            @if may_change(view, &reader) {
                                a.btn.small.push href={ "/settings/views/" (view.id.public()) } { (words.change_view) span.sr { ": " (view.name) } }
                            }
                        }
                    }
                }
            }
        }
    };
    shown(Tab::Views, &Wrong::default(), &reader, &content)
}

/// One's own views, and as an admin those that the team shares.
fn may_change(view: &SavedView, reader: &Reader) -> bool {
    match view.user {
        None => reader.is_admin,
        own => own == reader.user,
    }
}

/// The view that an address names. A colleague's own is not there.
async fn own(desk: &Desk, id: &str, reader: &Reader) -> Result<SavedView, Response> {
    let id: SavedViewId = reader.row(&desk.host, id).await?;
    match desk.host.inbox().saved_view(id).await {
        Ok(view) if may_change(&view, reader) => Ok(view),
        Ok(_) => Err(error::no_page(reader)),
        Err(failed) => Err(error::failed(reader, &failed.into())),
    }
}

/// `GET /settings/views/{view}`.
pub(super) async fn one(State(desk): State<Desk>, reader: Reader, Path(id): Path<String>) -> Response {
    match own(&desk, &id, &reader).await {
        Ok(view) => edit(view.id, &view.name, &Wrong::default(), &reader),
        Err(answer) => answer,
    }
}

fn edit(id: SavedViewId, name: &str, wrong: &Wrong, reader: &Reader) -> Response {
    let words = &reader.words.find;
    let content = html! {
        section.panel.stack aria-labelledby="change" {
            header { h2 id="change" { (words.change_view) } }
            form.stack.narrow-form method="post" action={ "/settings/views/" (id.public()) } novalidate {
                (Field { id: "name", label: &words.view_name, hint: None, wrong }.line("text", "off", name))
                p.line.wrap {
                    button.btn.primary name="do" value="save" { (reader.words.save) }
                    button.btn.quiet name="do" value="delete" { (reader.words.settings.delete) }
                }
            }
        }
    };
    shown(Tab::Views, wrong, reader, &content)
}

/// `POST /settings/views/{view}`.
pub(super) async fn change(State(desk): State<Desk>, reader: Reader, Path(id): Path<String>, sent: Sent) -> Response {
    let view = match own(&desk, &id, &reader).await {
        Ok(view) => view,
        Err(answer) => return answer,
    };
    let name: String = sent.one("name").chars().take(LONGEST).collect();
    let changed = match sent.one("do") {
        "delete" => desk.host.delete_view(view.id).await,
        _ => desk.host.change_view(view.id, Some(&name), None).await,
    };
    match changed {
        Ok(()) => done(Tab::Views),
        Err(failed) => match wrong_view(&failed, &reader) {
            Some(sentence) => edit(view.id, &name, &Wrong::of("name", &sentence), &reader),
            None => error::failed(&reader, &failed),
        },
    }
}
