//! The host: channels on one side, the network on the other, the inbox in between.
//!
//! The way of a webhook: [`ingress`] verifies and records it, `translate` hands it to its channel and
//! applies the events. The way of a reply: `outbox` gives it its turn, `sending` asks the channel for requests, [`egress`] checks,
//! fills and sends them, the channel reads the answers. [`Host`] holds these together and is what a
//! product embeds; [`server`] is the same behind HTTP.

mod access;
mod account;
mod admin_token;
mod api;
pub mod backup;
mod bind;
mod body;
mod breaker;
mod browser;
mod budget;
mod callbacks;
pub mod client;
mod clock;
pub mod config;
mod connect;
mod connection;
mod content;
mod credentials;
mod doubts;
mod error;
mod exposed;
mod files;
mod generation;
mod head;
mod health;
mod host;
mod incoming;
pub mod ingress;
mod keeper;
mod links;
mod listen;
mod media;
mod metrics;
mod outbox;
mod pace;
mod pages;
mod places;
mod probe;
mod refusals;
mod request_id;
mod sending;
pub mod server;
mod setup;
mod show;
mod store;
mod stored;
mod tasks;
mod tokens;
mod translate;
mod unsent;
mod upkeep;
mod watch;
mod webhooks;
mod whole;

pub use access::{Access, Scope};
pub use admin_token::{AdminToken, AdminTokenError, new_token};
pub use breaker::{BreakerState, BreakerView, Part, Paused};
pub use budget::{Budget, Full};
pub use clock::Clock;
pub use connect::{ConnectError, ConnectStage, ConnectView};
pub use error::HostError;
pub use files::{TakeError, Taking};
pub use harness_egress::{
    Endpoints, Sizes,
    credentials::{Secret, SecretKey, Secrets, VaultError, VaultKey},
};
pub use health::AccountHealth;
pub use host::Host;
pub use setup::{ChannelSetup, Grant, HostOptions, Registered};
pub use store::{MediaStore, StoreError};
pub use stored::FileContent;
pub use tasks::{AtTask, Moment, Panics, Worker};
pub use tokens::{StoredToken, TOKEN_PREFIX, TokenError, TokenFile};
pub use upkeep::Retention;
pub use watch::RecordedCall;
