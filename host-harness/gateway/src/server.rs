//! The host behind HTTP: the webhook endpoint, and the API beside it. Belongs here: turning requests
//! into calls of the host, and a constant answer for every refusal.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use harness_contract::manifest::MAX_BODY_BYTES;
use harness_inbox::InboxError;
use tokio::net::TcpListener;

use crate::{
    api,
    host::{Host, HostError},
    ingress::Refusal,
    secrets::Secret,
};

/// Everything that the host answers: `/webhooks/{channel}` and, when asked for, `/api/v1`.
pub fn router(host: Host, api_token: Option<&Secret>) -> Router {
    Router::new()
        .route("/webhooks/{channel}", get(challenge).post(deliver))
        .with_state(host.clone())
        .nest("/api/v1", api::router(host, api_token))
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

async fn deliver(State(host): State<Host>, Path(channel): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return refuse(&channel, Refusal::TooLarge) };
    match host.deliver(&channel, &parts.headers, body.into()).await {
        Ok(_) => plain(StatusCode::OK, "ok\n".into()),
        Err(HostError::Refused(refusal)) => refuse(&channel, refusal),
        Err(error) => {
            // Without a 200 the platform delivers again.
            let busy = matches!(error, HostError::Inbox(InboxError::Busy(_)));
            tracing::error!(channel, %error, "a genuine delivery was not acknowledged");
            let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n".into());
            let after = HeaderValue::from_static(if busy { "1" } else { "10" });
            response.headers_mut().insert(header::RETRY_AFTER, after);
            response
        }
    }
}

async fn challenge(State(host): State<Host>, Path(channel): Path<String>, request: Request) -> Response {
    match host.challenge(&channel, request.uri().query().unwrap_or_default()) {
        Ok(answer) => plain(StatusCode::OK, answer.into()),
        Err(refusal) => refuse(&channel, refusal),
    }
}

/// The same answer whatever the reason: nothing to learn from it.
fn refuse(channel: &str, reason: Refusal) -> Response {
    tracing::info!(channel = %channel.escape_debug(), %reason, "a webhook was refused");
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
