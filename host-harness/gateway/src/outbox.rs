//! From the outbox to the platform: replies of one conversation one after the other, conversations
//! beside each other, accounts in turns. Belongs here: who sends when. One reply: `sending`.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use harness_inbox::{Deferred, DueReply, InboxError};
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument as _;

use crate::{
    breaker::Part,
    error::HostError,
    host::Shared,
    sending::{Left, Sending},
};

/// Replies of one account under way at the same time. A busy account gets no more, however long its queue.
const OF_ONE_ACCOUNT: usize = 16;
/// Replies under way at the same time.
const OF_ALL: usize = 256;
/// How often the outbox is looked at for replies whose next attempt is due.
const TICK: Duration = Duration::from_millis(500);
/// How long a reply waits that cannot be tried now: its channel is not loaded, the inbox is failing.
const LATER_MS: u64 = 5_000;

/// What is under way.
#[derive(Default)]
struct Busy {
    conversations: HashSet<i64>,
    accounts: HashMap<i64, usize>,
}

impl Busy {
    /// Takes a place for a reply, if there is one.
    fn enter(&mut self, due: DueReply) -> bool {
        let of_account = self.accounts.get(&due.account).copied().unwrap_or(0);
        if of_account >= OF_ONE_ACCOUNT || self.conversations.len() >= OF_ALL {
            return false;
        }
        if !self.conversations.insert(due.conversation) {
            return false;
        }
        self.accounts.insert(due.account, of_account + 1);
        true
    }

    fn leave(&mut self, due: DueReply) {
        self.conversations.remove(&due.conversation);
        if let Some(count) = self.accounts.get_mut(&due.account) {
            *count = count.saturating_sub(1);
        }
        self.accounts.retain(|_, count| *count > 0);
    }
}

type UnderWay = Arc<Mutex<Busy>>;

fn locked(under_way: &UnderWay) -> MutexGuard<'_, Busy> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends until told to stop; then takes up nothing more and lets what is under way come to its end.
/// When the task is dropped, what is under way is dropped with it.
pub(crate) async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let under_way = UnderWay::default();
    let mut sending = JoinSet::new();
    while !*stop.borrow() {
        let now = shared.clock.now();
        let paused = shared.breakers.paused(Part::Outgoing, now);
        match shared.inbox.due_replies(now, OF_ONE_ACCOUNT, paused).await {
            Ok(due) => {
                for due in due {
                    start(&shared, &under_way, &mut sending, due);
                }
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        while sending.try_join_next().is_some() {}
        tokio::select! {
            () = shared.queued.notified() => {}
            () = shared.clock.tick(TICK) => {}
            _ = stop.changed() => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

fn start(shared: &Arc<Shared>, under_way: &UnderWay, sending: &mut JoinSet<()>, due: DueReply) {
    if !locked(under_way).enter(due) {
        return;
    }
    let (shared, under_way) = (Arc::clone(shared), Arc::clone(under_way));
    sending.spawn(async move {
        let left = match send(&shared, due.reply).await {
            Ok(left) => left,
            Err(HostError::Paused(paused)) => Left::Until(paused.until),
            Err(error) => {
                tracing::error!(%error, reply = due.reply, "a reply stopped and is tried again later");
                Left::Unable
            }
        };
        if let Err(error) = settle(&shared, due, left).await {
            tracing::error!(%error, reply = due.reply, "a reply's wait could not be written down");
            tokio::time::sleep(TICK).await;
        }
        locked(&under_way).leave(due);
        shared.queued.notify_one();
    });
}

async fn send(shared: &Arc<Shared>, reply: i64) -> Result<Left, HostError> {
    // It may have come to its end since it was found.
    match shared.inbox.open_reply(reply).await? {
        Some(open) => {
            // Of the highest level, so that it stands beside a warning too.
            let span = tracing::error_span!("reply", reply, channel = open.channel);
            (Sending { shared, reply: open }).run().instrument(span).await
        }
        None => Ok(Left::Attempt),
    }
}

async fn settle(shared: &Shared, due: DueReply, left: Left) -> Result<(), HostError> {
    let after = |wait: u64| shared.clock.now().saturating_add(wait);
    let done: Result<(), InboxError> = match left {
        Left::Nothing => shared.inbox.close_reply(due.reply).await,
        Left::Attempt => Ok(()),
        Left::Unable => shared.inbox.defer(Deferred::Reply(due.reply), after(LATER_MS)).await,
        // Another reply is the trial; most often this one is not even looked at meanwhile.
        Left::Until(at) => shared.inbox.defer(Deferred::Reply(due.reply), at.min(after(LATER_MS))).await,
        Left::Paced(at) => shared.inbox.defer(Deferred::Reply(due.reply), at).await,
        Left::Pause(wait) => shared.inbox.defer(Deferred::Account(due.account), after(wait)).await,
    };
    Ok(done?)
}
