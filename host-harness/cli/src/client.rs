//! Owns: a client for a running host's HTTP API: address, token, readable errors.
//! Does not own: which calls are made.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use serde_json::Value;
use url::Url;

use harness_egress::{SetupError, client_builder, credentials::Secret, read_at_most, transport_error};

/// The timeout of a call. A health check that asks a slow platform takes longest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Calls the API under `/api/v1`.
pub struct ApiClient {
    client: reqwest::Client,
    base: Url,
    token: Option<Secret>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiClientError {
    /// The client could not be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// No host answered.
    #[error("no host answers at {0} ({1}): start it with `{name} serve --config FILE`", name = crate::NAME)]
    NoHost(Url, String),
    /// The host rejected the call.
    #[error("{sentence}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The host's reason.
        sentence: String,
    },
    /// The answer is not from this API.
    #[error("{0} did not answer as a host does: is it another program?")]
    NotAHost(Url),
}

/// The largest answer to a [`PlainClient`], in bytes.
const MAX_ANSWER: usize = 1 << 20;

impl ApiClient {
    /// A client for the host at this address, such as `http://127.0.0.1:8080`.
    pub fn new(base: Url, token: Option<Secret>) -> Result<Self, ApiClientError> {
        Ok(Self { client: client_builder()?.timeout(PATIENCE).build().map_err(SetupError::of)?, base, token })
    }

    /// Makes one call. `path` is relative to `/api/v1/` and may have a query.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ApiClientError> {
        let base = self.base.as_str().trim_end_matches('/');
        let mut request = self.client.request(method, format!("{base}/api/v1/{path}"));
        if let Some(token) = &self.token {
            request = request.bearer_auth(String::from_utf8_lossy(token.expose()));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let no_host = |error| ApiClientError::NoHost(self.base.clone(), transport_error(error).to_string());
        let response = request.send().await.map_err(no_host)?;
        let status = response.status();
        let answer = response.bytes().await.map_err(no_host)?;
        let document: Value = match serde_json::from_slice(&answer) {
            Ok(document) => document,
            Err(_) if answer.is_empty() && status.is_success() => Value::Null,
            Err(_) => return Err(ApiClientError::NotAHost(self.base.clone())),
        };
        if status.is_success() {
            return Ok(document);
        }
        let sentence = document.get("detail").and_then(Value::as_str).unwrap_or("the host refused").to_owned();
        Err(ApiClientError::Refused { status: status.as_u16(), sentence })
    }
}

/// Sends requests to servers that the operator configured, such as traces to a collector. Uses this host's root
/// certificates, no proxy, and follows no redirects.
#[derive(Clone)]
pub struct PlainClient {
    client: reqwest::Client,
    headers: http::HeaderMap,
}

impl PlainClient {
    /// A client that adds these headers to every request.
    pub fn new(headers: Vec<(HeaderName, Secret)>) -> Result<Self, SetupError> {
        let mut map = http::HeaderMap::new();
        for (name, secret) in headers {
            let mut value = HeaderValue::from_bytes(secret.expose()).map_err(SetupError::of)?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        Ok(Self { client: client_builder()?.build().map_err(SetupError::of)?, headers: map })
    }

    /// Sends a request. The error is a sentence that does not contain the address.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
        let words = |error| transport_error(error).to_string();
        let mut request = reqwest::Request::try_from(request).map_err(words)?;
        request.headers_mut().extend(self.headers.clone());
        let response = self.client.execute(request).await.map_err(words)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        *answer.body_mut() = read_at_most(response, MAX_ANSWER).await?.into();
        Ok(answer)
    }
}
