//! Owns: whose turn it is: replies of one conversation after each other, conversations beside each other, accounts in turns.
//! Does not own: one reply (`attempt`).

use std::{sync::Arc, time::Duration};

use harness_inbox::{ConversationId, DueReply, InboxError, ReplyId};
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument as _;

use super::{
    Outbound,
    attempt::{RunOutcome, Sending},
    unsent::host_failed,
};
use crate::{
    base::{
        places::{Owner, Place, Places},
        tasks::Worker,
    },
    channels::circuit_breaker::Part,
    error::HostError,
};

/// Replies of one account under way at the same time. A busy account gets no more, however long its queue.
const OF_ONE_ACCOUNT: usize = 16;
/// Replies under way at the same time; one channel gets at most half of them.
const OF_ALL: usize = 256;
/// How often the outbox is looked at for replies whose next attempt is due.
const TICK: Duration = Duration::from_millis(500);
/// How long a reply waits that cannot be tried now: its channel is not loaded, the inbox is failing.
const LATER_MS: u64 = 5_000;

/// Sends until told to stop; then takes up nothing more and lets what is under way come to its end.
/// When the task is dropped, what is under way is dropped with it.
pub(crate) async fn run(room: Arc<Outbound>, mut stop: watch::Receiver<bool>) {
    let places = Places::new(OF_ALL, OF_ONE_ACCOUNT);
    let mut sending = JoinSet::new();
    while !*stop.borrow() {
        let now = room.base.clock.now();
        let paused = room.channels.breakers.paused(Part::Outgoing, now);
        match room.base.inbox.due_replies(now, OF_ONE_ACCOUNT, paused).await {
            Ok(due) => {
                for due in due {
                    start(&room, &places, &mut sending, due);
                }
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        while sending.try_join_next().is_some() {}
        tokio::select! {
            () = room.base.wake.queued.notified() => {}
            () = room.base.clock.tick(TICK) => {}
            _ = stop.changed() => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

fn start(room: &Arc<Outbound>, places: &Places<ConversationId>, sending: &mut JoinSet<()>, due: DueReply) {
    let owner = Owner { channel: &due.channel, account: due.account, conversation: None };
    let Some(place) = places.take(owner, due.conversation) else { return };
    let room = Arc::clone(room);
    sending.spawn(async move {
        // Given back and told whatever happens here, a panic included.
        let _turn = Turn { _place: place, room: Arc::clone(&room) };
        let left = match room.base.tasks.guarded(Worker::Outbox, send(&room, due.reply)).await {
            Ok(Ok(left)) => left,
            Ok(Err(HostError::Paused(paused))) => RunOutcome::CircuitOpen(paused.until),
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
            tokio::time::sleep(TICK).await;
        }
    });
}

/// A reply's turn. When it is over its place is free, and whoever waits is told.
struct Turn {
    _place: Place<ConversationId>,
    room: Arc<Outbound>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.room.base.wake.queued.notify_one();
    }
}

async fn send(room: &Arc<Outbound>, reply: ReplyId) -> Result<RunOutcome, HostError> {
    // It may have come to its end since it was found.
    match room.base.inbox.open_reply(reply).await? {
        Some(open) => {
            // Of the highest level, so that it stands beside a warning too.
            let span = tracing::error_span!("reply", reply = reply.get(), channel = open.channel);
            (Sending { room, reply: open }).run().instrument(span).await
        }
        None => Ok(RunOutcome::RetryScheduled),
    }
}

async fn settle(room: &Outbound, reply: ReplyId, left: RunOutcome) -> Result<(), HostError> {
    let after = |wait: u64| room.base.clock.now().saturating_add(wait);
    let done: Result<(), InboxError> = match left {
        RunOutcome::Finished => room.base.inbox.close_reply(reply).await,
        RunOutcome::RetryScheduled => Ok(()),
        RunOutcome::Blocked => room.base.inbox.defer(reply, after(LATER_MS)).await,
        // Another reply is the trial; most often this one is not even looked at meanwhile.
        RunOutcome::CircuitOpen(at) => room.base.inbox.defer(reply, at.min(after(LATER_MS))).await,
        RunOutcome::RateLimited(at) => room.base.inbox.defer(reply, at).await,
        RunOutcome::Failed => fail(room, reply).await,
    };
    Ok(done?)
}

/// The host failed in the middle of a reply: what was on its way may have been delivered, the rest was not sent.
async fn fail(room: &Outbound, reply: ReplyId) -> Result<(), InboxError> {
    room.base.inbox.settle_failed(reply, room.base.clock.now()).await?;
    match room.base.inbox.open_reply(reply).await? {
        Some(open) if open.steps.is_empty() => room.base.inbox.refuse_reply(reply, vec![host_failed()]).await,
        _ => Ok(()),
    }
}
