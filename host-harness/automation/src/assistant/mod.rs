//! Owns: the assistant's work: customers' turns that are due, several at a time, each answered once.
//! Does not own: which turns there are (`follow`), one turn (`turn`).

mod answer;
mod model;
mod prompt;
mod turn;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use harness_engine::Host;
use harness_inbox::{ConversationId, InboxError};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
};

pub(crate) use prompt::digest;
pub(crate) use turn::{Answer, Asking, Failed as TurnFailed, would_answer};

/// Turns that are answered at a time.
const AT_A_TIME: usize = 8;
/// How long a turn waits that failed for a reason of this host, in milliseconds.
const LATER: u64 = 5_000;
/// The longest time between two looks at what is due.
const LONGEST: Duration = Duration::from_secs(60);

/// Answers turns until told to stop; then those that are being answered are left to the next start.
pub(crate) async fn run(host: Host, wake: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    let (mut answering, busy) = (JoinSet::new(), Busy::default());
    while !*stop.borrow() {
        let next = begin(&host, &mut answering, &busy, &wake).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the turns of customers cannot be read");
            Some(host.clock().now().saturating_add(LATER))
        });
        while answering.try_join_next().is_some() {}
        let longest = host.clock().now().saturating_add(u64::try_from(LONGEST.as_millis()).unwrap_or(u64::MAX));
        tokio::select! {
            () = wake.notified() => {}
            () = host.clock().until(next.unwrap_or(longest).min(longest)) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Begins the turns that are due. Returns when the next one is.
async fn begin(
    host: &Host,
    answering: &mut JoinSet<()>,
    busy: &Busy,
    wake: &Arc<Notify>,
) -> Result<Option<u64>, InboxError> {
    let (store, now) = (host.automations(), host.clock().now());
    for turn in store.due_turns(now, AT_A_TIME.saturating_mul(4)).await? {
        if answering.len() >= AT_A_TIME {
            break;
        }
        let Some(place) = busy.take(turn.conversation, wake) else { continue };
        let host = host.clone();
        answering.spawn(async move {
            let _place = place;
            // Due again only if this host fails meanwhile.
            let later = host.clock().now().saturating_add(LATER);
            let begun = host.automations().begin_turn(turn.conversation, later).await;
            let ended = match begun {
                Ok(()) => turn::answer(&host, turn).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = ended {
                tracing::error!(%error, conversation = turn.conversation.get(), "a turn could not be answered and is tried again");
            }
        });
    }
    store.next_turn(now).await
}

/// The conversations in which a turn is being answered.
#[derive(Clone, Default)]
struct Busy(Arc<Mutex<HashSet<ConversationId>>>);

impl Busy {
    fn take(&self, conversation: ConversationId, wake: &Arc<Notify>) -> Option<Place> {
        let mut busy = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(conversation).then(|| Place { busy: self.clone(), conversation, wake: Arc::clone(wake) })
    }
}

/// One conversation's place. Freed at the end, whatever that is; then the next turn is looked for.
struct Place {
    busy: Busy,
    conversation: ConversationId,
    wake: Arc<Notify>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.conversation);
        self.wake.notify_one();
    }
}
