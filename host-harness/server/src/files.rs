//! Owns: serving a message's file to a platform that was given its signed address.
//! Does not own: making addresses (the engine), files for users of the API (`api::files`).

use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use harness_engine::Host;
use serde::Deserialize;

use crate::api::handed_out;

/// The signature in the query.
#[derive(Deserialize)]
struct Signed {
    until: u64,
    proof: String,
}

/// `/files/{handle}`.
pub(crate) fn router(host: Host) -> Router {
    Router::new().route("/files/{handle}", get(file)).with_state(host)
}

/// A wrong signature, an expired address and a missing file get the same answer, so that nothing is revealed.
async fn file(
    State(host): State<Host>,
    Path(handle): Path<String>,
    signed: Result<Query<Signed>, QueryRejection>,
) -> Response {
    let nothing = || (StatusCode::NOT_FOUND, "there is no file at this address, or not any more\n").into_response();
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
