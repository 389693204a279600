//! Owns: the list of conversations.
//! Does not own: finding them (the inbox).

use harness_contract::Window;
use harness_inbox::{ConversationId, ConversationSummary, PublicId as _, StepState, TimelineEntry};
use maud::{Markup, html};

use super::{
    asked::Asked,
    entry::Entry,
    search::{self, Found},
    team::{self, Team},
    views, window,
};
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
    /// What a search found, in place of rows.
    pub(super) found: Option<Found>,
}

/// Whose list it is, and how it was asked for.
pub(super) struct Shown<'s> {
    pub(super) asked: &'s Asked,
    pub(super) team: &'s Team,
    pub(super) channels: &'s [(String, String)],
    pub(super) current: Option<ConversationId>,
    pub(super) now: i64,
    pub(super) reader: &'s Reader,
}

/// The pane.
pub(super) fn pane(list: &List, shown: &Shown<'_>) -> Markup {
    let (words, asked) = (shown.reader.words, shown.asked);
    let views =
        [("mine", &words.mine), ("unassigned", &words.unassigned), ("all", &words.everyone), ("closed", &words.closed)];
    html! {
        section.pane.list id="list" aria-label=(words.conversations) {
            header {
                h2 { (words.inbox) }
                span.push {}
                @if shown.reader.user.is_some() {
                    a.btn.small.quiet href={ "/inbox" (asked.with(&[("view", "mentions")])) } aria-current=[(asked.view() == "mentions").then_some("page")] {
                        span { (words.find.mentions) } (mentions(shown))
                    }
                }
                (views::menu(shown))
            }
            nav.tabs aria-label=(words.whose) {
                @for (view, word) in views {
                    @if view != "mine" || shown.reader.user.is_some() {
                        @let target = if view == "all" { "" } else { view };
                        // A search is over all of them, and ends with a choice of some.
                        a href={ "/inbox" (asked.with(&[("view", target), ("q", "")])) } aria-current=[(asked.view() == view && asked.search().is_none()).then_some("page")] { (word) }
                    }
                }
            }
            (filters(shown))
            (many(shown))
            div.scroll id="list-scroll" { (rows(list, shown)) }
        }
    }
}

fn filters(shown: &Shown<'_>) -> Markup {
    let (words, asked) = (shown.reader.words, shown.asked);
    let is = |value: &Option<String>, this: &str| value.as_deref() == Some(this);
    html! {
        form.filters action="/inbox" data-instant role="search" {
            label.search { (icon("search")) span.sr { (words.find.search) }
                input.input type="search" id="search" name="q" value=[asked.search()] placeholder=(words.find.search) maxlength="200" dir="auto" aria-keyshortcuts="/";
            }
            @if let Some(view) = &asked.view { input type="hidden" name="view" value=(view); }
            @if asked.search().is_some() {
                @for (name, value) in [("channel", &asked.channel), ("label", &asked.label), ("unread", &asked.unread)] {
                    @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
                }
                @if asked.is_narrowed() { p.small.muted { (words.find.in_everything) } }
            } @else {
                @if shown.channels.len() > 1 {
                    label { span.sr { (words.channel) } select.input.small name="channel" {
                        option value="" { (words.all_channels) }
                        @for (id, name) in shown.channels { option value=(id) selected[is(&asked.channel, id)] { (name) } }
                    } }
                }
                @if !shown.team.labels.is_empty() {
                    label { span.sr { (words.label) } select.input.small name="label" {
                        option value="" { (words.all_labels) }
                        @for label in &shown.team.labels { @let id = label.id.public(); option value=(id) selected[is(&asked.label, &id)] { (label.name) } }
                    } }
                }
                label.check.small { input type="checkbox" name="unread" value="1" checked[asked.only_unread()]; (words.only_unread) }
            }
            button.btn.small.no-script { (words.show) }
        }
    }
}

/// How many private notes mention the reader that they have not seen.
pub(super) fn mentions(shown: &Shown<'_>) -> Markup {
    let unseen = shown.team.mentions.iter().map(|(_, count)| *count).sum::<u64>();
    html! {
        span id="mentions-unseen" {
            @if unseen > 0 { (badge(i64::try_from(unseen).unwrap_or(i64::MAX), &count(&shown.reader.words.find.unseen_mentions, unseen))) }
        }
    }
}

