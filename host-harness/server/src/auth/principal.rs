//! Owns: who makes a request, and what they may do.
//! Does not own: finding that out (`authenticator`), which endpoint needs which scope (`api`).

use harness_inbox::{Role, UserId, UserView, WorkspaceId};

use super::{scope::Scope, tokens::StoredToken};

/// Who makes a request.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// A person who has signed in.
    User {
        id: UserId,
        name: String,
        /// SHA-256 of the session's cookie.
        session: [u8; 32],
    },
    /// A program with a named token.
    Token {
        /// SHA-256 of the token.
        sha256: [u8; 32],
    },
    /// Whoever has the data folder or the configuration.
    Operator,
}

/// The authenticated sender of a request: who, in which workspace, with which scopes.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// For the log.
    pub(crate) whose: String,
    pub(crate) who: Who,
    /// The workspace that the request is about. Nothing of another one exists for it.
    pub(crate) workspace: WorkspaceId,
    scopes: Vec<Scope>,
}

/// The scopes as a list for people.
fn listed(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ")
}

impl Principal {
    pub(super) fn operator() -> Self {
        let (whose, workspace) = ("[api]".to_owned(), WorkspaceId::FIRST);
        Self { whose, who: Who::Operator, workspace, scopes: Scope::ALL.to_vec() }
    }

    pub(super) fn token(stored: &StoredToken) -> Self {
        let StoredToken { name, sha256, workspace, scopes, .. } = stored.clone();
        Self { whose: name, who: Who::Token { sha256 }, workspace, scopes }
    }

    pub(super) fn user(user: UserView, session: [u8; 32]) -> Self {
        let UserView { id, workspace, name, role, .. } = user;
        let scopes = match role {
            Role::Agent => vec![Scope::Read, Scope::Reply],
            Role::Admin => vec![Scope::Admin],
        };
        // Not the name, which people choose: the log is read by others.
        Self { whose: format!("user {id}"), who: Who::User { id, name, session }, workspace, scopes }
    }

    /// Whether it acts for the whole host, and may choose the workspace of each request.
    pub(crate) fn is_of_host(&self) -> bool {
        self.scopes.contains(&Scope::Host)
    }

    pub(super) fn in_workspace(self, workspace: WorkspaceId) -> Self {
        Self { workspace, ..self }
    }

    /// The person, if it is one.
    pub(crate) fn user_id(&self) -> Option<UserId> {
        match self.who {
            Who::User { id, .. } => Some(id),
            Who::Token { .. } | Who::Operator => None,
        }
    }

    /// Whether it has the scope.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || (scope.is_of_workspace() && self.scopes.contains(&Scope::Admin))
    }

    /// Checks that it has the scope. `Err`: the sentence for the sender.
    pub(crate) fn requires(&self, scope: Scope) -> Result<(), String> {
        if self.has(scope) {
            return Ok(());
        }
        Err(match self.who {
            Who::User { .. } if scope.is_of_workspace() => {
                "this needs an admin of your workspace: ask one, or ask them to make you one".to_owned()
            }
            Who::User { .. } => "this concerns the whole host: ask whoever runs it".to_owned(),
            Who::Token { .. } | Who::Operator => format!(
                "this token lacks the scope `{scope}`; it has {}: `harness token create NAME --scope {scope}` makes one that has it",
                listed(&self.scopes)
            ),
        })
    }
}
