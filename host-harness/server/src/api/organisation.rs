//! Owns: endpoints for what a team makes of a conversation: state, assignee, collection, labels, notes.
//! Does not own: the lists of collections and labels (`shared`), the list of conversations (`conversations`).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use harness_inbox::{
    ConversationChange, ConversationId, LabelChange, NewState, NoteId, NoteView, Organised, PublicId as _,
};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{
        IdentityRule,
        conversation::{self, Conversation},
        organisation::{ChangeConversation, Labels, Note, NoteText},
    },
    extract::{self, Json, Query, Row},
    ids::{ConversationRef, Id, NoteRef},
    paging::{List, Paging},
    time::Time,
};
use crate::auth::{Principal, Scope, Who};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Reply, routes!(change_conversation))
        .at(Scope::Reply, routes!(set_labels, add_labels, remove_labels))
        .at(Scope::Read, routes!(list_notes))
        .at(Scope::Reply, routes!(write_note))
        .at(Scope::Read, routes!(get_note))
        .at(Scope::Reply, routes!(edit_note, delete_note))
}

async fn shown(api: &Api, id: ConversationId) -> Answer<Conversation> {
    let row = api.host.inbox().conversation(id).await?;
    let rule = IdentityRule::of(&api.host, &row.channel);
    Ok(Json(Conversation::of(row, &rule, None)))
}

/// Changes a conversation's state, assignee or collection.
#[utoipa::path(
    patch, path = "/conversations/{id}", tag = "Conversations", params(("id" = ConversationRef, Path)),
    request_body = ChangeConversation,
    responses(
        (status = 200, body = Conversation),
        (status = 409, description = "Somebody else was first: the assignee is not the one of `if_assignee_id`; or it goes on in another conversation, and stays closed."),
    ),
)]
async fn change_conversation(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    Json(given): Json<ChangeConversation>,
) -> Answer<Conversation> {
    if let Some(Some(Id(user))) = given.assignee_id {
        api.own(&principal, user).await.map_err(|problem| problem.at("assignee_id"))?;
    }
    if let Some(Some(Id(collection))) = given.collection_id {
        api.own(&principal, collection).await.map_err(|problem| problem.at("collection_id"))?;
    }
    let change = ConversationChange {
        state: new_state(&given, api.host.clock().now())?,
        assignee: given.assignee_id.map(|user| user.map(|Id(user)| user)),
        collection: given.collection_id.map(|collection| collection.map(|Id(collection)| collection)),
        if_assignee: given.if_assignee_id.map(|user| user.map(|Id(user)| user)),
    };
    match api.host.change_conversation(id, change).await? {
        Organised::Changed | Organised::Unchanged => shown(&api, id).await,
        Organised::AssignedBefore(assignee) => {
            let whom = assignee.map_or("nobody".to_owned(), |user| format!("`{}`", user.public()));
            let sentence = format!("the conversation is assigned to {whom} by now, and nothing was changed");
            Err(ApiError::new(StatusCode::CONFLICT, "assigned_before", sentence).at("if_assignee_id"))
        }
    }
}

fn new_state(given: &ChangeConversation, now: u64) -> Result<Option<NewState>, ApiError> {
    let wrong = |sentence: &str| Err(ApiError::bad("bad_body", sentence).at("snoozed_until"));
    let until = given.snoozed_until.map(|Time(at)| u64::try_from(at).unwrap_or(0));
    match (given.state, until) {
        (Some(conversation::State::Snoozed), Some(until)) if until > now => Ok(Some(NewState::Snoozed(until))),
        (Some(conversation::State::Snoozed), Some(_)) => wrong("`snoozed_until` is over: it is a time to come"),
        (Some(conversation::State::Snoozed), None) => {
            wrong("the state `snoozed` needs `snoozed_until`: when the conversation is opened again")
        }
        (_, Some(_)) => wrong("`snoozed_until` comes with the state `snoozed` and with no other"),
        (Some(conversation::State::Open), None) => Ok(Some(NewState::Open)),
        (Some(conversation::State::Pending), None) => Ok(Some(NewState::Pending)),
        (Some(conversation::State::Closed), None) => Ok(Some(NewState::Closed)),
        (None, None) => Ok(None),
    }
}

async fn relabel(
    api: &Api,
    principal: &Principal,
    id: ConversationId,
    given: Labels,
    change: fn(Vec<harness_inbox::LabelId>) -> LabelChange,
) -> Answer<Conversation> {
    let labels: Vec<_> = given.label_ids.into_iter().map(|Id(label)| label).collect();
    for (nth, label) in labels.iter().enumerate() {
        api.own(principal, *label).await.map_err(|problem| problem.at(format!("label_ids[{nth}]")))?;
    }
    api.host.change_labels(id, change(labels)).await?;
    shown(api, id).await
}

