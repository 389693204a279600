//! Owns: the tokens of one workspace: listing, creating and revoking them for its admins.
//! Does not own: the file (`tokens`), what a scope allows (`api`).

use harness_inbox::WorkspaceId;

use super::{
    authenticator::Authenticator,
    scope::Scope,
    tokens::{StoredToken, TokenError, TokenFile},
};

/// Tokens that one workspace may have.
const MAX_OF_WORKSPACE: usize = 100;

/// Why the tokens of a workspace could not be listed or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceTokenError {
    #[error("this host keeps no tokens: whoever runs it gave it none but its own")]
    NoFile,
    #[error("name at least one scope: a token without any opens nothing")]
    NoScope,
    #[error("you do not have the scope `{0}` yourself, so you cannot give it")]
    NotYours(Scope),
    #[error("this time is over: expected one to come")]
    Over,
    #[error("this workspace has {MAX_OF_WORKSPACE} tokens: revoke those that nobody uses")]
    TooMany,
    #[error("there is no such token in this workspace")]
    Unknown,
    #[error(transparent)]
    File(#[from] TokenError),
    #[error("the work on the file of the API's tokens was ended: {0}")]
    Ended(#[from] tokio::task::JoinError),
    #[error("a token was revoked while it was created")]
    Overtaken,
}

/// A token to create.
#[derive(Debug)]
pub(crate) struct TokenRequest {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    /// In milliseconds since 1970; `None`: never.
    pub(crate) expires_at: Option<u64>,
}

impl Authenticator {
    /// Works on the token file, which other processes may hold locked, off the async threads.
    async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(TokenFile) -> Result<T, TokenError> + Send + 'static,
    ) -> Result<T, WorkspaceTokenError> {
        let file = self.token_file().cloned().ok_or(WorkspaceTokenError::NoFile)?;
        Ok(tokio::task::spawn_blocking(move || work(file)).await??)
    }

    /// Whether this host keeps tokens.
    pub(crate) fn keeps_tokens(&self) -> bool {
        self.token_file().is_some()
    }

    /// The tokens of a workspace.
    pub(crate) async fn tokens_of(&self, workspace: WorkspaceId) -> Result<Vec<StoredToken>, WorkspaceTokenError> {
        if !self.keeps_tokens() {
            return Ok(Vec::new());
        }
        let mut all = self.with_file(|file| file.list()).await?;
        all.retain(|token| token.workspace == workspace);
        Ok(all)
    }

    /// Creates a token and returns it, which cannot be shown again. `has` says which scopes the sender has.
    pub(crate) async fn create_token(
        &self,
        workspace: WorkspaceId,
        request: TokenRequest,
        has: impl Fn(Scope) -> bool,
        now: u64,
    ) -> Result<(String, StoredToken), WorkspaceTokenError> {
        let TokenRequest { name, scopes, expires_at } = request;
        if scopes.is_empty() {
            return Err(WorkspaceTokenError::NoScope);
        }
        if let Some(scope) = scopes.iter().find(|scope| !has(**scope)) {
            return Err(WorkspaceTokenError::NotYours(*scope));
        }
        if expires_at.is_some_and(|end| end <= now) {
            return Err(WorkspaceTokenError::Over);
        }
        if self.tokens_of(workspace).await?.len() >= MAX_OF_WORKSPACE {
            return Err(WorkspaceTokenError::TooMany);
        }
        let (token, stored) = self
            .with_file(move |file| {
                let token = file.create_in(workspace, &name, &scopes, expires_at, now)?;
                let of_it = |one: &StoredToken| one.workspace == workspace && one.name == name;
                Ok((token, file.list()?.into_iter().find(of_it)))
            })
            .await?;
        Ok((token, stored.ok_or(WorkspaceTokenError::Overtaken)?))
    }

    /// Revokes a token of a workspace at once.
    pub(crate) async fn revoke_token(&self, workspace: WorkspaceId, id: String) -> Result<(), WorkspaceTokenError> {
        if !self.tokens_of(workspace).await?.iter().any(|token| token.id() == id) {
            return Err(WorkspaceTokenError::Unknown);
        }
        match self.with_file(move |file| file.revoke(&id)).await {
            // Somebody else was faster.
            Err(WorkspaceTokenError::File(TokenError::Unknown(..))) => Ok(()),
            revoked => revoked,
        }
    }
}
