//! Changing over JSON: webhook target, raw and held webhooks, faults, clock, accounts.
//! What belongs here: POST, PATCH and DELETE routes that are not a customer's action.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cdn::CdnFile;
use crate::config::{AccountType, EchoTiming, Locale, Login, Redelivery};
use crate::control::extract::{Body, Path};
use crate::control::{ControlError, observe};
use crate::core::Core;
use crate::error::SimulatorError;
use crate::faults::Fault;
use crate::simulator::RawWebhook;
use crate::webhook::hold::Release;
use crate::webhook::sender::Delivery;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookSettings {
    url: Option<String>,
    echo: Option<EchoTiming>,
    redelivery_pauses_ms: Option<Vec<u64>>,
}

pub(crate) async fn set_webhook(
    State(core): State<Arc<Core>>,
    Body(settings): Body<WebhookSettings>,
) -> Result<Json<Value>, ControlError> {
    if let Some(url) = settings.url.as_deref().filter(|url| url::Url::parse(url).is_err()) {
        return Err(ControlError::Bad(format!("{url:?} is not a URL")));
    }
    {
        let mut world = core.world();
        if settings.url.is_some() {
            world.webhook_url = settings.url;
        }
        if let Some(echo) = settings.echo {
            world.echo = echo;
        }
        if let Some(pauses) = settings.redelivery_pauses_ms {
            world.redelivery = Redelivery { pauses: pauses.into_iter().map(Duration::from_millis).collect() };
        }
    }
    Ok(observe::summary(State(core)).await)
}

pub(crate) async fn verify(State(core): State<Arc<Core>>) -> Result<Json<Value>, ControlError> {
    let answer = core.challenge(core.config.verify_token.expose()).await?;
    Ok(Json(json!({"accepted": answer.accepted(), "answer": answer})))
}

pub(crate) async fn raw(State(core): State<Arc<Core>>, Body(raw): Body<RawWebhook>) -> Json<Delivery> {
    Json(core.deliver(raw.login, raw.body.into_bytes(), raw.signing).await)
}

pub(crate) async fn hold(State(core): State<Arc<Core>>) -> Json<Value> {
    core.world().held.get_or_insert_default();
    Json(json!({"holding_webhooks": true}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseOrder {
    order: Release,
}

pub(crate) async fn release(State(core): State<Arc<Core>>, Body(release): Body<ReleaseOrder>) -> Json<Vec<Delivery>> {
    Json(core.release(release.order).await)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Again {
    delivery: usize,
    #[serde(default = "one")]
    copies: usize,
}

fn one() -> usize {
    1
}

pub(crate) async fn redeliver(
    State(core): State<Arc<Core>>,
    Body(again): Body<Again>,
) -> Result<Json<Vec<Delivery>>, ControlError> {
    let delivery = core.world().deliveries.get(again.delivery).cloned();
    let delivery = delivery.ok_or_else(|| ControlError::Bad(format!("there is no delivery {}", again.delivery)))?;
    Ok(Json(core.deliver_copies(&delivery, again.copies).await))
}

/// Stores a file for a customer to send, and returns its URL.
pub(crate) async fn host_file(State(core): State<Arc<Core>>, Body(file): Body<CdnFile>) -> Json<Value> {
    Json(json!({"url": core.host_file(file)}))
}

pub(crate) async fn faults(State(core): State<Arc<Core>>) -> Json<Vec<Fault>> {
    Json(core.world().faults.iter().cloned().collect())
}

pub(crate) async fn inject(State(core): State<Arc<Core>>, Body(fault): Body<Fault>) -> Json<Vec<Fault>> {
    core.world().faults.push_back(fault);
    faults(State(core)).await
}

/// The number of held answers.
pub(crate) async fn held_answers(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!({"held": *core.held_answers.waiting().borrow()}))
}

pub(crate) async fn release_answers(State(core): State<Arc<Core>>) -> Json<Value> {
    Json(json!({"released": core.held_answers.release()}))
}

pub(crate) async fn clear_faults(State(core): State<Arc<Core>>) -> Json<Vec<Fault>> {
    core.world().faults.clear();
    Json(Vec::new())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClockMove {
    AdvanceSeconds(u64),
    RewindSeconds(u64),
    Reset(bool),
    /// `true` stops it, `false` restarts it.
    Stop(bool),
}

pub(crate) async fn move_clock(State(core): State<Arc<Core>>, Body(by): Body<ClockMove>) -> Json<Value> {
    match by {
        ClockMove::AdvanceSeconds(seconds) => core.clock.advance(Duration::from_secs(seconds)),
        ClockMove::RewindSeconds(seconds) => core.clock.rewind(Duration::from_secs(seconds)),
        ClockMove::Reset(true) => core.clock.reset(),
        ClockMove::Reset(false) => {}
        ClockMove::Stop(true) => core.clock.stop(),
        ClockMove::Stop(false) => core.clock.run(),
    }
    observe::clock(State(core)).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    webhook_login: Option<Login>,
    human_agent: Option<bool>,
    locale: Option<Locale>,
    own_posts: Option<Vec<String>>,
    account_type: Option<AccountType>,
    message_access: Option<bool>,
    requires_subscription: Option<bool>,
    /// The person's tasks on the linked page.
    page_tasks: Option<Vec<String>>,
    /// Whether the page is preselected in the login dialog.
    page_preselected: Option<bool>,
    /// Invalidates this login's token (190/463); `revive_token` restores it.
    kill_token: Option<Login>,
    revive_token: Option<Login>,
}

pub(crate) async fn change_account(
    State(core): State<Arc<Core>>,
    Path(ig_id): Path<String>,
    Body(change): Body<AccountChange>,
) -> Result<Json<Value>, ControlError> {
    {
        let mut world = core.world();
        let account = world
            .accounts
            .iter_mut()
            .find(|account| account.ig_id == ig_id)
            .ok_or_else(|| SimulatorError::UnknownAccount(ig_id.clone()))?;
        account.webhook_login = change.webhook_login.unwrap_or(account.webhook_login);
        account.human_agent = change.human_agent.unwrap_or(account.human_agent);
        account.locale = change.locale.unwrap_or(account.locale);
        account.account_type = change.account_type.unwrap_or(account.account_type);
        account.message_access = change.message_access.unwrap_or(account.message_access);
        account.requires_subscription = change.requires_subscription.unwrap_or(account.requires_subscription);
        if let Some(page) = &mut account.page {
            page.preselected = change.page_preselected.unwrap_or(page.preselected);
            if let Some(tasks) = change.page_tasks {
                page.tasks = tasks;
            }
        }
        if let Some(own_posts) = change.own_posts {
            account.own_posts = own_posts;
        }
        if let Some(login) = change.kill_token {
            world.kill_account(&ig_id, login, 463);
        }
        if let Some(login) = change.revive_token {
            world.dead_accounts.remove(&(ig_id, login));
        }
    }
    Ok(observe::accounts(State(core)).await)
}
