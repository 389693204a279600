//! Owns: the page of one delivery: its body, the events that components read from it, what it changed.
//! Does not own: reading and applying it (the engine).

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use harness_contract::differences::Difference;
use harness_engine::{DeliveryContent, Host, HostError, InspectError, Replay, ShownBody, Translation};
use harness_inbox::{Change, DeliveryId, DeliveryView, EventCounts, PublicId as _};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{json::code, refused, state};
use crate::pages::{
    error,
    layout::{self, Frame, Place},
    parts::{icon, mark, size},
    reader::Reader,
    times,
    words::{count, fill},
};

/// The most changes that are listed.
const CHANGES: usize = 200;
/// The most events that are shown.
const EVENTS: usize = 100;

/// What the running version is compared with.
#[derive(Deserialize)]
pub(super) struct Beside {
    /// The digest of the other version; without it, the newest that ran before.
    with: Option<String>,
}

/// `GET /inspector/{delivery}`.
pub(super) async fn page(
    State(host): State<Host>,
    Path(id): Path<String>,
    beside: Result<Query<Beside>, QueryRejection>,
    reader: Reader,
) -> Response {
    if let Some(answer) = refused(&reader) {
        return answer;
    }
    match (DeliveryId::from_public(&id), beside) {
        (Ok(id), Ok(Query(Beside { with }))) => shown(&host, id, with.as_deref(), None, &reader).await,
        _ => error::no_page(&reader),
    }
}

/// `POST /inspector/{delivery}`: applies its events again.
pub(super) async fn process(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if let Some(answer) = refused(&reader) {
        return answer;
    }
    let Ok(id) = DeliveryId::from_public(&id) else { return error::no_page(&reader) };
    match host.replay_delivery(id, None, true).await {
        Ok(replay) => shown(&host, id, None, replay.applied, &reader).await,
        Err(failed) => error::failed(&reader, &failed),
    }
}

/// The page of a delivery. `with`: the digest of the version that it is compared with. `applied`: what applying it again did
/// just now.
pub(super) async fn shown(
    host: &Host,
    id: DeliveryId,
    with: Option<&str>,
    applied: Option<EventCounts>,
    reader: &Reader,
) -> Response {
    let inbox = host.inbox();
    let known = async {
        let view = inbox.delivery(id).await?;
        let changes = inbox.changes_of(id, CHANGES).await?;
        Ok::<_, harness_inbox::InboxError>((view, changes))
    };
    let (view, changes) = match known.await {
        Ok(known) => known,
        Err(harness_inbox::InboxError::NotFound { .. }) => return error::no_page(reader),
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let content = match host.delivery_content(id).await {
        Ok(content) => content,
        Err(failed) => return error::failed(reader, &failed),
    };
    let replay = match host.replay_delivery(id, with, false).await {
        Ok(replay) => Some(replay),
        // It is not kept any more.
        Err(HostError::Inspect(InspectError::NoComponent { .. })) => return error::no_page(reader),
        // Emptied, waiting, or of a channel that is not loaded.
        Err(HostError::Inspect(_) | HostError::NoChannel(_)) => None,
        Err(failed) => return error::failed(reader, &failed),
    };
    let words = &reader.words.plugins;
    let channel = host.channel(&view.channel).map(|loaded| loaded.channel.manifest().channel.name.clone());
    let channel = channel.unwrap_or_else(|_| view.channel.clone());
    let now = times::now(host);
    let body = html! {
        main.page id="main" tabindex="-1" {
            (head(&view, &channel, now, reader))
            @if let Some(EventCounts { new, repeated, .. }) = applied {
                div.callout data-tone="open" role="status" tabindex="-1" autofocus {
                    (icon("check"))
                    div { strong { (fill(&words.processed, &[("new", &new.to_string()), ("old", &repeated.to_string())])) } }
                }
            }
            div.inspect {
                (what_came(&content, &view, &channel, reader))
                div.stack {
                    (what_became(replay.as_ref(), reader))
                    (compared(replay.as_ref(), id, reader))
                    (what_changed(&changes, reader))
                    @if replay.is_some() {
                        form.line.wrap method="post" action={ "/inspector/" (id.public()) } {
                            button.btn { (icon("refresh")) (words.process_again) }
                            span.small.muted { (words.process_again_hint) }
                        }
                    }
                }
            }
        }
    };
    let title = format!("{} {} · {}", words.delivery, id.public(), words.inspector);
    let frame = Frame { title: &title, place: Place::Plugins, pane: None, unread: 0 };
    layout::page(reader, StatusCode::OK, &frame, &body)
}

fn head(view: &DeliveryView, channel: &str, now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let (tone, symbol, state) = state(view.state, reader);
    let at = times::of(view.received_at);
    html! {
        div.page-head {
            div {
                p.crumbs {
                    a href="/plugins" { (words.title) } " / " a href={ "/inspector?channel=" (view.channel) } { (channel) } " / " (words.inspector)
                }
                h1.line.wrap { (mark(&view.channel)) (words.delivery) " " code { (view.id.public()) } }
                p.line.wrap.small {
                    span.chip data-tone=(tone) { (icon(symbol)) (state) }
                    span { (words.arrived) " " (times::moment(at, now, reader)) }
                    span.num { (size(view.size)) }
                    span { (count(&words.tried, view.attempts)) }
                }
                @if let Some(problem) = &view.problem { p { (problem) } }
            }
        }
    }
}

fn what_came(content: &DeliveryContent, view: &DeliveryView, channel: &str, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        section.panel.flush aria-labelledby="came" {
            header { h2 id="came" { (fill(&words.what_came, &[("channel", channel)])) } }
            @if !content.headers.is_empty() || !content.query.is_empty() {
                details.padded {
                    summary.small { (words.headers) }
                    dl.facts.wrapped dir="ltr" {
                        @for (name, value) in &content.headers { dt { (name) } dd { (value) } }
                        @if !content.query.is_empty() { dt { "?" } dd { (content.query) } }
                    }
                }
            }
            @match &content.body {
                ShownBody::Text(text) if text.is_empty() => p.empty { (words.emptied) },
                ShownBody::Text(text) => (code(text, &words.raw_body)),
                ShownBody::Binary(_) => p.empty { (fill(&words.no_text, &[("size", &size(view.size))])) },
            }
            @if content.truncated { p.small.muted.padded { (words.cut_off) } }
        }
    }
}

