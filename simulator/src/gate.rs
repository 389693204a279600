//! Held answers, until they are released.
//! What belongs here: waiting, and counting the waiting. Which answers are held is scripted in `faults` and `cdn`.

use tokio::sync::watch;

/// Where held answers wait.
#[derive(Debug)]
pub(crate) struct Gate {
    released: watch::Sender<()>,
    waiting: watch::Sender<usize>,
}

/// Counts a waiting answer until it is dropped, even if its client disconnects.
struct Counted<'a>(&'a watch::Sender<usize>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { released: watch::Sender::new(()), waiting: watch::Sender::new(0) }
    }

    /// Waits for the next release, and is counted meanwhile.
    pub(crate) async fn wait(&self) {
        let mut released = self.released.subscribe();
        self.waiting.send_modify(|waiting| *waiting += 1);
        let _counted = Counted(&self.waiting);
        // The gate owns the sender.
        let _ = released.changed().await;
    }

    /// The next release, for events after a held answer.
    pub(crate) fn next_release(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    /// Releases all waiting answers and returns their number.
    pub(crate) fn release(&self) -> usize {
        let waiting = *self.waiting.borrow();
        self.released.send_replace(());
        waiting
    }

    pub(crate) fn waiting(&self) -> &watch::Sender<usize> {
        &self.waiting
    }
}
