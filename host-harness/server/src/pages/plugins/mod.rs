//! Owns: the pages of the loaded channels: which component runs, who answers for it, how it does, what it may do.
//! Does not own: loading components (the engine), installing packages (the operator's commands), deliveries (`inspector`).

mod health;
mod newer;
mod permissions;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use harness_engine::{BreakerState, BreakerView, Host, LoadedChannel, Part, Provenance, p95_us};
use maud::{Markup, html};

use super::{
    error,
    layout::{self, Frame, Place},
    parts::{icon, mark, number},
    reader::Reader,
    redirect::see,
    words::fill,
};

/// How much of a digest is shown, at both ends.
const DIGEST_END: usize = 6;

/// `/plugins…`.
pub(super) fn router(host: Host) -> Router {
    Router::new()
        .route("/plugins", get(first))
        .route("/plugins/{channel}", get(one))
        .route("/plugins/{channel}/reset", post(reset))
        .with_state(host)
}

async fn first(State(host): State<Host>, reader: Reader) -> Response {
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    let channels = host.channels();
    page(&host, &channels, channels.first().map(Arc::as_ref), &reader)
}

async fn one(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    match host.channel(&id) {
        Ok(shown) => page(&host, &host.channels(), Some(&shown), &reader),
        Err(_) => error::no_page(&reader),
    }
}

/// Closes the circuits of a channel, so that it is called again.
async fn reset(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if !reader.is_of_host {
        return error::not_allowed(&reader);
    }
    let Ok(channel) = host.channel(&id) else { return error::no_page(&reader) };
    match host.reset_channel(channel.channel.id()).await {
        Ok(_) => see(&format!("/plugins/{}?done", channel.channel.id())),
        Err(failed) => error::failed(&reader, &failed),
    }
}

fn page(host: &Host, channels: &[Arc<LoadedChannel>], shown: Option<&LoadedChannel>, reader: &Reader) -> Response {
    let words = &reader.words.plugins;
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head {
                div { h1 { (words.title) } p { (words.hint) } }
                @if reader.is_of_host { a.btn href="/inspector" { (icon("code")) (words.inspector) } }
            }
            div.stack.wide {
                @if reader.is_done { div.callout data-tone="open" role="status" { (icon("check")) div { strong { (words.used_again) } } } }
                @if channels.is_empty() { section.panel.empty { p { (words.none_loaded) } } } @else { (table(host, channels, shown, reader)) }
                @if let Some(shown) = shown { (detail(host, shown, reader)) }
                p.small.muted { (words.commands) " " code { "harness outdated" } ", " code { "harness update" } ", " code { "harness rollback" } "." }
            }
        }
    };
    let frame = Frame { title: &words.title, place: Place::Plugins, pane: None, unread: 0 };
    layout::page(reader, StatusCode::OK, &frame, &content)
}

/// The worst of what is known about a channel.
fn state<'w>(host: &Host, loaded: &LoadedChannel, reader: &'w Reader) -> (&'static str, &'static str, &'w str) {
    let words = &reader.words.plugins;
    let id = loaded.channel.id();
    let breakers = host.breakers(id);
    let is = |state: BreakerState| breakers.iter().any(|breaker| breaker.state == state);
    if is(BreakerState::Open) {
        ("fail", "stop", &words.paused)
    } else if is(BreakerState::HalfOpen) {
        ("warn", "clock", &words.on_trial)
    } else if host.update_problem(id).is_some() {
        ("warn", "alert", &words.update_not_taken)
    } else if !loaded.not_granted.is_empty() {
        ("warn", "lock", &words.not_all_allowed)
    } else {
        ("open", "ok", &words.running)
    }
}

fn publisher(loaded: &LoadedChannel, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        span.line {
            @match &loaded.provenance {
                Provenance::Package { publisher, .. } => { (icon("shield")) bdi { (publisher) } },
                Provenance::Unsigned => { (icon("alert")) (words.not_signed) },
                Provenance::Embedded => { (icon("plugins")) (words.built_in) },
            }
        }
    }
}

