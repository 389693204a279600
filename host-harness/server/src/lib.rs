//! Owns: the host over HTTP: connections, authentication, webhooks, the API, pages.
//! Does not own: the work behind it (the engine).

mod api;
mod auth;
mod files;
mod listener;
mod middleware;
mod pages;
mod phone;
mod problem;
mod request_id;
mod router;
mod streams;
mod webhooks;

pub use auth::{
    AdminToken, AdminTokenError, Authenticator, PageAccess, ProviderOptions, Scope, SignInOptions, StoredToken,
    TOKEN_PREFIX, TokenError, TokenFile, new_token,
};
pub use listener::Limits;
pub use phone::{
    FaultKind, Phone, PhoneAction, PhoneButton, PhoneCard, PhoneFault, PhoneFile, PhoneMessage, PhoneQuote, PhoneThing,
    PhoneView,
};
pub use router::{bind, router, router_with, router_with_pages, serve, serve_with};
