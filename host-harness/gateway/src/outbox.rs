//! From the outbox to the platform: replies of one conversation one after the other, conversations
//! beside each other, every step with a named end. Belongs here: who sends when. One reply: `sending`.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use harness_inbox::{Deferred, InboxError, OpenReply};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    breaker::Part,
    host::{HostError, Shared},
    sending::{Left, Sending},
};

/// Replies looked at in one round, besides those under way.
const BATCH: usize = 64;
/// How often the outbox is looked at for replies whose next attempt is due.
const TICK: Duration = Duration::from_millis(500);
/// How long a reply waits that cannot be tried now: its channel is not loaded, the inbox is failing.
const LATER_MS: u64 = 5_000;

/// Conversations with a reply under way.
type UnderWay = Arc<Mutex<HashSet<i64>>>;

/// Sends until told to stop; then takes up nothing more and lets what is under way come to its end.
/// When the task is dropped, what is under way is dropped with it.
pub(crate) async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let under_way = UnderWay::default();
    let mut sending = JoinSet::new();
    while !*stop.borrow() {
        let busy = under_way.lock().unwrap_or_else(PoisonError::into_inner).len();
        let now = shared.clock.now();
        let paused = shared.breakers.paused(Part::Outgoing, now);
        match shared.inbox.open_replies(now, BATCH + busy, paused).await {
            Ok(open) => {
                for reply in open {
                    start(&shared, &under_way, &mut sending, reply);
                }
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        while sending.try_join_next().is_some() {}
        tokio::select! {
            () = shared.queued.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            _ = stop.changed() => {}
        }
    }
    while sending.join_next().await.is_some() {}
}

fn start(shared: &Arc<Shared>, under_way: &UnderWay, sending: &mut JoinSet<()>, reply: OpenReply) {
    let conversation = reply.conversation;
    if !under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(conversation) {
        return;
    }
    let (shared, under_way) = (Arc::clone(shared), Arc::clone(under_way));
    sending.spawn(async move {
        let (account, row) = (reply.account, reply.reply);
        let left = match (Sending { shared: &shared, reply }).run().await {
            Ok(left) => left,
            Err(HostError::Paused(paused)) => Left::Until(paused.until),
            Err(error) => {
                tracing::error!(%error, reply = row, "a reply stopped and is tried again later");
                Left::Unable
            }
        };
        if let Err(error) = settle(&shared, account, row, left).await {
            tracing::error!(%error, reply = row, "a reply's wait could not be written down");
            tokio::time::sleep(TICK).await;
        }
        under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&conversation);
        shared.queued.notify_one();
    });
}

async fn settle(shared: &Shared, account: i64, reply: i64, left: Left) -> Result<(), HostError> {
    let after = |wait: u64| shared.clock.now().saturating_add(wait);
    let done: Result<(), InboxError> = match left {
        Left::Nothing => shared.inbox.close_reply(reply).await,
        Left::Attempt => Ok(()),
        Left::Unable => shared.inbox.defer(Deferred::Reply(reply), after(LATER_MS)).await,
        // Another reply is the trial; most often this one is not even looked at meanwhile.
        Left::Until(at) => shared.inbox.defer(Deferred::Reply(reply), at.min(after(LATER_MS))).await,
        Left::Pause(wait) => shared.inbox.defer(Deferred::Account(account), after(wait)).await,
    };
    Ok(done?)
}
