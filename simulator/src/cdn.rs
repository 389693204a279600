//! Meta's CDN on loopback: files that customers "sent", and what a CDN does instead of serving.
//! What belongs here: hosting and misbehaviour. Which message carries the address is `customer`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Deserializer};

use crate::core::Core;
use crate::half;

/// The host in captured attachment addresses.
pub(crate) const HOST: &str = "lookaside.fbsbx.com";

/// A file on the CDN, or a failure in its place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CdnFile {
    /// The claimed content type.
    #[serde(default = "png")]
    pub content_type: String,
    /// The content; base64 on the JSON surface, without it the demo photo.
    #[serde(default = "demo_photo", rename = "base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
    /// The status: 200, or 403 for an expired signature, 404, 500.
    #[serde(default = "ok")]
    pub status: u16,
    /// The delay of the first byte.
    #[serde(default)]
    pub delay_ms: u64,
    /// Whether the answer is held until answers are released.
    #[serde(default)]
    pub hold: bool,
    /// Answers with a redirect to this address instead.
    #[serde(default)]
    pub redirect: Option<String>,
    /// Closes the connection halfway through the content.
    #[serde(default)]
    pub cut_off: bool,
}

impl CdnFile {
    /// A file that is served normally.
    pub fn new(content_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (content_type, bytes) = (content_type.into(), bytes.into());
        Self { content_type, bytes, status: 200, delay_ms: 0, hold: false, redirect: None, cut_off: false }
    }

    /// A small PNG for demonstrations.
    pub fn demo_photo() -> Self {
        Self::new(png(), demo_photo())
    }

    /// A URL that answers with this status and a page, for example 403 when it has expired.
    pub fn failing(status: u16) -> Self {
        Self { status, ..Self::new("text/html", "<html><body>URL signature expired</body></html>") }
    }

    /// A URL that redirects, for example to a private address.
    pub fn redirecting(to: impl Into<String>) -> Self {
        Self { redirect: Some(to.into()), ..Self::failing(302) }
    }

    /// The same file, cut off after its first half.
    #[must_use]
    pub fn cut_off(self) -> Self {
        Self { cut_off: true, ..self }
    }

    /// The same file, held until [`crate::Simulator::release_answers`].
    #[must_use]
    pub fn held(self) -> Self {
        Self { hold: true, ..self }
    }

    /// The same file, delayed on the simulator's clock.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), ..self }
    }
}

impl Core {
    /// Stores a file and returns its URL in the captured form.
    pub(crate) fn host_file(&self, file: CdnFile) -> String {
        let id = self.ids.media();
        let signature = self.ids.fbtrace();
        let url = format!("{}/{HOST}/ig_messaging_cdn/?asset_id={id}&signature={signature}", self.base_url);
        self.world().files.insert(id, file);
        url
    }
}

pub(crate) async fn serve(core: Arc<Core>, query: &str) -> Response {
    let id = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "asset_id");
    let file = id.and_then(|(_, id)| core.world().files.get(id.as_ref()).cloned());
    let Some(file) = file else { return StatusCode::NOT_FOUND.into_response() };
    core.clock.wait(Duration::from_millis(file.delay_ms)).await;
    if file.hold {
        core.held_answers.wait().await;
    }
    let mut response = Response::new(Body::from(file.bytes));
    *response.status_mut() = StatusCode::from_u16(file.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    if let Some(Ok(location)) = file.redirect.map(|to| HeaderValue::from_str(&to)) {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, location);
    }
    if file.cut_off { half::of(response).await } else { response }
}

fn png() -> String {
    "image/png".to_owned()
}

fn demo_photo() -> Vec<u8> {
    include_bytes!("../assets/photo.png").to_vec()
}

fn ok() -> u16 {
    200
}

fn from_base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
}
