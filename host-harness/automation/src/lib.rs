//! Owns: what a host does by itself in conversations: welcome messages, rules that put conversations into collections, an
//! AI assistant. It follows the change feed and writes through the host alone.
//! Does not own: sending, storing, the API of its settings.

mod assistant;
mod compose;
mod decision;
mod dry_run;
mod facts;
mod follow;
mod look;
mod manage;
mod routing;
mod settings;
mod welcome;
mod words;

use std::{sync::Arc, time::Duration};

pub use decision::{Consumer, Decision, MadeBy, Outcome, Reason};
pub use dry_run::{CameAs, DryRun, Would, Written, dry_run, dry_run_written};
use harness_engine::Host;
pub use manage::{
    AutomationError, Configured, configure, configure_with_key, configured, hand_back, hand_over, set_model_key,
};
pub use settings::{Assistant, Choice, Condition, Disclose, Problem, Routing, Rule, Settings, Welcome, WrongSettings};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// The pause before a part that panicked is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// The automation at work. Dropped without [`Automation::stop`], it stops where it is; the next start goes on from there.
pub struct Automation {
    stop: watch::Sender<bool>,
    parts: [JoinHandle<()>; 2],
}

impl Automation {
    /// Starts it for a host whose channels are loaded. It holds the host open until it is stopped.
    pub fn start(host: &Host) -> Self {
        let (stop, stopped) = watch::channel(false);
        let turns = Arc::new(Notify::new());
        let parts = [
            keep_running("feed", host.clone(), Arc::clone(&turns), stopped.clone(), follow::run),
            keep_running("assistant", host.clone(), turns, stopped, assistant::run),
        ];
        Self { stop, parts }
    }

    /// Stops it: what it has begun is finished or left to the next start.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        for part in &mut self.parts {
            // A part that ended otherwise leaves nothing to wait for.
            let _ = part.await;
        }
    }
}

impl Drop for Automation {
    fn drop(&mut self) {
        self.parts.iter().for_each(JoinHandle::abort);
    }
}

/// Runs a part until it is told to stop; one that panics is started again.
fn keep_running<F: Future<Output = ()> + Send + 'static>(
    name: &'static str,
    host: Host,
    turns: Arc<Notify>,
    stop: watch::Receiver<bool>,
    run: impl Fn(Host, Arc<Notify>, watch::Receiver<bool>) -> F + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stopped = stop.clone();
        while !*stop.borrow() {
            let part = AbortOnDrop(tokio::spawn(run(host.clone(), Arc::clone(&turns), stop.clone())));
            match part.ended().await {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, name, "a part of the automation panicked and is started again"),
            }
            tokio::select! {
                () = host.clock().wait(PAUSE) => {}
                _ = stopped.changed() => {}
            }
        }
    })
}

struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    async fn ended(mut self) -> Result<(), tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
