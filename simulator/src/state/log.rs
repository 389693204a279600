//! The record of Graph requests, as tests and the command line read it.
//! What belongs here: what was asked and what was answered, never a secret's value.

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

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether the platform did what was asked, whatever the answer said or whether it arrived.
    pub accepted: bool,
    /// The status of the answer; `None` when the connection was dropped instead.
    pub status: Option<u16>,
    /// The error's code.
    pub code: Option<u32>,
    /// The error's subcode.
    pub subcode: Option<u32>,
    /// The mid of a message that was accepted.
    pub message_id: Option<String>,
    /// The scripted fault that changed the answer.
    pub fault: Option<String>,
}

/// One Graph request.
#[derive(Debug, Clone, Serialize)]
pub struct RequestRecord {
    /// The platform's time of arrival, milliseconds.
    pub at_ms: i64,
    /// The method.
    pub method: String,
    /// Meta's host that the client meant, for example `graph.facebook.com`.
    pub host: String,
    /// The version segment, for example `v25.0`.
    pub version: Option<String>,
    /// The path below host and version, with a leading slash.
    pub path: String,
    /// Where the token stood; its value is not kept.
    pub token_place: Option<TokenPlace>,
    /// Whether an `appsecret_proof` was sent.
    pub has_proof: bool,
    /// The parameters of query and body together, without token and proof.
    pub body: Value,
    /// What became of it.
    pub verdict: Verdict,
}
