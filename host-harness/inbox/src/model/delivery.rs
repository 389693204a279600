//! Owns: deliveries between their receipt and the inbox, and the outcome of their events.
//! Does not own: the journal's files, applying events.

use std::collections::BTreeMap;

use harness_contract::{Delivery, Event};

use super::{ids::DeliveryId, proof::Proof};

/// A verified delivery, about to be written to the journal.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The channel's id.
    pub channel: String,
    /// Body, headers, time, and the account if it is known.
    pub delivery: Delivery,
    /// How it was verified, which limits the accounts that it may act for.
    pub proof: Proof,
}

/// A delivery waiting to be translated.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Its row id, ascending in the order of arrival.
    pub id: DeliveryId,
    /// The channel's id.
    pub channel: String,
    /// The number of translation attempts so far.
    pub attempts: u32,
    /// The delivery as recorded.
    pub delivery: Delivery,
    pub(crate) proof: Proof,
}

/// Where events come from: the row, channel and proof of their delivery. There is no other way to hand events to
/// [`crate::store::Deliveries::apply`], so none can be applied under another delivery's proof.
#[derive(Clone, Debug)]
pub struct DeliveryOrigin {
    id: DeliveryId,
    channel: String,
    received_at: u64,
    proof: Proof,
}

impl PendingDelivery {
    /// Splits into the delivery to translate and the origin for its events.
    pub fn into_parts(self) -> (Delivery, DeliveryOrigin) {
        let Self { id, channel, delivery, proof, .. } = self;
        let origin = DeliveryOrigin { id, channel, received_at: delivery.received_at, proof };
        (delivery, origin)
    }
}

impl DeliveryOrigin {
    /// The channel's id.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The events that the component with the digest `translator` read from the delivery.
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
    /// The digest of the component that translated it.
    pub(crate) translator: String,
}

impl TranslatedDelivery {
    /// The number of its events.
    pub fn event_count(&self) -> usize {
        self.events.len()
    }
}

/// Events by outcome.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EventCounts {
    /// They changed the inbox.
    pub new: usize,
    /// They had already been applied.
    pub repeated: usize,
    /// Their account is not connected here, so the delivery waits for it.
    pub unrouted: usize,
    /// The delivery's proof does not cover their account. They change nothing.
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

/// The outcome of the events of one or more deliveries.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Across all channels.
    pub events: EventCounts,
    /// By channel.
    pub of_channel: BTreeMap<String, EventCounts>,
    /// Accounts, as channel and platform id, whose access the platform or a person revoked. Their credentials must be
    /// forgotten.
    pub lost: Vec<(String, String)>,
    /// Deliveries with events for an account that their proof does not cover, each with a sentence.
    pub foreign: Vec<(DeliveryId, String)>,
    /// The number of parked deliveries emptied because too many were waiting.
    pub expired: usize,
    /// The last deliveries of the batch, which were not applied: somebody waits for another write.
    pub left: Vec<TranslatedDelivery>,
}

/// The outcome of the deliveries of a batch that were not translated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BatchOutcome {
    /// They will be tried again.
    pub retry: Vec<DeliveryId>,
    /// They wait for their channel, which is not loaded; each with the reason.
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
    /// Its row id.
    pub id: DeliveryId,
    /// Why, as a sentence.
    pub problem: String,
    /// The digest of the component that failed.
    pub translator: String,
}

/// How many deliveries may wait for accounts that are not connected. Beyond that the oldest are emptied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParkingBounds {
    /// For one account.
    pub per_account: u64,
    /// For all accounts of one channel.
    pub per_channel: u64,
}

/// The outcome of recording a callback.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TakenCallback {
    /// It is now in the journal.
    New,
    /// It had already arrived and gets the same answer, with its confirmation code if it has one.
    Before(Option<String>),
    /// It had already arrived at a callback with another name.
    Elsewhere,
}
