//! Owns: reading deliveries with their channel's component, each in a fresh instance, on all processors.
//! Does not own: which deliveries and when (`translate`), what their events change (the inbox).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use harness_contract::{Event, ParseError, names::anomaly, text::shown};
use harness_egress::Known;
use harness_inbox::{DeliveryId, InboxError, PendingDelivery, TranslatedDelivery};
use harness_sandbox::{CallError, Channel};
use tokio::task::JoinHandle;

use super::Ingest;
use crate::{
    base::tasks::Worker,
    channels::{CallProblem, NoChannel, blamed, circuit_breaker::Part, loaded::LoadedChannel},
    error::{Busy, Paused},
};

/// Minimum number of deliveries per thread.
const SHARE: usize = 16;

/// Why one delivery was not translated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("no channel `{0}` is loaded")]
    NoChannel(String),
    #[error("it is not JSON: {reason} at byte {offset}")]
    Malformed { offset: u64, reason: String },
    #[error("it is not for this channel: found {0}")]
    NotThisChannel(String),
    #[error("{0}")]
    Other(String),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Paused(#[from] Paused),
}

impl From<CallProblem> for Problem {
    fn from(problem: CallProblem) -> Self {
        match problem {
            CallProblem::Open(paused) => paused.into(),
            CallProblem::Failed(error) => error.into(),
            CallProblem::Panicked => Self::Other(Busy.to_string()),
        }
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Malformed(at) => Self::Malformed { offset: at.offset, reason: shown(&at.reason) },
            ParseError::NotThisChannel(found) => Self::NotThisChannel(shown(&found)),
            ParseError::Other(sentence) => Self::Other(shown(&sentence)),
        }
    }
}

/// The result for one delivery: its row, the earlier attempts, the digest of the component, the translation.
pub(super) type Translated = (DeliveryId, u32, String, Result<TranslatedDelivery, Problem>);

/// Deliveries that are being translated on all processors.
pub(super) struct Translating(Vec<JoinHandle<Vec<Translated>>>);

/// Begins to translate deliveries.
pub(super) fn begin(room: &Arc<Ingest>, mut pending: Vec<PendingDelivery>) -> Translating {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pending.len().div_ceil(threads).max(SHARE);
    let mut workers = Vec::with_capacity(threads);
    while !pending.is_empty() {
        let rest = pending.split_off(share.min(pending.len()));
        let (worker, part) = (Arc::clone(room), std::mem::replace(&mut pending, rest));
        workers.push(tokio::task::spawn_blocking(move || {
            let one = |delivery: PendingDelivery| {
                let registered = worker.channels.get(&delivery.channel);
                let digest = digest_of(&registered);
                let (id, attempts, channel) = (delivery.id, delivery.attempts, delivery.channel.clone());
                let translated = AssertUnwindSafe(|| translate(&worker, registered, delivery));
                let result = catch_unwind(translated).unwrap_or_else(|_| {
                    worker.base.tasks.note_panic(Worker::Translate, "while it translated a delivery");
                    let error = blamed(&channel);
                    if attempts == 0 {
                        worker.channels.blame(&channel, Part::Incoming);
                    }
                    Err(error.into())
                });
                (id, attempts, digest, result)
            };
            part.into_iter().map(one).collect::<Vec<_>>()
        }));
    }
    Translating(workers)
}

impl Translating {
    /// The results, in the order of the deliveries.
    pub(super) async fn finished(self) -> Result<Vec<Translated>, InboxError> {
        let mut results = Vec::new();
        for worker in self.0 {
            // Panics were caught, so a worker fails only if the runtime shuts down.
            results.extend(worker.await.map_err(|_| InboxError::Closed)?);
        }
        Ok(results)
    }
}

/// The digest of the component that parsed the delivery. If parsing failed, another component may succeed.
fn digest_of(registered: &Result<Arc<LoadedChannel>, NoChannel>) -> String {
    registered.as_ref().map(|registered| registered.channel.inspection().digest.clone()).unwrap_or_default()
}

fn translate(
    room: &Arc<Ingest>,
    registered: Result<Arc<LoadedChannel>, NoChannel>,
    pending: PendingDelivery,
) -> Result<TranslatedDelivery, Problem> {
    let PendingDelivery { id, attempts, .. } = pending;
    let channel = pending.channel.clone();
    let registered = registered.map_err(|error| Problem::NoChannel(error.id))?;
    let span = tracing::info_span!("translate", delivery = id.get(), channel);
    let digest = registered.channel.inspection().digest.clone();
    let (delivery, origin) = pending.into_parts();
    // A delivery counts once, however many attempts it takes.
    let parse = |channel: &Channel| span.in_scope(|| channel.parse_webhook(&delivery));
    let mut parsed =
        room.channels.call_here(&registered, Part::Incoming, attempts == 0, parse)?.map_err(|mut error| {
            Known::new(&room.secrets, &channel, None).redact_in_parse_error(&mut error);
            error
        })?;
    parsed.iter_mut().for_each(keep_contract);
    Ok(origin.translated(parsed, digest))
}

/// Maximum size of an event's `native` in the contract, in bytes.
const MAX_NATIVE: usize = 8 << 10;
/// Maximum size of `reply-context`, in bytes.
const MAX_REPLY_CONTEXT: usize = 4 << 10;

/// Drops fields that exceed the contract's limits.
pub(super) fn keep_contract(event: &mut Event) {
    if event.native.as_ref().is_some_and(|native| native.len() > MAX_NATIVE) {
        event.native = None;
        event.anomalies.push(anomaly::NATIVE_OMITTED.to_owned());
    }
    if event.reply_context.as_ref().is_some_and(|context| context.len() > MAX_REPLY_CONTEXT) {
        event.reply_context = None;
    }
}
