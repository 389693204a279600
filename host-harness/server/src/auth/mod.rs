//! Owns: who may use the API for what: scopes, tokens and where they rest.
//! Does not own: which endpoint asks for which scope (`api`).

mod access;
mod admin_token;
mod scope;
mod tokens;

pub use access::Access;
pub(crate) use access::{Denied, Granted};
pub use admin_token::{AdminToken, AdminTokenError, new_token};
pub use scope::Scope;
pub use tokens::{StoredToken, TOKEN_PREFIX, TokenError, TokenFile};
