//! Owns: endpoints about the host itself: its health, its channels, deliveries that failed.
//! Does not own: conversations, accounts.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{
        HealthTag,
        channel::Channel,
        health::{self, ChannelReset, DeliveryProblem, Health, Requeued},
    },
    extract::{Json, Path, Query},
    paging::List,
};
use crate::auth::Scope;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Observe, routes!(get_health))
        .at(Scope::Host, routes!(retry_deliveries))
        .at(Scope::Read, routes!(list_channels))
        .at(Scope::Host, routes!(reset_channel))
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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Retry {
    /// Those of this channel.
    channel: Option<String>,
}

/// Tries deliveries again that could not be translated.
#[utoipa::path(
    post, path = "/deliveries/retry", tag = "Host", params(Retry),
    responses((status = 200, body = Requeued), (status = 404, description = "There is no such channel.")),
)]
async fn retry_deliveries(State(api): State<Api>, Query(retry): Query<Retry>) -> Answer<Requeued> {
    if let Some(channel) = &retry.channel {
        api.host.channel(channel).map_err(|error| ApiError::from(error).at("channel"))?;
    }
    Ok(Json(Requeued { requeued: api.host.retry_failed(retry.channel).await? }))
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
