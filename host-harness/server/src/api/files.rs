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
use harness_engine::{self, FileContent, Host, HostError, TakeError, Taking};

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

/// The file of a message, or why it is not available. Takes `Range` with one range of bytes.
#[utoipa::path(
    get, path = "/media/{id}", tag = "Files", params(("id" = MediaRef, Path)),
    responses(
        (status = 200, description = "The file.", body = Vec<u8>, content_type = "*/*"),
        (status = 206, description = "The part that `Range` asked for.", body = Vec<u8>, content_type = "*/*"),
        (status = 416, description = "The file has no such part; `Content-Range` says how long it is."),
    ),
)]
async fn get_media(State(api): State<Api>, Row(id): Row<MediaId>, headers: HeaderMap) -> Result<Response, ApiError> {
    media_answer(&api.host, id, &headers).await
}

/// A message's file, or the part of it that the request asks for.
pub(crate) async fn media_answer(host: &Host, id: MediaId, headers: &HeaderMap) -> Result<Response, ApiError> {
    let media = host.inbox().media(id).await?;
    let size = u64::try_from(media.size.unwrap_or(0)).unwrap_or(0);
    let wanted = headers.get(header::RANGE).and_then(|range| Wanted::of(range.to_str().ok()?, size));
    let content = match &wanted {
        Some(Wanted::Part(part)) => host.media_part(&media, part.clone()).await?,
        _ => host.media(&media).await?,
    };
    let Some(content) = content else {
        let reason = media.reason.unwrap_or_else(|| "It has not been downloaded yet.".to_owned());
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_file_here", format!("{}: {reason}", media.state.name())));
    };
    let mut answer = match &wanted {
        Some(Wanted::Nothing) => {
            let sentence = format!("the file has {size} bytes, and none where `Range` asks for them");
            ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "no_such_range", sentence).into_response()
        }
        _ => handed_out(media.mime.as_deref(), content),
    };
    let said = match wanted {
        Some(Wanted::Part(part)) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            Some(format!("bytes {}-{}/{size}", part.start, part.end - 1))
        }
        Some(Wanted::Nothing) => Some(format!("bytes */{size}")),
        None => None,
    };
    let headers = answer.headers_mut();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(said) = said.and_then(|said| HeaderValue::from_str(&said).ok()) {
        headers.insert(header::CONTENT_RANGE, said);
    }
    Ok(answer)
}

/// What the header `Range` asks for of a file.
#[derive(Debug, Eq, PartialEq)]
enum Wanted {
    Part(std::ops::Range<u64>),
    /// Bytes that the file does not have.
    Nothing,
}

impl Wanted {
    /// `None` for the whole file: what is no single range of bytes is ignored, as the standard allows.
    fn of(range: &str, size: u64) -> Option<Self> {
        let (from, to) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        let part = match (from.trim(), to.trim()) {
            ("", last) => size.saturating_sub(number(last)?)..size,
            (from, "") => number(from)?..size,
            (from, to) => {
                let (from, to) = (number(from)?, number(to)?);
                if to < from {
                    return None;
                }
                from..size.min(to.saturating_add(1))
            }
        };
        Some(if part.is_empty() { Self::Nothing } else { Self::Part(part) })
    }
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

#[cfg(test)]
mod tests {
    use super::Wanted::{self, Nothing, Part};

    #[test]
    fn a_range_is_within_the_file_and_what_is_none_is_ignored() {
        for (range, expected) in [
            ("bytes=0-", Some(Part(0..10))),
            ("bytes=2-4", Some(Part(2..5))),
            ("bytes=9-99", Some(Part(9..10))),
            ("bytes=-3", Some(Part(7..10))),
            ("bytes=-99", Some(Part(0..10))),
            ("bytes=10-", Some(Nothing)),
            ("bytes=-0", Some(Nothing)),
            ("bytes=18446744073709551615-18446744073709551615", Some(Nothing)),
            ("bytes=4-2", None),
            ("bytes=0-1,4-5", None),
            ("bytes=+1-2", None),
            ("bytes=-", None),
            ("pages=1-2", None),
            ("bytes=99999999999999999999-", None),
        ] {
            assert_eq!(Wanted::of(range, 10), expected, "{range}");
        }
    }
}
