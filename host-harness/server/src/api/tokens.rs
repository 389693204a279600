//! Owns: endpoints for the tokens of a workspace.
//! Does not own: storing tokens (`auth`), the operator's own token.

use axum::{extract::State, http::StatusCode};
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
use crate::auth::{Principal, Scope, StoredToken, TokenError, TokenRequest, WorkspaceTokenError};

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

impl From<WorkspaceTokenError> for ApiError {
    fn from(error: WorkspaceTokenError) -> Self {
        let sentence = error.to_string();
        let refused =
            |sentence, path: &str| Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_token", sentence).at(path);
        match error {
            WorkspaceTokenError::NoFile => Self::new(StatusCode::CONFLICT, "no_tokens", sentence),
            WorkspaceTokenError::NoScope | WorkspaceTokenError::NotYours(_) => refused(sentence, "scopes"),
            WorkspaceTokenError::Over => refused(sentence, "expires_at"),
            WorkspaceTokenError::File(TokenError::Name(_)) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_name", sentence).at("name")
            }
            WorkspaceTokenError::File(TokenError::Taken(_)) => {
                Self::new(StatusCode::CONFLICT, "name_taken", sentence).at("name")
            }
            WorkspaceTokenError::TooMany | WorkspaceTokenError::File(TokenError::TooMany) => {
                Self::new(StatusCode::CONFLICT, "too_many_tokens", sentence)
            }
            WorkspaceTokenError::Unknown => Self::new(StatusCode::NOT_FOUND, "not_found", sentence),
            error => {
                tracing::error!(%error, "the file of the API's tokens failed");
                let detail = "the host failed at this; its log says why, under the number of this request";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
            }
        }
    }
}

/// The tokens of the workspace.
#[utoipa::path(
    get, path = "/tokens", tag = "People", responses((status = 200, body = List<Token>)),
)]
async fn list_tokens(State(api): State<Api>, principal: Principal) -> Answer<List<Token>> {
    let tokens = api.access.tokens_of(principal.workspace).await?;
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
    let CreateToken { name, scopes, expires_at } = given;
    let expires_at = expires_at.map(|at| u64::try_from(at.0).unwrap_or(0));
    let request = TokenRequest { name, scopes, expires_at };
    let (workspace, now) = (principal.workspace, api.host.clock().now());
    let (token, stored) = api.access.create_token(workspace, request, |scope| principal.has(scope), now).await?;
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
    api.access.revoke_token(principal.workspace, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
