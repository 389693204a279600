//! Owns: the page of a reply: its parts, what was asked of the platform for each, how that ended.
//! Does not own: sending (the engine).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use harness_engine::{Exchange, Host};
use harness_inbox::{PublicId as _, ReplyId, StepState, StepView};
use maud::{Markup, html};

use super::{json::code, refused};
use crate::pages::{
    error,
    layout::{self, Frame, Place},
    parts::icon,
    reader::Reader,
    times,
    words::{count, fill},
};

/// `GET /inspector/replies/{reply}`.
pub(super) async fn page(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if let Some(answer) = refused(&reader) {
        return answer;
    }
    let Ok(id) = ReplyId::from_public(&id) else { return error::no_page(&reader) };
    let reply = match host.inbox().reply(id).await {
        Ok(reply) => reply,
        Err(harness_inbox::InboxError::NotFound { .. }) => return error::no_page(&reader),
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let words = &reader.words.plugins;
    let exchanges = host.exchanges(id);
    let now = times::now(&host);
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head {
                div {
                    p.crumbs { a href="/plugins" { (words.title) } " / " a href="/inspector" { (words.inspector) } }
                    h1 { (words.what_we_sent) " " code { (id.public()) } }
                    p { a href={ "/inbox/" (reply.conversation.public()) } { code { (reply.conversation.public()) } } }
                }
            }
            div.stack.wide {
                @if reply.steps.is_empty() { section.panel.empty { p { (words.no_requests) } } }
                @for (at, step) in reply.steps.iter().enumerate() { (shown(at, step, &exchanges, now, &reader)) }
                p.small.muted { span.slot { "page-token" } " " (words.slot_hint) }
            }
        }
    };
    let title = format!("{} · {}", id.public(), words.inspector);
    let frame = Frame { title: &title, place: Place::Plugins, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

fn shown(at: usize, step: &StepView, exchanges: &[Exchange], now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let parts = step.parts.iter().map(|part| (part + 1).to_string()).collect::<Vec<_>>().join(", ");
    let (tone, symbol, ended) = ending(step, reader);
    let own: Vec<&Exchange> = exchanges.iter().filter(|one| one.step == at).collect();
    html! {
        section.panel.flush aria-labelledby={ "step-" (at) } {
            header {
                h2 id={ "step-" (at) } { (words.request) " " (at + 1) }
                span.chip data-tone=(tone) { (icon(symbol)) (ended) }
                span.small.muted { (step.kind) " · " (words.part) " " (parts) " · " (count(&words.tried_to_send, step.attempts)) }
            }
            @if own.is_empty() { p.padded.muted { (words.no_requests) } }
            @for one in own { (exchange(one, now, reader)) }
            @if let Some(outcome) = &step.outcome {
                details.padded { summary.small { (words.outcome) } (code(outcome.get(), &words.outcome)) }
            }
        }
    }
}

fn ending<'w>(step: &StepView, reader: &'w Reader) -> (&'static str, &'static str, &'w str) {
    let words = &reader.words.plugins;
    match step.state {
        StepState::Queued | StepState::Sending => ("closed", "clock", &reader.words.waiting),
        StepState::Sent => ("open", "check", &reader.words.sent),
        StepState::Rejected => ("fail", "stop", &reader.words.not_sent),
        StepState::Cancelled => ("fail", "stop", &words.cancelled),
        StepState::Ambiguous => ("warn", "alert", &words.ambiguous),
    }
}

/// A request and its answer, side by side.
fn exchange(one: &Exchange, now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let at = times::of(one.at);
    html! {
        div.padded.stack {
            p.small { (times::moment(at, now, reader)) " · " (fill(&words.milliseconds, &[("n", &one.took.as_millis().to_string())])) }
            p dir="ltr" { code.wrap { (one.method) " " (one.url) } }
            @if !one.fills.is_empty() {
                ul.small dir="ltr" { @for (slot, place) in &one.fills { li { code { (place) } " " span.slot { (slot) } } } }
            }
            @if !one.body.is_empty() { (code(&one.body, &words.request)) }
            @match &one.answer {
                Ok((status, body)) => {
                    p { (words.answer) " " code { (status) } }
                    @if !body.is_empty() { (code(body, &words.answer)) }
                },
                Err(problem) => p { (icon("stop")) (problem) },
            }
        }
    }
}
