//! Owns: webhooks and callbacks over HTTP, the uniform response to rejected requests, and limits on what an unverified
//! request costs.
//! Does not own: verifying requests (the engine).

mod refusal_limit;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use bytes::Bytes;
use harness_contract::manifest::{FixedAnswer, MAX_BODY_BYTES};
use harness_inbox::InboxError;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tracing::Instrument as _;

use self::refusal_limit::RefusalLimit;
use crate::{
    listener::Limits,
    middleware::{
        body::{self, Unread, content_length},
        browser,
    },
    request_id::{self, RequestId},
};
use harness_engine::{Addressed, Host, HostError, MAX_CALLBACK, Refusal, Taken};

/// How long the host reads the rest of a rejected body.
const DRAIN_TIME: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Webhooks {
    host: Host,
    refusals: Arc<RefusalLimit>,
    /// How long receiving a body may take.
    body_time: Duration,
}

/// `/webhooks/{channel}`, `/webhooks/{channel}/{account}` and `/callbacks/{channel}/{name}`.
pub(crate) fn router(host: Host, limits: &Limits) -> Router {
    let refusals = Arc::new(RefusalLimit::new(limits.refused_webhooks_per_minute, host.clock().clone()));
    let traced = |route: MethodRouter<Webhooks>| {
        route
            .route_layer(middleware::map_response(browser::headers))
            .route_layer(middleware::from_fn(request_id::trace_quietly))
    };
    Router::new()
        .route("/webhooks/{channel}", traced(get(challenge)))
        .route("/webhooks/{channel}/{account}", traced(get(challenge_of_account)))
        .route("/callbacks/{channel}/{name}", traced(post(callback)))
        // Without the layers above, whose cost every webhook would pay.
        .route("/webhooks/{channel}", post(deliver))
        .route("/webhooks/{channel}/{account}", post(deliver_to_account))
        .with_state(Webhooks { host, refusals, body_time: limits.body_time })
}

async fn deliver(State(webhooks): State<Webhooks>, Path(channel): Path<String>, request: Request) -> Response {
    webhooks.answer(&channel, None, request).await
}

async fn deliver_to_account(
    State(webhooks): State<Webhooks>,
    Path((channel, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    webhooks.answer(&channel, Some(&account), request).await
}

fn peer(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Why a webhook or a callback was not accepted.
enum Rejection {
    /// With the unread rest of the body.
    Refused(Refusal, Option<Body>),
    /// After how many seconds to retry, and the reason as a metric label.
    RetryLater(&'static str, &'static str),
}

impl Rejection {
    fn of(error: HostError) -> Self {
        match error {
            HostError::Refused(refusal) => Self::Refused(refusal, None),
            HostError::Full(full) => Self::RetryLater("10", full.word()),
            HostError::Inbox(InboxError::Busy(_)) => Self::RetryLater("1", "busy"),
            error => {
                // The platform delivers again if it gets no 200.
                tracing::error!(%error, "what a platform sent and is genuine was not acknowledged");
                Self::RetryLater("10", "not_durable")
            }
        }
    }

    /// The reason as a metric label.
    fn word(&self) -> &'static str {
        match self {
            Self::Refused(refusal, _) => refusal.word(),
            Self::RetryLater(_, word) => word,
        }
    }
}

impl Webhooks {
    async fn answer(&self, channel: &str, account: Option<&str>, request: Request) -> Response {
        let id = RequestId::of(request.headers());
        let peer = peer(&request);
        // At the highest level, so that warnings carry it too.
        let span = tracing::error_span!("webhook", request = id.as_str(), channel, delivery = tracing::field::Empty);
        let answer = async {
            let taken = self.take(channel, account, request).await;
            let word = match &taken {
                Ok(Taken::Recorded(..)) => "accepted",
                Ok(Taken::Challenge(_)) => "challenge",
                Err(reason) => reason.word(),
            };
            self.host.count_webhook(channel, word);
            match taken {
                Ok(Taken::Recorded(_, None)) => plain(StatusCode::OK, "ok\n".into()),
                Ok(Taken::Recorded(_, Some(answer))) => fixed(answer),
                Ok(Taken::Challenge(echo)) => plain(StatusCode::OK, echo.into()),
                Err(reason) => self.not_taken(reason, peer).await,
            }
        };
        let mut answer = answer.instrument(span).await;
        id.put_into(&mut answer);
        answer
    }

    async fn take(&self, channel: &str, account: Option<&str>, request: Request) -> Result<Taken, Rejection> {
        let host = &self.host;
        let (parts, body) = request.into_parts();
        let to = Addressed { channel, account, query: parts.uri.query().unwrap_or_default() };
        // Requests that cannot be genuine are rejected before their body takes memory.
        let bound = match host.expect(to.channel, &parts.headers, content_length(&parts.headers)) {
            Ok(bound) => bound,
            Err(refusal) => return Err(Rejection::Refused(refusal, Some(body))),
        };
        let body = self.read(to.channel, body, bound).await?;
        let taken = host.deliver_to(to, &parts.headers, body.bytes).await.map_err(Rejection::of)?;
        match &taken {
            Taken::Recorded(delivery, _) => {
                tracing::Span::current().record("delivery", delivery.get());
                tracing::debug!("a webhook is in the journal");
            }
            Taken::Challenge(_) => tracing::info!("a challenge was answered"),
        }
        Ok(taken)
    }

    async fn take_callback(&self, channel: &str, name: &str, request: Request) -> Result<Option<Value>, Rejection> {
        let (parts, body) = request.into_parts();
        // Nor is the body read if the channel has no such callback.
        if !self.host.has_callback(channel, name) {
            return Err(Rejection::Refused(Refusal::UnknownChannel, Some(body)));
        }
        if content_length(&parts.headers).is_some_and(|length| length > MAX_CALLBACK as u64) {
            return Err(Rejection::Refused(Refusal::TooLarge, Some(body)));
        }
        let body = self.read(channel, body, MAX_CALLBACK).await?;
        self.host.callback(channel, name, &body.bytes).await.map_err(Rejection::of)
    }

    /// Reads a body of at most `bound` bytes, if the channel's backlog has room.
    async fn read(&self, channel: &str, mut body: Body, bound: usize) -> Result<body::Read, Rejection> {
        if let Err(error) = self.host.admit(channel) {
            drain(body).await;
            return Err(Rejection::of(error));
        }
        let read = body::read(&mut body, bound, self.host.webhook_memory(channel));
        match tokio::time::timeout(self.body_time, read).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(Unread::TooLarge)) => {
                self.host.note_too_large(channel);
                Err(Rejection::Refused(Refusal::TooLarge, Some(body)))
            }
            // Bodies being received share a memory budget. If it is used up, the sender must retry.
            Ok(Err(Unread::NoMemory)) => {
                drain(body).await;
                Err(Rejection::RetryLater("1", "memory"))
            }
            Ok(Err(Unread::Broken)) | Err(_) => Err(Rejection::Refused(Refusal::NotInTime, None)),
        }
    }

    async fn not_taken(&self, reason: Rejection, peer: Option<SocketAddr>) -> Response {
        match reason {
            Rejection::Refused(refusal, unread) => self.refuse(refusal, peer, unread).await,
            Rejection::RetryLater(seconds, _) => later(seconds),
        }
    }

    async fn refuse(&self, reason: Refusal, peer: Option<SocketAddr>, unread: Option<Body>) -> Response {
        if !self.refusals.count(peer) {
            return too_many();
        }
        if matches!(reason, Refusal::NoSecret | Refusal::NoPublicUrl) {
            tracing::warn!(%reason, "a webhook or a callback was refused");
        } else {
            tracing::info!(%reason, "a webhook or a callback was refused");
        }
        if let Some(unread) = unread {
            drain(unread).await;
        }
        match reason {
            // These answers tell the sender nothing new.
            Refusal::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n".into()),
            Refusal::NoWebhook => {
                plain(StatusCode::NOT_FOUND, format!("{reason}: nothing is taken at this address\n").into())
            }
            Refusal::NotInTime => plain(StatusCode::REQUEST_TIMEOUT, "the body did not come\n".into()),
            _ => forbidden(),
        }
    }
}

