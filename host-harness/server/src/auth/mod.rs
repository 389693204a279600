//! Owns: who may use the host: people who sign in, tokens and their scopes.
//! Does not own: which endpoint needs which scope (`api`), the pages on which people sign in (`pages`).

mod admin_token;
mod attempts;
mod authenticator;
mod cookies;
mod invitations;
mod page_access;
mod password;
mod principal;
mod providers;
mod scope;
mod sign_in;
mod tokens;
mod workspace_tokens;

pub use admin_token::{AdminToken, AdminTokenError, new_token};
pub use authenticator::Authenticator;
pub(crate) use authenticator::Denied;
pub(crate) use cookies::Cookie;
pub(crate) use invitations::{InviteError, invite};
pub use page_access::PageAccess;
pub(crate) use password::PasswordError;
pub(crate) use principal::{Principal, Who};
pub(crate) use providers::{Arrived, ProviderError};
pub use providers::{ProviderOptions, SignInOptions};
pub use scope::Scope;
pub(crate) use sign_in::{Begun, SignInError, name_of, peer_of};
pub use tokens::{StoredToken, TOKEN_PREFIX, TokenError, TokenFile};
pub(crate) use workspace_tokens::{TokenRequest, WorkspaceTokenError};
