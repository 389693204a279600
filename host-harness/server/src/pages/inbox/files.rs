//! Owns: the files of messages for the pages, and taking files that are to be sent.
//! Does not own: where files are stored (the engine).

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use harness_engine::TakeError;
use harness_inbox::{MediaId, PublicId as _, Row};
use http_body_util::BodyExt as _;
use serde::Deserialize;

use super::{Desk, composer::attached, draft::Attached, here::is_here, part};
use crate::{
    api::{handed_out, media_answer},
    pages::{error, lenient::Lenient, parts::size, reader::Reader, words::fill},
};

/// The type of the documents that are shown in the thread.
pub(super) const PDF: &str = "application/pdf";

/// A file of the reader's workspace that an address names.
async fn named(desk: &Desk, id: &str, reader: &Reader) -> Option<MediaId> {
    let id = MediaId::from_public(id).ok()?;
    is_here(desk, id, reader).await.then_some(id)
}

/// A message's file.
pub(super) async fn media(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    reader: Reader,
    headers: HeaderMap,
) -> Response {
    let Some(id) = named(&desk, &id, &reader).await else { return error::no_page(&reader) };
    // Players seek: they ask for parts.
    match media_answer(&desk.host, id, &headers).await {
        Ok(answer) => answer,
        Err(_) => error::no_page(&reader),
    }
}

/// What may be done in a frame that shows a document: the browser's own viewer draws it, and nothing is fetched.
const VIEWER: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; \
    base-uri 'none'; form-action 'none'";

/// A message's PDF for a frame in the thread. Any other file is handed out as a download, and has no page here.
pub(super) async fn preview(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    reader: Reader,
    headers: HeaderMap,
) -> Response {
    let Some(id) = named(&desk, &id, &reader).await else { return error::no_page(&reader) };
    if !desk.host.inbox().media(id).await.is_ok_and(|media| media.mime.as_deref() == Some(PDF)) {
        return error::no_page(&reader);
    }
    let Ok(mut answer) = media_answer(&desk.host, id, &headers).await else { return error::no_page(&reader) };
    let own = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, PDF),
        (header::CONTENT_DISPOSITION, "inline"),
        // Not `sandbox`: browsers do not start their viewer in one.
        (header::CONTENT_SECURITY_POLICY, VIEWER),
        (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    ] {
        own.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A file that was uploaded here.
pub(super) async fn uploaded(State(desk): State<Desk>, Path(handle): Path<String>, reader: Reader) -> Response {
    if !is_here(&desk, Row::Upload(handle.clone()), &reader).await {
        return error::no_page(&reader);
    }
    match desk.host.upload(&handle).await {
        Ok((file, content)) => handed_out(file.mime.as_deref(), content),
        Err(error) => error::failed(&reader, &error),
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Named {
    name: Option<String>,
}

/// Takes a file; answers with its entry in the composer's tray.
pub(super) async fn upload(
    State(desk): State<Desk>,
    Lenient(named): Lenient<Named>,
    reader: Reader,
    headers: HeaderMap,
    mut body: Body,
) -> Response {
    let claimed = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let taken = async {
        let mut taking = desk.host.take_file_for(reader.workspace).await?;
        while let Some(frame) = body.frame().await {
            // A sender that goes away leaves nothing behind.
            let Ok(frame) = frame else { return Ok(None) };
            if let Ok(bytes) = frame.into_data() {
                taking.write(&bytes).await?;
            }
        }
        taking.finish(named.name, claimed).await.map(Some)
    };
    let words = reader.words;
    let sentence = |status: StatusCode, text: String| (status, text).into_response();
    match taken.await {
        Ok(Some(upload)) => part(StatusCode::CREATED, attached(&Attached { upload }, &reader)),
        Ok(None) => sentence(StatusCode::BAD_REQUEST, words.upload_failed.to_string()),
        Err(TakeError::TooLarge(max)) => {
            let values = [("size", ""), ("channel", ""), ("max", &*size(max))];
            sentence(StatusCode::PAYLOAD_TOO_LARGE, fill(&words.file_too_large, &values))
        }
        Err(TakeError::NoMemory) => sentence(StatusCode::SERVICE_UNAVAILABLE, words.error_busy.to_string()),
        Err(TakeError::Failed(failed)) => {
            tracing::error!(error = %failed, "an uploaded file could not be stored");
            sentence(StatusCode::BAD_GATEWAY, words.upload_failed.to_string())
        }
    }
}
