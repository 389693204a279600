//! Owns: telling workers that there is something to do.
//! Does not own: what that is; each looks for itself.

use tokio::sync::Notify;

/// One bell for each kind of work.
#[derive(Default)]
pub(crate) struct Wake {
    /// Deliveries wait to be translated.
    pub(crate) delivered: Notify,
    /// Replies wait to be sent.
    pub(crate) queued: Notify,
    /// Files wait to be fetched or removed.
    pub(crate) media_due: Notify,
    /// Accounts have something due.
    pub(crate) accounts_due: Notify,
    /// Parts of replies are to be looked for in an archive.
    pub(crate) doubts_due: Notify,
}

impl Wake {
    /// A channel or an account can be used again: what waited for it goes on.
    pub(crate) fn usable(&self) {
        self.delivered.notify_one();
        self.queued.notify_one();
        self.accounts_due.notify_waiters();
        self.doubts_due.notify_one();
    }

    /// What waits for a time has another one.
    pub(crate) fn rescheduled(&self) {
        self.usable();
        self.media_due.notify_one();
    }
}
