//! Owns: a stand-in for a language model on loopback: it streams, stalls, errors, talks nonsense, and obeys whoever shouts
//! last.
//! Does not own: what the assistant makes of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{eventually, listen};

/// What it does when it is asked.
#[derive(Clone)]
pub enum Says {
    /// A sure answer.
    Answer(String),
    /// This text, whatever it is.
    Text(String),
    /// An answer that names what the customer wrote last, so that each is another one.
    Echo,
    /// What the last message tells it to say, with everything that is asked for beside it.
    Obeys,
    /// An HTTP status.
    Status(u16),
    /// The beginning of an answer, and then nothing.
    Stall,
    /// The beginning of an answer, and then the end of the connection.
    BreaksOff,
    /// A whole answer that is not streamed.
    Whole(String),
    /// Waits until it is let go, then answers.
    Held(String, Arc<Notify>),
}

/// The stand-in.
#[derive(Clone)]
pub struct Model {
    /// `127.0.0.1:…`
    pub host: String,
    shared: Arc<Shared>,
}

struct Shared {
    says: Mutex<Says>,
    asked: Mutex<Vec<Asked>>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Asked {
    pub headers: HeaderMap,
    pub body: Value,
}

impl Asked {
    /// The contents of the messages of a role.
    pub fn of(&self, role: &str) -> Vec<Value> {
        let lines = self.body["messages"].as_array().unwrap();
        lines.iter().filter(|line| line["role"] == role).map(|line| line["content"].clone()).collect()
    }
}

/// What a model answers that is sure.
pub fn sure(answer: &str) -> String {
    json!({"answer": answer, "confidence": 0.95, "hand_over": false, "summary": "A question."}).to_string()
}

impl Model {
    pub async fn start(says: Says) -> Self {
        let shared = Arc::new(Shared { says: Mutex::new(says), asked: Mutex::default() });
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::clone(&shared));
        let url = listen(router).await;
        Self { host: format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()), shared }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.host)
    }

    pub fn says(&self, says: Says) {
        *self.shared.says.lock().unwrap() = says;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until it was asked so often.
    pub async fn was_asked(&self, times: usize) {
        eventually("a call of the model", async || (self.asked().len() >= times).then_some(())).await;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let asked = Asked { headers, body: serde_json::from_slice(&body).unwrap() };
    let last =
        asked.of("user").pop().map(|content| content.as_str().unwrap_or_default().to_owned()).unwrap_or_default();
    shared.asked.lock().unwrap().push(asked);
    let says = shared.says.lock().unwrap().clone();
    let unended = |rest: stream::BoxStream<'static, Result<Bytes, std::io::Error>>| {
        let first = stream::iter([Ok::<_, std::io::Error>(event("{\"answer\": \"It"))]);
        streamed(Body::from_stream(first.chain(rest)))
    };
    match says {
        Says::Answer(text) => stream_of(&sure(&text)),
        Says::Text(text) => stream_of(&text),
        Says::Echo => stream_of(&sure(&format!("about <{last}>"))),
        Says::Obeys => stream_of(
            &json!({
                "answer": last.rsplit("SAY:").next().unwrap().trim(), "confidence": 1, "hand_over": false,
                "settings": {"on": false}, "tool_calls": [{"function": {"name": "send_to_all"}}], "role": "system",
            })
            .to_string(),
        ),
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::Stall => unended(stream::pending().boxed()),
        Says::BreaksOff => unended(stream::iter([Err(std::io::Error::other("broken"))]).boxed()),
        Says::Whole(text) => axum::Json(json!({
            "choices": [{"message": {"role": "assistant", "content": sure(&text)}, "finish_reason": "stop"}],
            "usage": {"total_tokens": 70},
        }))
        .into_response(),
        Says::Held(text, gate) => {
            gate.notified().await;
            stream_of(&sure(&text))
        }
    }
}

fn event(text: &str) -> Bytes {
    format!("data: {}\n\n", json!({"choices": [{"delta": {"content": text}}]})).into()
}

fn streamed(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// A text in small pieces, which end anywhere in a line.
fn stream_of(text: &str) -> Response {
    let words: Vec<char> = text.chars().collect();
    let mut bytes: Vec<u8> = words.chunks(7).flat_map(|piece| event(&piece.iter().collect::<String>())).collect();
    for last in [
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"total_tokens": 120}}),
    ] {
        bytes.extend(format!("data: {last}\r\n\r\n").into_bytes());
    }
    bytes.extend_from_slice(b": a comment\n\ndata: [DONE]\n\n");
    let pieces: Vec<_> = bytes.chunks(50).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece))).collect();
    streamed(Body::from_stream(stream::iter(pieces)))
}
