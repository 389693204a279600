//! Owns: uploading files to send, and downloading files. No download can run as a script in a browser.
//! Does not own: where files are stored (the engine).

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use harness_inbox::{MediaId, Row as AnyRow};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Api, ApiError, Routes,
    dto::upload::{self, Upload, UploadId},
    extract::{self, Json, Path, Query, Row},
    ids::MediaRef,
};
use crate::auth::{Principal, Scope};
use harness_engine::{self, FileContent, HostError, TakeError, Taking};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Reply, routes!(upload_file))
        .at(Scope::Read, routes!(get_upload))
        .at(Scope::Read, routes!(get_media))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Named {
    /// Its name, as the customer will see it.
    name: Option<String>,
}

/// Uploads a file, to be sent. The body is the file; `Content-Type` is taken where its content does not tell its type.
#[utoipa::path(
    post, path = "/uploads", tag = "Files", params(Named),
    request_body(content(("application/octet-stream"))),
    responses((status = 201, body = Upload)),
)]
async fn upload_file(
    State(api): State<Api>,
    principal: Principal,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Upload>), ApiError> {
    let mut taking = api.host.take_file_for(principal.workspace).await?;
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

/// The file of a message, or why it is not available.
#[utoipa::path(
    get, path = "/media/{id}", tag = "Files", params(("id" = MediaRef, Path)),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "*/*")),
)]
async fn get_media(State(api): State<Api>, Row(id): Row<MediaId>) -> Result<Response, ApiError> {
    let media = api.host.inbox().media(id).await?;
    let Some(content) = api.host.media(&media).await? else {
        let reason = media.reason.unwrap_or_else(|| "It has not been downloaded yet.".to_owned());
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_file_here", format!("{}: {reason}", media.state.name())));
    };
    Ok(handed_out(media.mime.as_deref(), content))
}

/// An uploaded file.
#[utoipa::path(
    get, path = "/uploads/{id}", tag = "Files", params(("id" = inline(UploadId), Path)),
    responses((status = 200, description = "The file.", body = Vec<u8>, content_type = "*/*")),
)]
async fn get_upload(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let handle = upload::handle(&id).ok_or_else(|| ApiError::no_row("uploaded file"))?;
    api.owns(&principal, AnyRow::Upload(handle.to_owned()), "uploaded file").await?;
    let (file, content) = api.host.upload(handle).await?;
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
