//! The simulator's clock: the machine's time plus an offset that tests and the command line move.
//! Every timestamp, mid and messaging window is computed from here, never from the machine directly.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The platform's clock. It runs at normal speed, can be moved at any moment, and can be stopped. The simulator's own
/// delays (answers, echoes, files, redeliveries) use it, so moving it forward ends them.
#[derive(Debug)]
pub struct Clock {
    hands: watch::Sender<Hands>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hands {
    offset_micros: i64,
    /// The machine's time at which the clock was stopped.
    stopped_micros: Option<i64>,
    /// The sum of all moves forward. Moving back does not lengthen a delay.
    advanced: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        Self { hands: watch::Sender::new(Hands::default()) }
    }
}

impl Clock {
    /// Microseconds since 1970, as the platform sees them.
    pub fn now_micros(&self) -> i64 {
        let hands = *self.hands.borrow();
        hands.stopped_micros.unwrap_or_else(machine_micros).saturating_add(hands.offset_micros)
    }

    /// Milliseconds since 1970, the unit of `timestamp` in messaging webhooks.
    pub fn now_ms(&self) -> i64 {
        self.now_micros() / 1000
    }

    /// How far the clock was moved from the machine's time, in milliseconds (negative: behind).
    pub fn offset_ms(&self) -> i64 {
        self.hands.borrow().offset_micros / 1000
    }

    /// Whether the clock stands still.
    pub fn is_stopped(&self) -> bool {
        self.hands.borrow().stopped_micros.is_some()
    }

    /// Moves the clock forward, for example past the end of a messaging window.
    pub fn advance(&self, by: Duration) {
        self.hands.send_modify(|hands| {
            hands.offset_micros = hands.offset_micros.saturating_add(micros(by));
            hands.advanced = hands.advanced.saturating_add(by);
        });
    }

    /// Moves the clock back, for example to send a webhook that happened hours ago.
    pub fn rewind(&self, by: Duration) {
        self.hands.send_modify(|hands| hands.offset_micros = hands.offset_micros.saturating_sub(micros(by)));
    }

    /// Stops the clock: only moving it lets time pass. For tests of limits and windows that must not depend on the
    /// machine's speed.
    pub fn stop(&self) {
        self.hands.send_modify(|hands| {
            hands.stopped_micros.get_or_insert_with(machine_micros);
        });
    }

    /// Restarts a stopped clock.
    pub fn run(&self) {
        self.hands.send_modify(|hands| {
            if let Some(stopped) = hands.stopped_micros.take() {
                hands.offset_micros = hands.offset_micros.saturating_add(stopped.saturating_sub(machine_micros()));
            }
        });
    }

    /// Returns to the machine's time and restarts.
    pub fn reset(&self) {
        self.hands.send_modify(|hands| {
            hands.offset_micros = 0;
            hands.stopped_micros = None;
        });
    }

    /// Returns once this much time has passed, or the clock was moved that far.
    pub(crate) async fn wait(&self, by: Duration) {
        let mut hands = self.hands.subscribe();
        let at_first = hands.borrow().advanced;
        let mut ran = Duration::ZERO;
        loop {
            let now = *hands.borrow_and_update();
            let left = by.saturating_sub(ran).saturating_sub(now.advanced.saturating_sub(at_first));
            if left.is_zero() {
                return;
            }
            // The clock owns the sender.
            if now.stopped_micros.is_some() {
                let _ = hands.changed().await;
                continue;
            }
            let begin = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = hands.changed() => {}
            }
            ran += begin.elapsed();
        }
    }
}

fn machine_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
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

    #[tokio::test]
    async fn a_clock_that_is_stopped_goes_only_when_it_is_moved() {
        let clock = Clock::default();
        clock.stop();
        let stands = clock.now_micros();
        let minute = Duration::from_secs(60);
        tokio::join!(clock.wait(minute), async { clock.advance(minute) });
        assert_eq!(clock.now_micros(), stands + 60_000_000);
        clock.run();
        assert!(!clock.is_stopped() && clock.now_micros() >= stands + 60_000_000);
    }
}
