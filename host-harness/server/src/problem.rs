//! Owns: the error format, RFC 9457's `application/problem+json`: stable codes, and the status of each error.
//! Does not own: reading requests (`api`).

use std::{collections::BTreeMap, time::Duration};

use axum::{
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use harness_contract::{AccountError, Violation, text::shown};
use harness_inbox::{ConversationId, InboxError, PublicId as _};
use serde::Serialize;
use utoipa::ToSchema;

use crate::request_id::{self, RequestId};
use harness_engine::{ConnectError, HostError, InspectError, WebhookError};

pub(crate) const MIME: &str = "application/problem+json";

/// Why a request of the API failed.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    path: Option<String>,
    more: Option<More>,
    /// After how long it may be tried again.
    retry_after: Option<Duration>,
}

/// What else stands in a problem, a member of its own for each.
#[derive(Debug)]
enum More {
    Violations(Vec<Violation>),
    /// A sentence for each field.
    Fields(BTreeMap<String, String>),
    /// The conversation that goes on instead.
    ContinuedIn(ConversationId),
}

/// The document that says why a request failed (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// `about:blank`: `code` distinguishes the problems.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// For a person: what happened, what was expected, what to do.
    detail: String,
    /// For programs. Stable.
    code: &'static str,
    /// The field or parameter that is meant, such as `parts[0].text.text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Stands in the log of the host too.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// All that stands in the way of a message.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    violations: Option<Vec<Violation>>,
    /// What does not fit in what was typed in: a sentence for each field.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, String>>,
    /// The conversation that goes on, where the one that was asked for was closed and begun anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    continued_in: Option<String>,
}

impl Problem {
    /// `code` is stable and for programs, `detail` is for people.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), path: None, more: None, retry_after: None }
    }

    /// The request is invalid.
    pub(crate) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The row does not exist, or is somebody else's: both are answered alike. `noun` is such as "conversation".
    pub(crate) fn no_row(noun: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {noun} with this id"))
    }

    /// Too many requests: it may be tried again after this time.
    pub(crate) fn later(code: &'static str, detail: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail) }
    }

    /// Sets the path of the invalid field, spelled as in the body.
    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into()).filter(|path| !path.is_empty());
        self
    }

    /// A message that cannot be sent, with all violations. It did not use up its idempotency key.
    pub(crate) fn not_sendable(violations: Vec<Violation>) -> Self {
        let sentences: Vec<_> = violations.iter().map(|violation| violation.message.as_str()).collect();
        let detail = format!("the message cannot be sent: {}", sentences.join(" "));
        let path = violations.first().map(|violation| violation.path.clone());
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let more = Some(More::Violations(violations));
        Self { path, more, ..Self::new(status, "message_not_sendable", detail) }
    }

    /// What a person typed in does not fit: a sentence for each field.
    pub(crate) fn not_entered(fields: BTreeMap<String, String>) -> Self {
        let said: Vec<_> = fields.iter().map(|(key, sentence)| format!("`{}`: {sentence}", shown(key))).collect();
        let detail = format!("nothing was taken, because not all of it fits: {}", said.join(" "));
        let path = fields.keys().next().map(|key| format!("values.{key}"));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let more = Some(More::Fields(fields));
        Self { path, more, ..Self::new(status, "not_entered", detail) }
    }
}

