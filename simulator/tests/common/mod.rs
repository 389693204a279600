//! What the tests share: a receiver that checks signatures over raw bytes, and a Graph client.
//! What belongs here: helpers without opinions; each test file states its own promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "test code: a failed unwrap is a failed test, and not every file uses every helper"
)]

pub mod login;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::routing::get;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use sha2::Sha256;
use simulator::{Config, Simulator};

/// A guard against hanging, not a bound: what is waited for comes by itself.
pub const SOON: Duration = Duration::from_secs(300);
pub const ANA: &str = Config::DEMO_CUSTOMER;
pub const IG: &str = "17841400000000001";
pub const PAGE: &str = "104857000000001";

/// One webhook as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub bytes: Vec<u8>,
    pub signed_by: Option<&'static str>,
    pub has_sha1: bool,
    pub has_sha256: bool,
}

impl Arrived {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn item(&self) -> Value {
        self.json()["entry"][0]["messaging"][0].clone()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    arrived: Vec<Arrived>,
    statuses: VecDeque<u16>,
}

/// A receiver of webhooks, as an inbox host would run one.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inbox: Arc<Mutex<Inbox>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let router = Router::new().route("/webhook", get(challenge).post(take)).with_state(Arc::clone(&inbox));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// The statuses of the next answers; afterwards 200.
    pub fn answer_with(&self, statuses: impl IntoIterator<Item = u16>) {
        self.inbox.lock().unwrap().statuses.extend(statuses);
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.inbox.lock().unwrap().arrived.clone()
    }

    pub fn last(&self) -> Arrived {
        self.arrived().pop().expect("nothing arrived")
    }
}

async fn challenge(Query(query): Query<Vec<(String, String)>>) -> (StatusCode, String) {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if value("hub.mode").as_deref() == Some("subscribe")
        && value("hub.verify_token").as_deref() == Some("demo-verify-token")
    {
        (StatusCode::OK, value("hub.challenge").unwrap())
    } else {
        (StatusCode::FORBIDDEN, "Forbidden".to_owned())
    }
}

async fn take(State(inbox): State<Arc<Mutex<Inbox>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let given = headers.get("x-hub-signature-256").map(|value| value.to_str().unwrap().to_owned());
    let secrets = [("facebook", "demo-meta-app-secret"), ("instagram", "demo-instagram-app-secret")];
    let signed_by = secrets
        .into_iter()
        .find(|(_, secret)| given.as_deref() == Some(expected(secret, &body).as_str()))
        .map(|(name, _)| name);
    let mut inbox = inbox.lock().unwrap();
    inbox.arrived.push(Arrived {
        bytes: body.to_vec(),
        signed_by,
        has_sha1: headers.contains_key("x-hub-signature"),
        has_sha256: given.is_some(),
    });
    StatusCode::from_u16(inbox.statuses.pop_front().unwrap_or(200)).unwrap()
}

fn expected(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// A simulator whose demo customer has just written; nobody receives webhooks.
pub async fn open() -> Simulator {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    sim.customer(ANA).text("hi").await;
    sim
}

/// A simulator with the demo account and a receiver behind it.
pub async fn pair() -> (Simulator, Receiver) {
    pair_with(Config::demo()).await
}

pub async fn pair_with(config: Config) -> (Simulator, Receiver) {
    let receiver = Receiver::start().await;
    let sim = Simulator::start(config).await.unwrap();
    sim.set_webhook_url(&receiver.url);
    (sim, receiver)
}

/// An answer of the Graph API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Code and subcode of the error.
    pub fn error(&self) -> (u64, Option<u64>) {
        let error = self.json()["error"].clone();
        (error["code"].as_u64().unwrap_or_else(|| panic!("no error: {self:?}")), error["error_subcode"].as_u64())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }
}

/// Waits until a state is reached.
pub async fn eventually<F: Future<Output = bool>>(mut state: impl FnMut() -> F) {
    let reached = async {
        while !state().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, reached).await.expect("the state was not reached");
}

/// Sends a request; `Err` when the connection ended without an answer.
pub async fn request(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Result<Answer, String> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.into()))).unwrap();
    let response = client.request(request).await.map_err(|error| error.to_string())?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}

/// A client of one host with the demo account's token as a bearer.
pub struct Graph {
    base: String,
    bearer: String,
}

impl Graph {
    pub fn facebook(sim: &Simulator) -> Self {
        let token = sim.accounts()[0].page.as_ref().unwrap().token.clone();
        Self { base: format!("{}/v25.0", sim.graph_facebook_url()), bearer: format!("Bearer {}", token.expose()) }
    }

    pub fn instagram(sim: &Simulator) -> Self {
        let token = sim.accounts()[0].instagram_token.clone().unwrap();
        Self { base: format!("{}/v25.0", sim.graph_instagram_url()), bearer: format!("Bearer {}", token.expose()) }
    }

    /// A client with any token of the Facebook login.
    pub fn facebook_as(sim: &Simulator, token: &str) -> Self {
        Self { bearer: format!("Bearer {token}"), ..Self::facebook(sim) }
    }

    /// A client with any token of the Instagram login.
    pub fn instagram_as(sim: &Simulator, token: &str) -> Self {
        Self { bearer: format!("Bearer {token}"), ..Self::instagram(sim) }
    }

    pub fn both(sim: &Simulator) -> [Self; 2] {
        [Self::facebook(sim), Self::instagram(sim)]
    }

    pub async fn try_send(&self, body: &Value) -> Result<Answer, String> {
        self.call(Method::POST, "/me/messages", body).await
    }

    pub async fn send(&self, body: &Value) -> Answer {
        self.try_send(body).await.unwrap()
    }

    /// Sends a `message` to the demo customer.
    pub async fn message(&self, message: Value) -> Answer {
        self.send(&serde_json::json!({"recipient": {"id": ANA}, "message": message})).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        request(Method::GET, &format!("{}{path}", self.base), &[("authorization", &self.bearer)], "").await.unwrap()
    }

    pub async fn subscribe(&self) -> Answer {
        self.post("/me/subscribed_apps", &serde_json::json!({"subscribed_fields": ["messages"]})).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        request(Method::DELETE, &format!("{}{path}", self.base), &[("authorization", &self.bearer)], "").await.unwrap()
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Answer, String> {
        let headers = [("authorization", self.bearer.as_str()), ("content-type", "application/json")];
        request(method, &format!("{}{path}", self.base), &headers, body.to_string()).await
    }
}
