//! Owns: the frame of every page of the inbox: head, content security policy, navigation.
//! Does not own: what stands in it.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    parts::{avatar, badge, icon},
    reader::Reader,
    words::count,
};

/// Everything comes from this host, nothing stands in the page itself, and nobody frames it.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Where in the navigation a page stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Inbox,
    Channels,
    Bot,
    Help,
    Demo,
}

/// What a page has besides its content.
pub(super) struct Frame<'f> {
    pub(super) title: &'f str,
    pub(super) place: Place,
    /// `list` or `thread`: which pane a narrow screen shows.
    pub(super) pane: Option<&'f str>,
    /// Messages that nobody has read, over all conversations of the list.
    pub(super) unread: i64,
}

/// A page in the frame of the inbox.
pub(super) fn page(reader: &Reader, status: StatusCode, frame: &Frame<'_>, content: &Markup) -> Response {
    let body = html! {
        body.app data-pane=[frame.pane] {
            (skip(if frame.pane.is_some() { &reader.words.skip_to_conversation } else { &reader.words.skip_to_page }))
            (rail(reader, frame))
            (content)
        }
    };
    document(reader, status, frame.title, &body)
}

/// The link over the navigation, for those who use no mouse.
fn skip(words: &str) -> Markup {
    html! { a.skip href="#main" { (words) } }
}

/// A document: head, style, scripts. None of it stands in the page itself.
pub(super) fn document(reader: &Reader, status: StatusCode, title: &str, body: &Markup) -> Response {
    let words = reader.words;
    let document = html! {
        (DOCTYPE)
        html lang=(words.language.tag) dir=(words.language.direction) data-theme=[reader.theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href={ (assets::address("mark.svg")) };
                link rel="stylesheet" href={ (assets::address("tokens.css")) };
                link rel="stylesheet" href={ (assets::address("inbox.css")) };
                script type="module" src={ (assets::address("js/inbox.js")) } {}
            }
            (body)
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Not `no-referrer`: browsers would then send the page's own forms without their origin.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, document.into_string()).into_response()
}

/// The sign of the house.
pub(super) fn sign(size: u8) -> Markup {
    html! {
        svg viewBox="0 0 28 28" width=(size) height=(size) aria-hidden="true" {
            path d="M4 6.5A3.5 3.5 0 0 1 7.5 3h13A3.5 3.5 0 0 1 24 6.5v10a3.5 3.5 0 0 1-3.5 3.5H13l-6 5v-5A3.5 3.5 0 0 1 4 16.5z" fill="var(--a-3)" {}
            path d="M9 9.5h10M9 13.5h6" stroke="var(--on-accent)" stroke-width="2" stroke-linecap="round" {}
        }
    }
}

fn rail(reader: &Reader, frame: &Frame<'_>) -> Markup {
    let words = reader.words;
    let current = |place: Place| (frame.place == place).then_some("page");
    html! {
        nav.rail aria-label=(words.main_navigation) {
            ul {
                li.if-two-panes { a.brand href="/inbox" aria-label=(words.home) { (sign(28)) } }
                li {
                    a href="/inbox" aria-current=[current(Place::Inbox)] {
                        (icon("inbox")) (words.inbox)
                        span id="unread" { @if frame.unread > 0 { (badge(frame.unread, &count(&words.unread_count, frame.unread))) } }
                    }
                }
                li { a href="/channels" aria-current=[current(Place::Channels)] { (icon("channels")) (words.channels) } }
                li { a href="/bot" aria-current=[current(Place::Bot)] { (icon("bot")) (words.bot) } }
                @if reader.has_demo { li { a href="/demo" aria-current=[current(Place::Demo)] { (icon("phone")) (words.demo) } } }
            }
            ul.if-two-panes {
                li { a href="/help" aria-keyshortcuts="?" aria-current=[current(Place::Help)] { (icon("help")) (words.help) } }
                @if !reader.name.is_empty() {
                    li { span.me { (avatar(&reader.name, &reader.name, "s", None)) bdi { (reader.name.split_whitespace().next().unwrap_or_default()) } } }
                }
            }
        }
    }
}
