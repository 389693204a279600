//! Owns: the window in words: a chip with a dial, and what it means for whoever writes.
//! Does not own: computing it (the inbox).

use harness_contract::{Window, WindowState};
use maud::{Markup, html};

use crate::pages::{
    parts::{dial, icon},
    reader::Reader,
    times,
    words::fill,
};

/// From when on the list shows how much is left, in milliseconds.
const CLOSE: i64 = 6 * 3_600_000;
/// From when on it is amber.
const CLOSING: i64 = 2 * 3_600_000;

fn ms(time: Option<u64>) -> Option<i64> {
    time.and_then(|time| i64::try_from(time).ok())
}

/// The tone of the style sheet.
fn tone(window: &Window, now: i64) -> &'static str {
    match window.state {
        WindowState::Open if ms(window.closes_at).is_some_and(|end| end - now < CLOSING) => "closing",
        WindowState::Open => "open",
        WindowState::HumanOnly => "human",
        WindowState::Unknown => "warn",
        WindowState::Closed | WindowState::NeverOpened => "closed",
    }
}

fn human_until(window: &Window, now: i64, reader: &Reader) -> String {
    ms(window.human_closes_at).map(|end| times::moment_inside(end, now, reader)).unwrap_or_default()
}

/// The chip. In the list only what needs somebody is shown.
pub(super) fn chip(window: &Window, now: i64, reader: &Reader, in_list: bool) -> Markup {
    let words = reader.words;
    let left = ms(window.closes_at).map(|end| end - now);
    let text = match window.state {
        WindowState::Open => match left {
            Some(left) if in_list && left >= CLOSE => return html! {},
            Some(left) => times::left(left, reader, in_list),
            None => return html! {},
        },
        WindowState::HumanOnly => Some(fill(&words.window_human, &[("time", &human_until(window, now, reader))])),
        WindowState::Closed => Some(words.window_closed.to_string()),
        WindowState::NeverOpened => Some(words.window_never.to_string()),
        WindowState::Unknown => Some(words.window_unknown.to_string()),
    };
    let Some(text) = text else { return html! {} };
    html! {
        span.chip data-tone=(tone(window, now)) {
            @match (window.state, left) {
                (WindowState::Open, Some(left)) => (dial(left, "")),
                (WindowState::HumanOnly, _) => (icon("person")),
                _ => (icon("clock")),
            }
            bdi { (text) }
        }
    }
}

/// The section beside the thread.
pub(super) fn explained(window: &Window, now: i64, reader: &Reader, channel: &str) -> Markup {
    let words = reader.words;
    let until = |time: Option<u64>| ms(time).map(|end| times::moment_inside(end, now, reader));
    let human = until(window.human_closes_at).filter(|_| window.human_closes_at > window.closes_at);
    html! {
        section.stack {
            h3 { (words.time_to_reply) }
            div.line data-tone=(tone(window, now)) {
                @if let (WindowState::Open, Some(end)) = (window.state, ms(window.closes_at)) { (dial(end - now, "big")) }
                p.small {
                    @match (window.state, until(window.closes_at)) {
                        (WindowState::Open, Some(end)) => {
                            strong { (fill(&words.open_until, &[("time", &end)])) } br;
                            span.muted { (words.restarts) }
                        },
                        (WindowState::Open, None) => strong { (words.open_without_end) },
                        _ => (sentence(window, now, reader, channel)),
                    }
                }
            }
            @if let (WindowState::Open, Some(end)) = (window.state, human) {
                p.small.muted { (fill(&words.then_human, &[("time", &end)])) }
            }
        }
    }
}

/// What a window that is not open means, in a sentence.
pub(super) fn sentence(window: &Window, now: i64, reader: &Reader, channel: &str) -> String {
    let words = reader.words;
    match window.state {
        WindowState::Open => words.window_open.to_string(),
        WindowState::HumanOnly => fill(&words.human_explained, &[("time", &human_until(window, now, reader))]),
        WindowState::Closed => words.closed_explained.to_string(),
        WindowState::NeverOpened => fill(&words.never_explained, &[("channel", channel)]),
        WindowState::Unknown => fill(&words.unknown_explained, &[("channel", channel)]),
    }
}

/// How long the present state of the window lasts, in milliseconds, if it ends by itself.
pub(super) fn ends_in(window: &Window, now: i64) -> Option<i64> {
    let end = match window.state {
        WindowState::Open => ms(window.closes_at),
        WindowState::HumanOnly => ms(window.human_closes_at),
        _ => None,
    };
    end.map(|end| end.saturating_sub(now)).filter(|left| *left > 0)
}

/// The bar over the composer where the window is not simply open: how much is left of it, and what comes then.
pub(super) fn bar(window: &Window, now: i64, reader: &Reader, channel: &str, name: &str) -> Markup {
    let words = &reader.words.composer;
    let left = ms(window.closes_at).map(|end| end - now);
    let closing = left.filter(|left| window.state == WindowState::Open && *left < CLOSING);
    html! {
        @if let (Some(left), Some(end)) = (closing, ms(window.closes_at)) {
            @if let Some(text) = times::left(left, reader, true) {
                @let then = if window.human_closes_at > window.closes_at { &words.then_as_person } else { &words.then_closed };
                @let time = times::clock(end, reader);
                div.bar data-tone="closing" { (dial(left, "")) span { bdi { (text) } ". " (fill(then, &[("time", &time), ("name", name)])) } }
            }
        } @else if window.state != WindowState::Open {
            div.bar data-tone=(tone(window, now)) {
                (icon(if window.state == WindowState::HumanOnly { "person" } else { "clock" }))
                span { (sentence(window, now, reader, channel)) }
            }
        }
    }
}
