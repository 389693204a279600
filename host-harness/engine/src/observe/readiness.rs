//! Owns: whether the inbox can be written now.
//! Does not own: what else keeps a host from being ready.

use std::time::{Duration, Instant};

use harness_inbox::Inbox;

/// How long an answer about readiness holds: whoever asks more often learns nothing new.
const FRESH: Duration = Duration::from_secs(1);

/// The last look at whether the inbox can be written.
#[derive(Default)]
pub(crate) struct Readiness {
    last: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
}

impl Readiness {
    /// Why the inbox cannot be written; nothing when it can.
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
