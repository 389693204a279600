//! Owns: what a channel's page says of a newer version that waits where the channel came from.
//! Does not own: looking for it (the engine is told), taking it (a command).

use harness_engine::{Host, NewerVersion};
use maud::{Markup, html};

use super::super::{parts::icon, reader::Reader, times, words::fill};

/// Beside the version in the table.
pub(super) fn mark(host: &Host, id: &str, reader: &Reader) -> Markup {
    let newer = host.looked(id).and_then(|looked| looked.found.ok().flatten());
    html! {
        @if let Some(newer) = newer {
            " " span.chip data-tone="accent" { (fill(&reader.words.plugins.newer_there, &[("version", &newer.version)])) }
        }
    }
}

/// The newer version with what it wants, or in a quiet line when it was looked for and why that failed.
pub(super) fn waiting(host: &Host, id: &str, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let Some(looked) = host.looked(id) else { return html! {} };
    let when = fill(&words.looked, &[("time", &times::moment_inside(times::of(looked.at), times::now(host), reader))]);
    html! {
        @match &looked.found {
            Ok(Some(newer)) => (there(id, newer, &when, reader)),
            Ok(None) => p.small.muted { (when) },
            Err(problem) => p.small.muted { (when) " " (words.not_looked) " " bdi { (problem) } },
        }
    }
}

fn there(id: &str, newer: &NewerVersion, when: &str, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        section.panel.stack aria-labelledby="newer" {
            header { h3.line id="newer" { (icon("info")) (fill(&words.newer_is_there, &[("version", &newer.version)])) } }
            p {
                @match &newer.publisher { Some(publisher) => bdi { (publisher) }, None => (words.not_signed) }
                ". " @if newer.more.is_empty() { (words.newer_asks_no_more) } @else { (words.newer_asks_more) }
            }
            @if !newer.more.is_empty() || !newer.less.is_empty() {
                div { @for line in &newer.more { ins { (line) } } @for line in &newer.less { del { (line) } } }
            }
            @if reader.is_of_host { p { (words.newer_is_taken) " " code dir="ltr" { "harness update " (id) } } }
            p.small.muted { (when) }
        }
    }
}
