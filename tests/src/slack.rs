//! A stand-in of Slack: the calls of its Web API that the channel makes, its uploads and files, and signed deliveries.
//! It refuses what Slack refuses. Does not own what is expected of host and channel.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::{Answer, listen, request};

pub const TEAM: &str = "T0000001";
pub const APP: &str = "A0000001";
/// The channel that the app is in.
pub const CHANNEL: &str = "C0000001";
pub const SECRET: &str = "the-slack-signing-secret-0123456789";
pub const TOKEN: &str = "xoxb-the-slack-bot-token-0123456789";

/// A message that stands in a channel.
#[derive(Clone, Debug)]
pub struct Posted {
    pub channel: String,
    pub ts: String,
    pub text: String,
    /// As it was asked for.
    pub body: Value,
    /// The files that it shares, by id.
    pub files: Vec<String>,
    pub reactions: Vec<String>,
}

/// A file on its way, and then there.
#[derive(Clone, Debug, Default)]
pub struct Uploaded {
    pub name: String,
    pub length: usize,
    pub mime: String,
    pub bytes: Option<Vec<u8>>,
}

#[derive(Default)]
struct Platform {
    posted: Vec<Posted>,
    /// By id.
    uploads: BTreeMap<String, Uploaded>,
    /// What waits to be uploaded: by the last part of the address, the file's id.
    tickets: HashMap<String, String>,
    /// What customers sent, by path.
    files: HashMap<String, (&'static str, Vec<u8>)>,
    /// What the next calls are answered, in place of what they would be.
    errors: VecDeque<Value>,
    asked: Vec<(String, Value)>,
    /// What people read below a tap.
    notices: Vec<Value>,
    count: u64,
}

/// Slack, on loopback.
pub struct Slack {
    pub url: Url,
    platform: Arc<Mutex<Platform>>,
}

type Shared = State<Arc<Mutex<Platform>>>;

impl Slack {
    pub async fn start() -> Self {
        let platform = Arc::<Mutex<Platform>>::default();
        let router = Router::new()
            .route("/api/{method}", post(call))
            .route("/upload/v1/{ticket}", post(upload))
            .route("/files-pri/{*path}", get(file))
            .route("/actions/{*path}", post(notice))
            .with_state(Arc::clone(&platform));
        Self { url: listen(router).await, platform }
    }

    /// The calls of the Web API so far.
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.platform.lock().unwrap().asked.clone()
    }

    /// The messages that are there.
    pub fn posted(&self) -> Vec<Posted> {
        self.platform.lock().unwrap().posted.clone()
    }

    /// The files that were uploaded whole, by id.
    pub fn uploads(&self) -> BTreeMap<String, Uploaded> {
        self.platform.lock().unwrap().uploads.clone()
    }

    /// What people read below their taps.
    pub fn notices(&self) -> Vec<Value> {
        self.platform.lock().unwrap().notices.clone()
    }

    /// The next call is answered like this, with the status 200.
    pub fn answer_with(&self, answer: Value) {
        self.platform.lock().unwrap().errors.push_back(answer);
    }

    /// A private file of a customer's; its address.
    pub fn hold(&self, name: &str, mime: &'static str, bytes: Vec<u8>) -> String {
        self.platform.lock().unwrap().files.insert(format!("{TEAM}-F9/{name}"), (mime, bytes));
        format!("https://files.slack.com/files-pri/{TEAM}-F9/{name}")
    }

    /// The envelope of an event.
    pub fn envelope(&self, id: &str, event: Value) -> String {
        let envelope = json!({ "type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event_id": id,
            "event_time": 1_795_000_000, "event": event });
        envelope.to_string()
    }

    /// The event by which Slack tells the app of the message that it posted itself.
    pub fn event_of(&self, posted: &Posted) -> Value {
        let files = posted.files.iter().map(|id| json!({ "id": id, "mimetype": "application/octet-stream" }));
        let mut event = json!({ "type": "message", "channel": posted.channel, "channel_type": "channel",
            "ts": posted.ts, "event_ts": posted.ts, "text": posted.text, "user": "U000BOT", "bot_id": "B1",
            "app_id": APP, "files": files.collect::<Vec<_>>() });
        event["metadata"] = posted.body["metadata"].clone();
        if !posted.files.is_empty() {
            event["subtype"] = "file_share".into();
        }
        if event["metadata"].is_null() {
            event.as_object_mut().unwrap().remove("metadata");
        }
        event
    }

    /// Sends a delivery to a host, signed as Slack signs, at this time in seconds.
    pub async fn deliver(&self, host: &str, at: u64, more: &[(&str, &str)], body: &str) -> Answer {
        let (time, signature) = (at.to_string(), sign(SECRET, at, body));
        let form = body.starts_with("payload=");
        let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let own = [
            ("content-type", content_type),
            ("x-slack-request-timestamp", time.as_str()),
            ("x-slack-signature", signature.as_str()),
        ];
        let url = format!("{host}/webhooks/slack");
        request("POST", &url, &[&own, more].concat(), body.as_bytes().to_vec()).await
    }
}

/// What stands in `x-slack-signature`.
pub fn sign(secret: &str, at: u64, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{at}:{body}").as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// A tap on a button, as the form that Slack sends.
pub fn form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

fn authorized(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == format!("Bearer {TOKEN}").as_bytes())
}

fn error(name: &str) -> Value {
    json!({ "ok": false, "error": name })
}

