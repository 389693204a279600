//! Owns: the settings' frame: which page is for whom, how each is reached, what every form of them shares.
//! Does not own: the pages (the modules), what is set (the engine, the inbox).

mod appearance;
mod labels;
mod people;
mod replies;
mod retention;
mod tokens;
mod views;
mod webhooks;
mod you;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, FromRef, FromRequest, FromRequestParts, Request},
    response::Response,
    routing::{get, post},
};
use harness_engine::Host;
use maud::{Markup, html};

use super::{
    error,
    forms::{Sent, Wrong},
    layout::{self, Frame, Place},
    parts::icon,
    reader::Reader,
    redirect::see,
};
use crate::auth::Authenticator;

/// Maximum size of a form, in bytes: a saved reply has at most 10,000 characters.
const MAX_FORM: usize = 256 << 10;

/// What the pages need.
#[derive(Clone)]
pub(super) struct Desk {
    host: Host,
    access: Authenticator,
}

impl FromRef<Desk> for Host {
    fn from_ref(desk: &Desk) -> Self {
        desk.host.clone()
    }
}

/// `/settings…`.
pub(super) fn router(host: Host, access: Authenticator) -> Router {
    Router::new()
        .route("/settings", get(first))
        .route("/settings/people", get(people::page).post(people::invite))
        .route("/settings/people/{user}", post(people::change))
        .route("/settings/invitations/{invitation}", post(people::withdraw))
        .route("/settings/tokens", get(tokens::page).post(tokens::create))
        .route("/settings/tokens/{token}", post(tokens::revoke))
        .route("/settings/webhooks", get(webhooks::page).post(webhooks::add))
        .route("/settings/webhooks/{webhook}", get(webhooks::one).post(webhooks::change))
        .route("/settings/labels", get(labels::page).post(labels::change))
        .route("/settings/replies", get(replies::page).post(replies::add))
        .route("/settings/replies/{reply}", get(replies::one).post(replies::change))
        .route("/settings/retention", get(retention::page).post(retention::save))
        .route("/settings/views", get(views::page))
        .route("/settings/views/{view}", get(views::one).post(views::change))
        .route("/settings/appearance", get(appearance::page).post(appearance::save))
        .route("/settings/you", get(you::page).post(you::change))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(Desk { host, access })
}

/// The pages, in the order of the tabs.
#[derive(Clone, Copy, PartialEq)]
enum Tab {
    People,
    Labels,
    Replies,
    Views,
    Tokens,
    Webhooks,
    Retention,
    Appearance,
    You,
}

impl Tab {
    const ALL: [Self; 9] = [
        Self::You,
        Self::Appearance,
        Self::Replies,
        Self::Views,
        Self::Labels,
        Self::People,
        Self::Tokens,
        Self::Webhooks,
        Self::Retention,
    ];

    fn address(self) -> &'static str {
        match self {
            Self::People => "/settings/people",
            Self::Labels => "/settings/labels",
            Self::Replies => "/settings/replies",
            Self::Views => "/settings/views",
            Self::Tokens => "/settings/tokens",
            Self::Webhooks => "/settings/webhooks",
            Self::Retention => "/settings/retention",
            Self::Appearance => "/settings/appearance",
            Self::You => "/settings/you",
        }
    }

    fn title(self, reader: &Reader) -> &str {
        let words = &reader.words.settings;
        match self {
            Self::People => &words.people,
            Self::Labels => &words.labels,
            Self::Replies => &reader.words.saved_replies,
            Self::Views => &reader.words.find.saved_views,
            Self::Tokens => &words.tokens,
            Self::Webhooks => &words.webhooks,
            Self::Retention => &words.retention,
            Self::Appearance => &words.appearance,
            Self::You => &words.you,
        }
    }

    /// Whether agents see it. What concerns the whole team is for its admins.
    fn is_for_all(self) -> bool {
        matches!(self, Self::Replies | Self::Views | Self::Appearance | Self::You)
    }
}

async fn first() -> Response {
    see(Tab::You.address())
}

/// Back to a page that says that it is done.
fn done(tab: Tab) -> Response {
    see(&format!("{}?done", tab.address()))
}

/// A page of the settings.
fn shown(tab: Tab, wrong: &Wrong, reader: &Reader, content: &Markup) -> Response {
    let words = &reader.words.settings;
    let title = wrong.title(tab.title(reader), reader);
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head { div { p.crumbs { (words.title) } h1 { (tab.title(reader)) } } }
            nav.tabs aria-label=(words.title) {
                @for one in Tab::ALL {
                    @if one.is_for_all() || reader.is_admin {
                        a href=(one.address()) aria-current=[(one == tab).then_some("page")] { (one.title(reader)) }
                    }
                }
            }
            div.stack.wide {
                (wrong.summary(reader))
                @if reader.is_done && wrong.is_empty() {
                    div.callout data-tone="open" role="status" { (icon("check")) div { strong { (reader.words.saved) } } }
                }
                (content)
            }
        }
    };
    let frame = Frame { title: &title, place: Place::Settings, pane: None, unread: 0 };
    layout::page(reader, wrong.status(), &frame, &content)
}

/// Whoever looks at a page that is for admins.
struct Admin(Reader);

impl FromRequestParts<Desk> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, desk: &Desk) -> Result<Self, Response> {
        let Ok(reader) = Reader::from_request_parts(parts, desk).await;
        if reader.is_admin { Ok(Self(reader)) } else { Err(error::not_allowed(&reader)) }
    }
}

impl FromRequest<Desk> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(reader) = Reader::from_request_parts(&mut parts, desk).await;
        let form = Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), desk).await;
        form.map(|Form(fields)| Self(fields)).map_err(|_| error::no_form(&reader))
    }
}
