//! The host's clock. Everything that depends on the present asks here, so that a demonstration or a
//! test can move the present without touching the machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

/// Milliseconds since 1970, ahead of the machine's clock by what was added. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ahead: AtomicU64,
    moved: Notify,
}

impl Clock {
    /// The present.
    pub fn now(&self) -> u64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = self.shared.ahead.load(Ordering::Relaxed);
        u64::try_from(machine.as_millis()).unwrap_or(u64::MAX).saturating_add(ahead)
    }

    /// Moves the present forward.
    pub fn advance(&self, by: Duration) {
        self.shared.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.shared.moved.notify_waiters();
    }

    /// Waits until the present is this time.
    pub async fn until(&self, at: u64) {
        loop {
            let mut moved = std::pin::pin!(self.shared.moved.notified());
            // From here on a move is not missed.
            moved.as_mut().enable();
            let left = at.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
            }
        }
    }
}

/// For rate limits.
impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(Self::now(self))
    }
}