/// A signed call of the platform other than a webhook.
async fn callback(
    State(webhooks): State<Webhooks>,
    Path((channel, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let peer = peer(&request);
    let taken = webhooks.take_callback(&channel, &name, request).await;
    webhooks.host.count_callback(&channel, taken.as_ref().map_or_else(Rejection::word, |_| "accepted"));
    if taken.is_ok() {
        tracing::info!(channel, name, "a callback was taken");
    }
    match taken {
        Ok(Some(answer)) => axum::Json(answer).into_response(),
        Ok(None) => StatusCode::OK.into_response(),
        Err(reason) => webhooks.not_taken(reason, peer).await,
    }
}

/// Reads the rest of a rejected body, within limits: a sender that is cut off would not see the response.
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
    // A sender that is slow, too, does not get the response.
    let _ = tokio::time::timeout(DRAIN_TIME, to_its_end).await;
}

fn later(seconds: &'static str) -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n".into());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    response
}

async fn challenge(State(webhooks): State<Webhooks>, Path(channel): Path<String>, request: Request) -> Response {
    webhooks.answer_challenge(&channel, None, request).await
}

async fn challenge_of_account(
    State(webhooks): State<Webhooks>,
    Path((channel, account)): Path<(String, String)>,
    request: Request,
) -> Response {
    webhooks.answer_challenge(&channel, Some(&account), request).await
}

impl Webhooks {
    async fn answer_challenge(&self, channel: &str, account: Option<&str>, request: Request) -> Response {
        // The body of a `GET` is ignored.
        let (peer, (parts, _)) = (peer(&request), request.into_parts());
        let to = Addressed { channel, account, query: parts.uri.query().unwrap_or_default() };
        match self.host.challenge(to) {
            Ok(answer) => {
                tracing::info!(channel, "a challenge was answered");
                plain(StatusCode::OK, answer.into())
            }
            Err(refusal) => self.refuse(refusal, peer, None).await,
        }
    }
}

/// The response that the manifest declares.
fn fixed(answer: FixedAnswer) -> Response {
    let mut response = plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK), answer.body.into());
    if let Ok(content_type) = HeaderValue::from_str(&answer.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}

/// The same response for every reason, so that it reveals nothing.
fn forbidden() -> Response {
    plain(StatusCode::FORBIDDEN, "forbidden\n".into())
}

/// For an address with too many rejected requests. The rest of its request is not read.
fn too_many() -> Response {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "too many\n".into());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Plain text, with headers against content sniffing: a challenge is text chosen by the sender.
fn plain(status: StatusCode, text: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, text).into_response()
}
