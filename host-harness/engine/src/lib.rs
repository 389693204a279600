//! Owns: the host as a library: channels on one side, the network on the other, the inbox in between.
//! Does not own: serving HTTP, pages, configuration files.
//!
//! Each capability is a module, called a room: `ingest`, `outbound`, `accounts`, `media`, `maintenance`,
//! `organisation`, `webhooks`, `observe`. A room uses `channels`, `network` and `base`, and no other room, except that `outbound`
//! asks `media` for uploads. [`Host`] wires them together and is what a product embeds.

mod accounts;
mod base;
mod channels;
mod error;
mod host;
mod ingest;
mod maintenance;
mod media;
mod network;
mod observe;
mod options;
mod organisation;
mod outbound;
mod store;
mod webhooks;

pub use accounts::{AccountHealth, ConnectStage, ConnectView, Entered, Problems, Typed};
pub use base::{
    backlog::Budget,
    clock::Clock,
    exchanges::Exchange,
    metrics::CONTENT_TYPE as METRICS_CONTENT_TYPE,
    tasks::{AtTask, Moment, Panics, Worker},
};
pub use channels::{
    AnotherChannel, NoChannel, UnknownSlot, WrongSettings,
    circuit_breaker::{BreakerState, BreakerView, Part},
    earlier::EarlierVersions,
    loaded::{ChannelOptions, ComponentVersion, Grant, Loadable, LoadedChannel, Provenance, SigningIdentity},
    newer::{Looked, NewerVersion},
};
pub use error::{Busy, ConnectError, Disconnected, Full, Interrupted, Overtaken, Paused, PlatformHold, Refusal};
pub use harness_egress::{
    DirectAnswer, DirectCall, DirectClient, DirectError, DirectLimits, DirectStream, Endpoints, Held, MIB, Sizes,
    credentials::{Secret, SecretKey, Secrets, VaultError, VaultKey, random},
    is_media_host,
};
pub use host::{Host, HostError};
pub use ingest::{
    Addressed, DeliveryContent, InspectError, MAX_CALLBACK, MAX_TRIED, Replay, ShownBody, Taken, Translation,
};
pub use maintenance::{Period, Periods, Retention, backup};
pub use media::{
    MediaError,
    sniff::shown_in_place,
    uploads::{TakeError, Taking},
};
pub use network::TooManyCredentials;
pub use observe::{
    history::{ChannelMinute, p95_us},
    recorder::RecordedCall,
};
pub use options::HostOptions;
pub use organisation::{
    COLORS, Filled, MAX_CANNED_TEXT, MAX_NAME, MAX_NOTE, MAX_SHORTCUT, MAX_TITLE, UnknownVariable, VARIABLES, Values,
    WrongField,
};
pub use outbound::{Preview, PreviewStep};
pub use store::{MediaStore, StoreError, stored::FileContent};
pub use webhooks::{Event, MISSED, WebhookError};
