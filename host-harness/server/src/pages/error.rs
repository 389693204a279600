//! Owns: a page for every error, with a way on.
//! Does not own: the errors of the connect pages (`connect`), the API's problems.

use axum::{http::StatusCode, response::Response};
use harness_engine::HostError;
use harness_inbox::InboxError;
use maud::html;

use super::{layout, reader::Reader};
use crate::request_id;

/// An error page: what happened, the way on, and the number under which the host's log has it.
pub(super) fn page(reader: &Reader, status: StatusCode, title: &str, hint: &str) -> Response {
    let (words, request) = (reader.words, request_id::current());
    let body = html! {
        body {
            div.solo {
                main.stack.wide id="main" tabindex="-1" {
                    div.stack { (layout::sign(44)) h1 { (title) } p dir="auto" { (hint) } }
                    p.line.wrap { a.btn.primary href="/inbox" { (words.go_to_inbox) } }
                    @if let Some(request) = request { p.small.muted { (words.mention_this) " " code { (request) } "." } }
                }
            }
        }
    };
    layout::document(reader, status, title, &body)
}

/// The page for a failed request to the host.
pub(super) fn failed(reader: &Reader, error: &HostError) -> Response {
    let words = reader.words;
    match error {
        HostError::Inbox(InboxError::NotFound { .. }) => no_conversation(reader),
        HostError::Inbox(InboxError::Continued { .. }) => {
            let words = &words.composer;
            page(reader, StatusCode::CONFLICT, &words.is_continued, &words.is_continued_hint)
        }
        // Somebody else decided, or the platform's answer came.
        HostError::Inbox(InboxError::NotAmbiguous(_)) => {
            page(reader, StatusCode::CONFLICT, &words.error_settled, &words.others_first_hint)
        }
        HostError::WrongField(wrong) => {
            page(reader, StatusCode::UNPROCESSABLE_ENTITY, &words.error_form, &wrong.to_string())
        }
        HostError::Inbox(InboxError::Busy(_)) | HostError::Busy(_) | HostError::Paused(_) | HostError::Held(_) => {
            page(reader, StatusCode::SERVICE_UNAVAILABLE, &words.error_busy, &words.error_busy_hint)
        }
        error => {
            tracing::error!(%error, "a page could not be answered");
            page(reader, StatusCode::BAD_GATEWAY, &words.error_ours, &error.for_people())
        }
    }
}

/// The page for what failed in this host, and can be told in no better words.
pub(super) fn ours(reader: &Reader) -> Response {
    page(reader, StatusCode::INTERNAL_SERVER_ERROR, &reader.words.error_ours, &reader.words.error_ours_hint)
}

/// The page for a conversation that is not there.
pub(super) fn no_conversation(reader: &Reader) -> Response {
    let words = reader.words;
    page(reader, StatusCode::NOT_FOUND, &words.error_no_conversation, &words.error_no_conversation_hint)
}

/// The page for somebody whose role does not allow it.
pub(super) fn not_allowed(reader: &Reader) -> Response {
    page(reader, StatusCode::FORBIDDEN, &reader.words.error_role, &reader.words.error_role_hint)
}

/// The page for a form that is incomplete or too long.
pub(super) fn no_form(reader: &Reader) -> Response {
    page(reader, StatusCode::BAD_REQUEST, &reader.words.error_form, &reader.words.error_form_hint)
}

/// The page for a form that another site sent.
pub(super) fn other_site(reader: &Reader) -> Response {
    page(reader, StatusCode::FORBIDDEN, &reader.words.error_other_site, &reader.words.error_other_site_hint)
}

/// The page for an address that is only looked at, or only sent to.
pub(super) fn no_method(reader: &Reader) -> Response {
    page(reader, StatusCode::METHOD_NOT_ALLOWED, &reader.words.error_form, &reader.words.error_form_hint)
}

/// The page for an unknown address.
pub(super) fn no_page(reader: &Reader) -> Response {
    page(reader, StatusCode::NOT_FOUND, &reader.words.error_no_page, &reader.words.error_no_page_hint)
}
