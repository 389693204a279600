//! From the journal to the inbox: each delivery goes through its channel in a fresh instance, and its
//! events are applied. What cannot be translated stays in the journal. Belongs here: that worker.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use harness_contract::{Anomaly, Delivery, DeliverySource, Event, ParseError, text::shown};
use harness_inbox::{InboxError, PendingDelivery, TranslatedDelivery};
use harness_sandbox::{CallError, CallFailure, Channel};
use tokio::task::{Id, JoinSet};

use crate::{
    channels::circuit_breaker::{Part, Paused},
    error::HostError,
    host::Shared,
    options::Registered,
    tasks::Worker,
};
use harness_egress::Known;

/// Deliveries that are translated and applied in one transaction.
const BATCH: usize = 1024;
/// The fewest deliveries that are worth a thread of their own.
const SHARE: usize = 16;
/// Bodies of one batch, in bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Attempts at a delivery on which the channel fails: the machine may have stood still, or everything fails.
const MAX_ATTEMPTS: u32 = 3;
/// How long to wait after a failure that passes by itself: a full disk, a busy sandbox.
const PAUSE: Duration = Duration::from_millis(200);
/// How many times as long as a batch took the next one waits while more comes in than is translated.
const BURST_SHARE: u32 = 3;
/// How often it is looked whether a channel that is left alone may be tried again.
const TICK: Duration = Duration::from_millis(500);

