//! Who watches the calls of channels, and whether this host can take deliveries now. Belongs here: passing
//! calls on to counters and the recording, the bound of the backlog, the answer to `/health/ready`.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use harness_inbox::private_options;
use harness_sandbox::{Called, Observer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Clock,
    host::{Host, Shared},
    metrics::Metrics,
};

/// A call as a recording has it, on a line of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RecordedCall {
    /// When it ended, in milliseconds since 1970.
    pub at: u64,
    /// The channel's id.
    pub channel: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// The function.
    pub export: String,
    /// Whether it can be made again.
    pub pure: bool,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The parameters, as a list in the contract's JSON form.
    pub input: Value,
    /// The result; none when the call failed.
    pub output: Option<Value>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// Watches every call of a host's channels.
pub(crate) struct Calls {
    pub(crate) metrics: Arc<Metrics>,
    clock: Clock,
    recording: Option<Mutex<File>>,
}

impl Calls {
    pub(crate) fn new(metrics: Arc<Metrics>, clock: Clock, record: Option<&Path>) -> io::Result<Self> {
        // It holds what people wrote.
        let open = |path: &Path| private_options().create(true).append(true).open(path).map(Mutex::new);
        Ok(Self { metrics, clock, recording: record.map(open).transpose()? })
    }

    fn record(&self, call: &Called<'_>) -> io::Result<()> {
        let (Some(file), Some(contents)) = (&self.recording, &call.contents) else { return Ok(()) };
        let recorded = RecordedCall {
            at: self.clock.now(),
            channel: call.channel.to_owned(),
            digest: call.digest.to_owned(),
            export: call.export.to_owned(),
            pure: call.pure,
            took_us: u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
            input: contents.input.clone(),
            output: contents.output.clone(),
            failure: call.failure.map(ToString::to_string),
        };
        let mut line = serde_json::to_vec(&recorded)?;
        line.push(b'\n');
        file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&line)
    }
}

impl Observer for Calls {
    fn wants_contents(&self) -> bool {
        self.recording.is_some()
    }

    fn called(&self, call: &Called<'_>) {
        self.metrics.called(call);
        if let Err(error) = self.record(call) {
            tracing::error!(%error, "a call could not be recorded");
        }
    }
}

/// How many deliveries wait to be translated. Beyond the bound none is taken.
pub(crate) struct Backlog {
    bound: u64,
    counted: AtomicU64,
    since: AtomicU64,
    /// When it was counted last.
    counting: tokio::sync::Mutex<Option<Instant>>,
}

impl Backlog {
    pub(crate) fn new(bound: u64) -> Self {
        Self { bound, counted: AtomicU64::new(0), since: AtomicU64::new(0), counting: tokio::sync::Mutex::default() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() >= self.bound
    }

    pub(crate) fn count(&self) -> u64 {
        self.counted.load(Ordering::Relaxed).saturating_add(self.since.load(Ordering::Relaxed))
    }

    /// A delivery was recorded.
    pub(crate) fn add(&self) {
        self.since.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether there is time before it has to become less.
    pub(crate) fn has_room(&self) -> bool {
        self.count() < self.bound / 2
    }
}

impl Shared {
    /// Counts anew, unless that was done a moment ago: what was applied since then still counts. What comes in
    /// meanwhile is counted twice rather than not at all.
    pub(crate) async fn count_backlog(&self, now: bool) -> Result<(), harness_inbox::InboxError> {
        // Channels are translated beside each other; an older count must not replace a newer one.
        let mut counted_at = self.backlog.counting.lock().await;
        if !now && counted_at.is_some_and(|at| at.elapsed() < COUNTED) {
            return Ok(());
        }
        *counted_at = Some(Instant::now());
        self.backlog.since.store(0, Ordering::Relaxed);
        let counted = self.inbox.backlog(self.backlog.bound).await?;
        self.backlog.counted.store(counted, Ordering::Relaxed);
        Ok(())
    }
}

/// How long a count of the backlog holds: a long one takes milliseconds to count.
const COUNTED: Duration = Duration::from_millis(250);

/// How long an answer about readiness holds: whoever asks more often learns nothing new.
const FRESH: Duration = Duration::from_secs(1);

/// The last look at whether the inbox can be written.
#[derive(Default)]
pub(crate) struct Writable {
    last: tokio::sync::Mutex<Option<(Instant, Option<String>)>>,
}

impl Host {
    /// Why this host cannot take deliveries now; empty when it can.
    pub async fn not_ready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.channels().is_empty() {
            reasons.push("no channel is loaded".to_owned());
        }
        if self.shared.backlog.is_full() {
            reasons.push(format!("{} deliveries wait to be translated, which is the bound", self.shared.backlog.bound));
        }
        let mut last = self.shared.writable.last.lock().await;
        let known = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH);
        let problem = match known {
            Some((_, problem)) => problem.clone(),
            None => {
                let problem = self.shared.inbox.probe().await.err().map(|error| error.to_string());
                *last = Some((Instant::now(), problem.clone()));
                problem
            }
        };
        reasons.extend(problem);
        reasons
    }

    /// A webhook was answered.
    pub(crate) fn count_webhook(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.shared.calls.metrics.webhook(loaded.then_some(channel), answer);
    }

    /// All counters, in Prometheus' text form.
    pub async fn metrics(&self) -> Result<String, harness_inbox::InboxError> {
        let waiting = self.shared.inbox.waiting().await?;
        Ok(self.shared.calls.metrics.text(&waiting, self.shared.backlog.count()))
    }
}
