//! Owns: a client of a running host's HTTP API: the address, the token, errors in words.
//! Does not own: what is asked.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use serde_json::Value;
use url::Url;

use harness_egress::{SetupError, client_builder, credentials::Secret, read_at_most, transport_error};

/// The longest answer, such as that of a health check which asks a slow platform.
const PATIENCE: Duration = Duration::from_secs(120);

/// Calls the API below `/api/v1`.
pub struct ApiClient {
    client: reqwest::Client,
    base: Url,
    token: Option<Secret>,
}

/// Why a call did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiClientError {
    /// The client.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Nobody answered.
    #[error("no host answers at {0} ({1}): start it with `{name} serve --config FILE`", name = crate::NAME)]
    NoHost(Url, String),
    /// The host said no, and why.
    #[error("{sentence}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The host's words.
        sentence: String,
    },
    /// What came is not the API's.
    #[error("{0} did not answer as a host does: is it another program?")]
    NotAHost(Url),
}

/// The longest answer of whom an operator sends to, in bytes.
const MAX_ANSWER: usize = 1 << 20;

impl ApiClient {
    /// For the host at this address, such as `http://127.0.0.1:8080`.
    pub fn new(base: Url, token: Option<Secret>) -> Result<Self, ApiClientError> {
        Ok(Self { client: client_builder()?.timeout(PATIENCE).build().map_err(SetupError::of)?, base, token })
    }

    /// One call; `path` is what follows `/api/v1/`, with its query.
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

/// Sends requests of the operator's own, such as traces to a collector: over this host's roots, past no proxy, along
/// no redirect.
#[derive(Clone)]
pub struct PlainClient {
    client: reqwest::Client,
    headers: http::HeaderMap,
}

impl PlainClient {
    /// With headers that every request gets.
    pub fn new(headers: Vec<(HeaderName, Secret)>) -> Result<Self, SetupError> {
        let mut map = http::HeaderMap::new();
        for (name, secret) in headers {
            let mut value = HeaderValue::from_bytes(secret.expose()).map_err(SetupError::of)?;
            value.set_sensitive(true);
            map.insert(name, value);
        }
        Ok(Self { client: client_builder()?.build().map_err(SetupError::of)?, headers: map })
    }

    /// One exchange. The error is a sentence without the address.
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
