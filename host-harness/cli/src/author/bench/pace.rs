//! Owns: an open loop: when the next request of a load is due, whether or not the last one has been answered.
//! Does not own: the requests.

use std::time::{Duration, Instant};

/// Requests at a steady rate. One that could not leave in time is measured from when it should have, as a sender that
/// does not wait would see it.
pub(crate) struct Pace {
    begun: Instant,
    /// In seconds.
    pause: f64,
    planned: u32,
}

impl Pace {
    /// One of `of` connections that together make `rate` requests per second, at regular intervals. An infinite rate is
    /// as fast as answers come.
    pub(crate) fn new(rate: f64, of: usize, number: usize) -> Self {
        let pause = of as f64 / rate;
        let begun = Instant::now() + Duration::from_secs_f64(pause * number as f64 / of as f64);
        Self { begun, pause, planned: 0 }
    }

    /// Waits until the next request is due. Returns when it was to leave.
    pub(crate) async fn next(&mut self) -> Instant {
        let planned = self.begun + Duration::from_secs_f64(self.pause * f64::from(self.planned));
        self.planned += 1;
        if planned <= Instant::now() {
            return if self.pause > 0.0 { planned } else { Instant::now() };
        }
        tokio::time::sleep_until(planned.into()).await;
        Instant::now()
    }
}

/// The time since then, in microseconds.
pub(crate) fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}
