//! Owns: endpoints for the tokens of a workspace.
//! Does not own: storing tokens (`auth`), the operator's own token.

use axum::{extract::State, http::StatusCode};
use harness_inbox::WorkspaceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::TokenTag,
    extract::{Json, Path},
    paging::List,
    time::Time,
};
use crate::auth::{Principal, Scope, StoredToken, TokenError, TokenFile};

/// Tokens that one workspace may have.
const MAX_OF_WORKSPACE: usize = 100;

pub(super) fn routes() -> Routes {
    Routes::default().at(Scope::Admin, routes!(list_tokens, create_token)).at(Scope::Admin, routes!(revoke_token))
}

/// A token for a program.
#[derive(Serialize, ToSchema)]
struct Token {
    object: TokenTag,
    id: String,
    name: String,
    scopes: Vec<Scope>,
    created_at: Time,
    /// Null: never.
    expires_at: Option<Time>,
    /// To the minute.
    last_used_at: Option<Time>,
    /// The token itself, for `Authorization: Bearer …`. Shown once, in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<&StoredToken> for Token {
    fn from(stored: &StoredToken) -> Self {
        Self {
            object: TokenTag::Tag,
            id: stored.id(),
            name: stored.name.clone(),
            scopes: stored.scopes.clone(),
            created_at: stored.created_at.into(),
            expires_at: stored.expires_at.map(Time::from),
            last_used_at: stored.last_used_at.map(Time::from),
            token: None,
        }
    }
}

/// Works on the token file, which other processes may hold locked, off the async threads.
async fn with_file<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(TokenFile) -> Result<T, TokenError> + Send + 'static,
) -> Result<T, ApiError> {
    let Some(file) = api.access.token_file().cloned() else {
        let detail = "this host keeps no tokens: whoever runs it gave it none but its own";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_tokens", detail));
    };
    match tokio::task::spawn_blocking(move || work(file)).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "the file of the API's tokens failed");
    let detail = "the host failed at this; its log says why, under the number of this request";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        let sentence = error.to_string();
        match error {
            TokenError::Name(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", sentence).at("name"),
            TokenError::Taken(_) => Self::new(StatusCode::CONFLICT, "name_taken", sentence).at("name"),
            TokenError::TooMany => Self::new(StatusCode::CONFLICT, "too_many_tokens", sentence),
            error => failed(&error),
        }
    }
}

async fn of_workspace(api: &Api, workspace: WorkspaceId) -> Result<Vec<StoredToken>, ApiError> {
    if api.access.token_file().is_none() {
        return Ok(Vec::new());
    }
    let mut all = with_file(api, |file| file.list()).await?;
    all.retain(|token| token.workspace == workspace);
    Ok(all)
}

/// The tokens of the workspace.
#[utoipa::path(
    get, path = "/tokens", tag = "People", responses((status = 200, body = List<Token>)),
)]
async fn list_tokens(State(api): State<Api>, principal: Principal) -> Answer<List<Token>> {
    let tokens = of_workspace(&api, principal.workspace).await?;
    Ok(Json(List::whole(tokens.iter().map(Token::from).collect())))
}

/// A token to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateToken {
    /// Letters, digits, `-`, `_` and `.`; unique in the workspace.
    name: String,
    /// At least one, and none that the sender does not have.
    scopes: Vec<Scope>,
    /// Without it: never.
    expires_at: Option<Time>,
}

/// Creates a token for a program. The answer has it, once.
#[utoipa::path(
    post, path = "/tokens", tag = "People", request_body = CreateToken,
    responses(
        (status = 201, body = Token),
        (status = 409, description = "The name is taken, or there are too many tokens."),
        (status = 422, description = "The name, the scopes or the end do not fit."),
    ),
)]
async fn create_token(
    State(api): State<Api>,
    principal: Principal,
    Json(given): Json<CreateToken>,
) -> Result<(StatusCode, Json<Token>), ApiError> {
    let refused =
        |detail: &str, path: &str| Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_token", detail).at(path));
    if given.scopes.is_empty() {
        return refused("name at least one scope: a token without any opens nothing", "scopes");
    }
    if let Some(scope) = given.scopes.iter().find(|scope| !principal.has(**scope)) {
        return refused(&format!("you do not have the scope `{scope}` yourself, so you cannot give it"), "scopes");
    }
    let now = api.host.clock().now();
    let expires_at = given.expires_at.map(|at| u64::try_from(at.0).unwrap_or(0));
    if expires_at.is_some_and(|end| end <= now) {
        return refused("this time is over: expected one to come", "expires_at");
    }
    let workspace = principal.workspace;
    if of_workspace(&api, workspace).await?.len() >= MAX_OF_WORKSPACE {
        let detail = format!("this workspace has {MAX_OF_WORKSPACE} tokens: revoke those that nobody uses");
        return Err(ApiError::new(StatusCode::CONFLICT, "too_many_tokens", detail));
    }
    let (token, stored) = with_file(&api, move |file| {
        let token = file.create_in(workspace, &given.name, &given.scopes, expires_at, now)?;
        let of_it = |one: &StoredToken| one.workspace == workspace && one.name == given.name;
        Ok((token, file.list()?.into_iter().find(of_it)))
    })
    .await?;
    let Some(stored) = stored else { return Err(failed(&"a token was revoked while it was created")) };
    Ok((StatusCode::CREATED, Json(Token { token: Some(token), ..Token::from(&stored) })))
}

/// Revokes a token at once.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "People", params(("id" = String, Path)),
    responses((status = 204, description = "It opens nothing any more.")),
)]
async fn revoke_token(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let known = of_workspace(&api, principal.workspace).await?;
    if !known.iter().any(|token| token.id() == id) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such token in this workspace"));
    }
    match with_file(&api, move |file| Ok(file.revoke(&id))).await? {
        // Somebody else was faster.
        Ok(()) | Err(TokenError::Unknown(..)) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(error.into()),
    }
}
