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
mod bounds;
mod breaker;
mod browser;
mod budget;
mod callbacks;
mod capture;
pub mod client;
mod clock;
mod conceal;
pub mod config;
mod connect;
mod connection;
mod content;
mod credentials;
mod doubts;
mod download;
pub mod egress;
mod error;
mod exposed;
mod fill;
mod generation;
mod head;
mod health;
mod host;
pub mod ingress;
mod keeper;
mod links;
mod listen;
mod media;
mod metrics;
mod outbox;
mod overrides;
mod pace;
mod pages;
mod places;
mod probe;
mod refusals;
mod request_id;
mod resolve;
pub mod secrets;
mod sending;
pub mod server;
mod setup;
mod show;
mod store;
mod tasks;
mod tokens;
mod translate;
mod unsent;
mod upkeep;
mod vault;
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
pub use health::AccountHealth;
pub use host::Host;
pub use secrets::{Secret, SecretKey, Secrets};
pub use setup::{ChannelSetup, Grant, HostOptions, Registered};
pub use store::{MediaStore, StoreError};
pub use tasks::{AtTask, Moment, Panics, Worker};
pub use tokens::{StoredToken, TOKEN_PREFIX, TokenError, TokenFile};
pub use upkeep::Retention;
pub use vault::{VaultError, VaultKey};
pub use watch::RecordedCall;
