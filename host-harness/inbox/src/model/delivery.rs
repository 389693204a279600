//! Owns: deliveries on their way from the platform into the inbox, and what became of their events.
//! Does not own: the journal's files, and what events do.

use std::collections::BTreeMap;

use harness_contract::{Delivery, Event};

use super::{ids::DeliveryId, proof::Proof};

/// A verified delivery on its way into the journal.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The channel's id.
    pub channel: String,
    /// Body, headers, time, and the account where it is known.
    pub delivery: Delivery,
    /// Whose secret proved it.
    pub proof: Proof,
}

/// A delivery that waits to be translated.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Its row; rises in the order of arrival.
    pub id: DeliveryId,
    /// The channel's id.
    pub channel: String,
    /// How often its translation was tried.
    pub attempts: u32,
    /// As it was recorded.
    pub delivery: Delivery,
    pub(crate) proof: Proof,
}

/// Where events come from: the row, the channel and the proof of the delivery that they are read in. There is no
/// other way to hand events to [`crate::store::Deliveries::apply`], so that none is applied under another delivery's proof.
#[derive(Clone, Debug)]
pub struct DeliveryOrigin {
    id: DeliveryId,
    channel: String,
    received_at: u64,
    proof: Proof,
}

impl PendingDelivery {
    /// What is to be read, and where the events that are read in it come from.
    pub fn into_parts(self) -> (Delivery, DeliveryOrigin) {
        let Self { id, channel, delivery, proof, .. } = self;
        let origin = DeliveryOrigin { id, channel, received_at: delivery.received_at, proof };
        (delivery, origin)
    }
}

impl DeliveryOrigin {
    /// What the component of this digest read in the delivery.
    pub fn translated(self, events: Vec<Event>, translator: String) -> TranslatedDelivery {
        let Self { id, channel, received_at, proof } = self;
        TranslatedDelivery { id, channel, received_at, proof, events, translator }
    }
}

/// A translated delivery, made by [`DeliveryOrigin::translated`].
#[derive(Clone, Debug)]
pub struct TranslatedDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) channel: String,
    pub(crate) received_at: u64,
    pub(crate) proof: Proof,
    pub(crate) events: Vec<Event>,
    /// The digest of the component that read it.
    pub(crate) translator: String,
}

/// Events by what became of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EventCounts {
    /// They changed the inbox.
    pub new: usize,
    /// They had been applied before.
    pub repeated: usize,
    /// Their account is not connected here. The delivery waits for it.
    pub unrouted: usize,
    /// They speak for an account that the delivery's proof does not speak for. They change nothing.
    pub foreign: usize,
}

impl EventCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.new += other.new;
        self.repeated += other.repeated;
        self.unrouted += other.unrouted;
        self.foreign += other.foreign;
    }
}

/// What became of the events of some deliveries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Applied {
    /// Of all.
    pub events: EventCounts,
    /// By channel.
    pub of_channel: BTreeMap<String, EventCounts>,
    /// Accounts that the platform or a person took from this host: their credentials are to be forgotten.
    pub lost: Vec<(String, String)>,
    /// Deliveries that hold something for an account that their proof does not speak for, with a sentence.
    pub foreign: Vec<(DeliveryId, String)>,
    /// Parked deliveries that were emptied because too many wait.
    pub expired: usize,
}

/// What became of those deliveries of a batch that were not translated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BatchOutcome {
    /// They are tried again.
    pub retry: Vec<DeliveryId>,
    /// Their channel is not loaded: they wait for it, with the reason.
    pub unloaded: Vec<(DeliveryId, String)>,
    /// They cannot be translated.
    pub failed: Vec<DeliveryFailure>,
}

impl BatchOutcome {
    /// Whether every delivery was translated.
    pub fn is_empty(&self) -> bool {
        self.retry.is_empty() && self.unloaded.is_empty() && self.failed.is_empty()
    }
}

/// A delivery that cannot be translated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeliveryFailure {
    /// Its row.
    pub id: DeliveryId,
    /// Why, in a sentence.
    pub problem: String,
    /// The digest of the component that failed.
    pub translator: String,
}

/// How many deliveries may wait for accounts that are not connected. Beyond it the oldest are emptied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParkingBounds {
    /// For one account.
    pub per_account: u64,
    /// For all accounts of one channel.
    pub per_channel: u64,
}

/// What became of a callback.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TakenCallback {
    /// It is in the journal.
    New,
    /// It came before and is answered as it was then: with this code, where it has one.
    Before(Option<String>),
    /// It came before, at a callback of another name.
    Elsewhere,
}
