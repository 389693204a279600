//! Owns: accounts: calls of the channel's `account` interface, connecting and disconnecting, the jobs that keep an
//! account healthy, and health checks.
//! Does not own: sealing and finding credentials (egress), pages.

mod activate;
mod alone;
mod asked;
mod call;
mod compare;
mod connect;
mod disconnect;
mod doubts;
mod effects;
mod entered;
mod error;
mod health;
mod jobs;
mod links;
mod locate;
mod stage;
mod turn;
mod waits;

use std::{path::PathBuf, sync::Arc};

pub(crate) use self::{alone::UnderWay, error::AccountsError, links::Links, locate::Locator};
pub use self::{
    connect::Entered,
    entered::{Problems, Typed},
    health::AccountHealth,
    stage::{ConnectStage, ConnectView},
};
pub(crate) use self::{doubts::run as run_doubts, jobs::run as run_jobs, waits::run as run_waits};
use crate::{
    base::{Base, backlog::Backlog, public_url::PublicUrl, rate_limit::RateLimits},
    channels::Channels,
    network::{Network, credentials::AccountCredentials},
};

/// The handles of this room.
pub(crate) struct Accounts {
    pub(crate) base: Base,
    pub(crate) channels: Channels,
    pub(crate) network: Network,
    pub(crate) credentials: AccountCredentials,
    pub(crate) rate_limits: Arc<RateLimits>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) public_url: PublicUrl,
    /// The paths where conversations are stored.
    pub(crate) places: Arc<[PathBuf]>,
    pub(crate) links: Links,
    pub(crate) under_way: UnderWay,
}
