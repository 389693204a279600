//! Owns: the host's own jobs: retention, detecting a clock that was set back, backups.
//! Does not own: what is removed, and how (the inbox).

pub mod backup;
mod retention;

use std::sync::Arc;

use harness_inbox::InboxError;

pub(crate) use self::retention::run;
pub use self::retention::{Period, Periods, Retention};
use crate::{
    base::{Base, backlog::Backlog},
    channels::Channels,
    store::MediaStore,
};

/// The handles of this room.
pub(crate) struct Maintenance {
    pub(crate) base: Base,
    /// For the circuit breakers' waits.
    pub(crate) channels: Channels,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) store: MediaStore,
    pub(crate) retention: Retention,
}

impl Maintenance {
    /// What is kept for how long now.
    pub(crate) async fn periods(&self) -> Result<Periods, InboxError> {
        let set = self.base.inbox.kept_days().await?;
        Ok(Periods::new(self.retention, self.backlog.budget.parked, &set))
    }
}
