//! Owns: endpoints for what the conversations of a workspace share: collections, labels, canned answers.
//! Does not own: which conversation has which (`organisation`).

use axum::{extract::State, http::StatusCode};
use harness_inbox::{CannedAnswerId, CannedAnswerText, CollectionId, LabelId};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::organisation::{
        CannedAnswer, CannedAnswerContent, Collection, CollectionContent, FillFor, FilledAnswer, Label, LabelContent,
    },
    extract::{Json, Row},
    ids::{CannedAnswerRef, CollectionRef, Id, LabelRef},
    paging::List,
};
use crate::auth::{Principal, Scope, Who};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(list_collections))
        .at(Scope::Admin, routes!(add_collection))
        .at(Scope::Admin, routes!(rename_collection, delete_collection))
        .at(Scope::Read, routes!(list_labels))
        .at(Scope::Admin, routes!(add_label))
        .at(Scope::Admin, routes!(edit_label, delete_label))
        .at(Scope::Read, routes!(list_canned_answers))
        .at(Scope::Reply, routes!(add_canned_answer))
        .at(Scope::Reply, routes!(edit_canned_answer, delete_canned_answer))
        .at(Scope::Read, routes!(fill_canned_answer))
}

type Made<T> = Result<(StatusCode, Json<T>), ApiError>;
type Gone = Result<StatusCode, ApiError>;

/// The collections of the workspace, by name.
#[utoipa::path(get, path = "/collections", tag = "Organisation", responses((status = 200, body = List<Collection>)))]
async fn list_collections(State(api): State<Api>, principal: Principal) -> Answer<List<Collection>> {
    let all = api.host.inbox().collections(principal.workspace).await?;
    Ok(Json(List::whole(all.into_iter().map(Collection::from).collect())))
}

/// Makes a collection.
#[utoipa::path(
    post, path = "/collections", tag = "Organisation", request_body = CollectionContent,
    responses((status = 201, body = Collection), (status = 409, description = "The name is taken.")),
)]
async fn add_collection(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<CollectionContent>,
) -> Made<Collection> {
    let id = api.host.add_collection(principal.workspace, &given.name).await?;
    Ok((StatusCode::CREATED, Json(api.host.inbox().collection(id).await?.into())))
}

/// Renames a collection.
#[utoipa::path(
    patch, path = "/collections/{id}", tag = "Organisation", params(("id" = CollectionRef, Path)),
    request_body = CollectionContent,
    responses((status = 200, body = Collection), (status = 409, description = "The name is taken.")),
)]
async fn rename_collection(
    State(api): State<Api>,
    Row(id): Row<CollectionId>,
    Json(given): Json<CollectionContent>,
) -> Answer<Collection> {
    api.host.rename_collection(id, &given.name).await?;
    Ok(Json(api.host.inbox().collection(id).await?.into()))
}

/// Deletes a collection. Its conversations stay, in none.
#[utoipa::path(
    delete, path = "/collections/{id}", tag = "Organisation", params(("id" = CollectionRef, Path)),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_collection(State(api): State<Api>, Row(id): Row<CollectionId>) -> Gone {
    api.host.delete_collection(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The labels of the workspace, by name.
#[utoipa::path(get, path = "/labels", tag = "Organisation", responses((status = 200, body = List<Label>)))]
async fn list_labels(State(api): State<Api>, principal: Principal) -> Answer<List<Label>> {
    let all = api.host.inbox().labels(principal.workspace).await?;
    Ok(Json(List::whole(all.into_iter().map(Label::from).collect())))
}

/// Makes a label.
#[utoipa::path(
    post, path = "/labels", tag = "Organisation", request_body = LabelContent,
    responses((status = 201, body = Label), (status = 409, description = "The name is taken.")),
)]
async fn add_label(State(api): State<Api>, principal: Principal, Json(given): Json<LabelContent>) -> Made<Label> {
    let id = api.host.add_label(principal.workspace, &given.name, &given.color).await?;
    Ok((StatusCode::CREATED, Json(api.host.inbox().label(id).await?.into())))
}

