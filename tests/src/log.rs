//! The log of a test, kept in memory. Belongs here: where it is written to. What is looked for in it: the tests.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tracing::{Dispatch, Subscriber, subscriber::NoSubscriber};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that was logged so far, in bytes.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// As text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// A subscriber for the threads of one test alone.
///
/// With one dispatcher in the process, `tracing` caches for each log line whether the first thread to reach it listens, which may
/// be another test's. With a second dispatcher it asks each time.
pub fn of_test(subscriber: impl Subscriber + Send + Sync) -> Dispatch {
    static BESIDE: OnceLock<Dispatch> = OnceLock::new();
    BESIDE.get_or_init(|| Dispatch::new(NoSubscriber::default()));
    Dispatch::new(subscriber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_test_logged_first_is_heard_by_the_test_that_listens() {
        let log = Captured::default();
        let listens = of_test(tracing_subscriber::fmt().with_writer(log.clone()).finish());
        let says = || tracing::info!("a line that both come by");
        std::thread::spawn(says).join().expect("it only logs");
        tracing::dispatcher::with_default(&listens, says);
        assert_eq!(log.text().matches("both come by").count(), 1);
    }
}
