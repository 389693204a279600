//! Owns: accounts: calls of the channel's `account` interface, connecting, credentials, the jobs that keep an account
//! healthy, and saying whether it is.
//! Does not own: sealing and finding credentials (egress), pages.

pub(crate) mod activate;
pub(crate) mod call;
pub(crate) mod connect;
pub(crate) mod credentials;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod links;
pub(crate) mod probe;
