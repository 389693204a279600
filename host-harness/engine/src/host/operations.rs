//! Owns: the operator's interface: counters, readiness, panics.
//! Does not own: serving it over HTTP.

use harness_inbox::{InboxError, Kept};

use super::Host;
use crate::{
    base::{backlog::Budget, tasks::Panics},
    maintenance::Periods,
    observe::history::ChannelMinute,
};

impl Host {
    /// How long what need not be kept is kept: what the options say, and what somebody set in its place.
    pub async fn retention(&self) -> Result<Periods, InboxError> {
        self.rooms.maintenance.periods().await
    }

    /// Sets periods, in days; 0 is for ever, `None` leaves it to the options. What is too old then is removed within the
    /// hour. Periods longer than [`Kept::MOST_DAYS`] count as that.
    pub async fn set_retention(&self, periods: Vec<(Kept, Option<u32>)>) -> Result<(), InboxError> {
        let bounded = |days: u32| days.min(Kept::MOST_DAYS);
        let periods = periods.into_iter().map(|(what, days)| (what, days.map(bounded))).collect();
        self.base().inbox.keep(periods).await
    }

    /// The bounds of the backlog.
    pub fn budget(&self) -> Budget {
        self.rooms.ingest.backlog.budget
    }

    /// Why this host cannot accept deliveries now; empty if it can.
    pub async fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let channels = self.channels();
        if channels.is_empty() {
            reasons.push("no channel is loaded".to_owned());
        }
        // One full channel must not keep the others from being reached.
        let backlog = &self.rooms.ingest.backlog;
        let full: Vec<_> = channels.iter().filter_map(|one| backlog.full(one.channel.id())).collect();
        if full.len() == channels.len() {
            reasons.extend(full.first().map(ToString::to_string));
        }
        reasons.extend(self.rooms.readiness.problem(&self.base().inbox).await);
        reasons
    }

    /// Counts an answered webhook.
    pub fn count_webhook(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.base().metrics.webhook(loaded.then_some(channel), answer);
    }

    /// Counts an answered callback.
    pub fn count_callback(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.base().metrics.callback(loaded.then_some(channel), answer);
    }

    /// The number of MACs computed so far to verify webhooks.
    pub fn webhook_macs(&self) -> u64 {
        self.rooms.ingest.secrets.macs()
    }

    /// All counters, in Prometheus' text form.
    pub async fn metrics(&self) -> Result<String, InboxError> {
        let ingest = &self.rooms.ingest;
        let waiting = self.base().inbox.waiting().await?;
        let (backlog, macs, memory) = (ingest.backlog.count(), ingest.secrets.macs(), ingest.memory.uses());
        Ok(self.base().metrics.text(&waiting, backlog, macs, memory))
    }

    /// How a channel did in the last hour: one entry for each minute, oldest first.
    pub fn last_hour(&self, channel: &str) -> Vec<ChannelMinute> {
        self.rooms.history.of(channel, self.clock().now())
    }

    /// The panics since the start, by worker.
    pub fn panics(&self) -> Vec<Panics> {
        self.base().tasks.panics()
    }
}
