//! Owns: giving out a file of a message to a platform that was told its address.
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

/// What stands behind the address.
#[derive(Deserialize)]
struct Signed {
    until: u64,
    proof: String,
}

/// `/files/{handle}`.
pub(crate) fn router(host: Host) -> Router {
    Router::new().route("/files/{handle}", get(file)).with_state(host)
}

/// One that is not this host's, too old, or of a file that is gone is nothing: nobody learns which.
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
