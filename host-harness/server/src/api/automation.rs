//! Owns: endpoints for the automation: settings, the model's key, switches, decisions, dry runs, handing back.
//! Does not own: deciding (the crate `automation`).

use axum::{extract::State, http::StatusCode};
use harness_automation::{self as automation, AutomationError, Settings};
use harness_engine::Secret;
use harness_inbox::{AccountId, ConversationId};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::automation::{
        Automation, AutomationDecision, AutomationSettings, AutomationSwitch, DryRun, DryRunMessage, ModelKey,
    },
    extract::{Json, Query, Row},
    ids::{AccountRef, ConversationRef},
    paging::{List, Paging},
};
use crate::auth::{Principal, Scope};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(get_automation_switch))
        .at(Scope::Admin, routes!(set_automation_switch))
        .at(Scope::Read, routes!(get_automation))
        .at(Scope::Admin, routes!(set_automation))
        .at(Scope::Admin, routes!(set_model_key, delete_model_key))
        .at(Scope::Read, routes!(list_decisions))
        .at(Scope::Admin, routes!(dry_run))
        .at(Scope::Admin, routes!(dry_run_message))
        .at(Scope::Reply, routes!(hand_over))
        .at(Scope::Reply, routes!(hand_back))
}

impl From<AutomationError> for ApiError {
    fn from(error: AutomationError) -> Self {
        match error {
            AutomationError::Host(error) => error.into(),
            AutomationError::Settings(wrong) => {
                let path = wrong.0.first().map(|problem| problem.path.clone()).unwrap_or_default();
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_settings", wrong.to_string()).at(path)
            }
            AutomationError::NothingWritten => Self::bad("bad_body", error.to_string()).at("message"),
            AutomationError::Key => Self::bad("bad_body", error.to_string()).at("key"),
            AutomationError::Interrupted => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", AutomationError::Interrupted.to_string())
            }
            AutomationError::Json(error) => {
                tracing::error!(%error, "what the automation stored cannot be read");
                let detail = "the host cannot read what it stored for this; its log says why";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

/// Checks that all collections, labels and people that settings name are of the sender's workspace.
async fn owned(api: &Api, principal: &Principal, settings: &Settings) -> Result<(), ApiError> {
    let Settings { routing, assistant, .. } = settings;
    if let Some(collection) = routing.default {
        api.own(principal, collection).await.map_err(|problem| problem.at("routing.default"))?;
    }
    for (number, rule) in routing.rules.iter().enumerate() {
        let at = |problem: ApiError, field: &str| problem.at(format!("routing.rules[{number}].{field}"));
        if let Some(collection) = rule.collection {
            api.own(principal, collection).await.map_err(|problem| at(problem, "collection"))?;
        }
        for label in &rule.labels {
            api.own(principal, *label).await.map_err(|problem| at(problem, "labels"))?;
        }
        for user in &rule.assign {
            api.own(principal, *user).await.map_err(|problem| at(problem, "assign"))?;
        }
    }
    for collection in &assistant.collections {
        api.own(principal, *collection).await.map_err(|problem| problem.at("assistant.collections"))?;
    }
    for user in &assistant.hand_over_assign {
        api.own(principal, *user).await.map_err(|problem| problem.at("assistant.hand_over_assign"))?;
    }
    Ok(())
}

/// Whether the workspace's automation works.
#[utoipa::path(get, path = "/automation", tag = "Automation", responses((status = 200, body = AutomationSwitch)))]
async fn get_automation_switch(State(api): State<Api>, principal: Principal) -> Answer<AutomationSwitch> {
    let off = api.host.automations().automation_off(principal.workspace).await?;
    Ok(Json(AutomationSwitch { on: !off }))
}

/// Switches all automation of the workspace on or off. What happens while it is off is not made up for.
#[utoipa::path(
    put, path = "/automation", tag = "Automation", request_body = AutomationSwitch,
    responses((status = 200, body = AutomationSwitch)),
)]
async fn set_automation_switch(
    State(api): State<Api>,
    principal: Principal,
    Json(switch): Json<AutomationSwitch>,
) -> Answer<AutomationSwitch> {
    let now = api.host.clock().now();
    api.host.automations().set_automation_off(principal.workspace, !switch.on, now).await?;
    Ok(Json(switch))
}

/// What an account's automation is told to do.
#[utoipa::path(
    get, path = "/automation/accounts/{id}", tag = "Automation", params(("id" = AccountRef, Path)),
    responses((status = 200, body = Automation)),
)]
async fn get_automation(State(api): State<Api>, Row(id): Row<AccountId>) -> Answer<Automation> {
    Ok(Json(Automation::new(id, automation::configured(&api.host, id).await?)))
}

/// Replaces what an account's automation is told to do. What is switched on answers nothing that happened before.
#[utoipa::path(
    put, path = "/automation/accounts/{id}", tag = "Automation", params(("id" = AccountRef, Path)),
    request_body = AutomationSettings,
    responses(
        (status = 200, body = Automation),
        (status = 422, description = "The settings make no sense: `detail` says everything, `path` names the first field."),
    ),
)]
async fn set_automation(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<AccountId>,
    Json(settings): Json<AutomationSettings>,
) -> Answer<Automation> {
    let settings = settings.into();
    owned(&api, &principal, &settings).await?;
    automation::configure(&api.host, id, &settings).await?;
    Ok(Json(Automation::new(id, automation::configured(&api.host, id).await?)))
}

