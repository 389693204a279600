//! Owns: what an operator asks of a running host: counters, readiness, panics.
//! Does not own: how they are told over HTTP.

use super::Host;
use crate::base::tasks::Panics;

impl Host {
    /// Why this host cannot take deliveries now; empty when it can.
    pub async fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let channels = self.channels();
        if channels.is_empty() {
            reasons.push("no channel is loaded".to_owned());
        }
        // One channel that is full keeps no other from being reached.
        let backlog = &self.rooms.ingest.backlog;
        let full: Vec<_> = channels.iter().filter_map(|one| backlog.full(one.channel.id())).collect();
        if full.len() == channels.len() {
            reasons.extend(full.first().map(ToString::to_string));
        }
        reasons.extend(self.rooms.readiness.problem(&self.base().inbox).await);
        reasons
    }

    /// A webhook was answered.
    pub fn count_webhook(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.base().metrics.webhook(loaded.then_some(channel), answer);
    }

    /// A callback was answered.
    pub fn count_callback(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.base().metrics.callback(loaded.then_some(channel), answer);
    }

    /// How many MACs were made so far to verify webhooks.
    pub fn webhook_macs(&self) -> u64 {
        self.rooms.ingest.secrets.macs()
    }

    /// All counters, in Prometheus' text form.
    pub async fn metrics(&self) -> Result<String, harness_inbox::InboxError> {
        let ingest = &self.rooms.ingest;
        let waiting = self.base().inbox.waiting().await?;
        let (backlog, macs, memory) = (ingest.backlog.count(), ingest.secrets.macs(), ingest.memory.uses());
        Ok(self.base().metrics.text(&waiting, backlog, macs, memory))
    }

    /// What panicked since the start, by worker.
    pub fn panics(&self) -> Vec<Panics> {
        self.base().tasks.panics()
    }
}
