//! Owns: endpoints for the people of a workspace, their invitations, and the workspaces of the host.
//! Does not own: signing in and what people change of themselves (`session`).

use axum::{
    extract::State,
    http::StatusCode,
    routing::{get, patch},
};
use harness_inbox::{
    InvitationId, InvitationView, NewInvitation, Role, UserChange, UserId, UserView, WorkspaceId, WorkspaceView,
};
use serde::{Deserialize, Serialize};

use super::{
    Answer, Api, ApiError, Routes,
    extract::{Json, Path, Row},
    ids::Id,
    paging::List,
    time::Time,
};
use crate::auth::{INVITED_MS, Principal, Scope, email_of, invitation_secret, name_of};

pub(super) fn routes() -> Routes {
    Routes::default()
        .at("/users", Scope::Read, get(users))
        .at("/users/{id}", Scope::Read, get(user))
        .at("/users/{id}", Scope::Admin, patch(change_user))
        .at("/invitations", Scope::Admin, get(invitations).post(invite))
        .at("/invitations/{id}", Scope::Admin, axum::routing::delete(revoke))
        .at("/workspaces", Scope::Host, get(workspaces).post(add_workspace))
        .at("/workspaces/{id}", Scope::Host, patch(rename_workspace))
}

/// What a person may do.
#[derive(Clone, Copy, Deserialize, Serialize)]
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
#[derive(Serialize)]
pub(super) struct User {
    /// Always `user`.
    object: &'static str,
    id: Id<UserId>,
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
            object: "user",
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

async fn users(State(api): State<Api>, principal: Principal) -> Answer<List<User>> {
    let users = api.host.inbox().users(principal.workspace).await?;
    Ok(Json(List::whole(users.into_iter().map(User::from).collect())))
}

async fn user(State(api): State<Api>, Row(id): Row<UserId>) -> Answer<User> {
    Ok(Json(api.host.inbox().user(id).await?.into()))
}

/// Changes to a person. What is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeUser {
    /// The name on their replies.
    name: Option<String>,
    role: Option<UserRole>,
    /// Whether they may not sign in. Disabling signs them out everywhere at once.
    disabled: Option<bool>,
}

async fn change_user(
    State(api): State<Api>,
    Row(id): Row<UserId>,
    Json(given): Json<ChangeUser>,
) -> Answer<User> {
    let name = given.name.as_deref().map(name).transpose()?;
    let change = UserChange { name, role: given.role.map(Role::from), disabled: given.disabled };
    Ok(Json(api.host.users().update_user(id, change, api.host.clock().now()).await?.into()))
}

/// An invitation that was not accepted yet.
#[derive(Serialize)]
struct Invitation {
    /// Always `invitation`.
    object: &'static str,
    id: Id<InvitationId>,
    email: String,
    role: UserRole,
    /// Who invited; null for the operator and for programs.
    invited_by: Option<Id<UserId>>,
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
            object: "invitation",
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

async fn invitations(State(api): State<Api>, principal: Principal) -> Answer<List<Invitation>> {
    let open = api.host.inbox().invitations(principal.workspace, api.host.clock().now()).await?;
    Ok(Json(List::whole(open.into_iter().map(Invitation::from).collect())))
}

/// Whom to invite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invite {
    email: String,
    /// What they will be allowed to do. A person of the workspace keeps their role: for them the link is a way back in.
    role: UserRole,
}

async fn invite(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<Invite>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let Some(email) = email_of(&given.email) else {
        let detail = "this is not an e-mail address such as `kim@shop.example`";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_email", detail).at("email"));
    };
    let (secret, digest) = invitation_secret().map_err(harness_engine::HostError::from)?;
    let link = api.host.address(&["invitations", &secret])?;
    let now = api.host.clock().now();
    let (workspace, role, invited_by) = (principal.workspace, Role::from(given.role), principal.user_id());
    let expires_at = now.saturating_add(INVITED_MS);
    let new = NewInvitation { secret: digest, workspace, email: email.clone(), role, invited_by, expires_at };
    let id = api.host.users().invite(new, now).await?;
    let view = InvitationView { id, workspace, email, role, invited_by, created_at: now, expires_at };
    Ok((StatusCode::CREATED, Json(Invitation { link: Some(link), ..view.into() })))
}

async fn revoke(State(api): State<Api>, Row(id): Row<InvitationId>) -> Result<StatusCode, ApiError> {
    api.host.users().revoke_invitation(id, api.host.clock().now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A workspace: a team with its accounts, conversations, people and tokens.
#[derive(Serialize)]
struct Workspace {
    /// Always `workspace`.
    object: &'static str,
    id: Id<WorkspaceId>,
    name: String,
    created_at: Time,
}

impl From<WorkspaceView> for Workspace {
    fn from(workspace: WorkspaceView) -> Self {
        let WorkspaceView { id, name, created_at } = workspace;
        Self { object: "workspace", id: Id(id), name, created_at: created_at.into() }
    }
}

async fn workspaces(State(api): State<Api>) -> Answer<List<Workspace>> {
    let all = api.host.inbox().workspaces().await?;
    Ok(Json(List::whole(all.into_iter().map(Workspace::from).collect())))
}

/// A workspace's name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameWorkspace {
    name: String,
}

async fn add_workspace(
    State(api): State<Api>,
    Json(given): Json<NameWorkspace>,
) -> Result<(StatusCode, Json<Workspace>), ApiError> {
    let (name, created_at) = (name(&given.name)?, api.host.clock().now());
    let id = api.host.users().create_workspace(name.clone(), created_at).await?;
    Ok((StatusCode::CREATED, Json(WorkspaceView { id, name, created_at }.into())))
}

async fn rename_workspace(
    State(api): State<Api>,
    Path(id): Path<Id<WorkspaceId>>,
    Json(given): Json<NameWorkspace>,
) -> Answer<Workspace> {
    let name = name(&given.name)?;
    api.host.users().rename_workspace(id.0, name, api.host.clock().now()).await?;
    let all = api.host.inbox().workspaces().await?;
    let found = all.into_iter().find(|workspace| workspace.id == id.0);
    let gone = || harness_inbox::InboxError::NotFound { what: "workspace", id: id.0.to_string() };
    Ok(Json(found.ok_or_else(gone)?.into()))
}
