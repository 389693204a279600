//! The host: channels on one side, the network on the other, the inbox in between.
//!
//! The way of a webhook: [`ingress`] verifies and records it, `translate` hands it to its channel and
//! applies the events. The way of a reply: `outbox` gives it its turn, `sending` asks the channel for requests, [`egress`] checks,
//! fills and sends them, the channel reads the answers. [`Host`] holds these together and is what a
//! product embeds; [`server`] is the same behind HTTP.

mod account;
mod api;
mod clock;
pub mod config;
mod content;
mod download;
pub mod egress;
mod fill;
mod host;
pub mod ingress;
mod media;
mod outbox;
mod resolve;
pub mod secrets;
mod sending;
pub mod server;
mod store;
mod translate;

pub use clock::Clock;
pub use host::{ChannelSetup, Grant, Host, HostError, HostOptions, Registered};
pub use secrets::{Secret, SecretKey, Secrets};
pub use store::{MediaStore, StoreError};
