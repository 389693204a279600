//! Owns: endpoints for the people of a workspace, their invitations, and the workspaces of the host.
//! Does not own: signing in and what people change of themselves (`session`).

use axum::{extract::State, http::StatusCode};
use harness_inbox::{
    InvitationId, InvitationView, PublicId as _, Role, UserChange, UserId, UserView, WorkspaceId, WorkspaceView,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{InvitationTag, UserTag, WorkspaceTag},
    extract::{Json, Path, Row},
    ids::{Id, InvitationRef, UserRef, WorkspaceRef},
    paging::List,
    time::Time,
};
use crate::auth::{self, InviteError, Principal, Scope, name_of};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(list_users))
        .at(Scope::Read, routes!(get_user))
        .at(Scope::Admin, routes!(change_user))
        .at(Scope::Admin, routes!(list_invitations, invite))
        .at(Scope::Admin, routes!(revoke_invitation))
        .at(Scope::Host, routes!(list_workspaces, add_workspace))
        .at(Scope::Host, routes!(rename_workspace))
}

/// What a person may do.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UserRole {
    /// Reads and answers.
    Agent,
    /// Does everything that concerns the workspace.
    Admin,
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent => Self::Agent,
            Role::Admin => Self::Admin,
        }
    }
}

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Agent => Self::Agent,
            UserRole::Admin => Self::Admin,
        }
    }
}

/// A person who signs in.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    object: UserTag,
    id: UserRef,
    email: String,
    /// The name on their replies.
    name: String,
    role: UserRole,
    created_at: Time,
    /// Since when they may not sign in; null if they may.
    disabled_at: Option<Time>,
}

impl From<UserView> for User {
    fn from(user: UserView) -> Self {
        let UserView { id, workspace: _, email, name, role, created_at, disabled_at } = user;
        Self {
            object: UserTag::Tag,
            id: Id(id),
            email,
            name,
            role: role.into(),
            created_at: created_at.into(),
            disabled_at: disabled_at.map(Time::from),
        }
    }
}

/// A person's name, checked.
pub(super) fn name(text: &str) -> Result<String, ApiError> {
    let sentence = "a name has 1 to 80 characters";
    name_of(text).ok_or_else(|| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", sentence).at("name"))
}

/// The people of the workspace, disabled ones included.
#[utoipa::path(
    get, path = "/users", tag = "People", responses((status = 200, body = List<User>)),
)]
async fn list_users(State(api): State<Api>, principal: Principal) -> Answer<List<User>> {
    let users = api.host.inbox().users(principal.workspace).await?;
    Ok(Json(List::whole(users.into_iter().map(User::from).collect())))
}

/// A person of the workspace.
#[utoipa::path(
    get, path = "/users/{id}", tag = "People", params(("id" = UserRef, Path)),
    responses((status = 200, body = User)),
)]
async fn get_user(State(api): State<Api>, Row(id): Row<UserId>) -> Answer<User> {
    Ok(Json(api.host.inbox().user(id).await?.into()))
}

/// Changes to a person. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeUser {
    /// The name on their replies.
    name: Option<String>,
    role: Option<UserRole>,
    /// Whether they may not sign in. Disabling signs them out everywhere at once.
    disabled: Option<bool>,
}

/// Changes a person's name or role, or whether they may sign in. Disabling ends all of their sessions at once.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "People", params(("id" = UserRef, Path)), request_body = ChangeUser,
    responses(
        (status = 200, body = User),
        (status = 409, description = "Nobody would be left who can manage the workspace."),
        (status = 422, description = "The name does not fit."),
    ),
)]
async fn change_user(State(api): State<Api>, Row(id): Row<UserId>, Json(given): Json<ChangeUser>) -> Answer<User> {
    let name = given.name.as_deref().map(name).transpose()?;
    let change = UserChange { name, role: given.role.map(Role::from), disabled: given.disabled };
    Ok(Json(api.host.users().update_user(id, change, api.host.clock().now()).await?.into()))
}

/// An invitation that was not accepted yet.
#[derive(Serialize, ToSchema)]
struct Invitation {
    object: InvitationTag,
    id: InvitationRef,
    email: String,
    role: UserRole,
    /// Who invited; null for the operator and for programs.
    invited_by: Option<UserRef>,
    created_at: Time,
    expires_at: Time,
    /// The link for the person. Shown once, in the answer that makes the invitation: whoever has it can accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<InvitationView> for Invitation {
    fn from(invitation: InvitationView) -> Self {
        let InvitationView { id, workspace: _, email, role, invited_by, created_at, expires_at } = invitation;
        Self {
            object: InvitationTag::Tag,
            id: Id(id),
            email,
            role: role.into(),
            invited_by: invited_by.map(Id),
            created_at: created_at.into(),
            expires_at: expires_at.into(),
            link: None,
        }
    }
}

