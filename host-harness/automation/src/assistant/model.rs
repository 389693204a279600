//! Owns: one call of an OpenAI-compatible chat-completions interface, and reading its stream.
//! Does not own: what is asked (`prompt`), what the answer means (`answer`).

use std::time::Duration;

use bytes::Bytes;
use harness_engine::{DirectCall, DirectClient, DirectError, DirectLimits, DirectStream, Secret};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::prompt::Prompt;
use crate::settings::Assistant;

/// The longest response, in bytes. A stream repeats much around each word.
const MAX_RESPONSE: usize = 4 << 20;
/// The longest text of an answer, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// The longest pause within the answer.
const IDLE: Duration = Duration::from_secs(30);
/// What each event of a stream begins with.
const EVENT: &[u8] = b"data:";

/// Why the model did not answer. It quotes nothing of what was asked or said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] DirectError),
    /// The key cannot be sent.
    #[error("the key of the model has characters that no header takes")]
    Key,
    /// The server refused.
    #[error("the model's server answered {0}")]
    Status(u16),
    /// What came is no completion.
    #[error("the model's server sent no completion")]
    Malformed,
    /// It was cut off.
    #[error("the model's answer ended before its end: {0}")]
    CutOff(&'static str),
}

/// An answer as the model gave it.
#[derive(Debug, Default)]
pub(crate) struct Completion {
    pub(crate) text: String,
    /// In all, as the server counts them.
    pub(crate) tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<ChunkChoice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct ChunkChoice {
    /// Of a stream.
    #[serde(default)]
    delta: Option<Content>,
    /// Of a whole answer.
    #[serde(default)]
    message: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    total_tokens: u64,
}

/// Asks the model.
pub(crate) async fn ask(
    direct: &DirectClient,
    assistant: &Assistant,
    key: Option<&Secret>,
    prompt: &Prompt,
) -> Result<Completion, ModelError> {
    let url = direct.check(&format!("{}/chat/completions", assistant.base_url.trim_end_matches('/')))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream, application/json"));
    if let Some(key) = key {
        let bearer = [b"Bearer ".as_slice(), key.expose()].concat();
        let mut value = HeaderValue::from_bytes(&bearer).map_err(|_| ModelError::Key)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    let total = Duration::from_secs(u64::from(assistant.timeout_seconds));
    let limits = DirectLimits { answer: MAX_RESPONSE, total, idle: IDLE.min(total) };
    let body = Bytes::from(request(assistant, prompt).to_string());
    let stream = direct.stream(DirectCall { method: Method::POST, url, headers, body }, limits).await?;
    if !stream.status.is_success() {
        return Err(ModelError::Status(stream.status.as_u16()));
    }
    read(stream).await
}

fn request(assistant: &Assistant, prompt: &Prompt) -> Value {
    let mut body = json!({
        "model": assistant.model,
        "messages": prompt.lines,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if let Some(fields) = body.as_object_mut() {
        if let Some(temperature) = assistant.temperature {
            fields.insert("temperature".into(), temperature.into());
        }
        if assistant.response_format {
            fields.insert("response_format".into(), json!({"type": "json_object"}));
        }
    }
    body
}

async fn read(mut stream: DirectStream) -> Result<Completion, ModelError> {
    let kind = stream.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        let mut whole = Vec::new();
        while let Some(piece) = stream.next().await? {
            whole.extend_from_slice(&piece);
        }
        let mut reading = Reading::default();
        reading.take(&whole)?;
        return reading.ended();
    }
    let (mut reading, mut line) = (Reading::default(), Vec::new());
    while let Some(piece) = stream.next().await? {
        for byte in piece {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            let event = std::mem::take(&mut line);
            if let Some(data) = event.strip_prefix(EVENT) {
                let data = data.trim_ascii();
                if data == b"[DONE]" {
                    return reading.ended();
                }
                reading.take(data)?;
            }
        }
    }
    // Some servers end the stream without saying so; then the reason of the end has come.
    reading.ended()
}

#[derive(Default)]
struct Reading {
    completion: Completion,
    finished: Option<String>,
}

impl Reading {
    fn take(&mut self, data: &[u8]) -> Result<(), ModelError> {
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| ModelError::Malformed)?;
        if let Some(usage) = chunk.usage {
            self.completion.tokens = Some(usage.total_tokens);
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(()) };
        if let Some(text) = choice.delta.or(choice.message).and_then(|said| said.content) {
            self.completion.text.push_str(&text);
        }
        if choice.finish_reason.is_some() {
            self.finished = choice.finish_reason;
        }
        if self.completion.text.len() > MAX_TEXT {
            return Err(ModelError::CutOff("it is too long"));
        }
        Ok(())
    }

    fn ended(self) -> Result<Completion, ModelError> {
        match self.finished.as_deref() {
            Some("stop") => Ok(self.completion),
            Some("length") => Err(ModelError::CutOff("the model's limit of tokens")),
            Some("content_filter") => Err(ModelError::CutOff("the filter of the model's server")),
            Some(_) => Err(ModelError::Malformed),
            None => Err(ModelError::CutOff("the connection ended")),
        }
    }
}
