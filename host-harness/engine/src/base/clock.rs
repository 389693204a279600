//! Owns: the host's clock: the current time and the time elapsed. A demonstration or a test can move it.
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

/// The longest sleep of a worker. Nothing signals that the machine's clock was set, or stood still while the machine
/// slept. It also turns a forgotten wake-up into a delay of a minute instead of a lost reply.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Milliseconds since 1970: the machine's clock plus an offset. Cloning shares it.
///
/// A machine's clock may be set, forwards and backwards. Durations are measured with [`Clock::steady`], which is
/// monotonic.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Offset of the current time from the machine's clock, in milliseconds.
    ahead: AtomicI64,
    /// Elapsed time beyond what the machine measured, in milliseconds.
    passed: AtomicU64,
    /// The largest difference seen between the current time and the elapsed time. Detects a clock that was set back.
    furthest: AtomicI64,
    /// `None` for a stopped clock.
    since: Option<Instant>,
    /// The machine's clock at that moment, in milliseconds since 1970.
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

/// The machine's clock, in milliseconds since 1970.
fn machine() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Clock {
    /// A stopped clock: only [`Clock::advance`] and [`Clock::set_by`] move it. For tests, which must not depend on the
    /// speed of the machine.
    pub fn stopped() -> Self {
        Self { shared: Arc::new(Shared { since: None, ..Shared::default() }) }
    }

    /// The current time, in milliseconds since 1970.
    pub fn now(&self) -> u64 {
        let machine = if self.shared.since.is_some() { machine() } else { self.shared.began };
        let ahead = self.shared.ahead.load(Ordering::Relaxed);
        let now = machine.saturating_add_signed(ahead);
        self.shared.furthest.fetch_max(self.offset(now), Ordering::Relaxed);
        now
    }

    /// The difference between a time and the elapsed time, in milliseconds.
    fn offset(&self, now: u64) -> i64 {
        let steady = i64::try_from(self.steady().as_millis()).unwrap_or(i64::MAX);
        i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(steady)
    }

    /// By how many milliseconds the clock was set back since the last call, measured from the latest time that
    /// [`Clock::now`] returned. Differences up to `slack` add up and are reported once they exceed it.
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

    /// The time elapsed since this clock was made, unaffected by setting it.
    pub fn steady(&self) -> Duration {
        let measured = self.shared.since.map_or(Duration::ZERO, |since| since.elapsed());
        measured + Duration::from_millis(self.shared.passed.load(Ordering::Relaxed))
    }

    /// Moves the current time and the elapsed time forward.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.shared.passed.fetch_add(by, Ordering::Relaxed);
        self.set_by(i64::try_from(by).unwrap_or(i64::MAX));
    }

    /// Sets the clock forwards or backwards by this many milliseconds, as happens to a machine's. No time elapses.
    pub fn set_by(&self, by: i64) {
        self.shared.ahead.fetch_add(by, Ordering::Relaxed);
        self.shared.moved.notify_waiters();
    }

    /// The current time plus this duration, in milliseconds since 1970.
    pub(crate) fn after(&self, time: Duration) -> u64 {
        self.now().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    /// Sleeps until this time, at most a minute, and wakes early when the clock is moved. Callers check again what is
    /// due.
    pub(crate) async fn sleep_until(&self, next: Option<u64>) {
        let mut moved = std::pin::pin!(self.shared.moved.notified());
        // No later move is missed; an earlier one is already part of the current time.
        moved.as_mut().enable();
        let left = next.map(|next| Duration::from_millis(next.saturating_sub(self.now())));
        let time = match left {
            Some(Duration::ZERO) => return,
            // A stopped clock advances only when it is moved.
            _ if self.shared.since.is_none() => LONGEST_SLEEP,
            left => left.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP),
        };
        tokio::select! {
            () = moved => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Sleeps for the time from now to `at`. Setting the clock meanwhile changes nothing.
    pub async fn until(&self, at: u64) {
        self.wait(Duration::from_millis(at.saturating_sub(self.now()))).await;
    }

    /// Waits until this much time has elapsed, measured or through [`Clock::advance`].
    pub async fn wait(&self, time: Duration) {
        let end = self.steady().saturating_add(time);
        loop {
            let mut moved = std::pin::pin!(self.shared.moved.notified());
            // No later move is missed.
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

/// Rate limits count elapsed time.
impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.steady()
    }
}
/// Timeouts of exchanges count elapsed time; tokens and signatures are dated by the clock.
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

    /// Whether a future is still pending when polled once more.
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
        // Setting it backwards wakes the sleeper too: other work may be due then.
        clock.set_by(-1);
        assert!(!waits(&mut sleeper).await && !waits(&mut endless).await);
        clock.set_by(3_600_001);
        assert!(!waits(&mut std::pin::pin!(clock.sleep_until(next))).await, "its time has come");
        assert!(waits(&mut std::pin::pin!(clock.sleep_until(next.map(|next| next + 1)))).await);
    }
}