async fn call(State(platform): Shared, Path(method): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let is_json =
        headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    let given = if is_json {
        serde_json::from_slice(&body).unwrap_or_default()
    } else {
        Value::Object(form_urlencoded::parse(&body).map(|(name, value)| (name.into(), value.into())).collect())
    };
    let mut platform = platform.lock().unwrap();
    platform.asked.push((method.clone(), given.clone()));
    let answer = if let Some(answer) = platform.errors.pop_front() {
        answer
    } else if !authorized(&headers) {
        error("invalid_auth")
    } else if method == "files.getUploadURLExternal" && is_json {
        error("invalid_arguments")
    } else {
        platform.act(&method, given).unwrap_or_else(error)
    };
    if answer["error"] == "ratelimited" {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], Json(answer)).into_response();
    }
    Json(answer).into_response()
}

impl Platform {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn find(&mut self, given: &Value, ts: &str) -> Result<&mut Posted, &'static str> {
        let (channel, ts) = (given["channel"].as_str().unwrap_or_default(), given[ts].as_str().unwrap_or_default());
        let found = self.posted.iter_mut().find(|posted| posted.channel == channel && posted.ts == ts);
        found.ok_or("message_not_found")
    }

    fn post(&mut self, channel: &str, text: String, body: Value, files: Vec<String>) -> Posted {
        let ts = format!("1795000100.{:06}", self.next());
        let posted = Posted { channel: channel.to_owned(), ts, text, body, files, reactions: Vec::new() };
        self.posted.push(posted.clone());
        posted
    }

    fn act(&mut self, method: &str, given: Value) -> Result<Value, &'static str> {
        let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        match method {
            "chat.postMessage" => {
                if text("channel") != CHANNEL {
                    return Err("channel_not_found");
                }
                let words = text("text") + &text("markdown_text");
                match words.chars().count() {
                    0 => return Err("no_text"),
                    40_001.. => return Err("msg_too_long"),
                    _ => {}
                }
                let posted = self.post(CHANNEL, words, given.clone(), Vec::new());
                let message = json!({ "text": posted.text, "thread_ts": given["thread_ts"] });
                Ok(json!({ "ok": true, "channel": CHANNEL, "ts": posted.ts, "message": message }))
            }
            "chat.update" => {
                let found = self.find(&given, "ts")?;
                found.text = text("text");
                Ok(json!({ "ok": true, "channel": found.channel, "ts": found.ts, "text": found.text }))
            }
            "chat.delete" => {
                let gone = self.find(&given, "ts")?.ts.clone();
                self.posted.retain(|posted| posted.ts != gone);
                Ok(json!({ "ok": true, "channel": CHANNEL, "ts": gone }))
            }
            "reactions.add" => {
                let name = text("name");
                let found = self.find(&given, "timestamp")?;
                if found.reactions.contains(&name) {
                    return Err("already_reacted");
                }
                found.reactions.push(name);
                Ok(json!({ "ok": true }))
            }
            "files.getUploadURLExternal" => {
                let Some(length) = given["length"].as_str().and_then(|length| length.parse().ok()) else {
                    return Err("invalid_arguments");
                };
                let (id, ticket) = (format!("F{:07}", self.next()), format!("ticket-{}", self.count));
                let file = Uploaded { name: text("filename"), length, ..Uploaded::default() };
                self.uploads.insert(id.clone(), file);
                self.tickets.insert(ticket.clone(), id.clone());
                let address = format!("https://files.slack.com/upload/v1/{ticket}");
                Ok(json!({ "ok": true, "upload_url": address, "file_id": id }))
            }
            "files.completeUploadExternal" => {
                if text("channel_id") != CHANNEL {
                    return Err("channel_not_found");
                }
                let files = given["files"].as_array().cloned().unwrap_or_default();
                let ids: Vec<String> = files.iter().filter_map(|file| file["id"].as_str().map(str::to_owned)).collect();
                let whole = |id: &String| self.uploads.get(id).is_some_and(|file| file.bytes.is_some());
                if ids.is_empty() || !ids.iter().all(whole) {
                    return Err("file_not_found");
                }
                let words = text("initial_comment");
                // The answer does not say which message it became.
                self.post(CHANNEL, words, json!({ "thread_ts": given["thread_ts"] }), ids);
                Ok(json!({ "ok": true, "files": files }))
            }
            _ => Err("unknown_method"),
        }
    }
}

/// An address that was handed out is all the credential that there is.
async fn upload(State(platform): Shared, Path(ticket): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let mut platform = platform.lock().unwrap();
    let file = platform.tickets.remove(&ticket);
    let Some(file) = file.and_then(|id| platform.uploads.get_mut(&id)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if headers.contains_key(header::AUTHORIZATION) || file.length != body.len() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mime = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    file.mime = mime.unwrap_or_default().to_owned();
    file.bytes = Some(body.to_vec());
    format!("OK - {}", body.len()).into_response()
}

/// Without the token Slack shows its page for signing in.
async fn file(State(platform): Shared, Path(path): Path<String>, headers: HeaderMap) -> Response {
    if !authorized(&headers) {
        return ([(header::CONTENT_TYPE, "text/html")], "<!DOCTYPE html><html><body>Sign in</body></html>")
            .into_response();
    }
    match platform.lock().unwrap().files.get(&path) {
        Some((mime, bytes)) => ([(header::CONTENT_TYPE, *mime)], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn notice(State(platform): Shared, Json(body): Json<Value>) -> Response {
    platform.lock().unwrap().notices.push(body);
    "ok".into_response()
}
