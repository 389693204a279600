//! Owns: the host as a library: channels on one side, the network on the other, the inbox in between.
//! Does not own: HTTP in, pages, configuration files.
//!
//! A room for each capability: [`channels`](crate::Registered), `ingest`, `outbound`, `accounts`, `media`, `maintenance`,
//! `observe`. [`Host`] holds them together and is what a product embeds.

mod accounts;
mod channels;
mod clock;
mod error;
mod host;
mod ingest;
mod maintenance;
mod media;
mod observe;
mod options;
mod outbound;
mod places;
mod rate_limit;
mod tasks;
mod whole;

pub use accounts::{
    connect::{ConnectError, ConnectStage, ConnectView},
    health::AccountHealth,
};
pub use channels::circuit_breaker::{BreakerState, BreakerView, Part, Paused};
pub use clock::Clock;
pub use error::HostError;
pub use harness_egress::{
    Endpoints, Held, MIB, Sizes,
    credentials::{Secret, SecretKey, Secrets, VaultError, VaultKey, random},
    is_media_host,
};
pub use host::Host;
pub use ingest::{
    backlog::{Budget, Full},
    callbacks::MAX_CALLBACK,
    verify::{Addressed, MAX_TRIED, Refusal},
};
pub use maintenance::{backup, retention::Retention};
pub use media::{
    files::{TakeError, Taking},
    sniff::shown_in_place,
    store::{MediaStore, StoreError},
    stored::FileContent,
};
pub use observe::{metrics::CONTENT_TYPE as METRICS_CONTENT_TYPE, recorder::RecordedCall};
pub use options::{ChannelSetup, Grant, HostOptions, Registered};
pub use tasks::{AtTask, Moment, Panics, Worker};
