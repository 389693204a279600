//! Conversation routing: passing, taking, releasing and asking for a thread, and its owner.
//! What belongs here: the edges of thread control. The webhook side is `customer`.

use serde_json::{Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome, fields};

const EDGES: &[&str] = &[
    "pass_thread_control",
    "take_thread_control",
    "release_thread_control",
    "request_thread_control",
    "extend_thread_control",
    "thread_owner",
];

pub(crate) fn is_edge(edge: &str) -> bool {
    EDGES.contains(&edge)
}

/// Meta's documentation, conversation routing (since October 2025 for Instagram).
pub(crate) fn handle(core: &Core, request: &GraphRequest, account: &AccountConfig, edge: &str) -> Outcome {
    let igsid = recipient(request)?;
    let own_app = core.app_id(request.host.login()).to_owned();
    let mut world = core.world();
    let thread = world.thread_mut(&account.ig_id, &igsid).ok_or_else(|| GraphError::new(100, Some(2_534_014)))?;
    let owner_elsewhere = thread.owner.is_some();
    match (request.method.as_str(), edge) {
        ("GET", "thread_owner") => {
            let app_id = thread.owner.clone().unwrap_or(own_app);
            return Ok(Done::answering(json!({"data": [{"thread_owner": {"app_id": app_id}}]})));
        }
        ("POST", "take_thread_control") => thread.owner = None,
        // The other app decides on a request; here nothing happens until a test passes the thread.
        ("POST", "request_thread_control") => {}
        ("POST", "pass_thread_control" | "release_thread_control" | "extend_thread_control") if owner_elsewhere => {
            return Err(GraphError::new(100, Some(2_534_037)));
        }
        ("POST", "pass_thread_control") => {
            let target = request.text("target_app_id");
            thread.owner =
                Some(target.ok_or_else(|| GraphError::parameter("The parameter target_app_id is required."))?);
        }
        // Released threads are idle: without a default app, anyone may answer.
        ("POST", "release_thread_control" | "extend_thread_control") => {}
        (method, _) => return Err(GraphError::unsupported_method(method)),
    }
    Ok(Done::answering(json!({ "success": true })))
}

/// `recipient={id:…}` for actions, `recipient=IGSID` for reading the owner.
fn recipient(request: &GraphRequest) -> Result<String, GraphError> {
    let value =
        request.params.get("recipient").ok_or_else(|| GraphError::parameter("The parameter recipient is required."))?;
    match value {
        Value::Object(object) => object.get("id").and_then(fields::id),
        // Meta's samples write `{id:65}` without quotes, which is not JSON.
        Value::String(text) => Some(text.chars().filter(char::is_ascii_digit).collect()),
        other => fields::id(other),
    }
    .filter(|id| !id.is_empty())
    .ok_or_else(|| GraphError::parameter("Param recipient[id] is required"))
}