/// The word of the contract for what an event is.
fn kind(event: &Value) -> String {
    let body = event.get("body").unwrap_or(event);
    match body {
        Value::String(kind) => kind.clone(),
        Value::Object(body) => body.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn what_became(replay: Option<&Replay>, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let translation = replay.and_then(|replay| by(replay, true));
    html! {
        section.panel.flush aria-labelledby="became" {
            header { h2 id="became" { (words.what_became) } @if let Some(one) = translation { span.chip { (one.component.version) } } }
            @match translation {
                None => p.padded { (words.not_readable) },
                Some(one) => {
                    @if let Some(problem) = &one.problem { div.callout data-tone="fail" { (icon("stop")) div { (problem) } } }
                    @if one.events.is_empty() { p.padded.muted { (words.no_events) } }
                    @for (at, event) in one.events.iter().take(EVENTS).enumerate() {
                        details.padded open[one.events.len() == 1] {
                            summary { (count(&words.event, at + 1)) " " strong { code { (kind(event)) } } }
                            (code(&event.to_string(), &count(&words.event, at + 1)))
                        }
                    }
                },
            }
        }
    }
}

/// What the running version made of it, or the other one.
fn by(replay: &Replay, running: bool) -> Option<&Translation> {
    replay.translations.iter().find(|one| one.running == running)
}

fn compared(replay: Option<&Replay>, id: DeliveryId, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let Some(replay) = replay else { return html! {} };
    let Some(other) = by(replay, false) else { return html! { p.small.muted { (words.no_other_version) } } };
    // Where somebody chose the other one, it is the first of the two.
    let chosen = replay.translations.first().is_some_and(|first| !first.running);
    html! {
        section.panel.flush aria-labelledby="compared" {
            header {
                h2 id="compared" { (fill(&words.the_same_with, &[("version", &other.component.version)])) }
                @if other.problem.is_none() { span.chip data-tone="accent" { (count(&words.differences, replay.differences.len())) } }
            }
            @if replay.earlier.len() > 1 {
                form.line.wrap.padded method="get" action={ "/inspector/" (id.public()) "#compared" } {
                    label.small for="with" { (words.compare_with) }
                    select.input.small id="with" name="with" {
                        @for one in &replay.earlier {
                            option value=(one.digest) selected[*one == other.component] { (one.version) " · " (one.digest.chars().take(8).collect::<String>()) }
                        }
                    }
                    button.btn.small { (reader.words.show) }
                }
            }
            @if let Some(problem) = &other.problem { p.padded { (problem) } }
            div { @for one in &replay.differences { (difference(one, chosen, reader)) } }
        }
    }
}

/// A place that differs. `reversed`: the other version is the first of the two.
fn difference(one: &Difference, reversed: bool, reader: &Reader) -> Markup {
    let value = |value: &Value| {
        if value.is_null() { reader.words.plugins.nothing.to_string() } else { value.to_string() }
    };
    let (running, other) = if reversed { (&one.after, &one.before) } else { (&one.before, &one.after) };
    // Where all of it differs, there is no path.
    let place = if one.path.is_empty() { String::new() } else { format!("{}: ", one.path) };
    html! { del { (place) (value(other)) } ins { (place) (value(running)) } }
}

fn what_changed(changes: &[Change], reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        section.panel.flush aria-labelledby="changed" {
            header { h2 id="changed" { (words.what_changed) } }
            @if changes.is_empty() { p.padded.muted { (words.no_changes) } } @else {
                div.scroll-x tabindex="0" role="group" aria-labelledby="changed" {
                    table.table {
                        thead { tr { th scope="col" { (words.row) } th scope="col" { (words.change) } } }
                        tbody { @for change in changes { (changed(change)) } }
                    }
                }
            }
        }
    }
}

fn changed(change: &Change) -> Markup {
    let row = change
        .message
        .map(|id| id.public())
        .or(change.activity.map(|id| id.public()))
        .or(change.reply.map(|id| id.public()))
        .or(change.conversation.map(|id| id.public()))
        .or(change.account.map(|id| id.public()));
    html! {
        tr {
            th scope="row" {
                @match (change.conversation, row) {
                    (Some(conversation), Some(row)) => a href={ "/inbox/" (conversation.public()) } { code { (row) } },
                    (_, Some(row)) => code { (row) },
                    _ => "–",
                }
            }
            td { code { (change.kind.name()) } }
        }
    }
}
