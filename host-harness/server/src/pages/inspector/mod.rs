//! Owns: the inspector: what the platforms sent, what the plugin made of it, what it changed; what was sent.
//! Does not own: translating and replaying (the engine), what plugins may do (`plugins`).

mod delivery;
mod json;
mod reply;

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
    routing::get,
};
use harness_engine::Host;
use harness_inbox::{DeliveryFilter, DeliveryId, DeliveryState, DeliveryView, MessageId, PublicId as _};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    error,
    layout::{self, Frame, Place},
    parts::{icon, mark, size},
    reader::Reader,
    times,
    words::count,
};

/// Deliveries of one page.
const PAGE: usize = 50;

/// `/inspector…`.
pub(super) fn router(host: Host) -> Router {
    Router::new()
        .route("/inspector", get(all))
        .route("/inspector/{delivery}", get(delivery::page).post(delivery::process))
        .route("/inspector/messages/{message}", get(of_message))
        .route("/inspector/replies/{reply}", get(reply::page))
        .with_state(host)
}

/// What the platforms sent may be about several workspaces: it is for whoever answers for the whole host.
fn refused(reader: &Reader) -> Option<Response> {
    (!reader.is_of_host).then(|| error::not_allowed(reader))
}

#[derive(Default, Deserialize)]
struct Which {
    channel: Option<String>,
    state: Option<String>,
    before: Option<String>,
}

fn state(state: DeliveryState, reader: &Reader) -> (&'static str, &'static str, &str) {
    let words = &reader.words.plugins;
    match state {
        DeliveryState::Received => ("warn", "clock", &words.received),
        DeliveryState::Applied => ("open", "check", &words.applied),
        DeliveryState::Unrouted => ("warn", "offline", &words.unrouted),
        DeliveryState::Failed => ("fail", "stop", &words.failed),
        DeliveryState::Purged => ("closed", "x", &words.purged),
    }
}

async fn all(State(host): State<Host>, reader: Reader, which: Result<Query<Which>, QueryRejection>) -> Response {
    if let Some(answer) = refused(&reader) {
        return answer;
    }
    let words = &reader.words.plugins;
    let which = which.map(|Query(which)| which).unwrap_or_default();
    let wanted = which.state.as_deref().and_then(|state| state.parse::<DeliveryState>().ok());
    let channel = which.channel.filter(|channel| !channel.is_empty());
    let filter = DeliveryFilter { channel: channel.clone(), account: None, state: wanted };
    let before = which.before.as_deref().and_then(|id| DeliveryId::from_public(id).ok());
    let page = match host.inbox().deliveries_before(filter, before, PAGE).await {
        Ok(page) => page,
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let now = times::now(&host);
    let channels = host.channels();
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head {
                div { p.crumbs { a href="/plugins" { (words.title) } " / " (words.inspector) } h1 { (words.deliveries) } p { (words.deliveries_hint) } }
            }
            div.stack.wide {
                form.line.wrap method="get" action="/inspector" {
                    select.input.small name="channel" aria-label=(reader.words.channel) {
                        option value="" { (reader.words.all_channels) }
                        @for one in &channels {
                            option value=(one.channel.id()) selected[channel.as_deref() == Some(one.channel.id())] { (one.channel.manifest().channel.name) }
                        }
                    }
                    select.input.small name="state" aria-label=(words.state) {
                        option value="" { (words.any_state) }
                        @for one in DeliveryState::ALL { option value=(one.name()) selected[wanted == Some(one)] { (state(one, &reader).2) } }
                    }
                    button.btn.small { (reader.words.show) }
                }
                @if page.entries.is_empty() {
                    @let is_narrow = wanted.is_some() || channel.is_some() || before.is_some();
                    section.panel.empty { p { @if is_narrow { (words.no_such_deliveries) } @else { (words.no_deliveries) } } }
                }
                @else { (table(&page.entries, now, &reader)) }
                @if let Some(next) = page.next {
                    p { a.btn href={ "/inspector?channel=" (channel.as_deref().unwrap_or_default()) "&state=" (wanted.map(DeliveryState::name).unwrap_or_default()) "&before=" (next.public()) } { (words.older) } }
                }
            }
        }
    };
    let frame = Frame { title: &words.inspector, place: Place::Plugins, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

fn table(deliveries: &[DeliveryView], now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    html! {
        section.panel.flush aria-label=(words.deliveries) {
            div.scroll-x tabindex="0" role="group" aria-label=(words.deliveries) {
                table.table {
                    thead {
                        tr {
                            th scope="col" { (words.delivery) } th scope="col" { (words.state) }
                            th scope="col" { (words.arrived) } th scope="col" { (words.size) } th scope="col" { (words.version) }
                        }
                    }
                    tbody { @for one in deliveries { (row(one, now, reader)) } }
                }
            }
        }
    }
}

fn row(one: &DeliveryView, now: i64, reader: &Reader) -> Markup {
    let (tone, symbol, state) = state(one.state, reader);
    let version = one.translator.as_ref().and_then(|translator| translator.version.as_deref());
    html! {
        tr {
            th scope="row" { span.line { (mark(&one.channel)) a href={ "/inspector/" (one.id.public()) } { code { (one.id.public()) } } } }
            td {
                span.chip data-tone=(tone) { (icon(symbol)) (state) }
                @if let Some(problem) = &one.problem { p.small.muted { (problem) } }
            }
            td { (times::relative(times::of(one.received_at), now, reader)) }
            td.num { (size(one.size)) }
            td.num { (version.unwrap_or("–")) @if one.attempts > 1 { br; span.muted { (count(&reader.words.plugins.tried, one.attempts)) } } }
        }
    }
}

/// The delivery that brought a message.
async fn of_message(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if let Some(answer) = refused(&reader) {
        return answer;
    }
    let Ok(id) = MessageId::from_public(&id) else { return error::no_page(&reader) };
    match host.inbox().delivery_of(id).await {
        Ok(Some(delivery)) => delivery::shown(&host, delivery, None, None, &reader).await,
        Ok(None) => error::no_page(&reader),
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}
