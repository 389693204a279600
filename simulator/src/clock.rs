//! The simulator's clock: the machine's time plus an offset that tests and the command line move.
//! Every timestamp, mid and messaging window is computed from here, never from the machine directly.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The platform's clock. It runs at normal speed and can be moved at any moment. Delays of the simulator's own
/// (of answers, echoes, files, repetitions) go by it, so that moving it forward ends them.
#[derive(Debug)]
pub struct Clock {
    offset_micros: AtomicI64,
    /// How far it was moved forward in all: moving it back does not lengthen a delay.
    advanced: watch::Sender<Duration>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { offset_micros: AtomicI64::new(0), advanced: watch::Sender::new(Duration::ZERO) }
    }
}

impl Clock {
    /// Microseconds since 1970, as the platform sees them.
    pub fn now_micros(&self) -> i64 {
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        machine.saturating_add(self.offset_micros.load(Ordering::SeqCst))
    }

    /// Milliseconds since 1970, the unit of `timestamp` in messaging webhooks.
    pub fn now_ms(&self) -> i64 {
        self.now_micros() / 1000
    }

    /// How far the clock stands from the machine's time, in milliseconds (negative: behind).
    pub fn offset_ms(&self) -> i64 {
        self.offset_micros.load(Ordering::SeqCst) / 1000
    }

    /// Moves the clock forward, to let a messaging window pass without waiting for it.
    pub fn advance(&self, by: Duration) {
        self.shift(micros(by));
        self.advanced.send_modify(|advanced| *advanced = advanced.saturating_add(by));
    }

    /// Moves the clock back, for example to send a webhook that happened hours ago.
    pub fn rewind(&self, by: Duration) {
        self.shift(-micros(by));
    }

    /// Returns to the machine's time.
    pub fn reset(&self) {
        self.offset_micros.store(0, Ordering::SeqCst);
    }

    /// Returns when this much time has passed, by itself or because the clock was moved forward.
    pub(crate) async fn wait(&self, by: Duration) {
        let mut advanced = self.advanced.subscribe();
        let (begin, at_first) = (Instant::now(), *advanced.borrow());
        loop {
            let moved = advanced.borrow_and_update().saturating_sub(at_first);
            let left = by.saturating_sub(begin.elapsed()).saturating_sub(moved);
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // The sender lives as long as this clock.
                _ = advanced.changed() => {}
            }
        }
    }

    fn shift(&self, micros: i64) {
        self.offset_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advancing_and_rewinding_move_the_platform_time() {
        let clock = Clock::default();
        clock.advance(Duration::from_secs(3600));
        assert_eq!(clock.offset_ms(), 3_600_000);
        clock.rewind(Duration::from_secs(7200));
        assert_eq!(clock.offset_ms(), -3_600_000);
        clock.reset();
        assert_eq!(clock.offset_ms(), 0);
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved_past_it() {
        let clock = Clock::default();
        let day = Duration::from_secs(24 * 3600);
        tokio::join!(clock.wait(day), async {
            clock.advance(day / 2);
            clock.rewind(day);
            clock.advance(day / 2);
        });
    }
}
