//! Owns: the list of conversations.
//! Does not own: finding them (the inbox).

use harness_contract::Window;
use harness_inbox::{ConversationId, ConversationSummary, TimelineEntry};
use maud::{Markup, html};

use super::{entry::Entry, window};
use crate::pages::{
    parts::{avatar, badge, icon},
    reader::Reader,
    times,
    words::{count, fill},
};

/// A conversation in the list.
pub(super) struct Row {
    pub(super) summary: ConversationSummary,
    pub(super) channel_name: String,
    pub(super) latest: Option<TimelineEntry>,
    pub(super) window: Option<Window>,
}

impl Row {
    pub(super) fn name(&self, reader: &Reader) -> String {
        name(&self.summary, &self.channel_name, reader)
    }
}

/// The name of a conversation: the thread's, the customer's, or what is known instead.
pub(super) fn name(summary: &ConversationSummary, channel_name: &str, reader: &Reader) -> String {
    if let Some(name) = summary.name.as_deref().filter(|name| !name.trim().is_empty()) {
        return name.to_owned();
    }
    match &summary.contact {
        Some(contact) => {
            let last: String = contact.chars().skip(contact.chars().count().saturating_sub(4)).collect();
            fill(&reader.words.nameless, &[("channel", channel_name), ("last", &last)])
        }
        None => reader.words.comment_without_name.to_string(),
    }
}

/// A page of the list.
pub(super) struct List {
    pub(super) rows: Vec<Row>,
    /// Where the next page begins.
    pub(super) next: Option<String>,
}

/// The pane.
pub(super) fn pane(list: &List, current: Option<ConversationId>, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        section.pane.list id="list" aria-label=(words.conversations) {
            header { h2 { (words.inbox) } }
            div.scroll id="list-scroll" { (rows(list, current, now, reader)) }
        }
    }
}

/// The rows, as they are loaded again when something changed.
pub(super) fn rows(list: &List, current: Option<ConversationId>, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        @if list.rows.is_empty() {
            div.empty {
                svg viewBox="0 0 96 64" width="96" height="64" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true" {
                    rect x="2" y="6" width="60" height="24" rx="12" {}
                    rect x="34" y="38" width="60" height="20" rx="10" {}
                    path d="M16 18h30M48 48h30" {}
                }
                h3 { (words.no_conversations) }
                p.small { (words.no_conversations_hint) }
            }
        }
        ul id="rows" {
            @for one in &list.rows { (row(one, current == Some(one.summary.id), now, reader)) }
            @if let Some(next) = &list.next {
                li id="more" { a.btn.quiet.small href={ "/inbox?before=" (next) } data-more { (words.more_conversations) } }
            }
        }
    }
}

fn row(row: &Row, current: bool, now: i64, reader: &Reader) -> Markup {
    let (summary, name) = (&row.summary, row.name(reader));
    let unread = summary.unread > 0;
    let preview = row.latest.as_ref().map(|latest| Entry::of(latest).preview(reader, &row.channel_name));
    let failed = row.latest.as_ref().and_then(|latest| latest.state).is_some_and(|state| state.name() == "rejected");
    let doubtful = row.latest.as_ref().and_then(|latest| latest.state).is_some_and(|state| state.name() == "ambiguous");
    let tone = if failed {
        Some("fail")
    } else if doubtful {
        Some("warn")
    } else {
        None
    };
    html! {
        li.row id={ "c-" (summary.id) } data-unread[unread] {
            a href={ "/inbox/" (summary.id) } aria-current=[current.then_some("true")] {
                (avatar(&name, summary.contact.as_deref().unwrap_or_default(), "", Some(&summary.channel)))
                span.name.cut { bdi { (name) } span.sr { ", " (row.channel_name) } }
                (times::relative(summary.last_at, now, reader))
                span.preview data-tone=[tone] {
                    @if let Some((symbol, text)) = preview {
                        @if let Some(symbol) = symbol { (icon(symbol)) }
                        span.cut { bdi { (first_line(&text)) } }
                    }
                }
                @if unread { (badge(summary.unread, &count(&reader.words.unread_count, summary.unread))) } @else { span {} }
                span.marks { @if let Some(window) = &row.window { (window::chip(window, now, reader, true)) } }
            }
        }
    }
}

/// As much of a text as a row can show.
fn first_line(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(160).collect()
}
