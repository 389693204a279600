//! Owns: the HTTP API for an inbox product: routes, and the JSON around the contract's types.
//! Does not own: what is done (the engine), the form of errors (`problem`).

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use harness_contract::{OutboundMessage, Window, manifest::Manifest};
use harness_inbox::{ConversationId, DeliveryId, InboxError, ParkedCounts, ReplyId, ReplyState, ReplyView, Settlement};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc, time::Duration};

mod accounts;
mod extract;
mod files;
mod ids;
mod lists;
mod paging;
mod routes;
mod sender;
mod session;
mod team;
mod time;
mod tokens;

pub(crate) use files::handed_out;

use crate::problem::Problem as ApiError;
use crate::{
    auth::{Authenticator, Principal, Scope},
    listener::Limits,
    middleware::body::BodyTime,
};
use extract::{Body, Json, Path, Query};
use harness_engine::{BreakerView, Host, HostError, Provenance};
use routes::Routes;

/// The longest request body of the API, in bytes.
const MAX_BODY: usize = 256 << 10;
/// Changes read at a time while a request waits.
const CHANGES: usize = 100;
/// The longest time that a request may wait for a reply's end.
const MAX_WAIT: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct Api {
    host: Host,
    access: Authenticator,
}

/// The routes below `/api/v1`.
pub(crate) fn router(host: Host, access: Authenticator, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: host.largest_file() };
    let largest_file = host.largest_file();
    let api = Api { host, access };
    Routes::default()
        .at("/health", Scope::Observe, get(health))
        .taking("/deliveries/retry", Scope::Host, &["channel"], post(retry))
        .at("/channels", Scope::Read, get(channels))
        .at("/channels/{id}/reset", Scope::Host, post(reset))
        .at("/conversations/{id}", Scope::Read, get(conversation))
        .taking("/conversations/{id}/replies", Scope::Reply, &["wait"], post(reply))
        .at("/replies/{id}", Scope::Read, get(reply_status))
        .at("/replies/{id}/send-again", Scope::Reply, post(send_again))
        .at("/replies/{id}/settle", Scope::Reply, post(settle))
        .merge(accounts::routes())
        .merge(files::routes())
        .merge(lists::routes())
        .merge(session::routes())
        .merge(team::routes())
        .merge(tokens::routes())
        .within(time)
        .answering_the_rest(largest_file)
        .behind_the_lock(&api)
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
        .with_state(api)
}

/// `/metrics`, behind the same lock.
pub(crate) fn metrics_router(host: Host, access: Authenticator) -> Router {
    let api = Api { host, access };
    Routes::default().at("/metrics", Scope::Observe, get(metrics)).behind_the_lock(&api).with_state(api)
}

/// Refuses a body that is announced to be too long before a byte of it is waited for.
async fn no_endless_body(largest_file: u64, request: Request, next: Next) -> Result<Response, ApiError> {
    let bound = if request.uri().path().ends_with("/files") { largest_file } else { MAX_BODY as u64 };
    extract::announced(request.headers(), bound)?;
    Ok(next.run(request).await)
}

async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let text = api.host.metrics().await?;
    Ok(([(header::CONTENT_TYPE, harness_engine::METRICS_CONTENT_TYPE)], text).into_response())
}

type Answer<T> = Result<Json<T>, ApiError>;

#[derive(Serialize)]
struct Health {
    deliveries: harness_inbox::DeliveryCounts,
    problems: Vec<Problem>,
    channels: Vec<ChannelHealth>,
}

/// How a channel does: the part that does worst, and all parts.
#[derive(Serialize)]
struct ChannelHealth {
    channel: String,
    /// Deliveries that wait for accounts which are not connected here.
    parked: u64,
    /// Deliveries that waited for their account in vain, and were emptied.
    expired: u64,
    #[serde(flatten)]
    worst: Option<BreakerView>,
    parts: Vec<BreakerView>,
}

fn channel_health(host: &Host, counts: &HashMap<String, ParkedCounts>) -> Vec<ChannelHealth> {
    let health = |registered: &Arc<harness_engine::LoadedChannel>| {
        let channel = registered.channel.id().to_owned();
        let parts = host.breakers(&channel);
        let ParkedCounts { parked, expired } = counts.get(&channel).copied().unwrap_or_default();
        ChannelHealth { channel, parked, expired, worst: parts.first().cloned(), parts }
    };
    host.channels().iter().map(health).collect()
}

#[derive(Serialize)]
struct Reset {
    /// Deliveries on which the channel had failed, which are tried again.
    deliveries: usize,
}

/// Uses a channel again that was left alone.
async fn reset(State(api): State<Api>, Path(id): Path<String>) -> Answer<Reset> {
    Ok(Json(Reset { deliveries: api.host.reset_channel(&id).await? }))
}

#[derive(Serialize)]
struct Problem {
    delivery: DeliveryId,
    problem: String,
}

async fn health(State(api): State<Api>) -> Answer<Health> {
    let inbox = api.host.inbox();
    let problems = inbox.problems(20).await?;
    Ok(Json(Health {
        deliveries: inbox.delivery_counts().await?,
        problems: problems.into_iter().map(|(delivery, problem)| Problem { delivery, problem }).collect(),
        channels: channel_health(&api.host, &inbox.parked_counts().await?),
    }))
}