impl Problem {
    /// The status and the JSON document.
    fn document(self, request_id: Option<String>) -> (StatusCode, Vec<u8>) {
        let Self { status, code, detail, path, more, retry_after: _ } = self;
        let title = status.canonical_reason().unwrap_or("Error");
        let (mut violations, mut fields, mut continued_in) = (None, None, None);
        match more {
            Some(More::Violations(all)) => violations = Some(all),
            Some(More::Fields(all)) => fields = Some(all),
            Some(More::ContinuedIn(id)) => continued_in = Some(id.public()),
            None => {}
        }
        // RFC 9457: with `about:blank`, the title is that of the status.
        let (r#type, number) = ("about:blank", status.as_u16());
        let body = Document {
            r#type,
            title,
            status: number,
            detail,
            code,
            path,
            request_id,
            violations,
            fields,
            continued_in,
        };
        (status, serde_json::to_vec(&body).unwrap_or_default())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after.map(|wait| HeaderValue::from(wait.as_secs().max(1)));
        let (status, body) = self.document(request_id::current());
        let mut answer = (status, [(header::CONTENT_TYPE, HeaderValue::from_static(MIME))], body).into_response();
        if let Some(wait) = retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        answer
    }
}

/// The complete answer to a request whose head is malformed. No endpoint has seen it, so it is written by hand.
pub(crate) fn unreadable_head(status: StatusCode) -> Vec<u8> {
    let (code, detail) = match status {
        StatusCode::URI_TOO_LONG => ("address_too_long", "the address is longer than this host takes"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            "head_too_large",
            "the headers are larger or more than this host takes, or `Content-Length` is no sane number of bytes",
        ),
        _ => (
            "unreadable_head",
            "the head of this request cannot be read as HTTP: look at its first line, at each header, and whether \
             `Content-Length` is one whole number of bytes",
        ),
    };
    let id = RequestId::next();
    let (status, body) = Problem::new(status, code, detail).document(Some(id.as_str().to_owned()));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {MIME}\r\ncontent-length: {}\r\nconnection: close\r\n\
         x-request-id: {}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n\r\n",
        body.len(),
        id.as_str(),
    );
    [head.into_bytes(), body].concat()
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        let (status, code) = match error {
            HostError::Connect(error) => return error.into(),
            HostError::NotSendable(violations) => return Self::not_sendable(violations),
            HostError::Inbox(InboxError::NotFound { what, .. }) => return Self::no_row(what),
            HostError::Inbox(InboxError::Continued { by, .. }) => {
                let more = Some(More::ContinuedIn(by));
                return Self { more, ..Self::new(StatusCode::CONFLICT, "conversation_continued", error.to_string()) };
            }
            HostError::NoChannel(..) => (StatusCode::NOT_FOUND, "no_such_channel"),
            HostError::Inbox(InboxError::Busy(_)) | HostError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            HostError::Full(_) => (StatusCode::SERVICE_UNAVAILABLE, "too_much_waits"),
            HostError::Paused(_) => (StatusCode::SERVICE_UNAVAILABLE, "channel_paused"),
            HostError::Held(_) => (StatusCode::SERVICE_UNAVAILABLE, "platform_paused"),
            HostError::Inbox(InboxError::KeyReused(_)) => (StatusCode::CONFLICT, "idempotency_key_reused"),
            HostError::Inbox(InboxError::NotAmbiguous(_)) => (StatusCode::CONFLICT, "not_ambiguous"),
            HostError::Inbox(InboxError::NameTaken { .. }) => (StatusCode::CONFLICT, "name_taken"),
            HostError::Inbox(InboxError::TooMany { .. }) => (StatusCode::CONFLICT, "too_many"),
            HostError::Webhook(ref error) => {
                let (code, path) = match error {
                    WebhookError::Position(..) => ("bad_position", "position"),
                    _ => ("bad_address", "url"),
                };
                return Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string()).at(path);
            }
            HostError::WrongField(ref wrong) => return Self::bad("bad_body", wrong.to_string()).at(wrong.field()),
            HostError::Inbox(InboxError::EmailTaken) => (StatusCode::CONFLICT, "email_taken"),
            HostError::Inbox(InboxError::LastAdmin) => (StatusCode::CONFLICT, "last_admin"),
            HostError::Inbox(InboxError::OtherWorkspace) => (StatusCode::CONFLICT, "other_workspace"),
            HostError::Inspect(ref error) => match error {
                InspectError::Purged => (StatusCode::CONFLICT, "delivery_purged"),
                InspectError::Waiting => (StatusCode::CONFLICT, "delivery_waits"),
                InspectError::NoComponent { .. } => {
                    let detail = error.to_string();
                    return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "no_such_component", detail).at("digest");
                }
            },
            HostError::Disconnected(_) => (StatusCode::CONFLICT, "account_disconnected"),
            HostError::Overtaken(_) => (StatusCode::CONFLICT, "overtaken"),
            HostError::Account(ref problem) => match **problem {
                AccountError::InvalidInput(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_input"),
                AccountError::Unsupported => (StatusCode::UNPROCESSABLE_ENTITY, "unsupported"),
                _ => (StatusCode::BAD_GATEWAY, "platform_failed"),
            },
            _ => {
                // The error describes internals of the host, so only the log gets it.
                tracing::error!(%error, "a request of the API failed");
                let detail = "the host failed at this; its log says why, under the number of this request";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
            }
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<InboxError> for Problem {
    fn from(error: InboxError) -> Self {
        HostError::from(error).into()
    }
}

impl From<ConnectError> for Problem {
    fn from(error: ConnectError) -> Self {
        let (status, code) = match error {
            ConnectError::Expired => (StatusCode::NOT_FOUND, "no_such_link"),
            ConnectError::NoCandidate => (StatusCode::NOT_FOUND, "no_such_candidate"),
            ConnectError::NoLogin => (StatusCode::CONFLICT, "no_such_login"),
            ConnectError::NoLogins => (StatusCode::CONFLICT, "no_logins"),
            ConnectError::OtherWorkspace => (StatusCode::CONFLICT, "other_workspace"),
            ConnectError::TooMany => (StatusCode::SERVICE_UNAVAILABLE, "too_many_links"),
            ConnectError::NoPublicUrl => (StatusCode::SERVICE_UNAVAILABLE, "no_public_url"),
            _ => (StatusCode::CONFLICT, "out_of_order"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// The answer for an unknown address.
pub(crate) async fn no_such_address(uri: Uri) -> Problem {
    // Later parts of the path may hold a credential.
    let shown: String = uri.path().chars().filter(|letter| !letter.is_control()).take(80).collect();
    let shown = if shown.contains("/connect/") { "/connect/…".to_owned() } else { shown };
    Problem::new(StatusCode::NOT_FOUND, "no_such_address", format!("there is nothing at `{shown}`"))
}

/// The answer for a known address with a wrong method.
pub(crate) async fn no_such_method(method: Method) -> Problem {
    let detail = format!("this address does not take `{method}`; what it takes stands in the header `Allow`");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
