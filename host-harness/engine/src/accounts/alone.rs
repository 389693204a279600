//! Owns: that one thing of a kind at a time is done for an account, whether a job or a person asks for it.
//! Does not own: what is done.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use harness_inbox::AccountId;
use tokio::sync::Notify;

/// What is done for an account.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Kind {
    /// Its credentials are renewed. Some platforms take the same refresh token only once.
    Credentials,
    /// A page of its history is read, or where reading goes on is changed.
    Archive,
}

/// What is under way.
#[derive(Default)]
pub(crate) struct UnderWay {
    taken: Mutex<HashSet<(Kind, AccountId)>>,
    freed: Notify,
}

/// Nobody else does this for the account until it is dropped.
pub(super) struct Alone<'u> {
    under_way: &'u UnderWay,
    what: (Kind, AccountId),
}

impl UnderWay {
    fn taken(&self) -> MutexGuard<'_, HashSet<(Kind, AccountId)>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else does this for the account.
    pub(super) async fn alone(&self, kind: Kind, account: AccountId) -> Alone<'_> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Registered before looking, so that no end is missed.
            freed.as_mut().enable();
            if self.taken().insert((kind, account)) {
                return Alone { under_way: self, what: (kind, account) };
            }
            freed.await;
        }
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.under_way.taken().remove(&self.what);
        self.under_way.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn the_second_one_waits_for_the_first_and_nobody_else_does() {
        let under_way = UnderWay::default();
        let (one, other) = (AccountId::new(1), AccountId::new(2));
        let first = under_way.alone(Kind::Credentials, one).await;
        let second = under_way.alone(Kind::Credentials, one);
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        drop(under_way.alone(Kind::Archive, one).await);
        drop(under_way.alone(Kind::Credentials, other).await);
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        drop(second.await);
    }
}