/// Stores the key for the assistant's model.
#[utoipa::path(
    put, path = "/automation/accounts/{id}/model-key", tag = "Automation", params(("id" = AccountRef, Path)),
    request_body = ModelKey, responses((status = 204, description = "It is stored, sealed.")),
)]
async fn set_model_key(
    State(api): State<Api>,
    Row(id): Row<AccountId>,
    Json(ModelKey { key }): Json<ModelKey>,
) -> Result<StatusCode, ApiError> {
    automation::set_model_key(&api.host, id, Some(Secret::new(key.into_bytes()))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the key for the assistant's model.
#[utoipa::path(
    delete, path = "/automation/accounts/{id}/model-key", tag = "Automation", params(("id" = AccountRef, Path)),
    responses((status = 204, description = "There is none any more.")),
)]
async fn delete_model_key(State(api): State<Api>, Row(id): Row<AccountId>) -> Result<StatusCode, ApiError> {
    automation::set_model_key(&api.host, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an account's automation decided and why, newest first.
#[utoipa::path(
    get, path = "/automation/accounts/{id}/decisions", tag = "Automation",
    params(("id" = AccountRef, Path), Paging), responses((status = 200, body = List<AutomationDecision>)),
)]
async fn list_decisions(
    State(api): State<Api>,
    Row(id): Row<AccountId>,
    Query(paging): Query<Paging>,
) -> Answer<List<AutomationDecision>> {
    let (limit, before) = (paging.limit()?, paging.place::<i64>()?);
    let page = api.host.automations().decisions_before(id, None, before, limit).await?;
    Ok(Json(List::new(page.entries.into_iter().filter_map(AutomationDecision::recorded).collect(), page.next)))
}

/// Says what the automation would have done in a conversation of the past. Nothing is sent or changed.
#[utoipa::path(
    post, path = "/automation/conversations/{id}/dry-run", tag = "Automation", params(("id" = ConversationRef, Path)),
    request_body = DryRun,
    responses(
        (status = 200, body = List<AutomationDecision>),
        (status = 422, description = "The settings make no sense: `detail` says everything, `path` names the first field."),
    ),
)]
async fn dry_run(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    Json(DryRun { settings, ask_model }): Json<DryRun>,
) -> Answer<List<AutomationDecision>> {
    let account = api.host.inbox().account_of(id).await?;
    let settings = tried(&api, &principal, account, settings).await?;
    let run = automation::dry_run(&api.host, id, &settings, ask_model).await?;
    Ok(Json(List::whole(run.would.into_iter().map(|would| AutomationDecision::would(Some(id), would)).collect())))
}

/// Says what the automation would do about a message that nobody sent, as the first one of a customer. Nothing is stored,
/// sent or changed.
#[utoipa::path(
    post, path = "/automation/accounts/{id}/dry-run", tag = "Automation", params(("id" = AccountRef, Path)),
    request_body = DryRunMessage,
    responses(
        (status = 200, body = List<AutomationDecision>),
        (status = 422, description = "The settings make no sense: `detail` says everything, `path` names the first field."),
    ),
)]
async fn dry_run_message(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<AccountId>,
    Json(DryRunMessage { message, settings, ask_model }): Json<DryRunMessage>,
) -> Answer<List<AutomationDecision>> {
    let settings = tried(&api, &principal, id, settings).await?;
    let run = automation::dry_run_written(&api.host, id, &message.into(), &settings, ask_model).await?;
    Ok(Json(List::whole(run.would.into_iter().map(|would| AutomationDecision::would(None, would)).collect())))
}

/// The settings that are tried: those that were given, or the account's own.
async fn tried(
    api: &Api,
    principal: &Principal,
    account: AccountId,
    given: Option<AutomationSettings>,
) -> Result<Settings, ApiError> {
    let Some(given) = given else { return Ok(automation::configured(&api.host, account).await?.settings) };
    let settings = given.into();
    owned(api, principal, &settings).await?;
    Ok(settings)
}

/// Silences the assistant in a conversation until it is handed back or closed.
#[utoipa::path(
    post, path = "/automation/conversations/{id}/hand-over", tag = "Automation", params(("id" = ConversationRef, Path)),
    responses((status = 204, description = "The assistant is silent there.")),
)]
async fn hand_over(State(api): State<Api>, Row(id): Row<ConversationId>) -> Result<StatusCode, ApiError> {
    automation::hand_over(&api.host, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the assistant answer a conversation again: what the customer writes from now on.
#[utoipa::path(
    post, path = "/automation/conversations/{id}/hand-back", tag = "Automation", params(("id" = ConversationRef, Path)),
    responses((status = 204, description = "The assistant may answer there.")),
)]
async fn hand_back(State(api): State<Api>, Row(id): Row<ConversationId>) -> Result<StatusCode, ApiError> {
    automation::hand_back(&api.host, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
