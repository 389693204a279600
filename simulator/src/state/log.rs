//! The record of Graph requests, for tests and the command line.
//! What belongs here: requests and answers, without secret values.

use serde::Serialize;
use serde_json::Value;

/// Where a client put its access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// `?access_token=`
    Query,
    /// `Authorization: Bearer`
    Bearer,
    /// A field of a form body.
    Form,
    /// A field of a JSON body.
    Json,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether the platform executed the request, whatever the answer was and whether it arrived.
    pub accepted: bool,
    /// The answer's status; `None` if the connection was closed instead.
    pub status: Option<u16>,
    /// The error's code.
    pub code: Option<u32>,
    /// The error's subcode.
    pub subcode: Option<u32>,
    /// The mid of an accepted message.
    pub message_id: Option<String>,
    /// The scripted fault that changed the answer.
    pub fault: Option<String>,
}

/// One Graph request.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRecord {
    /// The arrival time on the platform's clock, in milliseconds.
    pub at_ms: i64,
    /// The method.
    pub method: String,
    /// The Meta host, for example `graph.facebook.com`.
    pub host: String,
    /// The version segment, for example `v25.0`.
    pub version: Option<String>,
    /// The path below host and version, with a leading slash.
    pub path: String,
    /// The place of the token; its value is not recorded.
    pub token_place: Option<TokenPlace>,
    /// Whether an `appsecret_proof` was sent.
    pub has_proof: bool,
    /// The parameters of query and body, without token and proof.
    pub body: Value,
    /// The outcome.
    pub verdict: Verdict,
}
