//! Owns: the order of replies: sequential within a conversation, concurrent across conversations, fair between
//! accounts.
//! Does not own: a single reply (`attempt`).

use std::sync::Arc;

use harness_inbox::{ConversationId, DueReply, InboxError, ReplyId};
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument as _;

use super::{
    Outbound, OutboundError,
    attempt::{RunOutcome, Sending},
    unsent::host_failed,
};
use crate::{
    base::{
        places::{Owner, Place, Places},
        tasks::{REST, Worker},
    },
    channels::circuit_breaker::Part,
};

/// Concurrent replies per account, however long its queue.
const OF_ONE_ACCOUNT: usize = 16;
/// Concurrent replies in total. One channel gets at most half of them.
const OF_ALL: usize = 256;
/// The wait of a reply that cannot be tried now, in milliseconds: its channel is not loaded, or the inbox fails.
const LATER_MS: u64 = 5_000;

/// Sends replies until told to stop, then starts no new ones and waits for those in progress. Dropping the task drops
/// them too.
pub(crate) async fn run(room: Arc<Outbound>, mut stop: watch::Receiver<bool>) {
    let places = Places::new(OF_ALL, OF_ONE_ACCOUNT);
    let mut sending = JoinSet::new();
    while !*stop.borrow() {
        let next = begin(&room, &places, &mut sending).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the outbox cannot be read");
            Some(room.base.clock.after(REST))
        });
        while sending.try_join_next().is_some() {}
        tokio::select! {
            () = room.base.wake.queued.notified() => {}
            () = room.base.clock.sleep_until(next) => {}
            _ = stop.changed() => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

/// Starts the due replies that get a place. Returns when something is next due.
async fn begin(
    room: &Arc<Outbound>,
    places: &Places<ConversationId>,
    sending: &mut JoinSet<()>,
) -> Result<Option<u64>, InboxError> {
    let (now, breakers) = (room.base.clock.now(), &room.channels.breakers);
    let paused = breakers.paused(Part::Outgoing, now);
    for due in room.base.inbox.due_replies(now, OF_ONE_ACCOUNT, paused).await? {
        start(room, places, sending, due);
    }
    let trial = breakers.next_trial(Part::Outgoing, now);
    Ok(room.base.inbox.next_reply(now).await?.into_iter().chain(trial).min())
}

fn start(room: &Arc<Outbound>, places: &Places<ConversationId>, sending: &mut JoinSet<()>, due: DueReply) {
    let owner = Owner { channel: &due.channel, account: due.account, conversation: None };
    let Some(place) = places.take(owner, due.conversation) else { return };
    let room = Arc::clone(room);
    sending.spawn(async move {
        // Dropped in any case, even on a panic.
        let _turn = Turn { _place: place, _told: TellsDispatcher(Arc::clone(&room)) };
        let left = match room.base.tasks.guarded(Worker::Outbox, send(&room, due.reply)).await {
            Ok(Ok(left)) => left,
            Ok(Err(OutboundError::Paused(paused))) => RunOutcome::CircuitOpen(paused.until),
            Ok(Err(error)) => {
                tracing::error!(%error, reply = due.reply.get(), "a reply stopped and is tried again later");
                RunOutcome::Blocked
            }
            Err(_) => {
                room.channels.blame(&due.channel, Part::Outgoing);
                RunOutcome::Failed
            }
        };
        if let Err(error) = settle(&room, due.reply, left).await {
            tracing::error!(%error, reply = due.reply.get(), "a reply's wait could not be written down");
            room.base.clock.wait(REST).await;
        }
    });
}

/// A reply's run. At its end the place is freed, then the dispatcher is woken: fields are dropped in this order.
struct Turn {
    _place: Place<ConversationId>,
    _told: TellsDispatcher,
}

struct TellsDispatcher(Arc<Outbound>);

impl Drop for TellsDispatcher {
    fn drop(&mut self) {
        self.0.base.wake.queued.notify_one();
    }
}

async fn send(room: &Arc<Outbound>, reply: ReplyId) -> Result<RunOutcome, OutboundError> {
    // The reply may have ended since it was found.
    match room.base.inbox.open_reply(reply).await? {
        Some(open) => {
            // At the highest level, so that warnings carry it too.
            let span = tracing::error_span!("reply", reply = reply.get(), channel = open.channel);
            (Sending { room, reply: open }).run().instrument(span).await
        }
        None => Ok(RunOutcome::RetryScheduled),
    }
}

async fn settle(room: &Outbound, reply: ReplyId, left: RunOutcome) -> Result<(), InboxError> {
    let after = |wait: u64| room.base.clock.now().saturating_add(wait);
    match left {
        RunOutcome::Finished => room.base.inbox.close_reply(reply, room.base.clock.now()).await,
        RunOutcome::RetryScheduled => Ok(()),
        RunOutcome::Blocked => room.base.inbox.defer(reply, after(LATER_MS)).await,
        // Another reply is the trial; usually this one is not even considered meanwhile.
        RunOutcome::CircuitOpen(at) => room.base.inbox.defer(reply, at.min(after(LATER_MS))).await,
        RunOutcome::RateLimited(at) => room.base.inbox.defer(reply, at).await,
        RunOutcome::Failed => fail(room, reply).await,
    }
}

/// The host failed during a run: requests in flight may have been delivered, the rest was not sent.
async fn fail(room: &Outbound, reply: ReplyId) -> Result<(), InboxError> {
    let now = room.base.clock.now();
    room.base.inbox.settle_failed(reply, now).await?;
    room.base.wake.doubts_due.notify_one();
    match room.base.inbox.open_reply(reply).await? {
        Some(open) if open.steps.is_empty() => room.base.inbox.refuse_reply(reply, vec![host_failed()], now).await,
        _ => Ok(()),
    }
}
