//! The host behind HTTP: the webhook endpoint, and the API beside it. Belongs here: turning requests
//! into calls of the host, and a constant answer for every refusal.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use harness_contract::manifest::MAX_BODY_BYTES;
use harness_inbox::InboxError;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tracing::Instrument as _;

use crate::{access::Access, api, error::HostError, host::Host, ingress::Refusal, pages, secrets::Secret};

/// Everything that the host answers: `/webhooks/{channel}`, the pages and callbacks of connecting accounts,
/// `/health/…`, and `/metrics` and `/api/v1`: with a token for whoever has it, without one for requests that are
/// made on this machine.
pub fn router(host: Host, api_token: Option<&Secret>) -> Router {
    router_with(host, Access::new(api_token, None))
}

/// The same behind a lock that has more than one key.
pub fn router_with(host: Host, access: Access) -> Router {
    Router::new()
        .route("/webhooks/{channel}", get(challenge).post(deliver))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(host.clone())
        .merge(api::metrics_router(host.clone(), access.clone()))
        .merge(pages::router(host.clone(), access.clone()))
        .nest("/api/v1", api::router(host, access))
}

/// Serves until the process is told to stop, then lets open requests finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

/// Binds the address.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// How long a body that is not wanted may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How long a body may take to come in.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Every webhook gets a number, under which `HARNESS_LOG` shows what became of it.
static REQUESTS: AtomicU64 = AtomicU64::new(1);

async fn deliver(State(host): State<Host>, Path(channel): Path<String>, request: Request) -> Response {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
    // Of the highest level, so that it stands beside a warning too.
    let span = tracing::error_span!("webhook", request = number, delivery = tracing::field::Empty);
    let taken = take(&host, &channel, request).instrument(span).await;
    let word = match &taken {
        Ok(()) => "accepted",
        Err(NotTaken::Refused(refusal)) => refusal.word(),
        Err(NotTaken::Later(_, word)) => word,
    };
    host.count_webhook(&channel, word);
    match taken {
        Ok(()) => plain(StatusCode::OK, "ok\n".into()),
        Err(NotTaken::Refused(refusal)) => refuse(&channel, refusal),
        Err(NotTaken::Later(seconds, _)) => later(seconds),
    }
}

/// Why a webhook was not taken.
enum NotTaken {
    Refused(Refusal),
    /// After how many seconds it may come again, and why, in a word for counters.
    Later(&'static str, &'static str),
}

async fn take(host: &Host, channel: &str, request: Request) -> Result<(), NotTaken> {
    let (parts, body) = request.into_parts();
    // What cannot be genuine is not kept in memory.
    let bound = match host.expect(channel, &parts.headers) {
        Ok(bound) => bound,
        Err(refusal) => {
            drain(body).await;
            return Err(NotTaken::Refused(refusal));
        }
    };
    if host.admit().is_err() {
        drain(body).await;
        return Err(NotTaken::Later("10", "backlog"));
    }
    // Bodies on their way in share a budget of memory; whoever finds none left is asked to come again.
    let Some(_budget) = host.admit_body(&parts.headers, bound) else {
        drain(body).await;
        return Err(NotTaken::Later("1", "memory"));
    };
    let body = match tokio::time::timeout(BODY_TIME, to_bytes(body, bound)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) | Err(_) => return Err(NotTaken::Refused(Refusal::TooLarge)),
    };
    match host.deliver(channel, &parts.headers, body.into()).await {
        Ok(delivery) => {
            tracing::Span::current().record("delivery", delivery);
            tracing::debug!("a webhook is in the journal");
            Ok(())
        }
        Err(HostError::Refused(refusal)) => Err(NotTaken::Refused(refusal)),
        Err(HostError::Backlog(_)) => Err(NotTaken::Later("10", "backlog")),
        Err(HostError::Inbox(InboxError::Busy(_))) => Err(NotTaken::Later("1", "busy")),
        Err(error) => {
            // Without a 200 the platform delivers again.
            tracing::error!(channel, %error, "a genuine delivery was not acknowledged");
            Err(NotTaken::Later("10", "not_durable"))
        }
    }
}

/// The process answers.
async fn live() -> Response {
    plain(StatusCode::OK, "live\n".into())
}

/// Whether deliveries are taken, and if not, why.
async fn ready(State(host): State<Host>) -> Response {
    let reasons = host.not_ready().await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons });
    (status, axum::Json(body)).into_response()
}

/// Lets a sender finish what it was sending, within bounds: one that is cut off does not see its answer.
async fn drain(mut body: Body) {
    let to_its_end = async {
        let mut left = 2 * MAX_BODY_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever is slow as well as refused goes without.
    let _ = tokio::time::timeout(DRAIN_TIME, to_its_end).await;
}

fn later(seconds: &'static str) -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n".into());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    response
}

async fn challenge(State(host): State<Host>, Path(channel): Path<String>, request: Request) -> Response {
    match host.challenge(&channel, request.uri().query().unwrap_or_default()) {
        Ok(answer) => plain(StatusCode::OK, answer.into()),
        Err(refusal) => refuse(&channel, refusal),
    }
}

/// The same answer whatever the reason: nothing to learn from it.
fn refuse(channel: &str, reason: Refusal) -> Response {
    let channel = channel.escape_debug();
    if reason == Refusal::NoSecret {
        tracing::warn!(%channel, %reason, "a webhook was refused");
    } else {
        tracing::info!(%channel, %reason, "a webhook was refused");
    }
    plain(StatusCode::FORBIDDEN, "forbidden\n".into())
}

/// Plain text that no browser takes for anything else: a challenge is the sender's own words.
fn plain(status: StatusCode, text: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, text).into_response()
}