/// Invitations that are neither accepted nor expired.
#[utoipa::path(
    get, path = "/invitations", tag = "People", responses((status = 200, body = List<Invitation>)),
)]
async fn list_invitations(State(api): State<Api>, principal: Principal) -> Answer<List<Invitation>> {
    let open = api.host.inbox().invitations(principal.workspace, api.host.clock().now()).await?;
    Ok(Json(List::whole(open.into_iter().map(Invitation::from).collect())))
}

/// Whom to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    email: String,
    /// What they will be allowed to do. A person of the workspace keeps their role: for them the link is a way back in.
    role: UserRole,
}

/// Invites somebody. The answer has the link, once: whoever has it can accept, within seven days. For a person of the
/// workspace it is a way back in. It replaces an earlier one.
#[utoipa::path(
    post, path = "/invitations", tag = "People", request_body = Invite,
    responses(
        (status = 201, body = Invitation),
        (status = 422, description = "This is not an e-mail address."),
    ),
)]
async fn invite(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<Invite>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let (workspace, invited_by) = (principal.workspace, principal.user_id());
    let invited = auth::invite(&api.host, workspace, &given.email, given.role.into(), invited_by).await;
    let (view, link) = invited.map_err(|error| match error {
        InviteError::Host(error) => error.into(),
        InviteError::Email => {
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_email", error.to_string()).at("email")
        }
    })?;
    Ok((StatusCode::CREATED, Json(Invitation { link: Some(link), ..view.into() })))
}

/// Withdraws an invitation.
#[utoipa::path(
    delete, path = "/invitations/{id}", tag = "People", params(("id" = InvitationRef, Path)),
    responses((status = 204, description = "Its link opens nothing any more.")),
)]
async fn revoke_invitation(State(api): State<Api>, Row(id): Row<InvitationId>) -> Result<StatusCode, ApiError> {
    api.host.users().revoke_invitation(id, api.host.clock().now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A workspace: a team with its accounts, conversations, people and tokens.
#[derive(Serialize, ToSchema)]
struct Workspace {
    object: WorkspaceTag,
    id: WorkspaceRef,
    name: String,
    created_at: Time,
}

impl From<WorkspaceView> for Workspace {
    fn from(workspace: WorkspaceView) -> Self {
        let WorkspaceView { id, name, created_at } = workspace;
        Self { object: WorkspaceTag::Tag, id: Id(id), name, created_at: created_at.into() }
    }
}

/// The workspaces of the host.
#[utoipa::path(
    get, path = "/workspaces", tag = "Host", responses((status = 200, body = List<Workspace>)),
)]
async fn list_workspaces(State(api): State<Api>) -> Answer<List<Workspace>> {
    let all = api.host.inbox().workspaces().await?;
    Ok(Json(List::whole(all.into_iter().map(Workspace::from).collect())))
}

/// A workspace's name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NameWorkspace {
    name: String,
}

/// Adds a workspace.
#[utoipa::path(
    post, path = "/workspaces", tag = "Host", request_body = NameWorkspace,
    responses((status = 201, body = Workspace), (status = 422, description = "The name does not fit.")),
)]
async fn add_workspace(
    State(api): State<Api>,
    Json(given): Json<NameWorkspace>,
) -> Result<(StatusCode, Json<Workspace>), ApiError> {
    let (name, created_at) = (name(&given.name)?, api.host.clock().now());
    let id = api.host.users().create_workspace(name.clone(), created_at).await?;
    Ok((StatusCode::CREATED, Json(WorkspaceView { id, name, created_at }.into())))
}

/// Renames a workspace.
#[utoipa::path(
    patch, path = "/workspaces/{id}", tag = "Host", params(("id" = WorkspaceRef, Path)),
    request_body = NameWorkspace,
    responses((status = 200, body = Workspace), (status = 422, description = "The name does not fit.")),
)]
async fn rename_workspace(
    State(api): State<Api>,
    Path(id): Path<String>,
    Json(given): Json<NameWorkspace>,
) -> Answer<Workspace> {
    let id = WorkspaceId::from_public(&id).map_err(|_| ApiError::no_row(WorkspaceId::NOUN))?;
    let name = name(&given.name)?;
    api.host.users().rename_workspace(id, name, api.host.clock().now()).await?;
    let all = api.host.inbox().workspaces().await?;
    let found = all.into_iter().find(|workspace| workspace.id == id);
    let gone = || harness_inbox::InboxError::NotFound { what: "workspace", id: id.to_string() };
    Ok(Json(found.ok_or_else(gone)?.into()))
}
