//! Owns: the inbox's addresses: the list, a conversation, its parts, what its forms do.
//! Does not own: the panes (`list`, `thread`, `composer`, `contact`), signing in.

mod activity;
mod asked;
mod bubble;
mod builders;
mod buttons;
mod can;
mod cards;
mod composer;
mod contact;
mod draft;
mod emoji;
mod entry;
mod files;
mod form;
mod here;
mod list;
mod live;
mod load;
mod notes;
mod outcome;
mod presence;
mod quick;
mod reacting;
mod remarks;
mod search;
mod sending;
mod team;
mod thread;
mod typing;
mod views;
mod window;

pub(super) use self::views::{address as view_address, wrong as wrong_view};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use harness_engine::{Host, HostError};
use harness_inbox::{ConversationFilter, ConversationId, ConversationSummary, PublicId as _};
use maud::{Markup, html};

use self::{
    asked::Asked,
    can::Can,
    draft::Draft,
    here::Here,
    list::Shown,
    load::{Opened, Part},
    presence::Presence,
};
use super::{
    error,
    layout::{self, Frame, Place},
    lenient::Lenient,
    parts::{avatar, directed, icon},
    reader::Reader,
    times,
    words::fill,
};
use crate::streams::Streams;

/// Maximum size of a form, in bytes: a long text, the handles of files.
const MAX_FORM: usize = 256 << 10;
/// Conversations among which the demo's customer is looked for.
const OF_DEMO: usize = 200;

/// What the pages of the inbox work with.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) host: Host,
    pub(super) streams: Streams,
    presence: Presence,
}

impl Desk {
    pub(super) fn new(host: Host, streams: Streams) -> Self {
        Self { host, streams, presence: Presence::new() }
    }

    fn now(&self) -> i64 {
        times::now(&self.host)
    }
}

/// `/inbox/…`.
pub(super) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/inbox", get(all))
        .route("/inbox/list", get(list_part))
        .route("/inbox/views", post(views::save))
        .route("/inbox/events", get(live::events))
        .route("/inbox/media/{id}", get(files::media))
        .route("/inbox/media/{id}/preview", get(files::preview))
        .route("/inbox/files/{handle}", get(files::uploaded))
        .route("/inbox/{id}", get(one))
        .route("/inbox/{id}/log", get(log_part))
        .route("/inbox/{id}/reply", post(sending::reply))
        .route("/inbox/{id}/settle", post(sending::settle))
        .route("/inbox/{id}/again", post(sending::again))
        .route("/inbox/{id}/react", post(reacting::react))
        .route("/inbox/emoji", get(emoji::picker))
        .route("/inbox/{id}/read", post(read))
        .route("/inbox/{id}/here", post(presence::here))
        .route("/inbox/{id}/unread", post(team::unread))
        .route("/inbox/{id}/organise", post(team::organise))
        .route("/inbox/{id}/notes", post(notes::add_note))
        .route("/inbox/{id}/notes/{note}/delete", post(notes::delete_note))
        .route("/inbox/{id}/canned/{answer}", get(team::fill_canned))
        .route("/inbox/many", post(team::many))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route("/inbox/files", post(files::upload).layer(DefaultBodyLimit::disable()))
        .with_state(desk)
}

/// The conversation with a customer, by the platform's id, once there is one.
pub(super) async fn of_customer(desk: &Desk, customer: &str, reader: &Reader) -> Result<Option<Opened>, HostError> {
    let filter = ConversationFilter { workspace: Some(reader.workspace), ..ConversationFilter::default() };
    let all = desk.host.inbox().conversations_of(filter, None, OF_DEMO).await?.entries;
    match all.into_iter().find(|one| one.contact.as_deref() == Some(customer)) {
        Some(summary) => Ok(Some(Opened::load(&desk.host, summary, Part::Newest, reader).await?)),
        None => Ok(None),
    }
}

