//! Owns: the HTTP API of inbox products. Every endpoint requires a token.
//! Does not own: the work behind it (the engine), pages for people.

use axum::{
    Router,
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::get,
};

mod accounts;
mod automation;
mod contacts;
mod conversations;
mod deliveries;
mod dto;
mod events;
mod extract;
mod files;
mod host;
mod ids;
mod mentions;
mod openapi;
mod organisation;
mod paging;
mod reference;
mod replies;
mod routes;
mod saved_views;
mod search;
mod sender;
mod session;
mod shared;
mod team;
mod time;
mod tokens;
mod webhooks;

pub(crate) use files::{handed_out, media_answer};

use crate::problem::Problem as ApiError;
use crate::{
    auth::{Authenticator, Scope},
    listener::Limits,
    middleware::body::BodyTime,
    streams::Streams,
};
use extract::Json;
use harness_engine::Host;
use routes::Routes;

/// The longest request body of the API, in bytes.
const MAX_BODY: usize = 256 << 10;

#[derive(Clone)]
struct Api {
    host: Host,
    access: Authenticator,
    streams: Streams,
}

/// The routes below `/api/v1`, and what describes them.
pub(crate) fn router(host: Host, access: Authenticator, streams: Streams, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: host.largest_file() };
    let api = Api { host, access, streams };
    Routes::default()
        .merge(host::routes())
        .merge(accounts::routes())
        .merge(automation::routes())
        .merge(contacts::routes())
        .merge(conversations::routes())
        .merge(deliveries::routes())
        .merge(replies::routes())
        .merge(files::routes())
        .merge(mentions::routes())
        .merge(organisation::routes())
        .merge(saved_views::routes())
        .merge(search::routes())
        .merge(session::routes())
        .merge(shared::routes())
        .merge(team::routes())
        .merge(tokens::routes())
        .merge(events::routes())
        .merge(webhooks::routes())
        .finished(&api, time)
}

/// `/metrics`, behind the same lock.
pub(crate) fn metrics_router(host: Host, access: Authenticator, streams: Streams) -> Router {
    let api = Api { host, access, streams };
    routes::behind_the_lock(Router::new().route("/metrics", get(metrics)), Scope::Observe, &api).with_state(api)
}

/// Refuses a body that is announced to be too long before a byte of it is waited for.
async fn no_endless_body(largest_file: u64, request: Request, next: Next) -> Result<Response, ApiError> {
    let bound = if request.uri().path().ends_with("/uploads") { largest_file } else { MAX_BODY as u64 };
    extract::announced(request.headers(), bound)?;
    Ok(next.run(request).await)
}

async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let text = api.host.metrics().await?;
    Ok(([(header::CONTENT_TYPE, harness_engine::METRICS_CONTENT_TYPE)], text).into_response())
}

type Answer<T> = Result<Json<T>, ApiError>;
