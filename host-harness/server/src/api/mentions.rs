//! Owns: the endpoint for the private notes that mention whoever asks.
//! Does not own: writing notes (`organisation`), marking mentions as seen (`conversations`).

use axum::{extract::State, http::StatusCode};
use harness_inbox::MentionView;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::MentionTag,
    extract::{Json, Query},
    ids::{ConversationRef, NoteRef},
    paging::{List, Paging},
    time::Time,
};
use crate::auth::{Principal, Scope};

pub(super) fn routes() -> Routes {
    Routes::default().at(Scope::Read, routes!(list_mentions))
}

/// A private note that mentions the person who asks.
#[derive(Serialize, ToSchema)]
struct Mention {
    object: MentionTag,
    note_id: NoteRef,
    conversation_id: ConversationRef,
    /// The name of whoever wrote the note.
    author: String,
    text: String,
    created_at: Time,
    /// When the person looked at the conversation after that; null if they have not.
    seen_at: Option<Time>,
}

impl From<MentionView> for Mention {
    fn from(row: MentionView) -> Self {
        Self {
            object: MentionTag::Tag,
            note_id: row.note.into(),
            conversation_id: row.conversation.into(),
            author: row.author,
            text: row.text,
            created_at: row.at.into(),
            seen_at: row.seen_at.map(Time::from),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that the person has not seen.
    unseen: Option<bool>,
}

/// The private notes that mention the person who asks, newest first. `POST /conversations/{id}/read` marks those of a
/// conversation as seen.
#[utoipa::path(
    get, path = "/mentions", tag = "Notes", params(Which, Paging),
    responses((status = 200, body = List<Mention>), (status = 409, description = "A token is no person.")),
)]
async fn list_mentions(
    State(api): State<Api>,
    principal: Principal,
    Query(which): Query<Which>,
    Query(paging): Query<Paging>,
) -> Answer<List<Mention>> {
    let Some(user) = principal.user_id() else {
        let sentence = "this is for people who have signed in: nobody mentions a token";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_user", sentence));
    };
    let unseen = which.unseen.unwrap_or(false);
    let page = api.host.inbox().mentions_before(user, unseen, paging.place()?, paging.limit()?).await?;
    Ok(Json(List::of(page, Mention::from)))
}