/// The thread beside the demo's phone.
pub(super) fn beside(desk: &Desk, opened: Option<Opened>, reader: &Reader) -> Markup {
    let Some(opened) = opened else {
        return html! {
            section.inbox id="beside" data-live="" data-query="" data-demo aria-label=(reader.words.your_inbox) {
                div.pane { div.empty.middle { (layout::sign(44)) h2 { (reader.words.no_conversations) } p.small { (reader.words.no_conversations_hint) } } }
            }
        };
    };
    let now = desk.now();
    html! {
        section.inbox id="beside" data-live=(opened.summary.id.public()) data-query="" data-demo aria-label=(reader.words.your_inbox) {
            div.pane.thread {
                (thread_of(&opened, "", now, reader))
                (reacting::choice(&opened, None, reader))
                (composer::composer(&opened, &Draft::new().unwrap_or_default(), now, reader))
            }
            (viewer(reader))
        }
    }
}

/// The head and the log of a conversation.
fn thread_of(opened: &Opened, query: &str, now: i64, reader: &Reader) -> Markup {
    html! {
        (head(opened, query, now, reader))
        (presence::shown(&[], reader))
        (offline(reader))
        div.scroll.log id="log-scroll" role="log" aria-label=(fill(&reader.words.messages_with, &[("name", &opened.name)])) tabindex="0" {
            // The log is drawn from its end.
            (customer_is_typing(opened, reader))
            (log_of(opened, now, reader))
        }
    }
}

/// Shown by the script for as long as there is no connection.
fn offline(reader: &Reader) -> Markup {
    html! {
        div.bar id="offline" data-tone="warn" role="status" hidden { (icon("offline")) span { (reader.words.offline) } button.textbtn type="button" data-retry { (reader.words.offline_again) } }
    }
}

/// Shown by the script for as long as it is so.
fn customer_is_typing(opened: &Opened, reader: &Reader) -> Markup {
    html! {
        div.now-typing id="typing" role="status" hidden {
            div.bubble.typing aria-hidden="true" { i {} i {} i {} }
            span.small.muted { (fill(&reader.words.customer_is_typing, &[("name", &opened.name)])) }
        }
    }
}

/// A part of a page, for the script.
fn part(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], markup.into_string())
        .into_response()
}

/// The list and what stands beside it, by its title: a conversation or nothing. The script asks without the list, and keeps
/// its own.
fn inbox(
    asked: &Asked,
    (open, title): (&str, &str),
    list: Option<&Markup>,
    beside: &Markup,
    reader: &Reader,
) -> Markup {
    html! {
        div.inbox data-live=(open) data-query=(asked.query()) data-kept=[list.map(|_| asked.names_of_list())] data-title=(title) {
            @if let Some(list) = list { (list) }
            (beside)
            @if list.is_some() { (viewer(reader)) }
        }
    }
}

/// The list, without a conversation.
async fn all(State(desk): State<Desk>, Lenient(asked): Lenient<Asked>, reader: Reader) -> Response {
    let (list, team, unread) = match load::with_team(&desk.host, &asked, &reader).await {
        Ok(loaded) => loaded,
        Err(error) => return error::failed(&reader, &error),
    };
    let words = reader.words;
    let channels = load::channels(&desk.host);
    let shown =
        Shown { asked: &asked, team: &team, channels: &channels, current: None, now: desk.now(), reader: &reader };
    let beside = html! {
        main.pane.scroll.thread id="main" tabindex="-1" {
            (offline(&reader))
            @if list.rows.is_empty() && !asked.is_narrow() { (welcome(&desk.host, &reader)) } @else {
                div.empty.middle { (layout::sign(44)) h1 { (words.choose_conversation) } p.small { (words.choose_conversation_hint) } }
            }
        }
    };
    let pane = (!asked.keeps_list()).then(|| list::pane(&list, &shown));
    let content = inbox(&asked, ("", &words.inbox), pane.as_ref(), &beside, &reader);
    if pane.is_none() {
        return part(StatusCode::OK, content);
    }
    let title = layout::with_unread(&words.inbox, unread, &reader);
    let frame = Frame { title: &title, place: Place::Inbox, pane: Some("list"), unread };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

/// What is shown before the first conversation.
fn welcome(host: &Host, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        div.page.stack.wide { div.narrow.stack.wide {
            div.stack { h1 { (words.welcome) } p.muted { (words.welcome_hint) } }
            (super::channels::offered(host, reader))
            @if reader.has_demo { p { a href="/demo" { (words.try_demo) } } }
            div.callout data-tone="accent" { (icon("info")) div { strong { (words.customers_write_first) } " " (words.customers_write_first_hint) } }
        } }
    }
}

