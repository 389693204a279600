//! Owns: the page of a reply: its parts, what was asked of the platform for each, how that ended.
//! Does not own: sending (the engine).

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use harness_engine::Host;
use harness_inbox::{PublicId as _, ReplyId, StepView};
use maud::{Markup, html};

use super::{admit, json::code};
use crate::pages::{
    error,
    layout::{self, Frame, Place},
    reader::Reader,
    words::count,
};

/// `GET /inspector/replies/{reply}`.
pub(super) async fn page(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if let Err(answer) = admit(&reader) {
        return answer;
    }
    let Ok(id) = ReplyId::from_public(&id) else { return error::no_page(&reader) };
    let reply = match host.inbox().reply(id).await {
        Ok(reply) => reply,
        Err(harness_inbox::InboxError::NotFound { .. }) => return error::no_page(&reader),
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let words = &reader.words.plugins;
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
                @for (at, step) in reply.steps.iter().enumerate() { (shown(at, step, &reader)) }
                p.small.muted { span.slot { "page-token" } " " (words.slot_hint) }
            }
        }
    };
    let title = format!("{} · {}", id.public(), words.inspector);
    let frame = Frame { title: &title, place: Place::Plugins, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

fn shown(at: usize, step: &StepView, reader: &Reader) -> Markup {
    let words = &reader.words.plugins;
    let parts = step.parts.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    html! {
        section.panel.flush aria-labelledby={ "step-" (at) } {
            header {
                h2 id={ "step-" (at) } { (words.request) " " (at + 1) }
                span.chip { (step.kind) }
                span.small.muted { (words.part) " " (parts) " · " (count(&words.tried, step.attempts)) }
            }
            @if let Some(outcome) = &step.outcome { (code(outcome.get(), &words.outcome)) }
        }
    }
}
