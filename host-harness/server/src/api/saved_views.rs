//! Owns: endpoints for saved views of the list of conversations, and their JSON.
//! Does not own: the list (`conversations`), storing views (the inbox).

use axum::{extract::State, http::StatusCode};
use harness_inbox::{PublicId as _, SavedView as Stored, SavedViewId, ViewFilters, Whose};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::SavedViewTag,
    extract::{Json, Row},
    ids::{Id, LabelRef, SavedViewRef},
    paging::List,
    time::Time,
};
use crate::auth::{Principal, Scope};

/// The longest text that is searched for, in characters.
const MAX_TEXT: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(list_saved_views))
        .at(Scope::Read, routes!(save_view))
        .at(Scope::Read, routes!(change_saved_view, delete_saved_view))
}

/// Whose conversations a view shows: `everyone` (those that are not closed), `mine`, `unassigned`, `closed`, or
/// `mentions` (those in which whoever looks was mentioned).
#[derive(Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Show {
    #[default]
    Everyone,
    Mine,
    Unassigned,
    Closed,
    Mentions,
}

impl Show {
    fn of(whose: Whose) -> Self {
        match whose {
            Whose::Everyone => Self::Everyone,
            Whose::Mine => Self::Mine,
            Whose::Unassigned => Self::Unassigned,
            Whose::Closed => Self::Closed,
            Whose::Mentions => Self::Mentions,
        }
    }

    fn whose(self) -> Whose {
        match self {
            Self::Everyone => Whose::Everyone,
            Self::Mine => Whose::Mine,
            Self::Unassigned => Whose::Unassigned,
            Self::Closed => Whose::Closed,
            Self::Mentions => Whose::Mentions,
        }
    }
}

/// What a view narrows the list to. All of it holds.
#[derive(Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SavedViewFilters)]
struct Filters {
    show: Show,
    /// Those of this channel's accounts.
    channel: Option<String>,
    /// Those with this label. A view goes with its label.
    label_id: Option<LabelRef>,
    /// Only those with unread messages.
    unread: bool,
    /// What these words are found in: at most 200 characters.
    q: Option<String>,
}

impl Filters {
    async fn checked(self, api: &Api, principal: &Principal) -> Result<ViewFilters, ApiError> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (channel, text) = (given(self.channel), given(self.q));
        for (field, value) in [("filters.channel", &channel), ("filters.q", &text)] {
            if value.as_ref().is_some_and(|value| value.chars().nth(MAX_TEXT).is_some()) {
                let sentence = format!("`{field}` is longer than the {MAX_TEXT} characters that it may have");
                return Err(ApiError::bad("bad_body", sentence).at(field));
            }
        }
        if let Some(Id(label)) = self.label_id {
            api.own(principal, label).await.map_err(|problem| problem.at("filters.label_id"))?;
        }
        let label = self.label_id.map(|Id(label)| label);
        Ok(ViewFilters { whose: self.show.whose(), channel, label, unread: self.unread, text })
    }
}

/// A saved view of the list of conversations.
#[derive(Serialize, ToSchema)]
struct SavedView {
    object: SavedViewTag,
    id: SavedViewRef,
    name: String,
    /// Whether everybody of the workspace sees it. Otherwise it is the own view of the person who asks.
    shared: bool,
    filters: Filters,
    created_at: Time,
}

impl From<Stored> for SavedView {
    fn from(row: Stored) -> Self {
        let ViewFilters { whose, channel, label, unread, text } = row.filters;
        let filters = Filters { show: Show::of(whose), channel, label_id: label.map(Id), unread, q: text };
        let Stored { id, user, name, created_at, .. } = row;
        let (object, shared) = (SavedViewTag::Tag, user.is_none());
        Self { object, id: id.into(), name, shared, filters, created_at: created_at.into() }
    }
}

/// A view to save.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSavedView {
    /// 1 to 80 characters; no other view of the same owner has the name.
    name: String,
    /// For everybody of the workspace: only admins share. A token has no views of its own and shares them all.
    #[serde(default)]
    shared: bool,
    #[serde(default)]
    filters: Filters,
}

/// Changes to a view. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeSavedView {
    name: Option<String>,
    filters: Option<Filters>,
}

/// The sender's own views, and those that the workspace shares.
#[utoipa::path(get, path = "/views", tag = "Organisation", responses((status = 200, body = List<SavedView>)))]
async fn list_saved_views(State(api): State<Api>, principal: Principal) -> Answer<List<SavedView>> {
    let all = api.host.inbox().saved_views(principal.workspace, principal.user_id()).await?;
    Ok(Json(List::whole(all.into_iter().map(SavedView::from).collect())))
}

fn only_admins() -> ApiError {
    let sentence = "this view is everybody's in your workspace: its admins share views, and change and delete them";
    ApiError::new(StatusCode::FORBIDDEN, "not_yours", sentence)
}

/// Saves a view.
#[utoipa::path(
    post, path = "/views", tag = "Organisation", request_body = NewSavedView,
    responses(
        (status = 201, body = SavedView),
        (status = 403, description = "It is to be shared, and the sender is no admin."),
        (status = 404, description = "What a filter names is not there."),
        (status = 409, description = "The name is taken, or there are too many."),
    ),
)]
async fn save_view(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<NewSavedView>,
) -> Result<(StatusCode, Json<SavedView>), ApiError> {
    let user = principal.user_id().filter(|_| !given.shared);
    if user.is_none() && !principal.has(Scope::Admin) {
        return Err(only_admins());
    }
    let filters = given.filters.checked(&api, &principal).await?;
    let id = api.host.save_view(principal.workspace, user, &given.name, filters).await?;
    Ok((StatusCode::CREATED, Json(api.host.inbox().saved_view(id).await?.into())))
}

/// A colleague's own view is not there; one that is shared is changed by admins.
async fn may_change(api: &Api, principal: &Principal, id: SavedViewId) -> Result<(), ApiError> {
    match api.host.inbox().saved_view(id).await?.user {
        None if principal.has(Scope::Admin) => Ok(()),
        None => Err(only_admins()),
        own if own == principal.user_id() => Ok(()),
        _ => Err(ApiError::no_row(SavedViewId::NOUN)),
    }
}

/// Changes a view's name, or what it shows.
#[utoipa::path(
    patch, path = "/views/{id}", tag = "Organisation", params(("id" = SavedViewRef, Path)),
    request_body = ChangeSavedView,
    responses(
        (status = 200, body = SavedView),
        (status = 403, description = "It is shared, and the sender is no admin."),
        (status = 409, description = "The name is taken."),
    ),
)]
async fn change_saved_view(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<SavedViewId>,
    Json(given): Json<ChangeSavedView>,
) -> Answer<SavedView> {
    may_change(&api, &principal, id).await?;
    let filters = match given.filters {
        Some(filters) => Some(filters.checked(&api, &principal).await?),
        None => None,
    };
    api.host.change_view(id, given.name.as_deref(), filters).await?;
    Ok(Json(api.host.inbox().saved_view(id).await?.into()))
}

/// Deletes a view.
#[utoipa::path(
    delete, path = "/views/{id}", tag = "Organisation", params(("id" = SavedViewRef, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 403, description = "It is shared, and the sender is no admin."),
    ),
)]
async fn delete_saved_view(
    State(api): State<Api>,
    principal: Principal,
    Row(id): Row<SavedViewId>,
) -> Result<StatusCode, ApiError> {
    may_change(&api, &principal, id).await?;
    api.host.delete_view(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
