//! Owns: the messages of a conversation as a log: days, authors, activities, what is new.
//! Does not own: the content of a message (`bubble`), its outcome (`outcome`).

use std::{collections::HashMap, ops::RangeInclusive};

use harness_contract::{Attachment, MediaKind};
use harness_inbox::{
    ActivityView, ConversationId, MediaState, MediaView, NoteView, PublicId as _, TimelineEntry, UserView,
};
use jiff::civil::Date;
use maud::{Markup, html};

use super::{
    activity,
    bubble::{self, Source},
    entry::{Entry, From},
    notes, outcome, reacting,
};
use crate::pages::{
    parts::{avatar, icon},
    reader::Reader,
    times,
    words::{count, fill},
};

/// Messages of one author within this time stand together, in milliseconds.
const TOGETHER: i64 = 5 * 60_000;

/// What the messages of a conversation are shown with.
pub(super) struct Thread<'t> {
    pub(super) reader: &'t Reader,
    pub(super) id: ConversationId,
    /// The customer's name.
    pub(super) name: &'t str,
    /// What the colour of their picture is made from.
    pub(super) contact: &'t str,
    pub(super) channel_name: &'t str,
    pub(super) now: i64,
    /// What is said in messages, by the platform's ids, for quotes.
    pub(super) said: HashMap<String, String>,
    /// Whether a message may be answered, and reacted to.
    pub(super) can_answer: bool,
    pub(super) can_react: bool,
    /// The conversations before and after it, where the customer wrote again after this one or that one was closed.
    pub(super) continues: Option<ConversationId>,
    pub(super) continued_in: Option<ConversationId>,
    /// The team, whose names are marked in notes.
    pub(super) people: &'t [UserView],
}

impl Thread<'_> {
    pub(super) fn text_of(&self, platform_id: &str) -> String {
        self.said.get(platform_id).cloned().unwrap_or_else(|| "…".to_owned())
    }

    pub(super) fn media_address(&self, media: &MediaView) -> String {
        format!("/inbox/media/{}", media.id.public())
    }

    /// Where the file of a message's attachment is, or why it is not here.
    pub(super) fn file(&self, entry: &Entry<'_>, attachment: usize) -> Source {
        let words = self.reader.words;
        let at = i64::try_from(attachment).unwrap_or(i64::MAX);
        if let Some(media) = entry.row.media.iter().find(|media| media.attachment == at) {
            return match media.state {
                MediaState::Stored => Source::Here {
                    address: self.media_address(media),
                    mime: media.mime.clone().unwrap_or_default(),
                    size: media.size.and_then(|size| u64::try_from(size).ok()),
                },
                state => Source::Not(media.reason.clone().unwrap_or_else(|| {
                    match state {
                        MediaState::Remote => &words.media_waiting,
                        MediaState::LinkOnly | MediaState::Expired => &words.media_gone,
                        MediaState::Deleted => &words.media_deleted,
                        MediaState::TooLarge => &words.media_too_large,
                        MediaState::Refused => &words.media_refused,
                        _ => &words.media_failed,
                    }
                    .to_string()
                })),
            };
        }
        let own = entry.message.as_ref().and_then(|message| message.attachments.get(attachment));
        match own {
            // A file that was uploaded here and sent.
            Some(Attachment::Media(media)) if entry.row.reply.is_some() => match &media.handle {
                Some(handle) if handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) => {
                    Source::Here {
                        address: format!("/inbox/files/{handle}"),
                        mime: media.mime.clone().unwrap_or_default(),
                        size: media.size,
                    }
                }
                _ => Source::Not(media.url.clone().unwrap_or_default()),
            },
            _ => Source::Not(words.media_gone.to_string()),
        }
    }
}

