//! Those who follow a host from outside: a client of its stream of events, and a product's address for webhooks.
//! Not here: what they are to see.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;

use crate::{API_TOKEN, listen};

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

/// A stream of events, as it comes in.
pub struct EventStream {
    response: reqwest::Response,
    left: String,
    /// Where a client comes back to: the id of the last piece.
    pub last_id: Option<String>,
}

impl EventStream {
    /// Opens the stream at this address, after this id.
    pub async fn open(url: &str, after: Option<&str>) -> Result<Self, String> {
        // Another test may have chosen it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut request = reqwest::Client::new().get(url).bearer_auth(API_TOKEN);
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        if response.status() != 200 {
            return Err(format!("{}: {}", response.status(), response.text().await.unwrap_or_default()));
        }
        Ok(Self { response, left: String::new(), last_id: None })
    }

    /// The next event; `None` when the stream ends, however it ends.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((piece, rest)) = self.left.split_once("\n\n") {
                let field = |name: &str| piece.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, kind, data) = (field("id: "), field("event: "), field("data: "));
                self.left = rest.to_owned();
                if let Some(id) = &id {
                    self.last_id = Some(id.clone());
                }
                if let (Some(id), Some(kind), Some(data)) = (id, kind, data) {
                    let data = serde_json::from_str(&data).unwrap();
                    return Some(Told { id: id.parse().unwrap(), kind, data });
                }
            }
            let more = self.response.chunk().await.ok()??;
            self.left.push_str(std::str::from_utf8(&more).ok()?);
        }
    }

    /// The next `count` events.
    pub async fn take(&mut self, count: usize) -> Vec<Told> {
        let mut told = Vec::new();
        while told.len() < count {
            told.push(self.next().await.expect("the stream ended"));
        }
        told
    }
}

/// A product's address for webhooks.
#[derive(Clone)]
pub struct Product {
    /// Where it is.
    pub url: String,
    /// Everything that came, in order: headers and body.
    pub came: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answer: Arc<AtomicU16>,
}

impl Product {
    /// One that takes everything.
    pub async fn start() -> Self {
        let (came, answer) = (Arc::<Mutex<Vec<_>>>::default(), Arc::new(AtomicU16::new(204)));
        let (notes, status) = (Arc::clone(&came), Arc::clone(&answer));
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            let status = StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap();
            notes.lock().unwrap().push((headers, body));
            async move { status }
        });
        let url = listen(router).await.to_string();
        Self { url, came, answer }
    }

    /// Answers everything with this status from now on.
    pub fn answers(&self, status: u16) {
        self.answer.store(status, Ordering::Relaxed);
    }

    /// The webhook ids and the events that came.
    pub fn events(&self) -> Vec<(String, Value)> {
        let came = self.came.lock().unwrap();
        let event = |(headers, body): &(HeaderMap, Bytes)| {
            (headers["webhook-id"].to_str().unwrap().to_owned(), serde_json::from_slice(body).unwrap())
        };
        came.iter().map(event).collect()
    }
}
