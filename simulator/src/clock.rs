//! The simulator's clock: the machine's time plus an offset that tests and the command line move.
//! Every timestamp, mid and messaging window is computed from here, never from the machine directly.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The platform's clock. It runs at normal speed and can be moved at any moment.
#[derive(Debug, Default)]
pub struct Clock {
    offset_micros: AtomicI64,
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
    }

    /// Moves the clock back, for example to send a webhook that happened hours ago.
    pub fn rewind(&self, by: Duration) {
        self.shift(-micros(by));
    }

    /// Returns to the machine's time.
    pub fn reset(&self) {
        self.offset_micros.store(0, Ordering::SeqCst);
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
}
