//! Owns: endpoints for signing in and out, and for what people see and change of themselves.
//! Does not own: signing in (`auth`), other people (`team`).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse as _, Response},
    routing::{get, post},
};
use harness_engine::Secret;
use harness_inbox::{UserChange, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};

use super::{
    Answer, Api, ApiError, Routes,
    extract::Json,
    ids::Id,
    team::{User, name},
};
use crate::{
    auth::{Begun, Cookie, Principal, Scope, SignInError, Who, peer_of},
    middleware::peer::Peer,
};

pub(super) fn routes() -> Routes {
    Routes::default()
        .for_everybody("/session", post(sign_in).get(session).delete(sign_out))
        .for_everybody("/sessions", axum::routing::delete(sign_out_everywhere))
        .for_everybody("/me", get(me).patch(change_me))
        .for_everybody("/me/password", post(change_password))
        .for_everybody("/invitations/accept", post(accept))
}

/// Signing in with a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: String,
    password: String,
}

/// Who makes requests with this session or token, and what they may do.
#[derive(Serialize)]
pub(super) struct Session {
    /// Always `session`.
    object: &'static str,
    /// The person; null for a program.
    user: Option<User>,
    /// The workspace that requests are about.
    workspace_id: Id<WorkspaceId>,
    /// What the sender may do.
    scopes: Vec<&'static str>,
}

impl Session {
    fn of(principal: &Principal, user: Option<User>) -> Self {
        let scopes = Scope::ALL.into_iter().filter(|scope| principal.has(*scope)).map(Scope::name).collect();
        Self { object: "session", user, workspace_id: Id(principal.workspace), scopes }
    }
}

/// The answer to a person who has signed in.
fn begun(begun: Begun) -> Response {
    let Begun { principal, user, cookies } = begun;
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    let session = Session::of(&principal, Some(User::from(user)));
    (StatusCode::CREATED, cookies, Json(session)).into_response()
}

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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// The last part of the link.
    secret: String,
    /// The name on replies.
    name: String,
    /// At least ten characters.
    password: String,
}

async fn accept(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(given): Json<Accept>,
) -> Result<Response, ApiError> {
    let password = Secret::new(given.password.into_bytes());
    let name = name(&given.name)?;
    Ok(begun(api.access.accept(&api.host, &given.secret, &name, password, &headers).await?))
}

async fn session(State(api): State<Api>, principal: Principal) -> Answer<Session> {
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
        Who::Token | Who::Operator => {
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

async fn sign_out(State(api): State<Api>, principal: Principal) -> Result<Response, ApiError> {
    let (_, session) = person(&principal)?;
    api.host.users().end_session(session).await?;
    Ok(signed_out(&api))
}

async fn sign_out_everywhere(State(api): State<Api>, principal: Principal) -> Result<Response, ApiError> {
    let (user, _) = person(&principal)?;
    api.host.users().end_sessions(user, None).await?;
    Ok(signed_out(&api))
}

async fn me(State(api): State<Api>, principal: Principal) -> Answer<User> {
    let (user, _) = person(&principal)?;
    Ok(Json(api.host.inbox().user(user).await?.into()))
}

/// What people change of themselves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeMe {
    /// The name on replies.
    name: String,
}

async fn change_me(State(api): State<Api>, principal: Principal, Json(given): Json<ChangeMe>) -> Answer<User> {
    let (user, _) = person(&principal)?;
    let change = UserChange { name: Some(name(&given.name)?), ..UserChange::default() };
    Ok(Json(api.host.users().update_user(user, change, api.host.clock().now()).await?.into()))
}

/// Changing one's password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The present one.
    current: String,
    /// At least ten characters.
    new: String,
}

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
