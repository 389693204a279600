//! Owns: endpoints for the addresses that are told what changes.
//! Does not own: telling them (the engine).

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use harness_inbox::{KindFilter, WebhookChange, WebhookId};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::webhook::{ChangeWebhook, NewWebhook, Webhook, WebhookAttempt, WebhookWithSecret},
    events::position,
    extract::{Json, Row},
    ids::WebhookRef,
    paging::List,
};
use crate::auth::{Principal, Scope};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Admin, routes!(create_webhook, list_webhooks))
        .at(Scope::Admin, routes!(get_webhook, update_webhook, delete_webhook))
        .at(Scope::Admin, routes!(list_webhook_attempts))
        .at(Scope::Admin, routes!(test_webhook))
}

fn kinds(names: Vec<String>) -> Result<KindFilter, ApiError> {
    KindFilter::new(names).map_err(|error| ApiError::bad("bad_body", error.to_string()).at("kinds"))
}

/// Adds an address. It is told every change from now on, until it is paused or deleted, each as a POST with the event and
/// the headers of the Standard Webhooks specification.
#[utoipa::path(
    post, path = "/webhooks", tag = "Webhooks", request_body = NewWebhook,
    responses(
        (status = 201, body = WebhookWithSecret),
        (status = 409, description = "There are as many as there may be."),
        (status = 422, description = "The address cannot be called."),
    ),
)]
async fn create_webhook(
    State(api): State<Api>,
    principal: Principal,
    Json(new): Json<NewWebhook>,
) -> Result<Response, ApiError> {
    let (webhook, secret) = api.host.add_webhook(principal.workspace, &new.url, kinds(new.kinds)?).await?;
    let secret = String::from_utf8_lossy(secret.expose()).into_owned();
    Ok((StatusCode::CREATED, Json(WebhookWithSecret { webhook: webhook.into(), secret })).into_response())
}

/// All addresses.
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", responses((status = 200, body = List<Webhook>)))]
async fn list_webhooks(State(api): State<Api>, principal: Principal) -> Answer<List<Webhook>> {
    let all = api.host.webhooks(principal.workspace).await?;
    Ok(Json(List::whole(all.into_iter().map(Webhook::from).collect())))
}

/// One address, and how it does.
#[utoipa::path(
    get, path = "/webhooks/{id}", tag = "Webhooks", params(("id" = WebhookRef, Path)),
    responses((status = 200, body = Webhook)),
)]
async fn get_webhook(State(api): State<Api>, Row(id): Row<WebhookId>) -> Answer<Webhook> {
    Ok(Json(api.host.webhook(id).await?.into()))
}

/// Changes an address, pauses or resumes it, or tells it again what came after some event.
#[utoipa::path(
    patch, path = "/webhooks/{id}", tag = "Webhooks", params(("id" = WebhookRef, Path)), request_body = ChangeWebhook,
    responses((status = 200, body = Webhook), (status = 422, description = "The address cannot be called.")),
)]
async fn update_webhook(
    State(api): State<Api>,
    Row(id): Row<WebhookId>,
    Json(change): Json<ChangeWebhook>,
) -> Answer<Webhook> {
    let ChangeWebhook { url, kinds: names, paused, position: after } = change;
    let kinds = names.map(kinds).transpose()?;
    let position = after.map(|after| position("position", &after)).transpose()?;
    Ok(Json(api.host.change_webhook(id, WebhookChange { url, kinds, paused, position }).await?.into()))
}

/// Deletes an address. It is told nothing more.
#[utoipa::path(
    delete, path = "/webhooks/{id}", tag = "Webhooks", params(("id" = WebhookRef, Path)),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_webhook(State(api): State<Api>, Row(id): Row<WebhookId>) -> Result<StatusCode, ApiError> {
    api.host.delete_webhook(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last attempts at an address, newest first: at most 100.
#[utoipa::path(
    get, path = "/webhooks/{id}/attempts", tag = "Webhooks", params(("id" = WebhookRef, Path)),
    responses((status = 200, body = List<WebhookAttempt>)),
)]
async fn list_webhook_attempts(State(api): State<Api>, Row(id): Row<WebhookId>) -> Answer<List<WebhookAttempt>> {
    let all = api.host.webhook_attempts(id).await?;
    Ok(Json(List::whole(all.into_iter().map(WebhookAttempt::from).collect())))
}

/// Sends an event of the kind `webhook.test` to an address, now and once, and says how it was answered.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", tag = "Webhooks", params(("id" = WebhookRef, Path)),
    responses((status = 200, body = WebhookAttempt)),
)]
async fn test_webhook(State(api): State<Api>, Row(id): Row<WebhookId>) -> Answer<WebhookAttempt> {
    Ok(Json(api.host.test_webhook(id).await?.into()))
}
