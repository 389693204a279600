//! Owns: endpoints about the host itself: its health, its channels, how long it keeps things.
//! Does not own: conversations, accounts, deliveries.

use axum::extract::State;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{
        HealthTag,
        channel::Channel,
        health::{self, ChannelReset, DeliveryProblem, Health},
        retention::{ChangeRetention, Retention},
    },
    extract::{Json, Path},
    paging::List,
};
use crate::auth::Scope;
use harness_inbox::Kept;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Observe, routes!(get_health))
        .at(Scope::Read, routes!(list_channels))
        .at(Scope::Host, routes!(reset_channel))
        .at(Scope::Host, routes!(get_retention, change_retention))
}

/// How the host does: its journal in numbers, and each channel.
#[utoipa::path(get, path = "/health", tag = "Host", responses((status = 200, body = Health)))]
async fn get_health(State(api): State<Api>) -> Answer<Health> {
    let inbox = api.host.inbox();
    let problems = inbox.problems(20).await?;
    let problem = |(delivery, problem)| DeliveryProblem { delivery_id: super::ids::Id(delivery), problem };
    Ok(Json(Health {
        object: HealthTag::Tag,
        deliveries: inbox.delivery_counts().await?.into(),
        problems: problems.into_iter().map(problem).collect(),
        channels: health::channels(&api.host, &inbox.parked_counts().await?),
    }))
}

/// All channels: what each can do, what it may do, where it came from.
#[utoipa::path(get, path = "/channels", tag = "Host", responses((status = 200, body = List<Channel>)))]
async fn list_channels(State(api): State<Api>) -> Json<List<Channel>> {
    Json(List::whole(api.host.channels().iter().map(|loaded| Channel::of(&api.host, loaded)).collect()))
}

/// Uses a channel again that is not called any more after repeated failures.
#[utoipa::path(
    post, path = "/channels/{id}/reset", tag = "Host", params(("id" = String, Path, description = "The channel's id.")),
    responses((status = 200, body = ChannelReset)),
)]
async fn reset_channel(State(api): State<Api>, Path(id): Path<String>) -> Answer<ChannelReset> {
    Ok(Json(ChannelReset { deliveries: api.host.reset_channel(&id).await? }))
}

/// How long what need not be kept is kept.
#[utoipa::path(get, path = "/settings/retention", tag = "Host", responses((status = 200, body = Retention)))]
async fn get_retention(State(api): State<Api>) -> Answer<Retention> {
    Ok(Json(api.host.retention().await?.into()))
}

/// Keeps things for other periods than the configuration says. What is too old then is removed within the hour.
#[utoipa::path(
    patch, path = "/settings/retention", tag = "Host", request_body = ChangeRetention,
    responses((status = 200, body = Retention)),
)]
async fn change_retention(State(api): State<Api>, Json(change): Json<ChangeRetention>) -> Answer<Retention> {
    let periods = change.periods().map_err(|field| {
        let most = Kept::MOST_DAYS;
        ApiError::bad("bad_body", format!("`{field}` is at most {most} days; 0 is for ever")).at(field)
    })?;
    api.host.set_retention(periods).await?;
    Ok(Json(api.host.retention().await?.into()))
}
