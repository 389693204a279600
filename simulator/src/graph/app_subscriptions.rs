//! `/{app-id}/subscriptions`: the app's webhook target and fields.
//! What belongs here: setting, reading and ending it with the app's token. The dashboard does the same; sending is
//! `webhook`.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome};

/// The fields of the object `instagram` (Meta's webhooks page, both columns).
const FIELDS: &[&str] = &[
    "comments",
    "live_comments",
    "mentions",
    "message_echoes",
    "message_reactions",
    "messages",
    "messaging_handover",
    "messaging_optins",
    "messaging_policy_enforcement",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "response_feedback",
    "standby",
    "story_insights",
];

/// Sets, reads or ends the app's subscription to `instagram`.
pub(crate) async fn handle(core: &Arc<Core>, request: &GraphRequest) -> Outcome {
    match request.method.as_str() {
        "GET" => Ok(Done::answering(json!({ "data": read(core) }))),
        "POST" => set(core, request).await,
        "DELETE" => {
            object(request)?;
            let mut world = core.world();
            world.webhook_url = None;
            world.webhook_fields = None;
            Ok(Done::answering(json!({ "success": true })))
        }
        other => Err(GraphError::unsupported_method(other)),
    }
}

fn read(core: &Core) -> Vec<Value> {
    let world = core.world();
    let Some(url) = &world.webhook_url else { return Vec::new() };
    // A target set in the dashboard has all fields.
    let all = || FIELDS.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
    let fields = world.webhook_fields.clone().unwrap_or_else(all);
    let fields: Vec<Value> = fields.into_iter().map(|name| json!({"name": name, "version": "v25.0"})).collect();
    vec![json!({"object": "instagram", "callback_url": url, "active": true, "fields": fields})]
}

async fn set(core: &Arc<Core>, request: &GraphRequest) -> Outcome {
    object(request)?;
    let required = |name: &str| {
        let value = request.text(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")))
    };
    let (callback_url, verify_token) = (required("callback_url")?, required("verify_token")?);
    let fields: Vec<String> = required("fields")?.split(',').map(|field| field.trim().to_owned()).collect();
    if let Some(unknown) = fields.iter().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(GraphError::parameter(format!("Param fields has an unknown field: {unknown}")));
    }
    let url = Url::parse(&callback_url).map_err(|_| GraphError::parameter("Param callback_url must be a valid URL"))?;
    // The platform accepts only https, which loopback does not have.
    let loopback = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() != "https" && !loopback {
        return Err(GraphError::parameter("Param callback_url must be a secure (https) URL"));
    }
    // The challenge is sent before the answer.
    let answer = core.challenge_at(url, &verify_token).await;
    if !answer.as_ref().is_ok_and(super::super::webhook::verify::ChallengeAnswer::accepted) {
        let seen =
            answer.map_or_else(|error| error.to_string(), |answer| format!("HTTP Status Code = {}", answer.status));
        let said = format!("(#2200) Callback verification failed with the following errors: {seen}");
        return Err(GraphError::new(2200, None).saying(said));
    }
    let mut world = core.world();
    world.webhook_url = Some(callback_url);
    world.webhook_fields = Some(fields);
    Ok(Done::answering(json!({ "success": true })))
}

fn object(request: &GraphRequest) -> Result<(), GraphError> {
    match request.text("object").as_deref() {
        Some("instagram") => Ok(()),
        Some(_) => Err(GraphError::parameter("Param object must be one of {instagram}")),
        None => Err(GraphError::parameter("The parameter object is required.")),
    }
}
