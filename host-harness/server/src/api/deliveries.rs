//! Owns: endpoints for looking at deliveries and translating them again.
//! Does not own: receiving and translating them (the engine).

use axum::extract::State;
use harness_engine::{Event, HostError};
use harness_inbox::{AccountId, DeliveryFilter, DeliveryId, DeliveryState, PublicId as _};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{
        delivery::{Delivery, DeliveryDetail, DeliveryReplay, ReplayDelivery},
        health::Requeued,
    },
    extract::{Json, Path, Query},
    ids::{AccountRef, DeliveryRef},
    paging::{List, Paging},
};
use crate::auth::Scope;

/// The most changes that are listed with a delivery.
const MAX_CHANGES: usize = 500;

// A request of a platform may be about accounts of several workspaces, so that only senders of the whole host see it.
pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Host, routes!(list_deliveries))
        .at(Scope::Host, routes!(retry_deliveries))
        .at(Scope::Host, routes!(get_delivery))
        .at(Scope::Host, routes!(replay_delivery))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those of the channel with this id.
    channel: Option<String>,
    /// Those that name this account, or changed something of it.
    #[param(value_type = Option<AccountRef>)]
    account_id: Option<AccountRef>,
    /// Those in this state: `received`, `applied`, `unrouted`, `failed` or `purged`.
    state: Option<String>,
}

/// Deliveries of all channels, newest first. A page may have fewer entries than asked for although `has_more` is true: rare
/// ones are searched for page by page.
#[utoipa::path(
    get, path = "/deliveries", tag = "Deliveries", params(Which, Paging),
    responses((status = 200, body = List<Delivery>), (status = 404, description = "There is no such account.")),
)]
async fn list_deliveries(
    State(api): State<Api>,
    Query(which): Query<Which>,
    Query(paging): Query<Paging>,
) -> Answer<List<Delivery>> {
    let account: Option<AccountId> = which.account_id.map(|id| id.0);
    if let Some(account) = account {
        api.host.inbox().account_row(account).await.map_err(|error| ApiError::from(error).at("account_id"))?;
    }
    let state = which.state.as_deref().map(state).transpose()?;
    let filter = DeliveryFilter { channel: which.channel, account, state };
    let page = api.host.inbox().deliveries_before(filter, paging.place()?, paging.limit()?).await?;
    Ok(Json(List::of(page, Delivery::from)))
}

fn state(name: &str) -> Result<DeliveryState, ApiError> {
    name.parse().map_err(|_| {
        let known: Vec<_> = DeliveryState::ALL.into_iter().map(DeliveryState::name).collect();
        let detail = format!("`state` is the state of a delivery: one of `{}`", known.join("`, `"));
        ApiError::bad("bad_parameter", detail).at("state")
    })
}

/// The delivery that a path names. It belongs to no workspace.
fn id_of(path: &str) -> Result<DeliveryId, ApiError> {
    DeliveryId::from_public(path).map_err(|_| ApiError::no_row(DeliveryId::NOUN))
}

/// One delivery: what it carries, what the running component makes of it, what it changed. Credentials are taken out.
#[utoipa::path(
    get, path = "/deliveries/{id}", tag = "Deliveries", params(("id" = DeliveryRef, Path)),
    responses((status = 200, body = DeliveryDetail)),
)]
async fn get_delivery(State(api): State<Api>, Path(id): Path<String>) -> Answer<DeliveryDetail> {
    let id = id_of(&id)?;
    let view = api.host.inbox().delivery(id).await?;
    let content = api.host.delivery_content(id).await?;
    let translation = match api.host.delivery_translation(id).await {
        Ok(translation) => Some(translation),
        Err(HostError::Inspect(_) | HostError::NoChannel(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let changes = api.host.inbox().changes_of(id, MAX_CHANGES).await?;
    Ok(Json(DeliveryDetail::new(view, content, translation, changes.iter().map(Event::of).collect())))
}

/// Translates a delivery again, by the running component or one that ran before, and compares it with another. With `apply`,
/// its events are applied: those that were applied before change nothing.
#[utoipa::path(
    post, path = "/deliveries/{id}/replay", tag = "Deliveries", params(("id" = DeliveryRef, Path)),
    request_body = ReplayDelivery,
    responses(
        (status = 200, body = DeliveryReplay),
        (status = 404, description = "There is no such delivery, or its channel is not loaded."),
        (status = 409, description = "It is empty, or still waits to be translated."),
        (status = 422, description = "No component with this digest is at hand."),
    ),
)]
async fn replay_delivery(
    State(api): State<Api>,
    Path(id): Path<String>,
    Json(how): Json<ReplayDelivery>,
) -> Answer<DeliveryReplay> {
    let id = id_of(&id)?;
    let replay = api.host.replay_delivery(id, how.digest.as_deref(), how.apply).await?;
    Ok(Json(DeliveryReplay::new(id.into(), replay)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Retry {
    /// Those of this channel.
    channel: Option<String>,
}

/// Tries deliveries again that could not be translated.
#[utoipa::path(
    post, path = "/deliveries/retry", tag = "Deliveries", params(Retry),
    responses((status = 200, body = Requeued), (status = 404, description = "There is no such channel.")),
)]
async fn retry_deliveries(State(api): State<Api>, Query(retry): Query<Retry>) -> Answer<Requeued> {
    if let Some(channel) = &retry.channel {
        api.host.channel(channel).map_err(|error| ApiError::from(error).at("channel"))?;
    }
    Ok(Json(Requeued { requeued: api.host.retry_failed(retry.channel).await? }))
}