/// Gives a conversation these labels and no others.
#[utoipa::path(
    put, path = "/conversations/{id}/labels", tag = "Conversations", params(("id" = ConversationRef, Path)),
    request_body = Labels,
    responses((status = 200, body = Conversation), (status = 409, description = "These are too many.")),
)]
async fn set_labels(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    Json(given): Json<Labels>,
) -> Answer<Conversation> {
    relabel(&api, &principal, id, given, LabelChange::Set).await
}

/// Gives a conversation these labels too.
#[utoipa::path(
    post, path = "/conversations/{id}/labels", tag = "Conversations", params(("id" = ConversationRef, Path)),
    request_body = Labels,
    responses((status = 200, body = Conversation), (status = 409, description = "These are too many.")),
)]
async fn add_labels(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    Json(given): Json<Labels>,
) -> Answer<Conversation> {
    relabel(&api, &principal, id, given, LabelChange::Add).await
}

/// Takes these labels off a conversation.
#[utoipa::path(
    delete, path = "/conversations/{id}/labels", tag = "Conversations", params(("id" = ConversationRef, Path)),
    request_body = Labels, responses((status = 200, body = Conversation)),
)]
async fn remove_labels(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    Json(given): Json<Labels>,
) -> Answer<Conversation> {
    relabel(&api, &principal, id, given, LabelChange::Remove).await
}

/// The private notes of a conversation, newest first.
#[utoipa::path(
    get, path = "/conversations/{id}/notes", tag = "Notes", params(("id" = ConversationRef, Path), Paging),
    responses((status = 200, body = List<Note>)),
)]
async fn list_notes(
    State(api): State<Api>,
    Row(id): Row<ConversationId>,
    Query(paging): Query<Paging>,
) -> Answer<List<Note>> {
    let page = api.host.inbox().notes_before(id, paging.place()?, paging.limit()?).await?;
    Ok(Json(List::of(page, Note::from)))
}

/// Writes a private note, once for a key.
#[utoipa::path(
    post, path = "/conversations/{id}/notes", tag = "Notes",
    params(
        ("id" = ConversationRef, Path),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description = "Any text, new for each note: asked again with it, the note is written once."),
    ),
    request_body = NoteText,
    responses(
        (status = 201, description = "The note, which may have been written under this key before.", body = Note),
        (status = 409, description = "The key was used before, for another note."),
    ),
)]
async fn write_note(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<ConversationId>,
    headers: HeaderMap,
    Json(given): Json<NoteText>,
) -> Result<(StatusCode, Json<Note>), ApiError> {
    let key = extract::idempotency_key(&headers)?;
    let author = match &principal.who {
        Who::User { name, .. } => name,
        Who::Token { .. } | Who::Operator => &principal.whose,
    };
    let note = api.host.add_note(id, principal.user_id(), author, &given.text, key).await?;
    Ok((StatusCode::CREATED, Json(api.host.inbox().note(note).await?.into())))
}

/// A note.
#[utoipa::path(
    get, path = "/notes/{id}", tag = "Notes", params(("id" = NoteRef, Path)),
    responses((status = 200, body = Note)),
)]
async fn get_note(State(api): State<Api>, Row(id): Row<NoteId>) -> Answer<Note> {
    Ok(Json(api.host.inbox().note(id).await?.into()))
}

/// Whoever wrote a note changes it, and an admin; what a program wrote, everybody.
fn may_change(principal: &Principal, note: &NoteView) -> Result<(), ApiError> {
    if note.user.is_none() || note.user == principal.user_id() || principal.has(Scope::Admin) {
        return Ok(());
    }
    let sentence = "somebody else wrote this note: they can change it, and an admin of your workspace";
    Err(ApiError::new(StatusCode::FORBIDDEN, "not_yours", sentence))
}

/// Changes the text of a note.
#[utoipa::path(
    patch, path = "/notes/{id}", tag = "Notes", params(("id" = NoteRef, Path)), request_body = NoteText,
    responses((status = 200, body = Note)),
)]
async fn edit_note(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<NoteId>,
    Json(given): Json<NoteText>,
) -> Answer<Note> {
    may_change(&principal, &api.host.inbox().note(id).await?)?;
    api.host.edit_note(id, &given.text).await?;
    Ok(Json(api.host.inbox().note(id).await?.into()))
}

/// Deletes a note.
#[utoipa::path(
    delete, path = "/notes/{id}", tag = "Notes", params(("id" = NoteRef, Path)),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_note(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<NoteId>,
) -> Result<StatusCode, ApiError> {
    may_change(&principal, &api.host.inbox().note(id).await?)?;
    api.host.delete_note(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
