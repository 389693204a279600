//! Owns: the inbox's addresses: the list, a conversation, its parts, what its forms do.
//! Does not own: the panes (`list`, `thread`, `composer`, `contact`), signing in.

mod activity;
mod bubble;
mod can;
mod composer;
mod contact;
mod draft;
mod entry;
mod files;
mod list;
mod live;
mod load;
mod outcome;
mod thread;
mod window;

use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use harness_engine::{Host, HostError};
use harness_inbox::{ConversationId, MessageId, ReplyId, Settlement};
use maud::{Markup, html};
use serde::Deserialize;

use self::{can::Can, draft::Draft, load::Opened};
use super::{
    error,
    layout::{self, Frame, Place},
    parts::{avatar, directed, icon},
    reader::Reader,
    words::fill,
};

/// Maximum size of a form, in bytes: a long text, the handles of files.
const MAX_FORM: usize = 256 << 10;

/// What the pages of the inbox work with.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) host: Host,
    pub(super) has_demo: bool,
}

impl Desk {
    fn now(&self) -> i64 {
        i64::try_from(self.host.clock().now()).unwrap_or(i64::MAX)
    }
}

/// `/inbox/…`.
pub(super) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/inbox", get(all))
        .route("/inbox/list", get(list_part))
        .route("/inbox/events", get(live::events))
        .route("/inbox/media/{id}", get(files::media))
        .route("/inbox/files/{handle}", get(files::uploaded))
        .route("/inbox/{id}", get(one))
        .route("/inbox/{id}/log", get(log_part))
        .route("/inbox/{id}/reply", post(reply))
        .route("/inbox/{id}/settle", post(settle))
        .route("/inbox/{id}/again", post(again))
        .route("/inbox/{id}/read", post(read))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route("/inbox/files", post(files::upload).layer(DefaultBodyLimit::disable()))
        .with_state(desk)
}

/// The query of the inbox's pages.
#[derive(Default, Deserialize)]
struct Asked {
    /// Where an older page of the list, or of the log, begins.
    before: Option<String>,
    /// The conversation that is open beside the list.
    open: Option<ConversationId>,
    /// The message that is answered.
    reply_to: Option<String>,
    /// The comment that is answered in private.
    comment: Option<String>,
    /// `composer`: only this part of the page is wanted.
    part: Option<String>,
}

/// A part of a page, for the script.
fn part(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], markup.into_string())
        .into_response()
}

