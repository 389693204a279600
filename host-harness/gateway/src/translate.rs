//! From the journal to the inbox: each delivery goes through its channel in a fresh instance, and its
//! events are applied. What cannot be translated stays in the journal. Belongs here: that worker.

use std::{sync::Arc, time::Duration};

use harness_contract::ParseError;
use harness_inbox::{InboxError, PendingDelivery, TranslatedDelivery};
use harness_sandbox::{CallError, CallFailure};

use crate::host::{HostError, Registered, Shared};

/// Deliveries that are translated and applied in one transaction.
const BATCH: usize = 256;
/// The fewest deliveries that are worth a thread of their own.
const SHARE: usize = 16;
/// Bodies of one batch, in bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Attempts at a delivery whose translation ran out of time: a machine that stood still is no fault of it.
const MAX_ATTEMPTS: u32 = 3;
/// How long to wait after a failure that passes by itself: a full disk, a busy sandbox.
const PAUSE: Duration = Duration::from_millis(200);

/// Translates for as long as the host lives.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        match round(&shared).await {
            Ok(0) => shared.delivered.notified().await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "translation pauses");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Why one delivery was not translated.
#[derive(Debug, thiserror::Error)]
enum Problem {
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
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Malformed(at) => Self::Malformed { offset: at.offset, reason: at.reason },
            ParseError::NotThisChannel(found) => Self::NotThisChannel(found),
            ParseError::Other(sentence) => Self::Other(sentence),
        }
    }
}

/// One batch; returns how many deliveries left the queue.
async fn round(shared: &Arc<Shared>) -> Result<usize, InboxError> {
    let pending = shared.inbox.pending(BATCH, BATCH_BYTES).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let results = translate_all(shared, pending).await?;
    let mut translated = Vec::with_capacity(results.len());
    let mut left = 0;
    let mut busy = false;
    for (id, channel, attempts, result) in results {
        match result {
            Ok(delivery) => translated.push(delivery),
            Err(Problem::Call(CallError { failure: CallFailure::Busy(_), .. })) => busy = true,
            Err(Problem::NoChannel(channel)) => {
                shared.inbox.set_aside(id, format!("no channel `{channel}` is loaded")).await?;
                // It may have been loaded between the look and the note.
                if let Ok(registered) = shared.channel(&channel) {
                    shared.inbox.take_up(&channel, &registered.channel.inspection().digest).await?;
                }
                left += 1;
            }
            Err(Problem::Call(CallError { failure: CallFailure::Deadline(_), .. })) if attempts + 1 < MAX_ATTEMPTS => {
                shared.inbox.note_attempt(id).await?;
                busy = true;
            }
            Err(problem) => {
                tracing::warn!(delivery = id, %problem, "a delivery cannot be translated and is kept");
                shared.inbox.mark_failed(id, problem.to_string(), digest_of(&shared.channel(&channel))).await?;
                left += 1;
            }
        }
    }
    left += translated.len();
    if !translated.is_empty() {
        let applied = shared.inbox.apply(translated).await?;
        for (channel, account) in applied.lost {
            shared.secrets.forget(&channel, &account);
        }
        shared.media_due.notify_one();
        shared.accounts_due.notify_one();
    }
    if busy {
        tokio::time::sleep(PAUSE).await;
    }
    // A busy batch is not an empty queue.
    Ok(left.max(usize::from(busy)))
}

/// What became of one delivery: its row, its channel, the attempts before, the result.
type Translated = (i64, String, u32, Result<TranslatedDelivery, Problem>);

/// Translates a batch on all processors, and returns the results in its order.
async fn translate_all(shared: &Arc<Shared>, mut pending: Vec<PendingDelivery>) -> Result<Vec<Translated>, InboxError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pending.len().div_ceil(threads).max(SHARE);
    let mut workers = Vec::with_capacity(threads);
    while !pending.is_empty() {
        let rest = pending.split_off(share.min(pending.len()));
        let (worker, part) = (Arc::clone(shared), std::mem::replace(&mut pending, rest));
        workers.push(tokio::task::spawn_blocking(move || {
            let one = |delivery: PendingDelivery| {
                (delivery.id, delivery.channel.clone(), delivery.attempts, translate(&worker, delivery))
            };
            part.into_iter().map(one).collect::<Vec<_>>()
        }));
    }
    let mut results = Vec::new();
    for worker in workers {
        let ended = worker.await;
        results
            .extend(ended.map_err(|error| InboxError::Durability(format!("the translating thread ended: {error}")))?);
    }
    Ok(results)
}

/// Which component it was that failed: another one may succeed.
fn digest_of(registered: &Result<Registered, HostError>) -> String {
    registered.as_ref().map(|registered| registered.channel.inspection().digest.clone()).unwrap_or_default()
}

fn translate(shared: &Shared, pending: PendingDelivery) -> Result<TranslatedDelivery, Problem> {
    let PendingDelivery { id, channel, delivery, .. } = pending;
    let registered = shared.channel(&channel).map_err(|error| match error {
        HostError::NoChannel(id, _) => Problem::NoChannel(id),
        other => Problem::Other(other.to_string()),
    })?;
    let parsed = registered.channel.parse_webhook(&delivery)??;
    Ok(TranslatedDelivery { id, channel, received_at: delivery.received_at, events: parsed.events })
}