/// Translates for as long as the host lives: channels beside each other, so that one which hangs costs no
/// other anything; the deliveries of one channel after each other.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut lanes = JoinSet::new();
    let mut under_way: HashMap<Id, String> = HashMap::new();
    let mut arrivals = shared.inbox.arrivals();
    loop {
        match shared.inbox.waiting_channels().await {
            Ok(channels) => {
                // What is full has to be seen to have become less, also while nothing is translated.
                if shared.backlog.any_full() {
                    let _ = shared.count_backlog(false).await;
                }
                let paused = shared.breakers.paused(Part::Incoming, shared.clock.now());
                for channel in channels {
                    if !paused.contains(&channel) && !under_way.values().any(|lane| *lane == channel) {
                        let lane = lanes.spawn(guarded_lane(Arc::clone(&shared), channel.clone()));
                        under_way.insert(lane.id(), channel);
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "translation pauses");
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::select! {
            () = shared.delivered.notified() => {}
            _ = arrivals.changed() => {}
            Some(ended) = lanes.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                };
                under_way.remove(&id);
            }
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// One lane. When it panicked it is begun anew like one that came to its end, and not at once.
async fn guarded_lane(shared: Arc<Shared>, channel: String) {
    if shared.guarded(Worker::Translate, lane(&shared, &channel)).await.is_err() {
        shared.blame(&channel, Part::Incoming);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Translates one channel's deliveries until none is left, or the channel is left alone.
async fn lane(shared: &Arc<Shared>, channel: &str) {
    loop {
        match round(shared, channel).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, channel, "translation pauses");
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
    #[error(transparent)]
    Paused(#[from] Paused),
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

/// One batch of a channel; says whether there may be more to do now.
async fn round(shared: &Arc<Shared>, channel: &str) -> Result<bool, InboxError> {
    shared.count_backlog(false).await?;
    let (started, last) = (Instant::now(), shared.inbox.last_delivery());
    let pending = if shared.breakers.is_open(channel, Part::Incoming) {
        // Whichever failed before is not the one to try a channel with.
        shared.inbox.least_tried(channel).await?.into_iter().collect()
    } else {
        shared.inbox.pending(channel, BATCH, BATCH_BYTES).await?
    };
    if pending.is_empty() {
        shared.count_backlog(true).await?;
        return Ok(false);
    }
    let results = translate_all(shared, pending).await?;
    let mut translated = Vec::with_capacity(results.len());
    let mut again = false;
    let mut paused = false;
    for (id, attempts, digest, result) in results {
        match result {
            Ok(delivery) => translated.push(delivery),
            Err(Problem::Paused(_)) => paused = true,
            Err(Problem::Call(CallError { failure: CallFailure::Busy(_), .. })) => again = true,
            Err(Problem::NoChannel(channel)) => {
                shared.inbox.set_aside(id, format!("no channel `{channel}` is loaded")).await?;
                // It may have been loaded between the look and the note.
                if let Ok(registered) = shared.channel(&channel) {
                    shared.inbox.take_up(&channel, &registered.channel.inspection().digest).await?;
                }
                shared.calls.metrics.delivery(&channel, "no_channel");
            }
            // While everything fails it is not this delivery's fault: it waits with the others.
            Err(Problem::Call(_))
                if attempts + 1 < MAX_ATTEMPTS || shared.breakers.is_open(channel, Part::Incoming) =>
            {
                shared.inbox.note_attempt(id).await?;
                again = true;
            }
            Err(problem) => {
                tracing::warn!(delivery = id, %problem, "a delivery cannot be translated and is kept");
                shared.inbox.mark_failed(id, problem.to_string(), digest.clone()).await?;
                shared.calls.metrics.delivery(channel, "failed");
                // It may have been replaced, or taken back, since then.
                if let Ok(registered) = shared.channel(channel)
                    && registered.channel.inspection().digest != digest
                {
                    shared.inbox.take_up(channel, &registered.channel.inspection().digest).await?;
                }
            }
        }
    }
    let count = translated.len();
    if !translated.is_empty() {
        let applied = shared.inbox.apply(translated, shared.backlog.budget.parking()).await?;
        for (delivery, problem) in &applied.foreign {
            tracing::warn!(delivery, channel, problem, "a delivery speaks for an account that is not its own");
            shared.calls.metrics.delivery(channel, "foreign");
        }
        if applied.expired > 0 {
            tracing::warn!(
                channel,
                count = applied.expired,
                "deliveries of accounts that are not connected were emptied"
            );
            shared.calls.metrics.removed("parked_deliveries", applied.expired);
        }
        (applied.foreign.len()..count).for_each(|_| shared.calls.metrics.delivery(channel, "applied"));
        shared.calls.metrics.applied(&applied);
        if let Err(error) = shared.forget_lost(applied.lost).await {
            tracing::error!(%error, "credentials of lost accounts stay in memory until the next start");
        }
        shared.media_due.notify_one();
        shared.accounts_due.notify_waiters();
    }
    if paused || shared.breakers.paused(Part::Incoming, shared.clock.now()).contains(channel) {
        return Ok(false);
    }
    if again {
        tokio::time::sleep(PAUSE).await;
    }
    let arrived = usize::try_from(shared.inbox.last_delivery().saturating_sub(last)).unwrap_or(0);
    if count >= SHARE && arrived >= count && shared.backlog.has_room(channel) {
        // More comes in than is translated: the platform waits for its answers, translating can wait.
        tokio::time::sleep(started.elapsed().saturating_mul(BURST_SHARE).min(PAUSE)).await;
    }
    Ok(true)
}

/// What became of one delivery: its row, the attempts before, the component that read it, the result.
type Translated = (i64, u32, String, Result<TranslatedDelivery, Problem>);

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
                let registered = worker.channel(&delivery.channel);
                let digest = digest_of(&registered);
                let (id, attempts, channel) = (delivery.id, delivery.attempts, delivery.channel.clone());
                let translated = AssertUnwindSafe(|| translate(&worker, registered, delivery));
                let result = catch_unwind(translated).unwrap_or_else(|_| {
                    worker.note_panic(Worker::Translate, "while it translated a delivery");
                    let error = worker.blamed(&channel);
                    if attempts == 0 {
                        worker.blame(&channel, Part::Incoming);
                    }
                    Err(error.into())
                });
                (id, attempts, digest, result)
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

fn translate(
    shared: &Arc<Shared>,
    registered: Result<Registered, HostError>,
    pending: PendingDelivery,
) -> Result<TranslatedDelivery, Problem> {
    let PendingDelivery { id, attempts, .. } = pending;
    let channel = pending.channel.clone();
    let registered = registered.map_err(|error| match error {
        HostError::NoChannel(id, _) => Problem::NoChannel(id),
        other => Problem::Other(other.to_string()),
    })?;
    let pass = shared.breakers.admit(&channel, Part::Incoming, shared.clock.now())?;
    let span = tracing::info_span!("translate", delivery = id, channel);
    let digest = registered.channel.inspection().digest.clone();
    let (delivery, origin) = pending.into_parts();
    let mut parsed = match span.in_scope(|| registered.channel.parse_webhook(&delivery)) {
        Ok(parsed) => {
            pass.succeeded(shared.clock.now());
            parsed.map_err(|mut error| {
                Known::new(&shared.secrets, &channel, None).redact_in_parse_error(&mut error);
                error
            })?
        }
        Err(error) => {
            // A delivery counts once, however often it is tried.
            shared.failed(pass, &digest, &error, attempts == 0);
            return Err(error.into());
        }
    };
    parsed.events.iter_mut().for_each(keep_contract);
    Ok(origin.translated(parsed.events, digest))
}

/// The longest `native` of an event, as the contract says, in bytes.
const MAX_NATIVE: usize = 8 << 10;
/// The longest `reply-context`.
const MAX_REPLY_CONTEXT: usize = 4 << 10;

/// What is longer than the contract allows is left out, as a channel should have done.
fn keep_contract(event: &mut Event) {
    if event.native.as_ref().is_some_and(|native| native.len() > MAX_NATIVE) {
        event.native = None;
        event.anomalies.push(Anomaly::NativeOmitted);
    }
    if event.reply_context.as_ref().is_some_and(|context| context.len() > MAX_REPLY_CONTEXT) {
        event.reply_context = None;
    }
}

/// Reads items of an account's archive for a look at them: nothing is journalled or applied. One that the channel
/// cannot read is left out.
pub(crate) async fn read_archived(
    channel: Channel,
    account: String,
    items: Vec<Vec<u8>>,
    now: u64,
) -> Result<Vec<Event>, HostError> {
    let parsed = tokio::task::spawn_blocking(move || {
        let mut events = Vec::new();
        for body in items {
            let delivery = Delivery {
                source: DeliverySource::Archive,
                body,
                headers: Vec::new(),
                received_at: now,
                account: Some(account.clone()),
            };
            if let Ok(parsed) = channel.parse_webhook(&delivery)? {
                events.extend(parsed.events);
            }
        }
        Ok::<_, CallError>(events)
    });
    Ok(parsed.await.map_err(|_| HostError::Busy)??)
}
