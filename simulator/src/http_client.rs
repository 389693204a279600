//! The simulator's own HTTP client: plain HTTP with a deadline, for webhooks and loopback media.
//! What belongs here: one request and its answer. The callers decide what to send, and how often.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Larger answers are an error; the platform's largest medium has 25 MB.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// A complete answer.
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
pub(crate) struct HttpClient {
    inner: Client<HttpConnector, Full<Bytes>>,
}

impl HttpClient {
    pub(crate) fn new() -> Self {
        // No idle connections: a receiver that was killed and restarted must get the next webhook
        // on a new connection, not lose it on a dead one.
        let inner = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { inner }
    }

    /// Sends a request; the error is a sentence.
    pub(crate) async fn send(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
        deadline: Duration,
    ) -> Result<HttpAnswer, String> {
        let request: Request<Full<Bytes>> =
            request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        require_plain_http(request.uri())?;
        let exchange = async {
            let response = self.inner.request(request).await.map_err(|error| chain(&error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
            Ok(HttpAnswer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_bytes() })
        };
        tokio::time::timeout(deadline, exchange)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} ms", deadline.as_millis())))
    }
}

fn require_plain_http(uri: &Uri) -> Result<(), String> {
    match uri.scheme_str() {
        Some("http") => Ok(()),
        _ => Err(format!("{uri} is not an http:// address; the simulator speaks plain HTTP only")),
    }
}

/// hyper-util's own message is only "client error (Connect)"; the source says more.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
