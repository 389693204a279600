//! Owns: access to the API: scopes, tokens and their storage.
//! Does not own: which endpoint needs which scope (`api`).

mod admin_token;
mod authenticator;
mod page_access;
mod scope;
mod tokens;

pub use admin_token::{AdminToken, AdminTokenError, new_token};
pub use authenticator::Authenticator;
pub(crate) use authenticator::{Denied, Principal};
pub use page_access::PageAccess;
pub use scope::Scope;
pub use tokens::{StoredToken, TOKEN_PREFIX, TokenError, TokenFile};
