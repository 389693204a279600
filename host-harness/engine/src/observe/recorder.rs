//! Owns: observing every call of a channel: counters, the last hour, and a recording if one is wanted.
//! Does not own: making the calls.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use harness_inbox::private_options;
use harness_sandbox::{Called, Observer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::history::History;
use crate::base::{clock::Clock, metrics::Metrics};

/// A recorded call: one line of the recording.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RecordedCall {
    /// When the call ended, in milliseconds since 1970.
    pub at: u64,
    /// The channel's id.
    pub channel: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// The called function.
    pub export: String,
    /// Whether it can be replayed.
    pub pure: bool,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The parameters, as a list in the contract's JSON form.
    pub input: Value,
    /// The result; `None` if the call failed.
    pub output: Option<Value>,
    /// Why the call failed.
    pub failure: Option<String>,
}

/// Observes every call of a host's channels.
pub(crate) struct Recorder {
    metrics: Arc<Metrics>,
    clock: Clock,
    history: Arc<History>,
    recording: Option<Mutex<File>>,
}

impl Recorder {
    pub(crate) fn new(
        metrics: Arc<Metrics>,
        clock: Clock,
        history: Arc<History>,
        record: Option<&Path>,
    ) -> io::Result<Self> {
        // The recording holds what people wrote.
        let open = |path: &Path| private_options().create(true).append(true).open(path).map(Mutex::new);
        Ok(Self { metrics, clock, history, recording: record.map(open).transpose()? })
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

impl Observer for Recorder {
    fn wants_contents(&self) -> bool {
        self.recording.is_some()
    }

    fn called(&self, call: &Called<'_>) {
        self.metrics.called(call);
        self.history.note(call, self.clock.now());
        if let Err(error) = self.record(call) {
            tracing::error!(%error, "a call could not be recorded");
        }
    }
}
