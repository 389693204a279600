//! A stand-in of LINE: the calls of its Messaging API that the channel makes, and the events that it sends.
//! It refuses what LINE refuses. Does not own what is expected of host and channel.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use url::Url;

use crate::{Answer, listen, request};

/// The bot's user id, under which its webhooks name the account.
pub const ACCOUNT: &str = "U0000000000000000000000000000bot1";
pub const SECRET: &str = "the-line-channel-secret-0123456789";
pub const TOKEN: &str = "the-line-channel-access-token-0123456789";

/// A message that a customer or a group got.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub to: String,
    pub id: String,
    pub quote: String,
    pub message: Value,
}

/// A request for a message, and the status that it was answered with.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `reply` or `push`.
    pub method: &'static str,
    pub key: Option<String>,
    pub body: Value,
    pub status: u16,
}

#[derive(Default)]
struct Platform {
    /// Each good for one request, with whom it answers.
    reply_tokens: HashMap<String, String>,
    /// What was sent under each key.
    keys: HashMap<String, Value>,
    delivered: Vec<Delivered>,
    asked: Vec<Asked>,
    /// By message: type and bytes.
    content: HashMap<String, (&'static str, Vec<u8>)>,
    /// The next so many requests are carried out and answered 500.
    fails_after: u32,
    count: u64,
}

impl Platform {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// Carries out what was asked, or says what is wrong with it.
    fn send(&mut self, to: &str, messages: &[Value]) -> Result<Value, Value> {
        let problems: Vec<Value> = (0..).zip(messages).filter_map(|(at, message)| self.problem(at, message)).collect();
        if !(1..=5).contains(&messages.len()) {
            let details = json!([{ "message": "Size must be between 1 and 5", "property": "messages" }]);
            return Err(json!({ "message": "The request body has 1 error(s)", "details": details }));
        }
        if !problems.is_empty() {
            let message = format!("The request body has {} error(s)", problems.len());
            return Err(json!({ "message": message, "details": problems }));
        }
        let sent = messages.iter().map(|message| {
            let (id, quote) = (format!("5000{}", self.next()), format!("quote-{}", self.count));
            let delivered =
                Delivered { to: to.to_owned(), id: id.clone(), quote: quote.clone(), message: message.clone() };
            self.delivered.push(delivered);
            // Only what can be quoted has a token.
            match message["type"].as_str() {
                Some("text" | "image" | "video" | "sticker" | "template") => json!({ "id": id, "quoteToken": quote }),
                _ => json!({ "id": id }),
            }
        });
        let sent: Vec<Value> = sent.collect();
        Ok(json!({ "sentMessages": sent }))
    }

    fn problem(&self, at: usize, message: &Value) -> Option<Value> {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        let wrong = |property: &str, problem: &str| {
            Some(json!({ "message": problem, "property": format!("messages[{at}].{property}") }))
        };
        let https = |name: &str| text(name).starts_with("https://");
        let quote = text("quoteToken");
        if !quote.is_empty() && !self.is_quotable(quote) {
            return wrong("quoteToken", "Invalid quote token");
        }
        if message["sender"]["name"].as_str().is_some_and(|name| name.contains("LINE")) {
            return wrong("sender.name", "Contains a word that may not be used");
        }
        match text("type") {
            "text" if text("text").is_empty() => wrong("text", "May not be empty"),
            "text" if text("text").encode_utf16().count() > 5000 => wrong("text", "Length must be between 0 and 5000"),
            "image" | "video" if !https("originalContentUrl") => wrong("originalContentUrl", "Must be https"),
            "image" | "video" if !https("previewImageUrl") => wrong("previewImageUrl", "May not be empty"),
            "audio" if !https("originalContentUrl") => wrong("originalContentUrl", "Must be https"),
            "audio" if !message["duration"].is_u64() => wrong("duration", "May not be null"),
            "sticker" if text("packageId").is_empty() || text("stickerId").is_empty() => wrong("stickerId", "Invalid"),
            "location" if text("title").is_empty() || text("address").is_empty() => wrong("title", "May not be empty"),
            "template" if text("altText").is_empty() => wrong("altText", "May not be empty"),
            "text" | "image" | "video" | "audio" | "sticker" | "location" | "template" => None,
            _ => wrong("type", "Must be one of the message types"),
        }
    }

    /// Tokens of what customers wrote begin otherwise, and are not remembered one by one.
    fn is_quotable(&self, token: &str) -> bool {
        token.starts_with("inbound-quote-") || self.delivered.iter().any(|message| message.quote == token)
    }
}

/// LINE, on loopback.
pub struct Line {
    pub url: Url,
    platform: Arc<Mutex<Platform>>,
}

impl Line {
    pub async fn start() -> Self {
        let platform = Arc::<Mutex<Platform>>::default();
        let router = Router::new()
            .route("/v2/bot/message/reply", post(reply))
            .route("/v2/bot/message/push", post(push))
            .route("/v2/bot/message/{id}/content", get(content))
            .with_state(Arc::clone(&platform));
        Self { url: listen(router).await, platform }
    }

    /// What was asked for so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.platform.lock().unwrap().asked.clone()
    }