/// One page of the log, oldest first.
pub(super) struct Log<'l> {
    pub(super) messages: &'l [TimelineEntry],
    pub(super) activities: &'l [ActivityView],
    pub(super) notes: &'l [NoteView],
    /// The times of what is shown, in milliseconds.
    pub(super) span: RangeInclusive<i64>,
    /// Where the page before it begins.
    pub(super) earlier: Option<String>,
    /// Where the page after it begins.
    pub(super) later: Option<String>,
    /// The customer has read up to this message, by the platform's id.
    pub(super) seen: Option<&'l str>,
    /// How many of the newest messages nobody has read.
    pub(super) unread: usize,
}

impl Log<'_> {
    /// Whether nothing comes after it.
    fn is_newest(&self) -> bool {
        *self.span.end() == i64::MAX
    }
}

enum Line<'l> {
    Message(Box<Entry<'l>>),
    Activity(&'l ActivityView),
    Note(&'l NoteView),
}

impl Line<'_> {
    fn at(&self) -> i64 {
        match self {
            Self::Message(entry) => entry.row.at,
            Self::Activity(activity) => activity.at,
            Self::Note(note) => times::of(note.at),
        }
    }
}

/// What is said in messages, by the platform's ids.
pub(super) fn said(messages: &[TimelineEntry], reader: &Reader, channel_name: &str) -> HashMap<String, String> {
    let mut said = HashMap::new();
    for row in messages {
        let (_, text) = Entry::of(row).preview(reader, channel_name);
        for id in row.platform_id.iter().chain(&row.further_platform_ids) {
            said.insert(id.clone(), text.clone());
        }
    }
    said
}

/// The list of messages and activities.
pub(super) fn log(thread: &Thread<'_>, log: &Log<'_>) -> Markup {
    let words = thread.reader.words;
    let mut lines: Vec<Line<'_>> = log.messages.iter().map(|row| Line::Message(Box::new(Entry::of(row)))).collect();
    lines.extend(log.activities.iter().map(Line::Activity).filter(|line| log.span.contains(&line.at())));
    lines.extend(log.notes.iter().map(Line::Note).filter(|line| log.span.contains(&line.at())));
    lines.sort_by_key(Line::at);
    let seen_at = log.messages.iter().find(|row| {
        log.seen.is_some_and(|seen| row.platform_id.iter().chain(&row.further_platform_ids).any(|id| id == seen))
    });
    let seen_at = seen_at.map(|row| row.at);
    let first_new = first_new(log);
    let mut day: Option<Date> = None;
    let mut before: Option<(From, i64, Option<String>)> = None;
    html! {
        ol id="log" data-earlier=[log.earlier.as_deref()] data-later=[log.later.as_deref()] {
            @if let Some(earlier) = &log.earlier {
                li.activity id="earlier" {
                    a href={ "/inbox/" (thread.id.public()) "?before=" (earlier) } data-earlier { (words.earlier_messages) }
                }
            }
            @if let Some(before) = thread.continues.filter(|_| *log.span.start() == i64::MIN) {
                li.activity id="continues" { (icon("archive")) a href={ "/inbox/" (before.public()) } { (words.composer.continues) } }
            }
            @for line in &lines {
                @let date = times::day(line.at(), thread.reader);
                @if day.replace(date) != Some(date) {
                    @let _ = before.take();
                    li.day id={ "d-" (date) } { h2 { (times::day_name(date, thread.now, thread.reader)) } }
                }
                @match line {
                    Line::Activity(activity) => {
                        @let _ = before.take();
                        (activity::line(activity, thread))
                    },
                    Line::Note(note) => {
                        @let _ = before.take();
                        (notes::note(note, line.at(), thread))
                    },
                    Line::Message(entry) => {
                        @if first_new == Some(entry.row.id) {
                            @let _ = before.take();
                            li.new id="new" { h2 { (count(&words.new_messages, log.unread)) } }
                        }
                        @let same = (entry.from, entry.sender.clone());
                        @let cont = before.as_ref().is_some_and(|(from, at, sender)| {
                            (*from, sender) == (same.0, &same.1) && entry.row.at - at < TOGETHER
                        });
                        (item(entry, cont, seen_at.is_some_and(|at| entry.row.at <= at), thread))
                        @let _ = before.replace((same.0, entry.row.at, same.1));
                    },
                }
            }
            @if let Some(next) = thread.continued_in.filter(|_| log.is_newest()) {
                li.activity id="goes-on" {
                    (icon("reply")) a href={ "/inbox/" (next.public()) } { (fill(&words.composer.wrote_again, &[("name", thread.name)])) }
                }
            }
            @if let Some(later) = &log.later {
                li.activity id="later" {
                    a href={ "/inbox/" (thread.id.public()) "?after=" (later) } data-later { (words.find.later_messages) } " "
                    a href={ "/inbox/" (thread.id.public()) } { (words.find.to_newest) }
                }
            }
        }
    }
}

/// The oldest of the newest messages of the customer that nobody has read.
fn first_new(log: &Log<'_>) -> Option<harness_inbox::MessageId> {
    if !log.is_newest() {
        return None;
    }
    let incoming = log.messages.iter().rev().filter(|row| row.direction == "inbound");
    incoming.take(log.unread).last().map(|row| row.id)
}

fn item(entry: &Entry<'_>, cont: bool, seen: bool, thread: &Thread<'_>) -> Markup {
    let referral = entry.message.as_ref().and_then(|message| message.referral.as_ref());
    html! {
        @if let Some(referral) = referral {
            li.activity id={ "r-" (entry.row.id.public()) } { (activity::referral(referral, thread)) }
        }
        li.item.cont[cont] id={ "m-" (entry.row.id.public()) } data-from=(entry.from.name()) data-message=[entry.row.platform_id.as_deref()] tabindex="-1" {
            @if entry.from == From::Customer && !cont {
                (avatar(entry.row.name.as_deref().unwrap_or(thread.name), entry.row.contact.as_deref().unwrap_or(thread.contact), "m", None))
            }
            @if !cont { (who(entry, thread)) }
            (bubble::content(entry, thread))
            (reactions(entry, thread))
            (outcome::line(entry, seen, thread))
            (reacting::acts(entry, thread))
        }
    }
}

fn who(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    html! {
        @match (entry.from, &entry.sender) {
            (From::Customer, _) => {
                // In a conversation of several people.
                @if let Some(name) = entry.row.name.as_deref().filter(|name| entry.row.contact.is_some() && *name != thread.name) {
                    p.who { bdi { (name) } }
                }
            },
            (From::Agent, Some(name)) => p.who { bdi { (name) } },
            (From::Agent, None) => {},
            (From::Bot, name) => p.who { (icon("bot")) bdi { (name.as_deref().unwrap_or(&words.automatic)) } },
            (From::App, _) => p.who { (icon("phone")) (fill(&words.written_in_app, &[("channel", thread.channel_name)])) },
        }
    }
}

fn reactions(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    html! {
        @for reaction in &entry.row.reactions {
            @let what = reaction.emoji.as_deref().or(reaction.name.as_deref()).unwrap_or("?");
            @if reaction.actor == "business" && thread.can_react { (reacting::own(what, entry, thread)) } @else {
                @let by = if reaction.actor == "business" { &*thread.reader.words.myself } else { thread.name };
                span.react {
                    span aria-hidden="true" { (what) }
                    span.sr { (fill(&thread.reader.words.reacted, &[("name", by), ("what", reaction.name.as_deref().unwrap_or(what))])) }
                    span aria-hidden="true" { bdi { (by) } }
                }
            }
        }
    }
}

/// The addresses of pictures for the contact's panel, newest first.
pub(super) fn pictures(messages: &[TimelineEntry]) -> Vec<&MediaView> {
    let stored = messages.iter().rev().filter(|row| row.deleted_at.is_none()).flat_map(|row| &row.media);
    stored.filter(|media| media.state == MediaState::Stored && media.kind == MediaKind::Image.name()).take(12).collect()
}
