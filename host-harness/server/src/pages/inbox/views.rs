//! Owns: saved views in the list's head: opening one, saving what the list shows under a name.
//! Does not own: renaming and deleting them (the settings), keeping them (the inbox).

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    response::Response,
};
use harness_engine::HostError;
use harness_inbox::{InboxError, LabelId, PublicId as _, ViewFilters, Whose};
use maud::{Markup, html};

use super::{Desk, asked::Asked, list::Shown};
use crate::pages::{error, forms, lenient::Lenient, parts::icon, reader::Reader, redirect::see};

/// The longest name of a channel, and the longest text that is searched for, in characters.
const LONGEST: usize = 200;

/// The address of the list as a view shows it.
pub(in crate::pages) fn address(filters: &ViewFilters) -> String {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let asked = Asked {
        view: (filters.whose != Whose::Everyone).then(|| filters.whose.name().to_owned()),
        channel: text(&filters.channel),
        label: filters.label.map(|label| label.public()),
        unread: filters.unread.then(|| "1".to_owned()),
        q: text(&filters.text),
        ..Asked::default()
    };
    format!("/inbox{}", asked.query())
}

/// What the list is narrowed to.
fn filters(asked: &Asked) -> ViewFilters {
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(short);
    ViewFilters {
        whose: Whose::from_name(asked.view()).unwrap_or_default(),
        channel: given(asked.channel.as_deref()),
        label: asked.label.as_deref().and_then(|label| LabelId::from_public(label).ok()),
        unread: asked.only_unread(),
        text: given(asked.search()),
    }
}

/// The menu.
pub(super) fn menu(shown: &Shown<'_>) -> Markup {
    let views = &shown.team.views;
    let (words, reader) = (&shown.reader.words.find, shown.reader);
    let here = filters(shown.asked);
    html! {
        details.menu id="views" {
            summary.btn.small.quiet { (icon("star")) (words.views) }
            div.stack {
                a.btn.quiet.small href={ "/inbox" (shown.asked.with(&[("view", "snoozed"), ("q", "")])) } aria-current=[(shown.asked.view() == "snoozed").then_some("page")] {
                    (icon("clock")) (words.snoozed_view)
                }
                @if views.is_empty() { p.small.muted { (words.no_views) } } @else {
                    ul id="saved-views" {
                        @for view in views {
                            li { a.btn.quiet.small href=(address(&view.filters)) aria-current=[(view.filters == here).then_some("true")] {
                                @if view.user.is_none() { (icon("person")) }
                                span.cut { bdi { (view.name) } }
                                @if view.user.is_none() { span.sr { ", " (words.shared_view) } }
                            } }
                        }
                    }
                }
                form.stack id="save-view" method="post" action={ "/inbox/views" (shown.asked.query()) } {
                    div.line {
                        label.grow { span.sr { (words.view_name) } input.input.small name="name" maxlength="80" required placeholder=(words.view_name) dir="auto"; }
                        button.btn.small { (words.save_view) }
                    }
                    @if reader.is_admin && reader.user.is_some() {
                        label.check.small { input type="checkbox" name="shared" value="1"; span { (words.share_view) } }
                    }
                }
                @if !views.is_empty() { p.small { a href="/settings/views" { (words.manage_views) } } }
            }
        }
    }
}

/// `POST /inbox/views`: saves what the query narrows the list to.
pub(super) async fn save(
    State(desk): State<Desk>,
    Lenient(asked): Lenient<Asked>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let shared = reader.is_admin && (reader.user.is_none() || given("shared").is_some());
    let user = reader.user.filter(|_| !shared);
    if user.is_none() && !shared {
        return error::not_allowed(&reader);
    }
    let name = given("name").unwrap_or_default();
    match desk.host.save_view(reader.workspace, user, name, filters(&asked)).await {
        Ok(_) => see(&format!("/inbox{}", asked.query())),
        Err(failed) => match wrong(&failed, &reader) {
            Some(sentence) => error::page(&reader, forms::WRONG, &reader.words.find.not_saved, &sentence),
            None => error::failed(&reader, &failed),
        },
    }
}

/// What is wrong with a view's name, or `None` if the error is another one.
pub(in crate::pages) fn wrong(failed: &HostError, reader: &Reader) -> Option<String> {
    match failed {
        HostError::WrongField(wrong) => Some(forms::as_sentence(&wrong.to_string().replace('`', ""))),
        HostError::Inbox(InboxError::NameTaken { .. }) => Some(reader.words.find.view_taken.to_string()),
        HostError::Inbox(InboxError::TooMany { .. }) => Some(reader.words.find.too_many_views.to_string()),
        _ => None,
    }
}
