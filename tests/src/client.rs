//! Requests to a host, as its clients make them.
//! Does not own what is asked or expected.

use serde_json::Value;

use crate::API_TOKEN;

/// An answer of the host.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    /// What it says, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }
}

/// The entries of a list of the API, or the document itself where it is no list.
pub fn entries(mut document: Value) -> Value {
    match document.get_mut("data") {
        Some(data) => data.take(),
        None => document,
    }
}

/// One HTTP request to the host.
pub async fn request(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    try_request(method, url, headers, body).await.unwrap()
}

/// The same with `API_TOKEN`.
pub async fn api(method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    try_api(method, url, headers, body).await.unwrap()
}

/// The same, of a host that may be dead.
pub async fn try_api(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Result<Answer, String> {
    let shown = format!("Bearer {API_TOKEN}");
    try_request(method, url, &[headers, &[("authorization", shown.as_str())]].concat(), body.into()).await
}

/// A request without a token, of a host that may be dead: then the sentence says how that showed.
pub async fn try_request(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer, String> {
    use axum::body::{Body, to_bytes};
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http::<Body>();
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Body::from(body)).unwrap()).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let body = to_bytes(Body::new(body), 16 << 20).await.map_err(|error| error.to_string())?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}
