//! Owns: endpoints for replies: requesting one, its outcome, settling what may have been delivered.
//! Does not own: queueing and sending (the engine).

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use harness_engine::HostError;
use harness_inbox::{ConversationId, InboxError, ReplyId, ReplyState, Settlement};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::reply::{NewReply, Reply, Settle, Validation},
    extract::{self, Body, Json, Query, Row},
    ids::{ConversationRef, ReplyRef},
};
use crate::auth::{Principal, Scope};

/// The longest time that a request may wait for a reply's end.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Changes read at once while waiting.
const CHANGES: usize = 500;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Reply, routes!(create_reply))
        .at(Scope::Reply, routes!(validate_reply))
        .at(Scope::Read, routes!(get_reply))
        .at(Scope::Reply, routes!(send_reply_again))
        .at(Scope::Reply, routes!(settle_reply))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wait {
    /// How long to wait for the reply's end, in milliseconds: at most a minute.
    #[serde(default)]
    wait: u64,
}

/// Queues a reply, once per key. What cannot be sent is answered with everything that stands in the way, and does not
/// use up the key. The same key with the same message is the same reply.
#[utoipa::path(
    post, path = "/conversations/{id}/replies", tag = "Replies",
    params(
        ("id" = ConversationRef, Path), Wait,
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200, description = "Any text, new for each reply."),
    ),
    request_body = NewReply,
    responses(
        (status = 200, description = "The key was used before for this message: the same reply.", body = Reply),
        (status = 201, description = "The reply was queued, or has ended.", body = Reply),
        (status = 409, description = "The key was used before, for another message; the conversation goes on in another one (`continued_in`); or the account is disconnected."),
        (status = 422, description = "The message cannot be sent: `violations` says why."),
    ),
)]
async fn create_reply(
    State(api): State<Api>,
    principal: Principal,
    Row(conversation): Row<ConversationId>,
    Query(wait): Query<Wait>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, ApiError> {
    let key = extract::idempotency_key(&headers)?.ok_or_else(extract::no_idempotency_key)?;
    let mut document = extract::document(&body)?;
    if let Some(fields) = document.as_object_mut() {
        principal.sign(fields);
    }
    let new: NewReply = extract::read(document.clone())?;
    let mut changes = api.host.inbox().follow();
    api.host.inbox().channel_of(conversation).await?;
    let queued = api.host.reply_as(principal.user_id(), conversation, key, new.into()).await;
    let queued = queued.map_err(|error| no_such_file(error, &document))?;
    let ended = async {
        loop {
            let view = api.host.inbox().reply(queued.reply).await?;
            if matches!(view.state, ReplyState::Done | ReplyState::Refused) {
                return Ok::<_, ApiError>(view);
            }
            loop {
                let news = changes.next(CHANGES).await?;
                if news.missed || news.changes.iter().any(|change| change.reply == Some(queued.reply)) {
                    break;
                }
            }
        }
    };
    let view = match tokio::time::timeout(Duration::from_millis(wait.wait).min(MAX_WAIT), ended).await {
        Ok(view) => view?,
        Err(_) => api.host.inbox().reply(queued.reply).await?,
    };
    if view.state == ReplyState::Refused {
        return Err(ApiError::not_sendable(view.violations));
    }
    let status = if queued.new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Reply::from(view))).into_response())
}

/// Says where in a message the file stands that does not exist.
fn no_such_file(error: HostError, document: &serde_json::Value) -> ApiError {
    match &error {
        HostError::Inbox(InboxError::NotFound { what: "file", id }) => {
            let place = extract::place_of(document, "handle", id).unwrap_or_default();
            let detail = format!("there is no uploaded file `{}`: upload it again", harness_contract::text::shown(id));
            ApiError::new(StatusCode::NOT_FOUND, "not_found", detail).at(place)
        }
        _ => error.into(),
    }
}

/// Says what would become of a message: everything that stands in its way, what the customer will not see as requested,
/// and the requests that it takes. Nothing is queued.
#[utoipa::path(
    post, path = "/conversations/{id}/validate", tag = "Replies", params(("id" = ConversationRef, Path)),
    request_body = NewReply,
    responses(
        (status = 200, body = Validation),
        (status = 409, description = "The conversation goes on in another one: `continued_in`."),
    ),
)]
async fn validate_reply(
    State(api): State<Api>,
    principal: Principal,
    Row(conversation): Row<ConversationId>,
    Body(body): Body,
) -> Answer<Validation> {
    let mut document = extract::document(&body)?;
    if let Some(fields) = document.as_object_mut() {
        principal.sign(fields);
    }
    let new: NewReply = extract::read(document.clone())?;
    let preview = api.host.preview(conversation, new.into()).await;
    Ok(Json(preview.map_err(|error| no_such_file(error, &document))?.into()))
}

/// A reply, with what became of each part.
#[utoipa::path(
    get, path = "/replies/{id}", tag = "Replies", params(("id" = ReplyRef, Path)),
    responses((status = 200, body = Reply)),
)]
async fn get_reply(State(api): State<Api>, Row(id): Row<ReplyId>) -> Answer<Reply> {
    Ok(Json(api.host.inbox().reply(id).await?.into()))
}

/// Sends again what may have been delivered, with what stands behind it. It may reach the customer twice.
#[utoipa::path(
    post, path = "/replies/{id}/send-again", tag = "Replies", params(("id" = ReplyRef, Path)),
    responses((status = 200, body = Reply), (status = 409, description = "Nothing of it is ambiguous.")),
)]
async fn send_reply_again(State(api): State<Api>, Row(id): Row<ReplyId>) -> Answer<Reply> {
    api.host.settle(id, Settlement::SendAgain).await?;
    Ok(Json(api.host.inbox().reply(id).await?.into()))
}

/// Records what somebody found out about what may have been delivered. It is not sent again.
#[utoipa::path(
    post, path = "/replies/{id}/settle", tag = "Replies", params(("id" = ReplyRef, Path)), request_body = Settle,
    responses((status = 200, body = Reply), (status = 409, description = "Nothing of it is ambiguous.")),
)]
async fn settle_reply(State(api): State<Api>, Row(id): Row<ReplyId>, Json(found): Json<Settle>) -> Answer<Reply> {
    let settlement = if found.delivered { Settlement::Arrived } else { Settlement::NotArrived };
    api.host.settle(id, settlement).await?;
    Ok(Json(api.host.inbox().reply(id).await?.into()))
}
