//! Owns: the host's clock: what time it is and how much has passed. A demonstration or a test can move it.
//! Does not own: what is due.

use harness_egress::Timer;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

/// The longest sleep of a worker. A machine's clock that is set, or stands still while the machine sleeps, tells nobody;
/// and a wake-up that was forgotten somewhere costs a minute, no reply.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

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
    /// How far the present was ever ahead of the time that has passed.
    furthest: AtomicI64,
    /// None where no time passes by itself.
    since: Option<Instant>,
    /// Where the machine's clock stood then, in milliseconds since 1970.
    began: u64,
    moved: Notify,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            ahead: AtomicI64::default(),
            passed: AtomicU64::default(),
            furthest: AtomicI64::new(i64::MIN),
            since: Some(Instant::now()),
            began: machine(),
            moved: Notify::default(),
        }
    }
}

/// The machine's clock.
fn machine() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Clock {
    /// A clock that stands at the present: only [`Clock::advance`] and [`Clock::set_by`] move it. For tests, which
    /// must not depend on how fast a machine is.
    pub fn stopped() -> Self {
        Self { shared: Arc::new(Shared { since: None, ..Shared::default() }) }
    }

    /// The present.
    pub fn now(&self) -> u64 {
        let machine = if self.shared.since.is_some() { machine() } else { self.shared.began };
        let ahead = self.shared.ahead.load(Ordering::Relaxed);
        let now = machine.saturating_add_signed(ahead);
        self.shared.furthest.fetch_max(self.offset(now), Ordering::Relaxed);
        now
    }

    /// How far a time is ahead of the time that has passed.
    fn offset(&self, now: u64) -> i64 {
        let steady = i64::try_from(self.steady().as_millis()).unwrap_or(i64::MAX);
        i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(steady)
    }

    /// By how many milliseconds the clock was set back since this was asked last, from the furthest present that
    /// anybody was told meanwhile. Less than `slack` is not told until it has become more.
    pub(crate) fn take_set_back(&self, slack: u64) -> u64 {
        let found = self.offset(self.now());
        let furthest = self.shared.furthest.swap(found, Ordering::Relaxed);
        let back = u64::try_from(furthest.saturating_sub(found)).unwrap_or(0);
        if back > slack {
            return back;
        }
        self.shared.furthest.fetch_max(furthest, Ordering::Relaxed);
        0
    }

    /// How much time has passed since this clock was made, whatever it was set to meanwhile.
    pub fn steady(&self) -> Duration {
        let measured = self.shared.since.map_or(Duration::ZERO, |since| since.elapsed());
        measured + Duration::from_millis(self.shared.passed.load(Ordering::Relaxed))
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

    /// The time after this long from now.
    pub(crate) fn after(&self, time: Duration) -> u64 {
        self.now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    /// Sleeps until something may be due: at this time or later, never beyond a minute, and no longer than until the
    /// clock is moved. Whoever wakes looks for itself.
    pub(crate) async fn sleep_until(&self, next: Option<u64>) {
        let mut moved = std::pin::pin!(self.shared.moved.notified());
        // From here on a move is not missed; one before it is in the present.
        moved.as_mut().enable();
        let left = next.map(|next| Duration::from_millis(next.saturating_sub(self.now())));
        let time = match left {
            Some(Duration::ZERO) => return,
            // No time passes by itself.
            _ if self.shared.since.is_none() => LONGEST_SLEEP,
            left => left.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP),
        };
        tokio::select! {
            () = moved => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Waits for as long as it takes from the present to this time. A clock that is set meanwhile changes nothing.
    pub async fn until(&self, at: u64) {
        self.wait(Duration::from_millis(at.saturating_sub(self.now()))).await;
    }

    /// Waits until this much time has passed: by itself, or because the clock was moved on.
    pub async fn wait(&self, time: Duration) {
        let end = self.steady().saturating_add(time);
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
/// What measures how long an exchange takes, and dates it.
impl Timer for Clock {
    fn now(&self) -> u64 {
        Self::now(self)
    }

    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Self::wait(self, duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a future is not ready, now that it was asked once more.
    async fn waits(future: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn whoever_sleeps_wakes_when_the_clock_is_moved_and_does_not_begin_when_it_was_moved_before() {
        let clock = Clock::stopped();
        let next = Some(clock.now() + 3_600_000);
        let mut sleeper = std::pin::pin!(clock.sleep_until(next));
        let mut endless = std::pin::pin!(clock.sleep_until(None));
        assert!(waits(&mut sleeper).await && waits(&mut endless).await);
        // Backwards too: what is due may be another time then.
        clock.set_by(-1);
        assert!(!waits(&mut sleeper).await && !waits(&mut endless).await);
        clock.set_by(3_600_001);
        assert!(!waits(&mut std::pin::pin!(clock.sleep_until(next))).await, "its time has come");
        assert!(waits(&mut std::pin::pin!(clock.sleep_until(next.map(|next| next + 1)))).await);
    }
}
