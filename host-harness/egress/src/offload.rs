//! Owns: running CPU work on input of channels and platforms off the async threads, and cancelling it with its caller.
//! Does not own: the work.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Below this many bytes, moving the work to another thread costs more than the work.
pub(crate) const SMALL: usize = 16 << 10;

/// Tells running work that its caller is gone. Long work checks it between chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    /// Whether the caller is gone.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// The caller's guard.
    pub(crate) fn when_dropped(&self) -> Waits {
        Waits(self.clone())
    }
}

/// The caller's guard. Dropping it cancels the work at its next chunk.
pub(crate) struct Waits(GivenUp);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// The work panicked, or the runtime is shutting down.
#[derive(Debug)]
pub(crate) struct Broken;

/// Runs work on this many bytes: inline if small, otherwise on a blocking thread. Dropping the future cancels it.
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
        // Polled once to start it; its deadline passes while it runs.
        assert!(futures_poll(&mut waiting).is_pending());
        begins.recv().unwrap();
        drop(waiting);
        ends.recv().unwrap();
    }

    fn futures_poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> std::task::Poll<F::Output> {
        future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }
}