async fn list_part(State(desk): State<Desk>, Lenient(asked): Lenient<Asked>, reader: Reader) -> Response {
    match load::with_team(&desk.host, &asked, &reader).await {
        Ok((list, team, unread)) => {
            let current = asked.open.as_deref().and_then(|id| ConversationId::from_public(id).ok());
            let shown = Shown { asked: &asked, team: &team, channels: &[], current, now: desk.now(), reader: &reader };
            part(
                StatusCode::OK,
                html! { (layout::unread(unread, &reader)) (list::mentions(&shown)) (list::rows(&list, &shown)) },
            )
        }
        Err(error) => error::failed(&reader, &error),
    }
}

/// A conversation.
async fn one(
    State(desk): State<Desk>,
    Here(summary): Here,
    Lenient(asked): Lenient<Asked>,
    reader: Reader,
) -> Response {
    let draft = match Draft::new() {
        Ok(draft) => Draft {
            reply_to: asked.reply_to.clone(),
            comment: asked.comment.clone(),
            try_anyway: asked.anyway.is_some(),
            ..draft
        },
        Err(error) => return error::failed(&reader, &error),
    };
    shown(&desk, summary, &asked, &draft, StatusCode::OK, &reader).await
}

/// The page of a conversation, with what is in its composer.
async fn shown(
    desk: &Desk,
    summary: ConversationSummary,
    asked: &Asked,
    draft: &Draft,
    status: StatusCode,
    reader: &Reader,
) -> Response {
    let (host, id) = (&desk.host, summary.id);
    let loaded = async {
        // Before the list is loaded, which shows what is not seen.
        if let Some(user) = reader.user {
            host.see_mentions(user, id).await?;
        }
        let list = async {
            match asked.keeps_list() {
                true => Ok(None),
                false => load::list(host, asked, None, reader).await.map(Some),
            }
        };
        let opened = Opened::load(host, summary, asked.log(), reader);
        let (opened, list, unread) = tokio::join!(opened, list, load::unread(host, reader));
        Ok::<_, HostError>((opened?.with_posts(host, draft.share.is_some()).await?, list?, unread?))
    };
    let (opened, mut list, mut unread) = match loaded.await {
        Ok(loaded) => loaded,
        Err(error) => return error::failed(reader, &error),
    };
    // Who looks at the newest messages has read them. The page does not wait until that is written.
    if matches!(asked.log(), Part::Newest) && opened.summary.unread > 0 {
        unread = unread.saturating_sub(opened.summary.unread).max(0);
        let host = host.clone();
        tokio::spawn(async move {
            if let Err(error) = host.inbox().mark_read(id, host.clock().now()).await {
                tracing::error!(%error, %id, "a conversation that was looked at stays unread");
            }
        });
    }
    for row in list.iter_mut().flat_map(|list| &mut list.rows).filter(|row| row.summary.id == id) {
        row.summary.unread = 0;
    }
    let (now, query, channels) = (desk.now(), asked.query(), load::channels(host));
    let shown = Shown { asked, team: &opened.team, channels: &channels, current: Some(id), now, reader };
    let title = format!("{} · {}", opened.name, reader.words.inbox);
    let beside = html! {
        main.pane.thread id="main" tabindex="-1" {
            (thread_of(&opened, &query, now, reader))
            (reacting::choice(&opened, asked.react.as_deref(), reader))
            @if asked.writes_note() { (composer::note(&opened, reader)) } @else { (composer::composer(&opened, draft, now, reader)) }
        }
        (contact::panel(&opened, &thread::pictures(&opened.messages), &query, now, reader))
    };
    let pane = list.as_ref().map(|list| list::pane(list, &shown));
    let content = inbox(asked, (&id.public(), &title), pane.as_ref(), &beside, reader);
    if list.is_none() {
        return part(status, content);
    }
    let title = layout::with_unread(&title, unread, reader);
    let frame = Frame { title: &title, place: Place::Inbox, pane: Some("thread"), unread };
    layout::page(reader, status, &frame, &content)
}

