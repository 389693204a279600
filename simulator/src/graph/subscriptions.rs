//! `/{id}/subscribed_apps`: the app's webhook fields for an account.
//! What belongs here: storing and reading the list. Whether it gates webhooks is `webhook::gate`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome};

/// Fields of the Instagram login (Meta's webhooks page).
pub(crate) const INSTAGRAM_FIELDS: &[&str] = &[
    "comments",
    "live_comments",
    "mentions",
    "message_reactions",
    "messages",
    "messaging_handover",
    "messaging_optins",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "standby",
    "story_insights",
];

/// `subject` is the account, or a page without one. Ending a page's subscription also causes the deauthorise callback
/// (captured payloads), which is sent after the answer.
pub(crate) fn handle(core: &Arc<Core>, request: &GraphRequest, subject: &str, page: Option<&str>) -> Outcome {
    let login = request.host.login();
    let key = (subject.to_owned(), login);
    match request.method.as_str() {
        "GET" => {
            let fields = core.world().subscriptions.get(&key).cloned();
            let app_id = core.app_id(login);
            let data: Vec<Value> =
                fields.into_iter().map(|fields| json!({"id": app_id, "subscribed_fields": fields})).collect();
            Ok(Done::answering(json!({ "data": data })))
        }
        "POST" => {
            let fields = read_fields(request)?;
            if let Some(unknown) = unknown_field(request.host, &fields) {
                return Err(GraphError::parameter(format!("Field {unknown} is not available")));
            }
            core.world().subscriptions.insert(key, fields);
            Ok(Done::answering(json!({ "success": true })))
        }
        "DELETE" => {
            core.world().subscriptions.remove(&key);
            if let (Host::Facebook, Some(page)) = (request.host, page) {
                let (core, page) = (Arc::clone(core), page.to_owned());
                tokio::spawn(async move { core.page_unsubscribed(&page).await });
            }
            Ok(Done::answering(json!({ "success": true })))
        }
        other => Err(GraphError::unsupported_method(other)),
    }
}

/// `a,b` or a JSON array.
fn read_fields(request: &GraphRequest) -> Result<Vec<String>, GraphError> {
    let fields: Vec<String> = match request.params.get("subscribed_fields") {
        Some(Value::String(list)) => list.split(',').map(|field| field.trim().to_owned()).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let fields: Vec<String> = fields.into_iter().filter(|field| !field.is_empty()).collect();
    if fields.is_empty() {
        return Err(GraphError::parameter("The parameter subscribed_fields is required."));
    }
    Ok(fields)
}

/// Page fields (`feed`, …) are numerous and unrelated, so only the Instagram host checks.
fn unknown_field(host: Host, fields: &[String]) -> Option<&String> {
    match host {
        Host::Facebook => None,
        Host::Instagram => fields.iter().find(|field| !INSTAGRAM_FIELDS.contains(&field.as_str())),
    }
}
