//! Owns: looking for messages that may have been delivered: the echo comes by itself, and after a while the platform's
//! archive is asked.
//! Does not own: what follows from what it shows (the inbox).

use std::{sync::Arc, time::Duration};

use harness_contract::{AccountError, Author, EventBody, HistoryRequest};
use harness_inbox::{Doubt, InboxError, ReplyId, Seen, SeenMessage};
use tokio::task::JoinSet;

use super::Accounts;
use crate::{
    base::{
        places::{Owner, Places},
        rate_limit::CONVERSATIONS,
        tasks::Worker,
    },
    error::HostError,
};

/// How often it is looked for parts that are due.
const TICK: Duration = Duration::from_secs(1);
/// Looks at the same time.
const AT_ONCE: usize = 8;
/// Messages that are asked for: platforms show few.
const PAGE: u32 = 20;
/// Archives know whole seconds, in milliseconds.
const SECOND: u64 = 1000;

/// Looks for as long as the host lives.
pub(crate) async fn run(room: Arc<Accounts>) {
    let places = Places::new(AT_ONCE, AT_ONCE);
    let mut looks = JoinSet::new();
    loop {
        match room.base.inbox.due_doubts(room.base.clock.now()).await {
            Ok(due) => due.into_iter().for_each(|doubt| start(&room, &places, &mut looks, doubt)),
            Err(error) => tracing::error!(%error, "looking for what may have been delivered pauses"),
        }
        tokio::select! {
            Some(_) = looks.join_next() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
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
            tokio::time::sleep(TICK).await;
        }
    });
}

async fn look(room: &Arc<Accounts>, doubt: &Doubt) -> Result<(), InboxError> {
    // Where nothing older is known, nothing can be proved; it may be found all the same.
    let since = doubt.since.unwrap_or(doubt.begun_at).saturating_sub(SECOND);
    let request =
        HistoryRequest { contact: Some(doubt.contact.clone()), since: Some(since), cursor: None, limit: PAGE };
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
        Err(HostError::Account(error)) if matches!(*error, AccountError::Unsupported) => {
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

/// What the archive shows of the conversation.
async fn messages(room: &Arc<Accounts>, doubt: &Doubt, items: Vec<Vec<u8>>) -> Result<Vec<SeenMessage>, HostError> {
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
