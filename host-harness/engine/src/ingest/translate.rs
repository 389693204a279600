//! Owns: the worker between journal and inbox: it parses each delivery in a fresh instance of its channel and applies
//! the events. A delivery that cannot be translated stays in the journal.
//! Does not own: what an event changes (the inbox).

use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use harness_contract::{Event, ParseError, names::anomaly, text::shown};
use harness_inbox::{BatchOutcome, DeliveryFailure, DeliveryId, InboxError, PendingDelivery, TranslatedDelivery};
use harness_sandbox::{CallError, CallFailure, Channel};
use tokio::task::{Id, JoinSet};

use super::Ingest;
use crate::{
    base::{tasks::Worker, wake::Wake},
    channels::{CallProblem, NoChannel, blamed, circuit_breaker::Part, loaded::LoadedChannel},
    error::{Busy, Paused},
    network::credentials::AccountCredentials,
};
use harness_egress::Known;

/// Maximum number of deliveries in one batch.
const BATCH: usize = 1024;
/// Events that are applied in one transaction, unless one delivery has more: other writes wait behind it, and what SQLite
/// keeps for undoing it is walked through with nearly every statement, so that ten times as many take a hundred times as
/// long.
const APPLIED: usize = 256;
/// Minimum number of deliveries per thread.
const SHARE: usize = 16;
/// Maximum size of all bodies in one batch, in bytes.
const BATCH_BYTES: usize = 16 << 20;
/// Attempts at a delivery on which the channel fails. The cause may be a stalled machine, or a failure of every
/// delivery.
const MAX_ATTEMPTS: u32 = 3;
/// The pause after a temporary failure, such as a full disk or a busy sandbox. In real time: advancing the host's clock
/// frees nothing.
const PAUSE: Duration = Duration::from_millis(200);
/// The pause after a batch during a burst, as a multiple of the batch's duration.
const BURST_SHARE: u32 = 3;
/// How long a count is valid while a limit is reached: the backlog can shrink without a translation.
const RECOUNT: Duration = Duration::from_millis(500);