    /// What people got so far.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.platform.lock().unwrap().delivered.clone()
    }

    /// No reply token that was given out is good any more, as when their minute is over on LINE's clock.
    pub fn spend_tokens(&self) {
        self.platform.lock().unwrap().reply_tokens.clear();
    }

    /// The next request is carried out, and its answer is a failure.
    pub fn fail_after_the_next(&self) {
        self.platform.lock().unwrap().fails_after = 1;
    }

    /// A file that a customer sent with this message.
    pub fn hold(&self, message: &str, mime: &'static str, bytes: Vec<u8>) {
        self.platform.lock().unwrap().content.insert(message.to_owned(), (mime, bytes));
    }

    /// An event from a person, or from a group with the person in it, with a new reply token.
    pub fn event(&self, user: Option<&str>, group: Option<&str>, more: &Value) -> Value {
        let mut platform = self.platform.lock().unwrap();
        let number = platform.next();
        let token = format!("reply-token-{number}");
        platform.reply_tokens.insert(token.clone(), group.or(user).unwrap_or_default().to_owned());
        let mut source = json!({ "type": if group.is_some() { "group" } else { "user" } });
        source["userId"] = user.into();
        source["groupId"] = group.into();
        let mut event = json!({
            "webhookEventId": format!("01EVENT{number}"), "timestamp": 1_795_000_000_000_u64 + number, "mode": "active",
            "deliveryContext": { "isRedelivery": false }, "source": source, "replyToken": token,
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    }

    /// A message that can be quoted.
    pub fn message(&self, user: Option<&str>, group: Option<&str>, id: &str, content: &Value) -> Value {
        let mut message = json!({ "id": id, "quoteToken": format!("inbound-quote-{id}") });
        message.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
        self.event(user, group, &json!({ "type": "message", "message": message }))
    }

    /// Sends events to a host, signed as LINE signs.
    pub async fn deliver(&self, host: &str, events: &[Value]) -> Answer {
        let body = json!({ "destination": ACCOUNT, "events": events }).to_string();
        let signature = sign(SECRET, body.as_bytes());
        let url = format!("{host}/webhooks/line");
        request("POST", &url, &[("x-line-signature", &signature)], body.into_bytes()).await
    }
}

/// What stands in `x-line-signature`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn authorized(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == format!("Bearer {TOKEN}").as_bytes())
}

fn refused(status: u16, message: &str) -> (u16, Value) {
    (status, json!({ "message": message }))
}

/// Who may ask gets what `act` says of the request's messages; it is written down either way.
fn answered(
    platform: &Mutex<Platform>,
    method: &'static str,
    headers: &HeaderMap,
    body: Value,
    act: impl FnOnce(&mut Platform, Option<&str>, &[Value]) -> (u16, Value),
) -> Response {
    let mut platform = platform.lock().unwrap();
    let key = headers.get("x-line-retry-key").and_then(|key| key.to_str().ok());
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    let (mut status, mut answer) = match authorized(headers) {
        true => act(&mut platform, key, &messages),
        false => refused(401, "Authentication failed. Confirm that the access token is valid."),
    };
    if platform.fails_after > 0 && status == 200 {
        platform.fails_after -= 1;
        (status, answer) = refused(500, "Internal server error");
    }
    platform.asked.push(Asked { method, key: key.map(str::to_owned), body, status });
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("x-line-request-id", "the-request-id")], Json(answer)).into_response()
}

async fn reply(State(platform): State<Arc<Mutex<Platform>>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let token = body["replyToken"].as_str().unwrap_or_default().to_owned();
    answered(&platform, "reply", &headers, body, |platform, key, messages| {
        if key.is_some() {
            return refused(400, "The retry key is not supported for this endpoint");
        }
        let Some(to) = platform.reply_tokens.get(&token).cloned() else { return refused(400, "Invalid reply token") };
        match platform.send(&to, messages) {
            Ok(answer) => {
                platform.reply_tokens.remove(&token);
                (200, answer)
            }
            Err(problems) => (400, problems),
        }
    })
}

async fn push(State(platform): State<Arc<Mutex<Platform>>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let to = body["to"].as_str().unwrap_or_default().to_owned();
    answered(&platform, "push", &headers, body, |platform, key, messages| {
        let is_uuid = |key: &str| {
            let pieces: Vec<_> = key.split('-').map(str::len).collect();
            pieces == [8, 4, 4, 4, 12] && key.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        };
        if key.is_some_and(|key| !is_uuid(key)) {
            return refused(400, "Retry key is invalid");
        }
        if let Some(before) = key.and_then(|key| platform.keys.get(key)) {
            let sent = &before["sentMessages"];
            return (409, json!({ "message": "The retry key is already accepted", "sentMessages": sent }));
        }
        if !to.starts_with(['U', 'C', 'R']) {
            return refused(400, "The property, 'to', in the request body is invalid (line: -, column: -)");
        }
        match platform.send(&to, messages) {
            Ok(answer) => {
                if let Some(key) = key {
                    platform.keys.insert(key.to_owned(), answer.clone());
                }
                (200, answer)
            }
            Err(problems) => (400, problems),
        }
    })
}

async fn content(State(platform): State<Arc<Mutex<Platform>>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if !authorized(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match platform.lock().unwrap().content.get(&id) {
        Some((mime, bytes)) => ([(header::CONTENT_TYPE, *mime)], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
