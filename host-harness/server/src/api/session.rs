//! Owns: endpoints for signing in and out, and for what people see and change of themselves.
//! Does not own: signing in (`auth`), other people (`team`).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse as _, Response},
};
use harness_engine::Secret;
use harness_inbox::{UserChange, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::SessionTag,
    extract::Json,
    ids::{Id, WorkspaceRef},
    team::{User, name},
};
use crate::{
    auth::{Begun, Cookie, Principal, Scope, SignInError, Who, peer_of},
    middleware::peer::Peer,
};

pub(super) fn routes() -> Routes {
    Routes::default()
        .for_everybody(routes!(sign_in, get_session, sign_out))
        .for_everybody(routes!(sign_out_everywhere))
        .for_everybody(routes!(get_me, change_me))
        .for_everybody(routes!(change_password))
        .for_everybody(routes!(accept_invitation))
}

/// Signing in with a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
}

/// Who makes requests with this session or token, and what they may do.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    object: SessionTag,
    /// The person; null for a program.
    user: Option<User>,
    /// The workspace that requests are about.
    workspace_id: WorkspaceRef,
    /// What the sender may do.
    scopes: Vec<Scope>,
}

impl Session {
    fn of(principal: &Principal, user: Option<User>) -> Self {
        let scopes = Scope::ALL.into_iter().filter(|scope| principal.has(*scope)).collect();
        Self { object: SessionTag::Tag, user, workspace_id: Id(principal.workspace), scopes }
    }
}

/// The answer to a person who has signed in.
fn begun(begun: Begun) -> Response {
    let Begun { principal, user, cookies } = begun;
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    let session = Session::of(&principal, Some(User::from(user)));
    (StatusCode::CREATED, cookies, Json(session)).into_response()
}

/// Signs a person in. The answer sets the cookie of the session, which no script can read. For pages of this host: programs
/// use tokens.
#[utoipa::path(
    post, path = "/session", tag = "Session", request_body = SignIn,
    responses(
        (status = 201, body = Session),
        (status = 401, description = "The e-mail address or the password is not right."),
        (status = 429, description = "Too many wrong passwords: `Retry-After` says for how long."),
    ),
)]
async fn sign_in(
    State(api): State<Api>,
    Peer(peer): Peer,
    headers: HeaderMap,
    Json(given): Json<SignIn>,
) -> Result<Response, ApiError> {
    let password = Secret::new(given.password.into_bytes());
    Ok(begun(api.access.sign_in(&api.host, &given.email, password, &headers, peer_of(peer)).await?))
}

/// Accepting an invitation with the secret of its link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// The last part of the link.
    secret: String,
    /// The name on replies.
    name: String,
    /// At least ten characters.
    password: String,
}

/// Accepts an invitation, and signs the person in.
#[utoipa::path(
    post, path = "/invitations/accept", tag = "Session", request_body = Accept,
    responses(
        (status = 201, body = Session),
        (status = 404, description = "The invitation is not valid any more."),
        (status = 409, description = "Somebody of another workspace has this e-mail address."),
        (status = 422, description = "The name or the password does not fit."),
    ),
)]
async fn accept_invitation(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(given): Json<Accept>,
) -> Result<Response, ApiError> {
    let password = Secret::new(given.password.into_bytes());
    let name = name(&given.name)?;
    Ok(begun(api.access.accept(&api.host, &given.secret, &name, password, &headers).await?))
}

/// Who makes requests with this session or token, and what they may do.
#[utoipa::path(
    get, path = "/session", tag = "Session", responses((status = 200, body = Session)),
)]
async fn get_session(State(api): State<Api>, principal: Principal) -> Answer<Session> {
    let user = match principal.user_id() {
        Some(id) => Some(api.host.inbox().user(id).await?.into()),
        None => None,
    };
    Ok(Json(Session::of(&principal, user)))
}

/// The person's id and session. `Err` for programs, which have no session.
fn person(principal: &Principal) -> Result<(UserId, [u8; 32]), ApiError> {
    match principal.who {
        Who::User { id, session, .. } => Ok((id, session)),
        Who::Token { .. } | Who::Operator => {
            let detail = "this is for people who have signed in: a token has no session, no name and no password";
            Err(ApiError::new(StatusCode::CONFLICT, "no_user", detail))
        }
    }
}

