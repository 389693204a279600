//! Owns: serving files at signed addresses: to platforms what is to be sent, to browsers what came with messages.
//! Does not own: making addresses (the engine), files for users of the API (`api::files`).

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::get,
};
use harness_engine::Host;
use harness_inbox::{MediaId, PublicId as _};
use serde::Deserialize;

use crate::api::{handed_out, media_answer};

/// The signature in the query.
#[derive(Deserialize)]
struct Signed {
    until: u64,
    proof: String,
}

/// The signature in the query of a message's file.
#[derive(Deserialize)]
struct Shown {
    expires: u64,
    signature: String,
}

/// `/files/{handle}` and `/media/{id}`.
pub(crate) fn router(host: Host) -> Router {
    Router::new().route("/files/{handle}", get(file)).route("/media/{id}", get(media)).with_state(host)
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "there is no file at this address, or not any more\n").into_response()
}

/// A message's file for an `<img>`, which sends no token.
async fn media(
    State(host): State<Host>,
    Path(id): Path<String>,
    shown: Result<Query<Shown>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let (Ok(Query(Shown { expires, signature })), Ok(id)) = (shown, MediaId::from_public(&id)) else {
        return nothing();
    };
    if !host.is_signed_media(id, expires, &signature) {
        return nothing();
    }
    match media_answer(&host, id, &headers).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    }
}

/// A wrong signature, an expired address and a missing file get the same answer, so that nothing is revealed.
async fn file(
    State(host): State<Host>,
    Path(handle): Path<String>,
    signed: Result<Query<Signed>, QueryRejection>,
) -> Response {
    let Ok(Query(Signed { until, proof })) = signed else { return nothing() };
    match host.linked_file(&handle, until, &proof).await {
        Ok(Some((file, content))) => handed_out(file.mime.as_deref(), content),
        Ok(None) => nothing(),
        Err(error) => {
            tracing::info!(%error, "a file was asked for that is not here");
            nothing()
        }
    }
}
