//! The host's clock. Everything that depends on the present asks here, so that a demonstration or a test can
//! move the present without touching the machine. Belongs here: what time it is, and how much of it has passed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

/// Milliseconds since 1970, ahead of the machine's clock by what was added. Cloning shares it.
///
/// A machine's clock may be set, forwards and backwards. What waits for some time to pass goes by
/// [`Clock::steady`], which only ever goes on.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// How far the present is ahead of the machine's clock.
    ahead: AtomicI64,
    /// How much more time has passed than the machine measured.
    passed: AtomicU64,
    since: Instant,
    moved: Notify,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            ahead: AtomicI64::default(),
            passed: AtomicU64::default(),
            since: Instant::now(),
            moved: Notify::default(),
        }
    }
}

impl Clock {
    /// The present.
    pub fn now(&self) -> u64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = self.shared.ahead.load(Ordering::Relaxed);
        u64::try_from(machine.as_millis()).unwrap_or(u64::MAX).saturating_add_signed(ahead)
    }

    /// How much time has passed since this clock was made, whatever it was set to meanwhile.
    pub fn steady(&self) -> Duration {
        self.shared.since.elapsed() + Duration::from_millis(self.shared.passed.load(Ordering::Relaxed))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.shared.passed.fetch_add(by, Ordering::Relaxed);
        self.set_by(i64::try_from(by).unwrap_or(i64::MAX));
    }

    /// Sets the clock forwards or backwards by so many milliseconds, as happens to a machine's: no time passes.
    pub fn set_by(&self, by: i64) {
        self.shared.ahead.fetch_add(by, Ordering::Relaxed);
        self.shared.moved.notify_waiters();
    }

    /// Waits for as long as it takes from the present to this time. A clock that is set meanwhile changes nothing.
    pub async fn until(&self, at: u64) {
        let end = self.steady().saturating_add(Duration::from_millis(at.saturating_sub(self.now())));
        loop {
            let mut moved = std::pin::pin!(self.shared.moved.notified());
            // From here on a move is not missed.
            moved.as_mut().enable();
            let left = end.saturating_sub(self.steady());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = moved => {}
                () = tokio::time::sleep(left) => {}
            }
        }
    }
}

/// For rate limits, which are about time that passes.
impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.steady()
    }
}
