//! Owns: the frame of every page of the inbox: head, content security policy, navigation.
//! Does not own: what stands in it.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use harness_inbox::PublicId as _;
use maud::{DOCTYPE, Markup, html};

use super::{
    assets,
    parts::{avatar, badge, icon},
    reader::Reader,
    words::count,
};

/// What pages need, and few of them more than this.
pub(super) struct Needs {
    /// Origins other than this host that its forms may lead to.
    pub(super) form_to: Vec<String>,
    /// The origins of its pictures. Others are blocked.
    pub(super) pictures: Vec<String>,
    /// The module that starts those of the page.
    pub(super) script: &'static str,
    /// Where the page goes on by itself: after how many seconds, and at which address.
    pub(super) goes_on: Option<(u8, String)>,
}

impl Default for Needs {
    fn default() -> Self {
        Self { form_to: Vec::new(), pictures: Vec::new(), script: "js/page.js", goes_on: None }
    }
}

impl Needs {
    /// Everything comes from this host, nothing stands in the page itself, and nobody frames it.
    fn policy(&self) -> String {
        let more = |origins: &[String]| origins.iter().map(|origin| format!(" {origin}")).collect::<String>();
        format!(
            "default-src 'self'; object-src 'none'; img-src 'self'{}; base-uri 'none'; form-action 'self'{}; frame-ancestors 'none'",
            more(&self.pictures),
            more(&self.form_to)
        )
    }
}

/// Where in the navigation a page stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Place {
    Inbox,
    Channels,
    Bot,
    Plugins,
    Settings,
    Help,
    Demo,
}

/// What a page has besides its content.
pub(super) struct Frame<'f> {
    pub(super) title: &'f str,
    pub(super) place: Place,
    /// `list` or `thread`: which pane a narrow screen shows.
    pub(super) pane: Option<&'f str>,
    /// Messages that nobody has read, over all conversations of the team.
    pub(super) unread: i64,
}

/// A page in the frame of the inbox.
pub(super) fn page(reader: &Reader, status: StatusCode, frame: &Frame<'_>, content: &Markup) -> Response {
    let body = html! {
        body.app data-pane=[frame.pane] data-reader=(reader.user.map(|user| user.public()).unwrap_or_default()) {
            (skip(if frame.pane.is_some() { &reader.words.skip_to_conversation } else { &reader.words.skip_to_page }))
            (rail(reader, frame))
            (content)
        }
    };
    let mut needs = Needs::default();
    match frame.place {
        Place::Inbox => needs.script = "js/inbox.js",
        Place::Demo => needs.script = "js/demo.js",
        Place::Channels | Place::Bot | Place::Plugins | Place::Settings | Place::Help => {}
    }
    document_with(reader, status, frame.title, &needs, &body)
}

/// The link over the navigation, for those who use no mouse.
fn skip(words: &str) -> Markup {
    html! { a.skip href="#main" { (words) } }
}

/// A document: head, style, scripts. None of it stands in the page itself.
pub(super) fn document(reader: &Reader, status: StatusCode, title: &str, body: &Markup) -> Response {
    document_with(reader, status, title, &Needs::default(), body)
}

/// The same for a page that needs more.
pub(super) fn document_with(
    reader: &Reader,
    status: StatusCode,
    title: &str,
    needs: &Needs,
    body: &Markup,
) -> Response {
    let (words, look) = (reader.words, reader.look);
    let document = html! {
        (DOCTYPE)
        html lang=(words.language.tag) dir=(words.language.direction) data-theme=[look.theme]
            data-density=[look.is_compact.then_some("compact")] data-enter=[look.enter_sends.then_some("sends")]
            data-title=[look.has_plain_title.then_some("plain")] data-notify=[look.notifies.then_some("on")]
            data-keys=[look.has_no_keys.then_some("off")] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some((seconds, place)) = &needs.goes_on {
                    // Scripts do better (`onward.js`): a page that is loaded again takes the place of whoever reads it.
                    noscript { meta http-equiv="refresh" content={ (seconds) "; url=" (place) }; }
                }
                title { (title) }
                link rel="icon" href={ (assets::address("mark.svg")) };
                link rel="stylesheet" href={ (assets::address("tokens.css")) };
                link rel="stylesheet" href={ (assets::address("inbox.css")) };
                script type="module" src={ (assets::address(needs.script)) } {}
            }
            (body)
        }
    };
    let policy = HeaderValue::from_str(&needs.policy()).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
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

/// A title with the number of messages that nobody has read.
pub(super) fn with_unread(title: &str, number: i64, reader: &Reader) -> String {
    match number {
        _ if reader.look.has_plain_title => title.to_owned(),
        ..=0 => title.to_owned(),
        1..=99 => format!("({number}) {title}"),
        100.. => format!("(99+) {title}"),
    }
}

/// How many messages nobody has read, in the navigation. The title has the number too.
pub(super) fn unread(number: i64, reader: &Reader) -> Markup {
    html! {
        span id="unread" data-count=(number) {
            @if number > 0 { (badge(number, &count(&reader.words.unread_count, number))) }
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
                        (unread(frame.unread, reader))
                    }
                }
                li { a href="/channels" aria-current=[current(Place::Channels)] { (icon("channels")) (words.channels) } }
                li { a href="/bot" aria-current=[current(Place::Bot)] { (icon("bot")) (words.bot) } }
                @if reader.is_admin { li { a href="/plugins" aria-current=[current(Place::Plugins)] { (icon("plugins")) (words.plugins.title) } } }
                @if reader.has_demo { li { a href="/demo" aria-current=[current(Place::Demo)] { (icon("phone")) (words.demo) } } }
            }
            ul {
                li.if-two-panes { a href="/help" aria-keyshortcuts="?" aria-current=[current(Place::Help)] { (icon("help")) (words.help) } }
                li { a href="/settings" aria-current=[current(Place::Settings)] { (icon("settings")) (words.settings.title) } }
                @if !reader.name.is_empty() {
                    li.if-two-panes { a.me href="/settings/you" { (avatar(&reader.name, &reader.name, "s", None)) bdi { (reader.name.split_whitespace().next().unwrap_or_default()) } } }
                }
            }
        }
    }
}
