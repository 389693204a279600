//! Owns: whether the inbox is writable.
//! Does not own: other reasons for not being ready.

use std::time::{Duration, Instant};

use harness_inbox::Inbox;

/// How long a result is cached.
const FRESH: Duration = Duration::from_secs(1);

/// The cached result of the last probe.
#[derive(Default)]
pub(crate) struct Readiness {
    last: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
}

impl Readiness {
    /// Why the inbox is not writable; `None` if it is.
    pub(crate) async fn problem(&self, inbox: &Inbox) -> Option<String> {
        let mut last = self.last.lock().await;
        if let Some((_, problem)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return problem.clone();
        }
        let problem = inbox.probe().await.err().map(|error| error.to_string());
        *last = Some((Instant::now(), problem.clone()));
        problem
    }
}