/// The dialog in which photos are looked at.
fn viewer(reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        dialog id="viewer" aria-label=(words.photo) {
            img alt="";
            p.line {
                button.btn.icon.small type="button" data-step="-1" aria-label=(words.previous_photo) { (directed("back")) }
                span.num data-count {}
                button.btn.icon.small.forward type="button" data-step="1" aria-label=(words.next_photo) { (directed("back")) }
                span.push {}
                a.btn.small target="_blank" rel="noopener" href="#" { (words.open_alone) }
                button.btn.small type="button" data-close autofocus { (words.close_panel) }
            }
        }
    }
}

fn head(opened: &Opened, query: &str, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    let summary = &opened.summary;
    html! {
        header id="head" {
            a.btn.icon.quiet.if-one-pane href={ "/inbox" (query) } aria-label=(words.back_to_list) { (directed("back")) }
            (avatar(&opened.name, summary.contact.as_deref().unwrap_or_default(), "m", Some(&summary.channel)))
            div.cut {
                h1.cut dir="auto" { (opened.name) }
                p.small.muted.cut { (opened.channel_name) @if let Some(username) = &summary.username { " · " bdi { "@" (username) } } " → " bdi { (opened.account.name) } }
            }
            span.push {}
            @if let Some(context) = opened.context.as_ref().filter(|_| opened.goes_on_in.is_none()) { (window::chip(&context.window, now, reader, false)) }
            (team::state(summary, query, now, reader))
            a.btn.icon.small.quiet.if-no-contact href="#contact" aria-label=(fill(&words.about, &[("name", &opened.name)])) { (icon("info")) }
        }
    }
}

fn log_of(opened: &Opened, now: i64, reader: &Reader) -> Markup {
    // Nothing more is written in a conversation that goes on in another one.
    let can = opened.capabilities.as_ref().filter(|_| opened.goes_on_in.is_none()).map(|all| Can(all));
    let shown = thread::Thread {
        reader,
        id: opened.summary.id,
        name: &opened.name,
        contact: opened.summary.contact.as_deref().unwrap_or_default(),
        channel_name: &opened.channel_name,
        now,
        said: opened.said.clone(),
        can_answer: can.is_some_and(|can| can.sends(harness_contract::names::feature::REPLY_TO)),
        can_react: can.is_some_and(|can| !can.reactions().is_empty()),
        continues: opened.summary.continues,
        continued_in: opened.summary.continued_in,
        people: &opened.team.users,
    };
    let log = thread::Log {
        messages: &opened.messages,
        activities: &opened.activities,
        notes: &opened.notes,
        span: opened.span.clone(),
        earlier: opened.earlier.clone(),
        later: opened.later.clone(),
        seen: opened.summary.seen_message.as_deref(),
        unread: usize::try_from(opened.summary.unread).unwrap_or(0),
    };
    thread::log(&shown, &log)
}

/// What of a conversation's page changes by itself, for the script: head, log, contact. The newest page of the log, or an
/// earlier one.
async fn log_part(
    State(desk): State<Desk>,
    Here(summary): Here,
    Lenient(asked): Lenient<Asked>,
    reader: Reader,
) -> Response {
    match Opened::load(&desk.host, summary, asked.log(), &reader).await {
        Ok(opened) => {
            let (now, query) = (desk.now(), asked.query());
            let markup = html! {
                (head(&opened, &query, now, &reader))
                (log_of(&opened, now, &reader))
                (contact::panel(&opened, &thread::pictures(&opened.messages), &query, now, &reader))
            };
            part(StatusCode::OK, markup)
        }
        Err(error) => error::failed(&reader, &error),
    }
}

/// Marks a conversation as read, and what mentions the reader in it as seen.
async fn read(State(desk): State<Desk>, Here(summary): Here, reader: Reader) -> Response {
    if let Some(user) = reader.user
        && let Err(failed) = desk.host.see_mentions(user, summary.id).await
    {
        return error::failed(&reader, &failed);
    }
    match desk.host.inbox().mark_read(summary.id, desk.host.clock().now()).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error::failed(&reader, &error.into()),
    }
}
