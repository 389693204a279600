//! Owns: history lookups for messages that may have been delivered. Usually their echo arrives first.
//! Does not own: what follows from the findings (the inbox).

use std::sync::Arc;

use harness_contract::{AccountError, Author, EventBody, HistoryRequest};
use harness_inbox::{Doubt, InboxError, ReplyId, Seen, SeenMessage};
use tokio::task::JoinSet;

use super::{Accounts, AccountsError};
use crate::base::{
    places::{Owner, Places},
    rate_limit::CONVERSATIONS,
    tasks::{REST, Worker},
};

/// Concurrent lookups.
const AT_ONCE: usize = 8;
/// Number of messages per lookup. Platforms return few.
const PAGE: u32 = 20;
/// The resolution of histories, in milliseconds.
const SECOND: u64 = 1000;

/// Runs lookups until the host stops.
pub(crate) async fn run(room: Arc<Accounts>) {
    let places = Places::new(AT_ONCE, AT_ONCE);
    let mut looks = JoinSet::new();
    loop {
        let next = begin(&room, &places, &mut looks).await.unwrap_or_else(|error| {
            tracing::error!(%error, "looking for what may have been delivered pauses");
            Some(room.base.clock.after(REST))
        });
        tokio::select! {
            Some(_) = looks.join_next() => {}
            () = room.base.wake.doubts_due.notified() => {}
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

/// Starts the due lookups that get a place. Returns when something is next due.
async fn begin(
    room: &Arc<Accounts>,
    places: &Places<ReplyId>,
    looks: &mut JoinSet<()>,
) -> Result<Option<u64>, InboxError> {
    let now = room.base.clock.now();
    for doubt in room.base.inbox.due_doubts(now).await? {
        start(room, places, looks, doubt);
    }
    room.base.inbox.next_doubt(now).await
}

fn start(room: &Arc<Accounts>, places: &Places<ReplyId>, looks: &mut JoinSet<()>, doubt: Doubt) {
    let owner = Owner { channel: &doubt.channel, account: doubt.account, conversation: None };
    let Some(place) = places.take(owner, doubt.reply) else { return };
    let room = Arc::clone(room);
    looks.spawn(async move {
        let _place = place;
        let ended = match room.base.tasks.guarded(Worker::Doubts, look(&room, &doubt)).await {
            Ok(ended) => ended,
            Err(_) => note(&room, &doubt, None).await,
        };
        if let Err(error) = ended {
            tracing::error!(%error, reply = doubt.reply.get(), "what a look showed could not be written down");
            room.base.clock.wait(REST).await;
        }
    });
}

async fn look(room: &Arc<Accounts>, doubt: &Doubt) -> Result<(), InboxError> {
    // Without an older message, a lookup cannot prove that the message is missing, but it may find it.
    let since = doubt.since.unwrap_or(doubt.begun_at).saturating_sub(SECOND);
    let request = HistoryRequest {
        thread: None,
        contact: Some(doubt.contact.clone()),
        since: Some(since),
        cursor: None,
        limit: PAGE,
    };
    let page = room.call_in_class(doubt.account, Some(CONVERSATIONS), move |channel, effects, account| {
        channel.history(effects, account, &request)
    });
    match page.await {
        Ok(page) => match messages(room, doubt, page.items.into_iter().map(|item| item.body).collect()).await {
            Ok(shown) => note(room, doubt, Some(shown)).await,
            Err(error) => {
                tracing::warn!(%error, reply = doubt.reply.get(), "the archive could not be read");
                note(room, doubt, None).await
            }
        },
        Err(AccountsError::Account(error)) if matches!(*error, AccountError::Unsupported) => {
            room.base.inbox.stop_looking(doubt).await
        }
        Err(error) => {
            tracing::warn!(%error, reply = doubt.reply.get(), "the archive could not be asked");
            note(room, doubt, None).await
        }
    }
}

async fn note(room: &Accounts, doubt: &Doubt, shown: Option<Vec<SeenMessage>>) -> Result<(), InboxError> {
    let seen = room.base.inbox.note_look(doubt, shown, room.base.clock.now()).await?;
    tracing::info!(?seen, reply = doubt.reply.get(), "looked for a message that may have been delivered");
    if seen == Seen::SentAgain {
        room.base.wake.queued.notify_one();
    }
    Ok(())
}

/// The messages of the conversation in the platform's history.
async fn messages(room: &Arc<Accounts>, doubt: &Doubt, items: Vec<Vec<u8>>) -> Result<Vec<SeenMessage>, AccountsError> {
    let registered = room.channels.get(&doubt.channel)?;
    let events = room.channels.read_archived(&registered, doubt.account_id.clone(), items).await?;
    let of_contact = |event: &harness_contract::Event| {
        event.account == doubt.account_id && event.contact.as_ref().is_some_and(|contact| contact.id == doubt.contact)
    };
    let shown = events.into_iter().filter(of_contact).filter_map(|event| {
        let EventBody::Message(message) = event.body else { return None };
        Some(SeenMessage {
            id: message.id?,
            at: event.at?,
            ours: matches!(event.author, Author::Business(_)),
            text: message.text,
        })
    });
    Ok(shown.collect())
}
