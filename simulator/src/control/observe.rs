//! Reading over JSON: accounts, requests, deliveries, transcripts, the clock.
//! What belongs here: GET routes. None of their documents holds a secret.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::AccountConfig;
use crate::control::ControlError;
use crate::control::extract::{Path, Query};
use crate::core::Core;

/// Longer waits would only exceed the client's timeout.
const MAX_WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn summary(State(core): State<Arc<Core>>) -> Json<Value> {
    let world = core.world();
    Json(json!({
        "base_url": core.base_url,
        "graph_facebook_url": format!("{}/graph.facebook.com", core.base_url),
        "graph_instagram_url": format!("{}/graph.instagram.com", core.base_url),
        "www_facebook_url": format!("{}/www.facebook.com", core.base_url),
        "www_instagram_url": format!("{}/www.instagram.com", core.base_url),
        "api_instagram_url": format!("{}/api.instagram.com", core.base_url),
        "app_id": core.config.app_id,
        "instagram_app_id": core.config.instagram_app_id,
        "webhook_url": world.webhook_url,
        "holding_webhooks": world.held.is_some(),
        "requests": world.requests.len(),
        "deliveries": world.deliveries.len(),
        "app": world.app,
        "person": {"id": world.person.id, "name": world.person.name},
        "accounts": world.accounts.iter().map(account).collect::<Vec<_>>(),
    }))
}

pub(crate) async fn accounts(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(core.world().accounts.iter().map(account).collect())
}

fn account(account: &AccountConfig) -> Value {
    json!({
        "ig_id": account.ig_id,
        "username": account.username,
        "name": account.name,
        "page": account.page.as_ref().map(|page| json!({
            "id": page.id, "name": page.name, "tasks": page.tasks, "preselected": page.preselected,
        })),
        "has_instagram_token": account.instagram_token.is_some(),
        "webhook_login": account.webhook_login,
        "human_agent": account.human_agent,
        "locale": account.locale,
        "own_posts": account.own_posts,
        "account_type": account.account_type,
        "message_access": account.message_access,
        "requires_subscription": account.requires_subscription,
    })
}

/// `?from=` skips known entries; `?wait_ms=` waits for at least one more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    #[serde(default)]
    from: usize,
    #[serde(default)]
    wait_ms: u64,
}

pub(crate) async fn requests(State(core): State<Arc<Core>>, Query(since): Query<Since>) -> Json<Value> {
    let mut seen = core.requests_seen.subscribe();
    wait(&mut seen, &since).await;
    let world = core.world();
    let new: Vec<_> = world.requests.iter().skip(since.from).collect();
    Json(json!({"next": world.requests.len(), "requests": new}))
}

pub(crate) async fn deliveries(State(core): State<Arc<Core>>, Query(since): Query<Since>) -> Json<Value> {
    let mut seen = core.deliveries_seen.subscribe();
    wait(&mut seen, &since).await;
    let world = core.world();
    let new: Vec<_> = world.deliveries.iter().skip(since.from).collect();
    Json(json!({"next": world.deliveries.len(), "deliveries": new}))
}

async fn wait(seen: &mut tokio::sync::watch::Receiver<usize>, since: &Since) {
    if since.wait_ms > 0 {
        let limit = Duration::from_millis(since.wait_ms).min(MAX_WAIT);
        // A timeout is not an error; the list is empty then.
        let _ = tokio::time::timeout(limit, seen.wait_for(|count| *count > since.from)).await;
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfAccount {
    account: Option<String>,
}

pub(crate) async fn transcript(
    State(core): State<Arc<Core>>,
    Path(igsid): Path<String>,
    Query(of): Query<OfAccount>,
) -> Result<Json<Value>, ControlError> {
    let account = core.account_or_first(of.account.as_deref())?;
    let world = core.world();
    Ok(Json(match world.thread(&account, &igsid) {
        Some(thread) => json!({
            "account": account,
            "customer": igsid,
            "profile": thread.profile,
            "typing": thread.business_is_typing,
            "seen_by_business_at_ms": thread.business_saw_ms,
            "messages": thread.messages,
        }),
        None => json!({"account": account, "customer": igsid, "messages": []}),
    }))
}

pub(crate) async fn clock(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(
        json!({"now_ms": core.clock.now_ms(), "offset_ms": core.clock.offset_ms(), "stopped": core.clock.is_stopped()}),
    )
}