#[derive(Deserialize)]
struct Retry {
    channel: Option<String>,
}

#[derive(Serialize)]
struct Requeued {
    requeued: usize,
}

/// `POST`: deliveries that could not be translated are tried again.
async fn retry(State(api): State<Api>, Query(retry): Query<Retry>) -> Answer<Requeued> {
    if let Some(channel) = &retry.channel {
        api.host.channel(channel).map_err(|error| ApiError::from(error).at("channel"))?;
    }
    Ok(Json(Requeued { requeued: api.host.retry_failed(retry.channel).await? }))
}

#[derive(Serialize)]
struct ChannelView {
    id: String,
    digest: String,
    generation: u64,
    update_problem: Option<String>,
    asks_more: Vec<String>,
    manifest: Manifest,
    provenance: Provenance,
    not_granted: Vec<String>,
    capabilities: harness_contract::ChannelCapabilities,
    capabilities_hash: String,
}

async fn channels(State(api): State<Api>) -> Json<Vec<ChannelView>> {
    let view = |registered: Arc<harness_engine::LoadedChannel>| ChannelView {
        id: registered.channel.id().to_owned(),
        digest: registered.channel.inspection().digest.clone(),
        generation: api.host.generation(registered.channel.id()),
        update_problem: api.host.update_problem(registered.channel.id()),
        asks_more: registered.asks_more.clone(),
        manifest: registered.channel.manifest().clone(),
        provenance: registered.provenance.clone(),
        not_granted: registered.not_granted.clone(),
        capabilities: (*registered.capabilities).clone(),
        capabilities_hash: registered.capabilities_hash.clone(),
    };
    Json(api.host.channels().into_iter().map(view).collect())
}

#[derive(Serialize)]
struct ConversationView {
    id: ConversationId,
    contact: Option<String>,
    window: Window,
}

async fn conversation(State(api): State<Api>, Path(id): Path<ConversationId>) -> Answer<ConversationView> {
    let context = api.host.context(id).await?;
    Ok(Json(ConversationView { id, contact: context.contact, window: context.window }))
}

#[derive(Deserialize)]
struct Wait {
    /// How long to wait for the reply's end, in milliseconds.
    #[serde(default)]
    wait: u64,
}

/// `POST` with the contract's `outbound-message`; `id` may be left out, the host sets it.
async fn reply(
    State(api): State<Api>,
    principal: Principal,
    Path(conversation): Path<ConversationId>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).filter(|key| !key.is_empty());
    let Some(key) = key.filter(|key| key.len() <= 200) else {
        let detail = "send an `Idempotency-Key` header of at most 200 characters: the same key is one reply";
        return Err(ApiError::bad("no_idempotency_key", detail));
    };
    let mut document = extract::document(&body)?;
    if let Some(fields) = document.as_object_mut() {
        fields.entry("id").or_insert_with(|| "".into());
        principal.sign(fields);
    }
    let message: OutboundMessage = extract::read(document.clone())?;
    let mut changes = api.host.inbox().follow();
    api.host.inbox().channel_of(conversation).await?;
    let queued = api.host.reply_as(principal.user_id(), conversation, key, message).await;
    let queued = queued.map_err(|error| match &error {
        HostError::Inbox(InboxError::NotFound { what: "file", id }) => {
            let place = extract::place_of(&document, "handle", id).unwrap_or_default();
            ApiError::from(error).at(place)
        }
        _ => error.into(),
    })?;
    let ended = async {
        loop {
            let view = api.host.inbox().reply(queued.reply).await?;
            if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                return Ok::<_, ApiError>(view);
            }
            loop {
                let news = changes.next(CHANGES).await?;
                if news.missed || news.changes.iter().any(|change| change.reply == Some(queued.reply)) {
                    break;
                }
            }
        }
    };
    let view = match tokio::time::timeout(Duration::from_millis(wait.wait).min(MAX_WAIT), ended).await {
        Ok(view) => view?,
        Err(_) => api.host.inbox().reply(queued.reply).await?,
    };
    if view.state == ReplyState::Refused {
        return Err(ApiError::not_sendable(view.violations));
    }
    let status = if queued.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(view)).into_response())
}

/// `POST`: what may have been delivered is sent again, with what stands behind it. It may reach the customer twice.
async fn send_again(State(api): State<Api>, Path(id): Path<ReplyId>) -> Answer<ReplyView> {
    api.host.settle(id, Settlement::SendAgain).await?;
    Ok(Json(api.host.inbox().reply(id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    /// Whether somebody found it at the customer's.
    delivered: bool,
}

/// `POST`: what may have been delivered was, or was not; it is not sent again.
async fn settle(State(api): State<Api>, Path(id): Path<ReplyId>, Json(found): Json<Settle>) -> Answer<ReplyView> {
    let settlement = if found.delivered { Settlement::Arrived } else { Settlement::NotArrived };
    api.host.settle(id, settlement).await?;
    Ok(Json(api.host.inbox().reply(id).await?))
}

async fn reply_status(State(api): State<Api>, Path(id): Path<ReplyId>) -> Answer<ReplyView> {
    Ok(Json(api.host.inbox().reply(id).await?))
}
