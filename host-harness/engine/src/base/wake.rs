//! Owns: the wake-up signals of the workers.
//! Does not own: the work; each worker looks for its own.

use tokio::sync::Notify;

/// One signal for each kind of work.
#[derive(Default)]
pub(crate) struct Wake {
    /// Deliveries wait for translation.
    pub(crate) delivered: Notify,
    /// Replies wait to be sent.
    pub(crate) queued: Notify,
    /// Files wait to be downloaded or removed.
    pub(crate) media_due: Notify,
    /// Work for accounts is due.
    pub(crate) accounts_due: Notify,
    /// Parts of replies have to be looked up in the account's history.
    pub(crate) doubts_due: Notify,
    /// A conversation was snoozed.
    pub(crate) snoozed: Notify,
}

impl Wake {
    /// A channel or an account is usable again: wakes the workers that wait for it.
    pub(crate) fn usable(&self) {
        self.delivered.notify_one();
        self.queued.notify_one();
        self.accounts_due.notify_waiters();
        self.doubts_due.notify_one();
    }

    /// Due times have changed: every worker looks again.
    pub(crate) fn rescheduled(&self) {
        self.usable();
        self.media_due.notify_one();
    }
}