/// What is done with several conversations at once.
fn many(shown: &Shown<'_>) -> Markup {
    let (words, team) = (shown.reader.words, shown.team);
    let people = team.users.iter().filter(|user| user.disabled_at.is_none());
    html! {
        form.bulk id="many" method="post" action={ "/inbox/many" (shown.asked.query()) } role="toolbar" aria-label=(words.selected) data-organise {
            strong id="selected" data-words=(words.find.number_selected) { (words.selected) }
            button.btn.icon.small.quiet.needs-script type="button" data-pick="none" aria-label=(words.find.select_none) { (icon("x")) }
            button.btn.icon.small.quiet.needs-script type="button" data-pick="all" aria-label=(words.find.select_all) { (icon("checks")) }
            span.push {}
            details.menu name="many" {
                summary.btn.icon.small.quiet aria-label=(words.find.assign) title=(words.find.assign) { (icon("person")) }
                div {
                    @for user in people {
                        button.btn.quiet.small name="assignee" value=(user.id.public()) { bdi { (user.name) } @if shown.reader.user == Some(user.id) { " (" (words.myself) ")" } }
                    }
                    button.btn.quiet.small name="assignee" value="" { (words.nobody) }
                }
            }
            @if !team.labels.is_empty() {
                details.menu name="many" {
                    summary.btn.icon.small.quiet aria-label=(words.find.add_label) title=(words.find.add_label) { (icon("tag")) }
                    div { @for label in &team.labels { button.btn.quiet.small name="label_new" value=(label.name) { bdi { (label.name) } } } }
                }
            }
            button.btn.icon.small.quiet name="unread" value="1" aria-label=(words.find.mark_unread) title=(words.find.mark_unread) { (icon("eye")) }
            @if ["closed", "snoozed"].contains(&shown.asked.view()) {
                button.btn.icon.small.quiet name="state" value="open" aria-label=(words.reopen) title=(words.reopen) { (icon("undo")) }
            } @else {
                button.btn.icon.small.quiet name="state" value="closed" aria-label=(words.close) title=(words.close) { (icon("archive")) }
            }
        }
    }
}

/// The rows, as they are loaded again when something changed.
pub(super) fn rows(list: &List, shown: &Shown<'_>) -> Markup {
    let words = shown.reader.words;
    let is_empty = list.found.as_ref().map_or(list.rows.is_empty(), Found::is_empty);
    let (title, hint) = if list.found.is_some() {
        (&words.find.found_nothing, &words.find.found_nothing_hint)
    } else if shown.asked.is_narrow() {
        (&words.nothing_here, &words.nothing_here_hint)
    } else {
        (&words.no_conversations, &words.no_conversations_hint)
    };
    html! {
        div.empty id="nothing" hidden[!is_empty] {
            svg viewBox="0 0 96 64" width="96" height="64" fill="none" stroke="currentColor" stroke-width="2.5" aria-hidden="true" {
                rect x="2" y="6" width="60" height="24" rx="12" {}
                rect x="34" y="38" width="60" height="20" rx="10" {}
                path d="M16 18h30M48 48h30" {}
            }
            h3 { (title) }
            p.small { (hint) }
        }
        ul id="rows" {
            @if let Some(found) = &list.found { (search::rows(found, shown)) }
            @for one in &list.rows { (row(one, shown)) }
            @if let Some(next) = &list.next {
                li id="more" { a.btn.quiet.small href={ "/inbox" (shown.asked.with(&[("before", next)])) } data-more { (words.more_conversations) } }
            }
        }
    }
}

fn row(row: &Row, shown: &Shown<'_>) -> Markup {
    let (reader, now, summary) = (shown.reader, shown.now, &row.summary);
    let (words, name, id) = (reader.words, row.name(reader), summary.id.public());
    let unread = summary.unread > 0;
    let preview = row.latest.as_ref().map(|latest| Entry::of(latest).preview(reader, &row.channel_name));
    let tone = match row.latest.as_ref().and_then(|latest| latest.state) {
        Some(StepState::Rejected) => Some("fail"),
        Some(StepState::Ambiguous) => Some("warn"),
        _ => None,
    };
    html! {
        li.row id={ "c-" (id) } data-unread[unread] {
            input.pick type="checkbox" name="id" value=(id) form="many" aria-label=(fill(&words.select, &[("name", &name)]));
            a href={ "/inbox/" (id) (shown.asked.query()) } aria-current=[(shown.current == Some(summary.id)).then_some("true")] {
                (avatar(&name, summary.contact.as_deref().unwrap_or_default(), "", Some(&summary.channel)))
                span.name.cut { bdi { (name) } span.sr { ", " (row.channel_name) } }
                (times::relative(summary.last_at, now, reader))
                span.preview data-tone=[tone] {
                    @if let Some((symbol, text)) = preview {
                        @if let Some(symbol) = symbol { (icon(symbol)) }
                        span.cut dir="auto" { (first_line(&text)) }
                    }
                }
                @if unread { (badge(summary.unread, &count(&words.unread_count, summary.unread))) } @else { span {} }
                span.marks {
                    @if shown.team.mentions.iter().any(|(id, _)| *id == summary.id) { span.chip data-tone="accent" { "@ " (words.find.mentions_you) } }
                    @if let Some(window) = &row.window { (window::chip(window, now, reader, true)) }
                    @for label in summary.labels.iter().filter_map(|id| shown.team.label(*id)).take(3) { span.chip { (icon("tag")) bdi { (label.name) } } }
                    @if let Some(person) = team::assignee(summary, shown.team, reader) { span.chip { (icon("person")) bdi { (person) } } }
                }
            }
        }
    }
}

/// As much of a text as a row can show.
fn first_line(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(160).collect()
}
