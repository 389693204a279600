//! Owns: the handles that every room shares: inbox, clock, counters, the newest requests, wake-ups, guarded tasks, backlog bounds.
//! Does not own: calls into channels.

pub(crate) mod backlog;
pub(crate) mod clock;
pub(crate) mod exchanges;
pub(crate) mod exposed;
pub(crate) mod metrics;
pub(crate) mod places;
pub(crate) mod public_url;
pub(crate) mod rate_limit;
pub(crate) mod signals;
pub(crate) mod tasks;
pub(crate) mod wake;
pub(crate) mod whole;

use std::sync::Arc;

use harness_inbox::Inbox;

use self::{clock::Clock, exchanges::Exchanges, metrics::Metrics, tasks::Tasks, wake::Wake, whole::Begun};

/// The handles that every room holds. Cloning is cheap and shares them.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) inbox: Inbox,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) exchanges: Arc<Exchanges>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) begun: Begun,
}
