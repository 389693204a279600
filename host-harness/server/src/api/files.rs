//! Owns: uploading files to send, and downloading files. No download can run as a script in a browser.
//! Does not own: where files are stored (the engine).

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use harness_contract::FileRef;
use harness_inbox::{MediaId, Upload};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};

use super::{
    Api, ApiError, Routes,
    extract::{self, Json, Path, Query},
};
use crate::auth::Scope;
use harness_engine::{self, FileContent, HostError, TakeError, Taking};

pub(super) fn routes() -> Routes {
    Routes::default()
        .taking("/files", Scope::Reply, &["name"], post(hold))
        .at("/files/{handle}", Scope::Read, get(sent))
        .at("/media/{id}", Scope::Read, get(media))
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// An uploaded file, with the reference for messages.
#[derive(Serialize)]
struct Handed {
    /// Used unchanged as the `source` in a message.
    source: Source,
    name: Option<String>,
    mime: Option<String>,
    sha256: String,
}

#[derive(Serialize)]
struct Source {
    file: FileRef,
}

impl From<Upload> for Handed {
    fn from(held: Upload) -> Self {
        let Upload { handle, name, mime, size, sha256, .. } = held;
        Self { source: Source { file: FileRef { handle, size } }, name, mime, sha256 }
    }
}

/// `POST` with the file as the body. Returns the handle for messages.
async fn hold(
    State(api): State<Api>,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Handed>), ApiError> {
    let mut taking = api.host.take_file().await?;
    if !take(&mut taking, body).await? {
        return Err(ApiError::bad("empty_file", "the body is empty: send the file as the body"));
    }
    let claimed = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let file = taking.finish(named.name, claimed).await?;
    Ok((StatusCode::CREATED, Json(file.into())))
}

/// Stores a body. Returns whether it had any content.
async fn take(taking: &mut Taking, mut body: Body) -> Result<bool, ApiError> {
    let mut any = false;
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| extract::unfinished())?.into_data() else { continue };
        any |= !bytes.is_empty();
        taking.write(&bytes).await?;
    }
    Ok(any)
}

impl From<TakeError> for ApiError {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::TooLarge(max) => extract::too_large_body(max),
            TakeError::NoMemory => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string()),
            TakeError::Failed(error) => HostError::from(error).into(),
        }
    }
}

/// A message's file, or why it is not available.
async fn media(State(api): State<Api>, Path(id): Path<MediaId>) -> Result<Response, ApiError> {
    let media = api.host.inbox().media(id).await?;
    let Some(content) = api.host.media(&media).await? else {
        let reason = media.reason.unwrap_or_else(|| "It has not been downloaded yet.".to_owned());
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_file_here", format!("{}: {reason}", media.state.name())));
    };
    Ok(handed_out(media.mime.as_deref(), content))
}

/// An uploaded file, by its handle. Handles cannot be guessed; readers find them in messages.
async fn sent(State(api): State<Api>, Path(handle): Path<String>) -> Result<Response, ApiError> {
    let (file, content) = api.host.upload(&handle).await?;
    Ok(handed_out(file.mime.as_deref(), content))
}

pub(crate) fn handed_out(mime: Option<&str>, content: FileContent) -> Response {
    let mime = mime.unwrap_or_default();
    let (mime, place) = if harness_engine::shown_in_place(mime) {
        (mime, "inline")
    } else {
        ("application/octet-stream", "attachment")
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(mime).unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(place)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, Body::new(content)).into_response()
}
