//! Owns: the host's health in the API's JSON.
//! Does not own: finding it out.

use std::{collections::HashMap, sync::Arc};

use harness_engine::{BreakerState, BreakerView, Host, LoadedChannel, Part};
use harness_inbox::{DeliveryCounts, ParkedCounts};
use serde::Serialize;
use utoipa::ToSchema;

use super::HealthTag;
use crate::api::{ids::DeliveryRef, time::Time};

/// How the host does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    pub(crate) object: HealthTag,
    /// Deliveries in the journal by state.
    pub(crate) deliveries: Deliveries,
    /// The newest deliveries that could not be translated.
    pub(crate) problems: Vec<DeliveryProblem>,
    pub(crate) channels: Vec<ChannelHealth>,
}

/// Numbers of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// Waiting to be translated.
    received: u64,
    /// Translated and applied.
    applied: u64,
    /// Waiting for an account that is not connected.
    unrouted: u64,
    /// Applied, then emptied because some of their content was unsent.
    purged: u64,
    /// This version of the channel cannot translate them.
    failed: u64,
}

impl From<DeliveryCounts> for Deliveries {
    fn from(counts: DeliveryCounts) -> Self {
        let DeliveryCounts { received, applied, unrouted, purged, failed } = counts;
        Self { received, applied, unrouted, purged, failed }
    }
}

/// A delivery that could not be translated.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryProblem {
    pub(crate) delivery_id: DeliveryRef,
    /// Why, as a sentence.
    pub(crate) problem: String,
}

/// How a channel does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelHealth {
    /// The channel's id.
    channel: String,
    /// Deliveries that wait for accounts which are not connected here.
    parked: u64,
    /// Deliveries that waited for their account in vain, and were emptied.
    expired: u64,
    /// Its parts that failed, worst first. One whose circuit is open is not called.
    parts: Vec<PartHealth>,
}

/// How a part of a channel does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartHealth {
    #[schema(value_type = String)]
    part: Part,
    #[schema(value_type = String)]
    state: BreakerState,
    /// When the circuit opened.
    opened_at: Option<Time>,
    /// The last failure, in words.
    reason: Option<String>,
    /// When the next trial is due.
    next_trial_at: Option<Time>,
}

impl From<BreakerView> for PartHealth {
    fn from(view: BreakerView) -> Self {
        let BreakerView { part, state, since, reason, next_trial } = view;
        Self { part, state, opened_at: since.map(Time::from), reason, next_trial_at: next_trial.map(Time::from) }
    }
}

/// Every loaded channel.
pub(crate) fn channels(host: &Host, counts: &HashMap<String, ParkedCounts>) -> Vec<ChannelHealth> {
    let health = |loaded: &Arc<LoadedChannel>| {
        let channel = loaded.channel.id().to_owned();
        let parts = host.breakers(&channel).into_iter().map(PartHealth::from).collect();
        let ParkedCounts { parked, expired } = counts.get(&channel).copied().unwrap_or_default();
        ChannelHealth { channel, parked, expired, parts }
    };
    host.channels().iter().map(health).collect()
}

/// What resetting a channel did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelReset {
    /// Deliveries on which the channel had failed, which are tried again.
    pub(crate) deliveries: usize,
}

/// What retrying deliveries did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Requeued {
    /// Deliveries that are translated again.
    pub(crate) requeued: usize,
}
