//! From the journal to the inbox: each delivery goes through its channel in a fresh instance, and its
//! events are applied. What cannot be translated stays in the journal. Belongs here: that worker.

use std::{sync::Arc, time::Duration};

use harness_contract::ParseError;
use harness_inbox::{InboxError, PendingDelivery, TranslatedDelivery};
use harness_sandbox::{CallError, CallFailure};

use crate::host::{HostError, Shared};

/// Deliveries that are translated and applied in one transaction.
const BATCH: usize = 256;
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
    shared.count_backlog().await?;
    let pending = shared.inbox.pending(BATCH, BATCH_BYTES).await?;
    if pending.is_empty() {
        return Ok(0);
    }
    let worker = Arc::clone(shared);
    let results = tokio::task::spawn_blocking(move || {
        pending
            .into_iter()
            .map(|delivery| {
                let (id, channel, attempts) = (delivery.id, delivery.channel.clone(), delivery.attempts);
                let (digest, result) = translate(&worker, delivery);
                (id, channel, attempts, digest, result)
            })
            .collect::<Vec<_>>()
    })
    .await
    .map_err(|error| InboxError::Durability(format!("the translating thread ended: {error}")))?;

    let mut translated = Vec::with_capacity(results.len());
    let mut left = 0;
    let mut busy = false;
    for (id, channel, attempts, digest, result) in results {
        match result {
            Ok(delivery) => translated.push(delivery),
            Err(Problem::Call(CallError { failure: CallFailure::Busy(_), .. })) => busy = true,
            Err(Problem::NoChannel(channel)) => {
                shared.inbox.set_aside(id, format!("no channel `{channel}` is loaded")).await?;
                // It may have been loaded between the look and the note.
                if let Ok(registered) = shared.channel(&channel) {
                    shared.inbox.take_up(&channel, &registered.channel.inspection().digest).await?;
                }
                shared.calls.metrics.delivery(&channel, "no_channel");
                left += 1;
            }
            Err(Problem::Call(CallError { failure: CallFailure::Deadline(_), .. })) if attempts + 1 < MAX_ATTEMPTS => {
                shared.inbox.note_attempt(id).await?;
                busy = true;
            }
            Err(problem) => {
                tracing::warn!(delivery = id, %problem, "a delivery cannot be translated and is kept");
                shared.inbox.mark_failed(id, problem.to_string(), digest.clone()).await?;
                // It may have been replaced, or taken back, since then.
                if let Ok(registered) = shared.channel(&channel)
                    && registered.channel.inspection().digest != digest
                {
                    shared.inbox.take_up(&channel, &registered.channel.inspection().digest).await?;
                }
                shared.calls.metrics.delivery(&channel, "failed");
                left += 1;
            }
        }
    }
    left += translated.len();
    if !translated.is_empty() {
        let channels: Vec<String> = translated.iter().map(|delivery| delivery.channel.clone()).collect();
        let applied = shared.inbox.apply(translated).await?;
        channels.iter().for_each(|channel| shared.calls.metrics.delivery(channel, "applied"));
        shared.calls.metrics.applied(&applied);
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

/// Also returns which component did it: where it failed, another one may succeed.
fn translate(shared: &Shared, pending: PendingDelivery) -> (String, Result<TranslatedDelivery, Problem>) {
    let PendingDelivery { id, channel, delivery, .. } = pending;
    let registered = match shared.channel(&channel) {
        Ok(registered) => registered,
        Err(HostError::NoChannel(id, _)) => return (String::new(), Err(Problem::NoChannel(id))),
        Err(other) => return (String::new(), Err(Problem::Other(other.to_string()))),
    };
    let span = tracing::debug_span!("translate", delivery = id, channel);
    let received_at = delivery.received_at;
    let parsed = match span.in_scope(|| registered.channel.parse_webhook(&delivery)) {
        Ok(Ok(parsed)) => Ok(TranslatedDelivery { id, channel, received_at, events: parsed.events }),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    };
    (registered.channel.inspection().digest.clone(), parsed)
}
