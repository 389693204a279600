//! The end of a Graph request: record, echoes, scripted faults, and the response.
//! What belongs here: the step from an outcome to bytes. Endpoints only return outcomes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderName,
    HeaderValue,
};
use serde_json::{Value, json};

use crate::config::{EchoTiming, Locale};
use crate::core::Core;
use crate::faults::{Fault, FaultKind};
use crate::graph::error::GraphError;
use crate::graph::request::{GraphRequest, redacted};
use crate::graph::{Host, Outcome};
use crate::half;
use crate::server::HangUp;
use crate::state::log::{RequestRecord, Verdict};
use crate::state::tokens::Holder;
use crate::webhook::hold::Outgoing;

/// The client's answer.
enum Reply {
    Json(Value),
    Error(GraphError),
    Limited { error: GraphError, minutes: u32 },
    Text { status: u16, content_type: &'static str, body: &'static str },
    HangUp,
}

pub(crate) async fn conclude(
    core: &Arc<Core>,
    request: GraphRequest,
    outcome: Option<Outcome>,
    fault: Option<Fault>,
) -> Response {
    let (accepted, message_id, webhooks, truth) = match outcome {
        Some(Ok(done)) => (true, done.message_id, done.webhooks, Some(Reply::Json(done.body))),
        Some(Err(error)) => (false, None, Vec::new(), Some(Reply::Error(error))),
        None => (false, None, Vec::new(), None),
    };
    let reply = match (truth, &fault) {
        // A refusal stays a refusal, even if the fault lets requests take effect.
        (Some(truth @ Reply::Error(_)), _) | (Some(truth), None) => truth,
        (Some(truth), Some(fault)) => scripted(fault).unwrap_or(truth),
        (None, fault) => fault.as_ref().and_then(scripted).unwrap_or_else(|| Reply::Error(GraphError::new(1, None))),
    };
    let verdict = verdict(&reply, request.host, accepted, message_id, fault.as_ref());
    let locale = account_locale(core, &request);
    let count = record(core, &request, verdict);

    echo(core, webhooks, fault.as_ref()).await;
    core.hold_back(fault.as_ref()).await;
    let response = render(core, &request, reply, locale, count);
    match fault {
        Some(Fault { what: FaultKind::CutOff, .. }) => half::of(response).await,
        _ => response,
    }
}

fn scripted(fault: &Fault) -> Option<Reply> {
    Some(match &fault.what {
        FaultKind::Truth | FaultKind::CutOff | FaultKind::TokenDead { .. } => return None,
        FaultKind::GraphError { code, subcode, status, locale, transient } => {
            let mut error = GraphError::new(*code, *subcode);
            (error.status, error.locale, error.transient) = (*status, *locale, *transient);
            Reply::Error(error)
        }
        FaultKind::RateLimited { minutes } => {
            Reply::Limited { error: GraphError::new(613, Some(2_534_040)), minutes: *minutes }
        }
        FaultKind::Html { status } => Reply::Text {
            status: *status,
            content_type: "text/html; charset=utf-8",
            body: "<!DOCTYPE html>\n<html><head><title>Error</title></head>\
                   <body><h1>Sorry, something went wrong.</h1></body></html>\n",
        },
        FaultKind::EmptyBody { status } => Reply::Text { status: *status, content_type: "text/plain", body: "" },
        FaultKind::NotJson { status } => {
            Reply::Text { status: *status, content_type: "application/json", body: "{\"recipient_id\":\"55" }
        }
        FaultKind::HangUp => Reply::HangUp,
    })
}

fn verdict(reply: &Reply, host: Host, accepted: bool, message_id: Option<String>, fault: Option<&Fault>) -> Verdict {
    let (status, error) = match reply {
        Reply::Json(_) => (Some(200), None),
        Reply::Error(error) | Reply::Limited { error, .. } => (Some(error.http_status(host).as_u16()), Some(error)),
        Reply::Text { status, .. } => (Some(*status), None),
        Reply::HangUp => (None, None),
    };
    Verdict {
        accepted,
        status,
        code: error.map(|error| error.code),
        subcode: error.and_then(|error| error.subcode),
        message_id,
        fault: fault.map(|fault| fault.name().to_owned()),
    }
}

fn record(core: &Core, request: &GraphRequest, verdict: Verdict) -> usize {
    let record = RequestRecord {
        at_ms: core.clock.now_ms(),
        method: request.method.to_string(),
        host: request.host.name().to_owned(),
        version: request.version.clone(),
        path: request.path(),
        token_place: request.token.as_ref().map(|(place, _)| *place),
        has_proof: request.proof.is_some(),
        body: redacted(&request.params),
        verdict,
    };
    core.record(record)
}

impl Core {
    /// Records a request and returns the number of requests so far.
    pub(crate) fn record(&self, record: RequestRecord) -> usize {
        let mut world = self.world();
        world.requests.push(record);
        let count = world.requests.len();
        self.requests_seen.send_replace(count);
        count
    }
}