/// Translates until the host stops: channels concurrently, so that a hanging one delays no other; the deliveries of one
/// channel sequentially.
pub(crate) async fn run(room: Arc<Ingest>) {
    let mut lanes = JoinSet::new();
    let mut under_way: HashMap<Id, String> = HashMap::new();
    let mut arrivals = room.base.inbox.arrivals();
    loop {
        let next = begin(&room, &mut lanes, &mut under_way).await.unwrap_or_else(|error| {
            tracing::error!(%error, "translation pauses");
            Some(room.base.clock.after(PAUSE))
        });
        tokio::select! {
            () = room.base.wake.delivered.notified() => {}
            _ = arrivals.changed() => {}
            Some(ended) = lanes.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                };
                under_way.remove(&id);
            }
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

/// Starts a lane for each channel with waiting deliveries. Returns when to check again if nothing arrives.
async fn begin(
    room: &Arc<Ingest>,
    lanes: &mut JoinSet<()>,
    under_way: &mut HashMap<Id, String>,
) -> Result<Option<u64>, InboxError> {
    let (now, breakers) = (room.base.clock.now(), &room.channels.breakers);
    let channels = room.base.inbox.waiting_channels().await?;
    let recount = if room.backlog.any_full() {
        // Translation goes on if counting fails.
        let _ = room.backlog.count_anew(&room.base.inbox, false).await;
        Some(room.base.clock.after(RECOUNT))
    } else {
        None
    };
    let paused = breakers.paused(Part::Incoming, now);
    for channel in channels {
        if !paused.contains(&channel) && !under_way.values().any(|lane| *lane == channel) {
            let lane = lanes.spawn(guarded_lane(Arc::clone(room), channel.clone()));
            under_way.insert(lane.id(), channel);
        }
    }
    Ok(breakers.next_trial(Part::Incoming, now).into_iter().chain(recount).min())
}

/// One lane. A lane that panicked is restarted like one that finished, after a pause.
async fn guarded_lane(room: Arc<Ingest>, channel: String) {
    if room.base.tasks.guarded(Worker::Translate, lane(&room, &channel)).await.is_err() {
        room.channels.blame(&channel, Part::Incoming);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Translates a channel's deliveries until none is left or its circuit opens.
async fn lane(room: &Arc<Ingest>, channel: &str) {
    loop {
        match round(room, channel).await {
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

/// Translates one batch. Returns whether there may be more to do now.
async fn round(room: &Arc<Ingest>, channel: &str) -> Result<bool, InboxError> {
    room.backlog.count_anew(&room.base.inbox, false).await?;
    let (started, last) = (Instant::now(), room.base.inbox.last_delivery());
    let mut pending = if room.channels.breakers.is_open(channel, Part::Incoming) {
        // The trial call should not go to a delivery that failed before. Accepted deliveries without a row come first.
        room.base.inbox.all_arrived().await?;
        room.base.inbox.least_tried(channel).await?.into_iter().collect()
    } else {
        room.base.inbox.pending(channel, BATCH, BATCH_BYTES).await?
    };
    if pending.is_empty() {
        room.backlog.count_anew(&room.base.inbox, true).await?;
        return Ok(false);
    }
    if let Ok(registered) = room.channels.get(channel) {
        room.tell_settings(&registered, &mut pending).await?;
    }
    let results = translate_all(room, pending).await?;
    let mut translated = Vec::with_capacity(results.len());
    let mut rest = BatchOutcome::default();
    let mut digests = HashSet::new();
    let mut again = false;
    let mut paused = false;
    for (id, attempts, digest, result) in results {
        match result {
            Ok(delivery) => translated.push(delivery),
            Err(Problem::Paused(_)) => paused = true,
            Err(Problem::Call(CallError { failure: CallFailure::Busy(_), .. })) => again = true,
            Err(Problem::NoChannel(channel)) => {
                rest.unloaded.push((id, format!("no channel `{channel}` is loaded")));
                digests.insert(digest);
            }
            // While every call fails, the delivery is not to blame: it waits with the others.
            Err(Problem::Call(_))
                if attempts + 1 < MAX_ATTEMPTS || room.channels.breakers.is_open(channel, Part::Incoming) =>
            {
                rest.retry.push(id);
                again = true;
            }
            Err(problem) => {
                tracing::warn!(delivery = id.get(), %problem, "a delivery cannot be translated and is kept");
                let (problem, translator) = (problem.to_string(), digest.clone());
                rest.failed.push(DeliveryFailure { id, problem, translator });
                digests.insert(digest);
            }
        }
    }
    if !rest.is_empty() {
        let (unloaded, failed) = (rest.unloaded.len(), rest.failed.len());
        room.base.inbox.settle_batch(rest, room.base.clock.now()).await?;
        (0..unloaded).for_each(|_| room.base.metrics.delivery(channel, "no_channel"));
        (0..failed).for_each(|_| room.base.metrics.delivery(channel, "failed"));
    }
    // The channel may have been loaded, replaced or rolled back since the batch was read.
    if !digests.is_empty()
        && let Ok(registered) = room.channels.get(channel)
        && let present = &registered.channel.inspection().digest
        && digests.iter().any(|digest| digest != present)
    {
        room.base.inbox.requeue(channel, present).await?;
    }
    let count = translated.len();
    for part in parts(translated, TranslatedDelivery::event_count) {
        let of_part = part.len();
        let applied = room.base.inbox.apply(part, room.backlog.budget.parking()).await?;
        for (delivery, problem) in &applied.foreign {
            tracing::warn!(
                delivery = delivery.get(),
                channel,
                problem,
                "a delivery speaks for an account that is not its own"
            );
            room.base.metrics.delivery(channel, "foreign");
        }
        if applied.expired > 0 {
            tracing::warn!(
                channel,
                count = applied.expired,
                "deliveries of accounts that are not connected were emptied"
            );
            room.base.metrics.removed("parked_deliveries", applied.expired);
        }
        (applied.foreign.len()..of_part).for_each(|_| room.base.metrics.delivery(channel, "applied"));
        room.base.metrics.applied(&applied);
        after_applying(&room.credentials, &room.base.wake, applied.lost).await;
    }
    if paused || room.channels.breakers.paused(Part::Incoming, room.base.clock.now()).contains(channel) {
        return Ok(false);
    }
    if again {
        tokio::time::sleep(PAUSE).await;
    }
    let arrived = usize::try_from(room.base.inbox.last_delivery().get().saturating_sub(last.get())).unwrap_or(0);
    if count >= SHARE && arrived >= count && room.backlog.has_room(channel) {
        // Deliveries arrive faster than they are translated. The platform waits for its answers, so translation yields.
        tokio::time::sleep(started.elapsed().saturating_mul(BURST_SHARE).min(PAUSE)).await;
    }
    Ok(true)
}

/// What follows applied events: `lost` accounts, by channel and id, have no credentials, and files and accounts may be due.
pub(super) async fn after_applying(credentials: &AccountCredentials, wake: &Wake, lost: Vec<(String, String)>) {
    if let Err(error) = credentials.forget_lost(lost).await {
        tracing::error!(%error, "credentials of lost accounts stay in memory until the next start");
    }
    wake.media_due.notify_one();
    wake.accounts_due.notify_waiters();
}

/// What is applied together: parts of at most [`APPLIED`] events, in order.
fn parts<T>(deliveries: Vec<T>, events: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut room = 0;
    for delivery in deliveries {
        let events = events(&delivery);
        match parts.last_mut().filter(|_| events <= room) {
            Some(part) => {
                room -= events;
                part.push(delivery);
            }
            None => {
                room = APPLIED.saturating_sub(events);
                parts.push(vec![delivery]);
            }
        }
    }
    parts
}

/// The result for one delivery: its row, the earlier attempts, the digest of the component, the translation.
type Translated = (DeliveryId, u32, String, Result<TranslatedDelivery, Problem>);

/// Translates a batch on all processors. The results keep its order.
async fn translate_all(room: &Arc<Ingest>, mut pending: Vec<PendingDelivery>) -> Result<Vec<Translated>, InboxError> {
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
    let mut results = Vec::new();
    for worker in workers {
        // Panics were caught, so a worker fails only if the runtime shuts down.
        results.extend(worker.await.map_err(|_| InboxError::Closed)?);
    }
    Ok(results)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_has_few_events_however_many_come_at_once() {
        let sizes = [1, 255, 1, 0, 1000, 0, 200, 56, 3];
        let split = parts(sizes.to_vec(), |events| *events);
        assert_eq!(split, [vec![1, 255], vec![1, 0], vec![1000, 0], vec![200, 56], vec![3]]);
        assert_eq!(parts(vec![1; 1024], |events| *events).len(), 4);
        assert!(parts(Vec::<usize>::new(), |events| *events).is_empty());
    }
}
