//! Owns: the host behind HTTP: connections, who may do what, webhooks, the API, pages.
//! Does not own: what is done, which is the engine's.

mod api;
mod auth;
mod files;
mod listener;
mod middleware;
mod pages;
mod problem;
mod request_id;
mod router;
mod webhooks;

pub use auth::{
    AdminToken, AdminTokenError, Authenticator, Scope, StoredToken, TOKEN_PREFIX, TokenError, TokenFile, new_token,
};
pub use listener::Limits;
pub use router::{bind, router, router_with, serve, serve_with};
