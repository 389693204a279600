//! Who watches the calls of channels, and whether this host can take deliveries now. Belongs here: passing
//! calls on to counters and the recording, the answer to `/health/ready`.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use harness_inbox::private_options;
use harness_sandbox::{Called, Observer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{clock::Clock, host::Host, observe::metrics::Metrics};

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
        // One channel that is full keeps no other from being reached.
        let channels = self.channels();
        let full: Vec<_> = channels.iter().filter_map(|one| self.shared.backlog.full(one.channel.id())).collect();
        if full.len() == channels.len() {
            reasons.extend(full.first().map(ToString::to_string));
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
    pub fn count_webhook(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.shared.calls.metrics.webhook(loaded.then_some(channel), answer);
    }

    /// A callback was answered.
    pub fn count_callback(&self, channel: &str, answer: &str) {
        let loaded = self.channel(channel).is_ok();
        self.shared.calls.metrics.callback(loaded.then_some(channel), answer);
    }

    /// All counters, in Prometheus' text form.
    pub async fn metrics(&self) -> Result<String, harness_inbox::InboxError> {
        let waiting = self.shared.inbox.waiting().await?;
        let (backlog, macs, memory) =
            (self.shared.backlog.count(), self.shared.secrets.macs(), self.shared.memory.uses());
        Ok(self.shared.calls.metrics.text(&waiting, backlog, macs, memory))
    }
}
