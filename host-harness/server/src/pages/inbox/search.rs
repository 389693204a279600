//! Owns: what a search found, in place of the list: people and messages, with the words marked.
//! Does not own: searching (the inbox).

use harness_engine::{Host, HostError};
use harness_inbox::{ConversationHit, Highlight, MessageHit, MessageSearch, PublicId as _};
use maud::{Markup, html};

use super::{
    list::{Shown, name},
    load::channel_name,
};
use crate::pages::{
    parts::{avatar, icon},
    reader::Reader,
    times,
};

/// People found by a search.
const PEOPLE: usize = 8;
/// Messages found at once.
const MESSAGES: usize = 30;
/// Characters that are shown before the first word that was found.
const BEFORE: usize = 12;
/// Characters of a text that are shown.
const SHOWN: usize = 120;

/// What a search found.
pub(super) struct Found {
    /// With the names of their channels.
    people: Vec<(ConversationHit, String)>,
    messages: Vec<MessageHit>,
    /// Where older messages begin.
    pub(super) next: Option<String>,
}

impl Found {
    pub(super) async fn load(
        host: &Host,
        text: &str,
        before: Option<&str>,
        reader: &Reader,
    ) -> Result<Self, HostError> {
        let (inbox, workspace) = (host.inbox(), reader.workspace);
        let people = match before {
            None => inbox.search_names(workspace, text.to_owned(), PEOPLE).await?,
            Some(_) => Vec::new(),
        };
        let search = MessageSearch { workspace, text: text.to_owned(), conversation: None };
        let messages = inbox.search_messages(search, before.and_then(|place| place.parse().ok()), MESSAGES).await?;
        let people = people.into_iter().map(|hit| {
            let channel = channel_name(host, &hit.conversation.channel);
            (hit, channel)
        });
        Ok(Self {
            people: people.collect(),
            messages: messages.entries,
            next: messages.next.map(|place| place.to_string()),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.people.is_empty() && self.messages.is_empty()
    }
}

/// The rows of a search.
pub(super) fn rows(found: &Found, shown: &Shown<'_>) -> Markup {
    let words = &shown.reader.words.find;
    html! {
        @if !found.people.is_empty() { li.group id="found-people" { h3 { (words.found_people) } } }
        @for (hit, channel) in &found.people { (person(hit, channel, shown)) }
        @if !found.messages.is_empty() { li.group id="found-messages" { h3 { (words.found_messages) } } }
        @for hit in &found.messages { (message(hit, shown)) }
        @if let Some(next) = &found.next {
            li id="more" { a.btn.quiet.small href={ "/inbox" (shown.asked.with(&[("before", next)])) } data-more { (words.more_found) } }
        }
    }
}

fn person(hit: &ConversationHit, channel: &str, shown: &Shown<'_>) -> Markup {
    let (one, reader) = (&hit.conversation, shown.reader);
    let (id, known) = (one.id.public(), one.name.as_deref().filter(|name| !name.trim().is_empty()));
    html! {
        li.row.found id={ "p-" (id) } {
            a href={ "/inbox/" (id) (shown.asked.query()) } aria-current=[(shown.current == Some(one.id)).then_some("true")] {
                (avatar(&name(one, channel, reader), one.contact.as_deref().unwrap_or_default(), "", Some(&one.channel)))
                span.name.cut { bdi { @match known { Some(known) => (marked(known, &hit.highlights)), None => (name(one, channel, reader)) } } }
                (times::relative(one.last_at, shown.now, reader))
                span.preview { span.cut { (channel) } }
                span {}
            }
        }
    }
}

fn message(hit: &MessageHit, shown: &Shown<'_>) -> Markup {
    let (id, message) = (hit.conversation.public(), hit.message.public());
    let named = hit.name.as_deref().unwrap_or("…");
    html! {
        li.row.found id={ "s-" (message) } {
            a href={ "/inbox/" (id) (shown.asked.with(&[("at", &message)])) "#m-" (message) } {
                (avatar(named, &id, "", None))
                span.name.cut { bdi { (named) } }
                (times::relative(hit.at, shown.now, shown.reader))
                span.preview {
                    @if hit.direction == "outbound" { (icon("reply")) }
                    span.cut { bdi { (excerpt(&hit.text, &hit.highlights)) } }
                }
                span {}
            }
        }
    }
}

/// A text with the words that were found in it marked. Places count characters.
pub(super) fn marked(text: &str, highlights: &[Highlight]) -> Markup {
    let letters: Vec<char> = text.chars().collect();
    let piece = |from: usize, to: usize| {
        letters.get(from..to.min(letters.len())).unwrap_or_default().iter().collect::<String>()
    };
    let mut at = 0;
    let mut before = Vec::new();
    for one in highlights.iter().filter(|one| one.start < one.end) {
        if one.start >= at {
            before.push((piece(at, one.start), piece(one.start, one.end)));
            at = one.end;
        }
    }
    html! {
        @for (plain, found) in before { (plain) mark { (found) } }
        (piece(at, letters.len()))
    }
}

/// What stands around the first word that was found.
fn excerpt(text: &str, highlights: &[Highlight]) -> Markup {
    let from = highlights.first().map_or(0, |first| first.start.saturating_sub(BEFORE));
    let line: String = text.chars().skip(from).take(SHOWN).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let moved: Vec<Highlight> = highlights
        .iter()
        .filter(|one| one.start >= from && one.end <= from + SHOWN)
        .map(|one| Highlight { start: one.start - from, end: one.end - from })
        .collect();
    html! { @if from > 0 { "…" } (marked(&line, &moved)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_marked_and_everything_else_is_text() {
        let found = [Highlight { start: 4, end: 9 }, Highlight { start: 4, end: 5 }, Highlight { start: 90, end: 99 }];
        assert_eq!(
            marked("<b> grün </b>", &found).into_string(),
            "&lt;b&gt; <mark>grün </mark>&lt;/b&gt;<mark></mark>"
        );
        let long = format!("{}vase", "ä".repeat(50));
        let found = [Highlight { start: 50, end: 54 }];
        assert!(excerpt(&long, &found).into_string().ends_with("ä<mark>vase</mark>"));
    }
}