/// The answer that removes the session's cookie.
fn signed_out(api: &Api) -> Response {
    let cookie = Cookie::Session.removed(&api.host).map(|cookie| (header::SET_COOKIE, cookie));
    (StatusCode::NO_CONTENT, AppendHeaders(cookie)).into_response()
}

/// Signs out.
#[utoipa::path(
    delete, path = "/session", tag = "Session",
    responses((status = 204, description = "The cookie opens nothing any more."), (status = 409, description = "A program has no session, no name and no password.")),
)]
async fn sign_out(State(api): State<Api>, principal: Principal) -> Result<Response, ApiError> {
    let (_, session) = person(&principal)?;
    api.host.users().end_session(session).await?;
    Ok(signed_out(&api))
}

/// Signs out in all browsers.
#[utoipa::path(
    delete, path = "/sessions", tag = "Session",
    responses((status = 204, description = "No session of the person is left."), (status = 409, description = "A program has no session, no name and no password.")),
)]
async fn sign_out_everywhere(State(api): State<Api>, principal: Principal) -> Result<Response, ApiError> {
    let (user, _) = person(&principal)?;
    api.host.users().end_sessions(user, None).await?;
    Ok(signed_out(&api))
}

/// The person who has signed in.
#[utoipa::path(
    get, path = "/me", tag = "Session", responses((status = 200, body = User), (status = 409, description = "A program has no session, no name and no password.")),
)]
async fn get_me(State(api): State<Api>, principal: Principal) -> Answer<User> {
    let (user, _) = person(&principal)?;
    Ok(Json(api.host.inbox().user(user).await?.into()))
}

/// What people change of themselves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    /// The name on replies.
    name: String,
}

/// Changes one's name.
#[utoipa::path(
    patch, path = "/me", tag = "Session", request_body = ChangeMe,
    responses((status = 200, body = User), (status = 409, description = "A program has no session, no name and no password."), (status = 422, description = "The name does not fit.")),
)]
async fn change_me(State(api): State<Api>, principal: Principal, Json(given): Json<ChangeMe>) -> Answer<User> {
    let (user, _) = person(&principal)?;
    let change = UserChange { name: Some(name(&given.name)?), ..UserChange::default() };
    Ok(Json(api.host.users().update_user(user, change, api.host.clock().now()).await?.into()))
}

/// Changing one's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The present one.
    current: String,
    /// At least ten characters.
    new: String,
}

/// Changes one's password, and ends the other sessions.
#[utoipa::path(
    post, path = "/me/password", tag = "Session", request_body = ChangePassword,
    responses(
        (status = 204, description = "The new password counts."),
        (status = 401, description = "The present password is not right."),
        (status = 409, description = "A program has no session, no name and no password."),
        (status = 422, description = "The new password does not fit."),
        (status = 429, description = "Too many wrong passwords: `Retry-After` says for how long."),
    ),
)]
async fn change_password(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<ChangePassword>,
) -> Result<StatusCode, ApiError> {
    let (user, session) = person(&principal)?;
    let (present, new) = (Secret::new(given.current.into_bytes()), Secret::new(given.new.into_bytes()));
    api.access.change_password(&api.host, user, session, present, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        let sentence = error.to_string();
        match error {
            SignInError::Wrong => Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", sentence),
            SignInError::TooMany(wait) => Self::later("too_many_attempts", sentence, wait),
            SignInError::NoInvitation => Self::new(StatusCode::NOT_FOUND, "no_such_invitation", sentence),
            SignInError::NoPasswords => Self::new(StatusCode::FORBIDDEN, "no_passwords", sentence),
            SignInError::BadPassword(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "password_not_accepted", sentence).at("password")
            }
            SignInError::Busy(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", sentence),
            SignInError::Inbox(error) => error.into(),
            error => {
                tracing::error!(%error, "somebody could not sign in");
                let detail = "the host failed at this; its log says why, under the number of this request";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}