/// Sends echoes before the answer, after it, or never.
async fn echo(core: &Arc<Core>, webhooks: Vec<Outgoing>, fault: Option<&Fault>) {
    let timing = core.world().echo;
    match timing {
        EchoTiming::Never => {}
        EchoTiming::BeforeResponse => {
            for webhook in webhooks {
                core.emit(webhook).await;
            }
        }
        EchoTiming::After(pause) => {
            if webhooks.is_empty() {
                return;
            }
            let core = Arc::clone(core);
            let answer_delay = Duration::from_millis(fault.map_or(0, |fault| fault.delay_ms));
            let mut release = fault.filter(|fault| fault.hold).map(|_| core.held_answers.next_release());
            // In its own task, so that the echo is sent even if the client disconnects.
            tokio::spawn(async move {
                if let Some(release) = &mut release {
                    let _ = release.changed().await;
                }
                core.clock.wait(answer_delay + pause).await;
                for webhook in webhooks {
                    core.emit(webhook).await;
                }
            });
        }
    }
}

fn account_locale(core: &Core, request: &GraphRequest) -> Locale {
    let Some((_, token)) = &request.token else { return Locale::English };
    let world = core.world();
    match world.holder(request.host.login(), token) {
        Some(Holder::Account(ig_id)) => world.account(&ig_id).map_or(Locale::English, |account| account.locale),
        _ => Locale::English,
    }
}

/// The answer of a fault that is not a Graph error: no JSON, or nothing. `None` for Graph errors.
pub(crate) fn without_words(fault: &Fault) -> Option<Response> {
    match scripted(fault)? {
        Reply::HangUp => Some(hang_up()),
        Reply::Text { status, content_type, body } => Some(text(status, content_type, body)),
        Reply::Json(_) | Reply::Error(_) | Reply::Limited { .. } => None,
    }
}

fn hang_up() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(HangUp);
    response
}

fn text(status: u16, content_type: &'static str, body: &'static str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}

fn render(core: &Core, request: &GraphRequest, reply: Reply, locale: Locale, count: usize) -> Response {
    let host = request.host;
    let trace = core.ids.fbtrace();
    // Rises slowly and never reaches the limit by itself.
    let usage = u32::try_from(count / 20).unwrap_or(u32::MAX).min(80);
    let (status, body, used, minutes, challenge) = match reply {
        Reply::HangUp => return hang_up(),
        Reply::Text { status, content_type, body } => return text(status, content_type, body),
        Reply::Json(body) => (StatusCode::OK, body, usage, 0, None),
        Reply::Error(error) => {
            let challenge = error.www_authenticate(host, &error.message(host, locale));
            (error.http_status(host), error.body(host, locale, &trace), usage, 0, challenge)
        }
        Reply::Limited { error, minutes } => {
            (error.http_status(host), error.body(host, locale, &trace), 100, minutes, None)
        }
    };
    let not_played = status == StatusCode::NOT_IMPLEMENTED;
    let mut response = document(request, status, body);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let version = request.version.clone().unwrap_or_else(|| "v25.0".to_owned());
    set("x-fb-trace-id", trace);
    if not_played {
        set("x-simulator", "not-played".to_owned());
    }
    match host {
        Host::Facebook => {
            set("facebook-api-version", version);
            set("x-app-usage", usage_of_app(used).to_string());
            if let Some(page) = business_object(core, request) {
                set("x-business-use-case-usage", usage_of_business(&page, used, minutes).to_string());
            }
        }
        Host::Instagram => {
            set("instagram-api-version", version);
            set("x-app-usage", json!({"call_volume": used, "cpu_time": used / 2}).to_string());
        }
    }
    if let Some(challenge) = challenge {
        set("www-authenticate", challenge);
    }
    response
}

/// The answer to a browser's preflight request.
pub(crate) fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
    ];
    (StatusCode::OK, headers).into_response()
}

/// The answer to a batch: a list without a single request's headers.
pub(crate) fn plain(request: &GraphRequest, body: Value) -> Response {
    document(request, StatusCode::OK, body)
}

/// A document, formatted by the common parameters `pretty`, `debug`, `suppress_http_code`.
fn document(request: &GraphRequest, status: StatusCode, mut body: Value) -> Response {
    if request.is_set("debug")
        && let Value::Object(body) = &mut body
    {
        body.insert("__debug__".to_owned(), json!({}));
    }
    let text = if request.is_set("pretty") { format!("{body:#}") } else { body.to_string() };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = if request.is_set("suppress_http_code") { StatusCode::OK } else { status };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    // Meta allows pages of all sites to read its answers.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn usage_of_app(used: u32) -> Value {
    json!({"call_count": used, "total_cputime": used / 2, "total_time": used / 2})
}

/// The value per business object is an array (Meta's documentation, rate limits; captured payloads).
fn usage_of_business(id: &str, used: u32, minutes: u32) -> Value {
    json!({ id: [{
        "type": "messenger", "call_count": used, "total_cputime": used / 2,
        "total_time": used / 2, "estimated_time_to_regain_access": minutes,
    }] })
}

fn business_object(core: &Core, request: &GraphRequest) -> Option<String> {
    let (_, token) = request.token.as_ref()?;
    match core.world().holder(request.host.login(), token) {
        Some(Holder::Page(id)) => Some(id),
        _ => None,
    }
}
