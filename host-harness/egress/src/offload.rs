//! Owns: running work on what a channel or a platform handed in off the async threads, and giving it up with whoever
//! waited for it.
//! Does not own: the work.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Work on texts of fewer bytes takes less time than handing it to another thread.
pub(crate) const SMALL: usize = 16 << 10;

/// Says to work under way that nobody waits for it any more. Long work looks between its pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    /// Whether the work is for nothing.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Whoever waits holds this.
    pub(crate) fn when_dropped(&self) -> Waits {
        Waits(self.clone())
    }
}

/// Somebody waits. Dropped at a deadline, the work ends at its next piece.
pub(crate) struct Waits(GivenUp);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// The work panicked, or the runtime ends.
#[derive(Debug)]
pub(crate) struct Broken;

/// Does work of so many bytes: here where it is small, else on a thread that may take its time. Dropping the future
/// gives the work up.
pub(crate) async fn done<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce(&GivenUp) -> T + Send + 'static,
) -> Result<T, Broken> {
    let given_up = GivenUp::default();
    if bytes < SMALL {
        return Ok(work(&given_up));
    }
    let _waits = given_up.when_dropped();
    tokio::task::spawn_blocking(move || work(&given_up)).await.map_err(|_| Broken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_nobody_waits_for_ends_at_its_next_piece() {
        let (began, begins) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        let mut waiting = Box::pin(done(SMALL, move |given_up: &GivenUp| {
            began.send(()).unwrap();
            while !given_up.is_set() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
        }));
        // Polled once, so that it begins; its deadline comes while it is under way.
        assert!(futures_poll(&mut waiting).is_pending());
        begins.recv().unwrap();
        drop(waiting);
        ends.recv().unwrap();
    }

    fn futures_poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> std::task::Poll<F::Output> {
        future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }
}