/// Changes a label's name and color.
#[utoipa::path(
    patch, path = "/labels/{id}", tag = "Organisation", params(("id" = LabelRef, Path)), request_body = LabelContent,
    responses((status = 200, body = Label), (status = 409, description = "The name is taken.")),
)]
async fn edit_label(State(api): State<Api>, Row(id): Row<LabelId>, Json(given): Json<LabelContent>) -> Answer<Label> {
    api.host.edit_label(id, &given.name, &given.color).await?;
    Ok(Json(api.host.inbox().label(id).await?.into()))
}

/// Deletes a label, from all conversations too.
#[utoipa::path(
    delete, path = "/labels/{id}", tag = "Organisation", params(("id" = LabelRef, Path)),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_label(State(api): State<Api>, Row(id): Row<LabelId>) -> Gone {
    api.host.delete_label(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The canned answers of the workspace, by shortcut.
#[utoipa::path(
    get, path = "/canned-answers", tag = "Organisation", responses((status = 200, body = List<CannedAnswer>)),
)]
async fn list_canned_answers(State(api): State<Api>, principal: Principal) -> Answer<List<CannedAnswer>> {
    let all = api.host.inbox().canned_answers(principal.workspace).await?;
    Ok(Json(List::whole(all.into_iter().map(CannedAnswer::from).collect())))
}

fn content(given: CannedAnswerContent) -> CannedAnswerText {
    let CannedAnswerContent { shortcut, title, text } = given;
    CannedAnswerText { shortcut, title, text }
}

/// Makes a canned answer.
#[utoipa::path(
    post, path = "/canned-answers", tag = "Organisation", request_body = CannedAnswerContent,
    responses((status = 201, body = CannedAnswer), (status = 409, description = "The shortcut is taken.")),
)]
async fn add_canned_answer(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<CannedAnswerContent>,
) -> Made<CannedAnswer> {
    let id = api.host.add_canned_answer(principal.workspace, &content(given)).await?;
    Ok((StatusCode::CREATED, Json(api.host.inbox().canned_answer(id).await?.into())))
}

/// Replaces a canned answer's content.
#[utoipa::path(
    put, path = "/canned-answers/{id}", tag = "Organisation", params(("id" = CannedAnswerRef, Path)),
    request_body = CannedAnswerContent,
    responses((status = 200, body = CannedAnswer), (status = 409, description = "The shortcut is taken.")),
)]
async fn edit_canned_answer(
    State(api): State<Api>,
    Row(id): Row<CannedAnswerId>,
    Json(given): Json<CannedAnswerContent>,
) -> Answer<CannedAnswer> {
    api.host.edit_canned_answer(id, &content(given)).await?;
    Ok(Json(api.host.inbox().canned_answer(id).await?.into()))
}

/// Deletes a canned answer.
#[utoipa::path(
    delete, path = "/canned-answers/{id}", tag = "Organisation", params(("id" = CannedAnswerRef, Path)),
    responses((status = 204, description = "It is gone.")),
)]
async fn delete_canned_answer(State(api): State<Api>, Row(id): Row<CannedAnswerId>) -> Gone {
    api.host.delete_canned_answer(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A canned answer with its variables filled in for a conversation. Nothing is sent.
#[utoipa::path(
    post, path = "/canned-answers/{id}/fill", tag = "Organisation", params(("id" = CannedAnswerRef, Path)),
    request_body = FillFor, responses((status = 200, body = FilledAnswer)),
)]
async fn fill_canned_answer(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<CannedAnswerId>,
    Json(given): Json<FillFor>,
) -> Answer<FilledAnswer> {
    let Id(conversation) = given.conversation_id;
    api.own(&principal, conversation).await.map_err(|problem| problem.at("conversation_id"))?;
    let agent = match &principal.who {
        Who::User { name, .. } => Some(name.as_str()),
        Who::Token { .. } | Who::Operator => None,
    };
    let filled = api.host.fill_canned_answer(id, conversation, agent).await?;
    Ok(Json(FilledAnswer { text: filled.text, missing: filled.missing }))
}
