//! Owns: the worker between journal and inbox: it has deliveries parsed and applies their events. A delivery that cannot be
//! translated stays in the journal.
//! Does not own: parsing them (`parse`), what an event changes (the inbox).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use harness_inbox::{BatchOutcome, DeliveryFailure, InboxError, TranslatedDelivery};
use harness_sandbox::{CallError, CallFailure};
use tokio::task::{Id, JoinSet};

use super::{
    Ingest,
    parse::{self, Problem, Translated},
};
use crate::{
    base::{tasks::Worker, wake::Wake},
    channels::circuit_breaker::Part,
    network::credentials::AccountCredentials,
};

/// Maximum number of deliveries in one batch. While a part of it is applied, the next is translated.
const BATCH: usize = 2048;
/// Events that are applied in one transaction, unless one delivery has more. The more share a commit the better: they
/// change the same pages. Workers' writes wait behind it; people's do not, see [`Applied::left`].
///
/// [`Applied::left`]: harness_inbox::Applied::left
const APPLIED: usize = 512;
/// A batch of as many, behind which as many more arrived, is a burst.
const BURST: usize = 16;
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
/// The longest such pause.
const LONGEST_YIELD: Duration = Duration::from_millis(400);
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
    let (mut count, mut again, mut paused) = (0, false, false);
    let mut rest = pending.into_iter();
    let mut begin_next = || {
        let next: Vec<_> = rest.by_ref().take(APPLIED).collect();
        (!next.is_empty()).then(|| parse::begin(room, next))
    };
    let mut under_way = begin_next();
    while let Some(translating) = under_way {
        let results = translating.finished().await?;
        // These are translated while those are applied.
        under_way = begin_next();
        let sorted = Sorted::of(results, |attempts| {
            // While every call fails, the delivery is not to blame: it waits with the others.
            attempts + 1 < MAX_ATTEMPTS || room.channels.breakers.is_open(channel, Part::Incoming)
        });
        settle(room, channel, sorted.rest, &sorted.digests).await?;
        count += sorted.translated.len();
        again |= sorted.again;
        paused |= sorted.paused;
        apply(room, channel, sorted.translated).await?;
    }
    if paused || room.channels.breakers.paused(Part::Incoming, room.base.clock.now()).contains(channel) {
        return Ok(false);
    }
    if again {
        tokio::time::sleep(PAUSE).await;
    }
    let arrived = usize::try_from(room.base.inbox.last_delivery().get().saturating_sub(last.get())).unwrap_or(0);
    if count >= BURST && arrived >= count && room.backlog.has_room(channel) {
        // Deliveries arrive faster than they are translated. The platform waits for its answers, so translation yields.
        tokio::time::sleep(started.elapsed().saturating_mul(BURST_SHARE).min(LONGEST_YIELD)).await;
    }
    Ok(true)
}

/// The results of some deliveries.
#[derive(Default)]
struct Sorted {
    translated: Vec<TranslatedDelivery>,
    /// Those that were not translated.
    rest: BatchOutcome,
    /// The components that did not translate them.
    digests: HashSet<String>,
    /// Whether some are to be tried again soon.
    again: bool,
    /// Whether the channel is paused.
    paused: bool,
}

impl Sorted {
    /// Sorts results. `retries` says whether a delivery on which a call failed is tried again, by its earlier attempts.
    fn of(results: Vec<Translated>, retries: impl Fn(u32) -> bool) -> Self {
        let mut sorted = Self::default();
        for (id, attempts, digest, result) in results {
            match result {
                Ok(delivery) => sorted.translated.push(delivery),
                Err(Problem::Paused(_)) => sorted.paused = true,
                Err(Problem::Call(CallError { failure: CallFailure::Busy(_), .. })) => sorted.again = true,
                Err(Problem::NoChannel(channel)) => {
                    sorted.rest.unloaded.push((id, format!("no channel `{channel}` is loaded")));
                    sorted.digests.insert(digest);
                }
                Err(Problem::Call(_)) if retries(attempts) => {
                    sorted.rest.retry.push(id);
                    sorted.again = true;
                }
                Err(problem) => {
                    tracing::warn!(delivery = id.get(), %problem, "a delivery cannot be translated and is kept");
                    let (problem, translator) = (problem.to_string(), digest.clone());
                    sorted.rest.failed.push(DeliveryFailure { id, problem, translator });
                    sorted.digests.insert(digest);
                }
            }
        }
        sorted
    }
}

/// Writes down what was not translated by the components with these digests.
async fn settle(room: &Ingest, channel: &str, rest: BatchOutcome, digests: &HashSet<String>) -> Result<(), InboxError> {
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
    Ok(())
}

async fn apply(room: &Ingest, channel: &str, translated: Vec<TranslatedDelivery>) -> Result<(), InboxError> {
    for part in parts(translated, TranslatedDelivery::event_count) {
        apply_part(room, channel, part).await?;
    }
    Ok(())
}

/// Applies a part, in as many transactions as people's writes make of it.
async fn apply_part(room: &Ingest, channel: &str, mut part: Vec<TranslatedDelivery>) -> Result<(), InboxError> {
    while !part.is_empty() {
        let count = part.len();
        let mut applied = room.base.inbox.apply(part, room.backlog.budget.parking()).await?;
        part = std::mem::take(&mut applied.left);
        let count = count.saturating_sub(part.len());
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
        (applied.foreign.len()..count).for_each(|_| room.base.metrics.delivery(channel, "applied"));
        room.base.metrics.applied(&applied);
        after_applying(&room.credentials, &room.base.wake, applied.lost).await;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_has_few_events_however_many_come_at_once() {
        let sizes = [1, 511, 1, 0, 1000, 0, 400, 112, 3];
        let split = parts(sizes.to_vec(), |events| *events);
        assert_eq!(split, [vec![1, 511], vec![1, 0], vec![1000, 0], vec![400, 112], vec![3]]);
        assert_eq!(parts(vec![1; 2048], |events| *events).len(), 4);
        assert!(parts(Vec::<usize>::new(), |events| *events).is_empty());
    }
}