fn see(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/inbox"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// The list, without a conversation.
async fn all(State(desk): State<Desk>, Query(asked): Query<Asked>, reader: Reader) -> Response {
    let list = match load::list(&desk.host, asked.before.as_deref()).await {
        Ok(list) => list,
        Err(error) => return error::failed(&reader, &error),
    };
    let words = reader.words;
    let content = html! {
        div.inbox data-live="" {
            (list::pane(&list, None, desk.now(), &reader))
            main.pane.scroll.thread id="main" tabindex="-1" {
                @if list.rows.is_empty() { (welcome(&desk.host, &reader)) } @else {
                    div.empty.middle { (layout::sign(44)) h1 { (words.choose_conversation) } p.small { (words.choose_conversation_hint) } }
                }
            }
        }
    };
    let unread = list.rows.iter().map(|row| row.summary.unread).sum();
    let frame = Frame { title: &words.inbox, place: Place::Inbox, pane: Some("list"), unread, has_demo: desk.has_demo };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

/// What is shown before the first conversation.
fn welcome(host: &Host, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        div.page.stack.wide { div.narrow.stack.wide {
            div.stack { h1 { (words.welcome) } p.muted { (words.welcome_hint) } }
            section.panel.flush aria-labelledby="channels" {
                header { h2 id="channels" { (words.channels) } }
                @for channel in host.channels() {
                    @let identity = &channel.channel.manifest().channel;
                    div.check-row {
                        (super::parts::mark(&identity.id))
                        div { strong { (identity.name) } p.small.muted { (identity.description) } }
                    }
                }
            }
            div.callout data-tone="accent" { (icon("info")) div { strong { (words.customers_write_first) } " " (words.customers_write_first_hint) } }
        } }
    }
}

async fn list_part(State(desk): State<Desk>, Query(asked): Query<Asked>, reader: Reader) -> Response {
    match load::list(&desk.host, asked.before.as_deref()).await {
        Ok(list) => part(StatusCode::OK, list::rows(&list, asked.open, desk.now(), &reader)),
        Err(error) => error::failed(&reader, &error),
    }
}

/// A conversation.
async fn one(State(desk): State<Desk>, Path(id): Path<String>, Query(asked): Query<Asked>, reader: Reader) -> Response {
    let Ok(id) = id.parse::<ConversationId>() else { return error::no_conversation(&reader) };
    let draft = match Draft::new() {
        Ok(draft) => Draft { reply_to: asked.reply_to, comment: asked.comment, ..draft },
        Err(error) => return error::failed(&reader, &error),
    };
    shown(&desk, id, asked.before.as_deref(), &draft, StatusCode::OK, &reader).await
}

/// The page of a conversation, with what is in its composer.
async fn shown(
    desk: &Desk,
    id: ConversationId,
    before: Option<&str>,
    draft: &Draft,
    status: StatusCode,
    reader: &Reader,
) -> Response {
    let host = &desk.host;
    let loaded = async {
        let opened = Opened::load(host, id, before, reader).await?;
        let list = load::list(host, None).await?;
        // Who looks at the newest messages has read them.
        if before.is_none() && opened.summary.unread > 0 {
            host.inbox().mark_read(id, host.clock().now()).await?;
        }
        Ok::<_, HostError>((opened, list))
    };
    let (opened, mut list) = match loaded.await {
        Ok(loaded) => loaded,
        Err(error) => return error::failed(reader, &error),
    };
    for row in list.rows.iter_mut().filter(|row| row.summary.id == id) {
        row.summary.unread = 0;
    }
    let now = desk.now();
    let content = html! {
        div.inbox data-live=(id) {
            (list::pane(&list, Some(id), now, reader))
            main.pane.thread id="main" tabindex="-1" {
                (head(&opened, now, reader))
                div.bar id="offline" data-tone="warn" role="status" hidden { (icon("offline")) span { (reader.words.offline) } button.textbtn type="button" data-retry { (reader.words.offline_again) } }
                div.scroll.log id="log-scroll" role="log" aria-label=(fill(&reader.words.messages_with, &[("name", &opened.name)])) tabindex="0" {
                    (log_of(&opened, now, reader))
                }
                (composer::composer(&opened, draft, now, reader))
            }
            (contact::panel(&opened, &thread::pictures(&opened.messages), now, reader))
        }
    };
    let unread: i64 = list.rows.iter().map(|row| row.summary.unread).sum();
    let title = format!("{} · {}", opened.name, reader.words.inbox);
    let title = if unread > 0 { format!("({unread}) {title}") } else { title };
    let frame = Frame { title: &title, place: Place::Inbox, pane: Some("thread"), unread, has_demo: desk.has_demo };
    layout::page(reader, status, &frame, &content)
}

fn head(opened: &Opened, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    let summary = &opened.summary;
    html! {
        header id="head" {
            a.btn.icon.quiet.if-one-pane href="/inbox" aria-label=(words.back_to_list) { (directed("back")) }
            (avatar(&opened.name, summary.contact.as_deref().unwrap_or_default(), "m", Some(&summary.channel)))
            div.cut {
                h1.cut { bdi { (opened.name) } }
                p.small.muted.cut { (opened.channel_name) " · " bdi { (opened.account.name) } }
            }
            span.push {}
            @if let Some(context) = &opened.context { (window::chip(&context.window, now, reader, false)) }
            form method="post" action={ "/inbox/" (summary.id) "/read" } { input type="hidden" name="unread" value="1"; }
            a.btn.icon.small.quiet.if-no-contact href="#contact" aria-label=(fill(&words.about, &[("name", &opened.name)])) { (icon("info")) }
        }
    }
}

fn log_of(opened: &Opened, now: i64, reader: &Reader) -> Markup {
    let shown = thread::Thread {
        reader,
        id: opened.summary.id,
        name: &opened.name,
        contact: opened.summary.contact.as_deref().unwrap_or_default(),
        channel_name: &opened.channel_name,
        now,
        said: opened.said.clone(),
    };
    let log = thread::Log {
        messages: &opened.messages,
        activities: &opened.activities,
        earlier: opened.earlier.clone(),
        seen: opened.summary.seen_message.as_deref(),
        unread: usize::try_from(opened.summary.unread).unwrap_or(0),
    };
    thread::log(&shown, &log)
}

/// The log alone, for the script: the newest page, or an earlier one.
async fn log_part(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    reader: Reader,
) -> Response {
    let Ok(id) = id.parse::<ConversationId>() else { return error::no_conversation(&reader) };
    match Opened::load(&desk.host, id, asked.before.as_deref(), &reader).await {
        Ok(opened) => {
            let now = desk.now();
            part(StatusCode::OK, html! { (head(&opened, now, &reader)) (log_of(&opened, now, &reader)) })
        }
        Err(error) => error::failed(&reader, &error),
    }
}

/// Sends what is in the composer.
async fn reply(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let (Ok(id), Ok(Form(fields))) = (id.parse::<ConversationId>(), form) else { return error::no_form(&reader) };
    let host = &desk.host;
    let mut draft = Draft::of(host, fields).await;
    let capabilities = match host.capabilities(id).await {
        Ok(capabilities) => capabilities,
        Err(error) => return error::failed(&reader, &error),
    };
    if draft.is_empty() {
        draft.violations.push(load::nothing_to_send(&reader));
    } else {
        let message = draft.message(Can(&capabilities), &reader);
        // The composer stays as it is when a heart is sent.
        match host.reply_as(reader.user, id, &draft.key, message).await {
            Ok(_) if asked.part.is_none() => return see(&format!("/inbox/{id}")),
            Ok(_) => match Draft::new() {
                Ok(new) => draft = new,
                Err(error) => return error::failed(&reader, &error),
            },
            Err(HostError::NotSendable(violations)) => draft.violations = violations,
            Err(error) => return error::failed(&reader, &error),
        }
    }
    let status = if draft.violations.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    if asked.part.is_none() {
        return shown(&desk, id, None, &draft, status, &reader).await;
    }
    match Opened::load(host, id, None, &reader).await {
        Ok(opened) => part(status, composer::composer(&opened, &draft, desk.now(), &reader)),
        Err(error) => error::failed(&reader, &error),
    }
}

#[derive(Deserialize)]
struct Settle {
    reply: ReplyId,
    how: String,
}

/// Takes a person's decision about what may have been delivered.
async fn settle(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    reader: Reader,
    form: Result<Form<Settle>, FormRejection>,
) -> Response {
    let Ok(Form(settle)) = form else { return error::no_form(&reader) };
    let settlement = match settle.how.as_str() {
        "arrived" => Settlement::Arrived,
        "not" => Settlement::NotArrived,
        "again" => Settlement::SendAgain,
        _ => return error::no_form(&reader),
    };
    match desk.host.settle(settle.reply, settlement).await {
        Ok(()) => see(&format!("/inbox/{id}")),
        Err(error) => error::failed(&reader, &error),
    }
}

#[derive(Deserialize)]
struct Again {
    message: MessageId,
}

/// Writes a message that was not sent once more, as a new reply.
async fn again(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    reader: Reader,
    form: Result<Form<Again>, FormRejection>,
) -> Response {
    let (Ok(id), Ok(Form(again))) = (id.parse::<ConversationId>(), form) else { return error::no_form(&reader) };
    match load::write_again(&desk.host, id, again.message, &reader).await {
        Ok(violations) if violations.is_empty() => see(&format!("/inbox/{id}")),
        Ok(violations) => match Draft::new() {
            Ok(draft) => {
                let draft = Draft { violations, ..draft };
                shown(&desk, id, None, &draft, StatusCode::UNPROCESSABLE_ENTITY, &reader).await
            }
            Err(error) => error::failed(&reader, &error),
        },
        Err(error) => error::failed(&reader, &error),
    }
}

/// Marks a conversation as read.
async fn read(State(desk): State<Desk>, Path(id): Path<String>, reader: Reader) -> Response {
    let Ok(id) = id.parse::<ConversationId>() else { return error::no_conversation(&reader) };
    match desk.host.inbox().mark_read(id, desk.host.clock().now()).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => error::failed(&reader, &error.into()),
    }
}