fn table(host: &Host, channels: &[Arc<LoadedChannel>], shown: Option<&LoadedChannel>, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let is_shown = |loaded: &LoadedChannel| shown.is_some_and(|shown| shown.channel.id() == loaded.channel.id());
    html! {
        section.panel.flush aria-label=(words.loaded) {
            div.scroll-x tabindex="0" role="group" aria-label=(words.loaded) {
                table.table {
                    thead {
                        tr {
                            th scope="col" { (reader.words.channel) }
                            th scope="col" { (words.state) }
                            th scope="col" { (words.version) }
                            th scope="col" { (words.publisher) }
                            th scope="col" { (words.calls) }
                            th scope="col" { (words.errors) }
                            th scope="col" { (words.time) }
                        }
                    }
                    tbody {
                        @for loaded in channels {
                            @let manifest = &loaded.channel.manifest().channel;
                            @let (tone, symbol, state) = state(host, loaded, reader);
                            @let hour = host.last_hour(&manifest.id);
                            @let calls = hour.iter().map(|minute| u64::from(minute.calls)).sum::<u64>();
                            @let failed = hour.iter().map(|minute| u64::from(minute.failed)).sum::<u64>();
                            tr {
                                th scope="row" {
                                    span.line {
                                        (mark(&manifest.id))
                                        a href={ "/plugins/" (manifest.id) } aria-current=[is_shown(loaded).then_some("true")] { (manifest.name) }
                                    }
                                }
                                td { span.chip data-tone=(tone) { (icon(symbol)) (state) } }
                                td.num { (manifest.version) (newer::mark(host, &manifest.id, reader)) }
                                td { (publisher(loaded, reader)) }
                                td.num { (number(calls)) }
                                td.num { (number(failed)) }
                                td.num { (health::duration(p95_us(&hour), reader)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn short(digest: &str) -> String {
    let (start, end) = (digest.get(..DIGEST_END), digest.get(digest.len().saturating_sub(DIGEST_END)..));
    format!("sha256:{}…{}", start.unwrap_or(digest), end.unwrap_or_default())
}

fn detail(host: &Host, loaded: &LoadedChannel, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let (manifest, digest) = (loaded.channel.manifest(), &loaded.channel.inspection().digest);
    let id = &manifest.channel.id;
    html! {
        section.stack.wide aria-labelledby="channel" {
            div.line.wrap {
                h2.line id="channel" { (mark(id)) (manifest.channel.name) }
                code.muted title=(digest) { (short(digest)) }
                (signature(loaded, reader))
            }
            @if !manifest.channel.description.is_empty() { p { bdi { (manifest.channel.description) } } }
            @if let Some(problem) = host.update_problem(id) {
                div.callout data-tone="warn" {
                    (icon("alert"))
                    div { strong { (words.update_waits) } " " (problem) p.small { (fill(&words.keeps_running, &[("version", &manifest.channel.version)])) } }
                }
            }
            (newer::waiting(host, id, reader))
            @for breaker in host.breakers(id).iter().filter(|breaker| breaker.state != BreakerState::Closed) {
                (circuit(id, breaker, reader))
            }
            @if !loaded.asks_more.is_empty() {
                section.panel.stack aria-labelledby="more" {
                    header { h3 id="more" { (fill(&words.asks_more, &[("version", &manifest.channel.version)])) } }
                    div { @for line in &loaded.asks_more { ins { (line) } } @for host in &loaded.not_granted { del { (fill(&words.not_allowed_host, &[("host", host)])) } } }
                }
            }
            (health::tiles(&host.last_hour(id), reader))
            (permissions::table(loaded, reader))
            @if reader.is_of_host { p { a.btn href={ "/inspector?channel=" (id) } { (icon("code")) (words.deliveries_of_it) } } }
        }
    }
}

fn signature(loaded: &LoadedChannel, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        @match &loaded.provenance {
            Provenance::Package { publisher, identity, source, .. } => {
                span.chip data-tone="open" { (icon("shield")) (words.signature_valid) }
                span.small.muted {
                    bdi { (publisher) }
                    @if let Some(identity) = identity { ", " bdi { (identity.subject) } }
                    " · " bdi dir="ltr" { (source) }
                }
            },
            Provenance::Unsigned => span.chip data-tone="warn" { (icon("alert")) (words.not_signed) },
            Provenance::Embedded => span.chip { (icon("plugins")) (words.built_in) },
        }
    }
}

fn circuit(id: &str, breaker: &BreakerView, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let part = match breaker.part {
        Part::Incoming => &words.part_incoming,
        Part::Outgoing => &words.part_outgoing,
        Part::Account => &words.part_account,
    };
    html! {
        div.callout data-tone="fail" {
            (icon("stop"))
            div {
                strong { (part) } " " (words.left_alone)
                @if let Some(reason) = &breaker.reason { p.small { (reason) } }
                @if reader.is_of_host {
                    form method="post" action={ "/plugins/" (id) "/reset" } { button.btn.small { (icon("refresh")) (words.use_again) } }
                }
            }
        }
    }
}
