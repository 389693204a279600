//! The webhook endpoint: requests into deliveries, and a constant answer for every refusal. Belongs here: what a
//! request costs before it is known to be genuine. Whether it is, says `ingress`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use harness_contract::manifest::MAX_BODY_BYTES;
use harness_inbox::InboxError;
use http_body_util::BodyExt as _;
use tracing::Instrument as _;

use crate::{
    browser,
    error::HostError,
    host::Host,
    ingress::Refusal,
    listen::Limits,
    refusals::Refusals,
    request_id::{self, RequestId},
};

/// How long a body that is not wanted may take.
const DRAIN_TIME: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Webhooks {
    host: Host,
    refusals: Arc<Refusals>,
    /// How long a body may take to come in.
    body_time: Duration,
}

/// `/webhooks/{channel}`.
pub(crate) fn router(host: Host, limits: &Limits) -> Router {
    let refusals = Arc::new(Refusals::new(limits.refused_webhooks_per_minute));
    let challenged = get(challenge)
        .route_layer(middleware::map_response(browser::headers))
        .route_layer(middleware::from_fn(request_id::trace));
    Router::new()
        .route("/webhooks/{channel}", challenged)
        // Not through the layers of the others: each of them costs every webhook something.
        .route("/webhooks/{channel}", post(deliver))
        .with_state(Webhooks { host, refusals, body_time: limits.body_time })
}

async fn deliver(State(webhooks): State<Webhooks>, Path(channel): Path<String>, request: Request) -> Response {
    let id = RequestId::of(request.headers());
    let peer = peer(&request);
    // Of the highest level, so that it stands beside a warning too.
    let span = tracing::error_span!("webhook", request = id.as_str(), channel, delivery = tracing::field::Empty);
    let answer = async {
        let taken = webhooks.take(&channel, request).await;
        let word = match &taken {
            Ok(()) => "accepted",
            Err(NotTaken::Refused(refusal, _)) => refusal.word(),
            Err(NotTaken::Later(_, word)) => word,
        };
        webhooks.host.count_webhook(&channel, word);
        match taken {
            Ok(()) => plain(StatusCode::OK, "ok\n".into()),
            Err(NotTaken::Refused(refusal, unread)) => webhooks.refuse(refusal, peer, unread).await,
            Err(NotTaken::Later(seconds, _)) => later(seconds),
        }
    };
    let mut answer = answer.instrument(span).await;
    id.put_into(&mut answer);
    answer
}

fn peer(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Why a webhook was not taken.
enum NotTaken {
    /// With what was not read of its body.
    Refused(Refusal, Option<Body>),
    /// After how many seconds it may come again, and why, in a word for counters.
    Later(&'static str, &'static str),
}

impl Webhooks {
    async fn take(&self, channel: &str, request: Request) -> Result<(), NotTaken> {
        let host = &self.host;
        let (parts, body) = request.into_parts();
        // What cannot be genuine is not kept in memory.
        let bound = match host.expect(channel, &parts.headers) {
            Ok(bound) => bound,
            Err(refusal) => return Err(NotTaken::Refused(refusal, Some(body))),
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
        let body = match tokio::time::timeout(self.body_time, to_bytes(body, bound)).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) | Err(_) => return Err(NotTaken::Refused(Refusal::TooLarge, None)),
        };
        match host.deliver(channel, &parts.headers, body.into()).await {
            Ok(delivery) => {
                tracing::Span::current().record("delivery", delivery);
                tracing::debug!("a webhook is in the journal");
                Ok(())
            }
            Err(HostError::Refused(refusal)) => Err(NotTaken::Refused(refusal, None)),
            Err(HostError::Backlog(_)) => Err(NotTaken::Later("10", "backlog")),
            Err(HostError::Inbox(InboxError::Busy(_))) => Err(NotTaken::Later("1", "busy")),
            Err(error) => {
                // Without a 200 the platform delivers again.
                tracing::error!(%error, "a genuine delivery was not acknowledged");
                Err(NotTaken::Later("10", "not_durable"))
            }
        }
    }

    async fn refuse(&self, reason: Refusal, peer: Option<SocketAddr>, unread: Option<Body>) -> Response {
        if !self.refusals.count(peer) {
            return too_many();
        }
        if reason == Refusal::NoSecret {
            tracing::warn!(%reason, "a webhook was refused");
        } else {
            tracing::info!(%reason, "a webhook was refused");
        }
        if let Some(unread) = unread {
            drain(unread).await;
        }
        forbidden()
    }
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

async fn challenge(State(webhooks): State<Webhooks>, Path(channel): Path<String>, request: Request) -> Response {
    match webhooks.host.challenge(&channel, request.uri().query().unwrap_or_default()) {
        Ok(answer) => plain(StatusCode::OK, answer.into()),
        Err(refusal) => webhooks.refuse(refusal, peer(&request), None).await,
    }
}

/// The same answer whatever the reason: nothing to learn from it.
fn forbidden() -> Response {
    plain(StatusCode::FORBIDDEN, "forbidden\n".into())
}

/// For an address that is refused again and again. What it goes on to send is not waited for.
fn too_many() -> Response {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many\n".into());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Plain text that no browser takes for anything else: a challenge is the sender's own words.
fn plain(status: StatusCode, text: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, text).into_response()
}
