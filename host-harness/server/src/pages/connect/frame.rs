//! Owns: the frame of a page: head, style, content security policy, and pages that report an error.
//! Does not own: the content of pages.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use harness_engine::{ConnectError, HostError};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The content security policy contains the SHA-256 of this text.
const STYLE: &str = include_str!("pages.css");

/// Everything about a page except its content.
#[derive(Default)]
pub(crate) struct Frame {
    /// Origins other than this host that its forms may lead to.
    pub(crate) form_to: Vec<String>,
    /// Reloads the page: after how many seconds, and at which address.
    pub(crate) goes_on: Option<(u8, String)>,
    /// The origins of its pictures. Others are blocked.
    pub(crate) pictures: Vec<String>,
}

/// A page whose headers forbid loading anything else and being framed.
pub(crate) fn page(status: StatusCode, title: &str, frame: &Frame, content: &Markup) -> Response {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src {}; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        if frame.pictures.is_empty() { "'none'".to_owned() } else { frame.pictures.join(" ") },
        frame.form_to.join(" ")
    );
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Some((seconds, place)) = &frame.goes_on {
                    meta http-equiv="refresh" content={ (seconds) "; url=" (place) };
                }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        ),
        // Not `no-referrer`: browsers would then send the page's own forms without their origin.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, body.into_string()).into_response()
}

/// An error page with one sentence.
pub(crate) fn sorry(status: StatusCode, sentence: &str) -> Response {
    let content = html! { p.problem role="alert" { (sentence) } };
    page(status, "This did not work", &Frame::default(), &content)
}

/// The error page for connecting.
pub(crate) fn not_connected(error: &ConnectError) -> Response {
    sorry(StatusCode::BAD_REQUEST, &error.to_string())
}

/// The error page for a failed request to the host.
pub(crate) fn failed(error: &HostError) -> Response {
    match error {
        HostError::Connect(error) => not_connected(error),
        error => {
            tracing::error!(%error, "a page could not be answered");
            sorry(StatusCode::BAD_GATEWAY, &error.for_people())
        }
    }
}
