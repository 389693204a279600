//! Owns: the worker that downloads the files named by messages, and deletes those whose message was unsent.
//! Does not own: the exchange (egress), which files exist (the inbox).

use std::{sync::Arc, time::Duration};

use harness_contract::{self as contract, Direction};
use harness_inbox::{DueMedia, InboxError, MediaEnd, MediaId, MediaPlace, MediaState};
use tokio::{task::JoinSet, time::timeout};

use super::{IN_MEMORY, Media, inline, sniff};
use crate::{
    base::{
        places::{Owner, Places},
        tasks::{REST, Worker},
    },
    channels::loaded::LoadedChannel,
    network::NotLocated,
    store::{
        StoreError,
        incoming::{Incoming, IncomingError},
    },
};
use harness_egress::DownloadError;

/// Concurrent downloads. One channel gets at most half of them.
const AT_ONCE: usize = 8;
/// Due files considered per round.
const LOOK_AT: usize = 64;
/// The largest download, in bytes, if the channel's rules name no size.
const MAX_BYTES: u64 = 32 << 20;
/// Attempts at a file that fails for a temporary reason.
const MAX_ATTEMPTS: u32 = 6;
/// The wait before the second attempt, in milliseconds. It triples each time. An address is valid for days.
const FIRST_WAIT_MS: u64 = 2_000;
/// How long a download waits for memory.
const MEMORY_WAIT: Duration = Duration::from_secs(20);

/// Downloads and deletes files for as long as the host lives. A slow download does not hold up others.
pub(crate) async fn run(room: Arc<Media>) {
    let places = Places::new(AT_ONCE, AT_ONCE);
    let mut downloads = JoinSet::new();
    loop {
        let next = look(&room, &places, &mut downloads).await.unwrap_or_else(|error| {
            tracing::error!(%error, "downloading media pauses");
            Some(room.base.clock.after(REST))
        });
        tokio::select! {
            Some(_) = downloads.join_next() => {}
            () = room.base.wake.media_due.notified() => {}
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

/// Deletes what has to go and starts due downloads that get a place. Returns when something is next due.
async fn look(
    room: &Arc<Media>,
    places: &Places<MediaId>,
    downloads: &mut JoinSet<()>,
) -> Result<Option<u64>, InboxError> {
    let again = loop {
        let purgeable = room.base.inbox.purgeable_media(64).await?;
        let mut removed = 0;
        for (id, key) in &purgeable {
            match room.store.delete(key).await {
                Ok(()) => {
                    room.base.inbox.note_purged(*id).await?;
                    removed += 1;
                }
                Err(error) => {
                    tracing::error!(%error, media = id.get(), "a file that was taken back could not be removed")
                }
            }
        }
        if removed == 0 {
            break (!purgeable.is_empty()).then(|| room.base.clock.after(REST));
        }
    };
    let now = room.base.clock.now();
    let mut taken = Vec::new();
    for media in room.base.inbox.due_media(now, &places.keys(), LOOK_AT).await? {
        let owner = Owner { channel: &media.channel, account: media.account, conversation: Some(media.conversation) };
        if let Some(place) = places.take(owner, media.id) {
            taken.push((place, media));
        }
    }
    let begun = if taken.is_empty() {
        Vec::new()
    } else {
        room.base.inbox.begin_media(taken.iter().map(|(_, media)| (media.id, media.key.clone())).collect()).await?
    };
    taken.retain(|(_, media)| begun.contains(&media.id));
    for (place, media) in taken {
        let room = Arc::clone(room);
        downloads.spawn(async move {
            let _place = place;
            let end = match room.base.tasks.guarded(Worker::Media, fetch(&room, &media)).await {
                Ok(end) => end,
                Err(_) => later(&room, &media, "this host failed while it fetched it"),
            };
            if let Err(error) = room.base.inbox.finish_media(media.id, end, room.base.clock.now()).await {
                tracing::error!(%error, media = media.id.get(), "how a download ended could not be written down");
                room.base.clock.wait(REST).await;
            }
        });
    }
    Ok(room.base.inbox.next_media(now).await?.into_iter().chain(again).min())
}

/// Downloads one file and returns the result.
async fn fetch(room: &Media, media: &DueMedia) -> MediaEnd {
    let ended = |state, reason: &dyn std::fmt::Display| MediaEnd::Ended { state, reason: sentence(reason) };
    let Ok(registered) = room.channels.get(&media.channel) else {
        return later(room, media, "its channel is not loaded");
    };
    let Ok(Ok(mut memory)) = timeout(MEMORY_WAIT, room.network.memory.take(&media.channel, IN_MEMORY)).await else {
        return later(room, media, "its channel has so much in flight that there was no memory for it");
    };
    let max = max_bytes(&registered, &media.kind).min(room.network.sizes.file);
    let begin = async || Ok(Incoming::begin(&room.store, max).await?);
    let downloaded = match &media.at {
        MediaPlace::Url(url) => room.network.egress.download(&registered.media_hosts, url, max, begin).await,
        MediaPlace::Channel(described) => {
            let (scope, location) = match room.locate.locate(media.account, (**described).clone()).await {
                Ok(located) => located,
                Err(NotLocated::Passing(reason)) => return later(room, media, &reason),
                Err(NotLocated::Final(reason)) => return ended(MediaState::Failed, &reason),
            };
            room.network.download(&registered, &scope, location.request, max, &mut memory, begin).await
        }
        MediaPlace::Delivery(described) => return from_delivery(room, media, described, max).await,
    };
    let download = match downloaded {
        Ok(download) => download,
        Err(error @ DownloadError::NotGranted(_)) => return ended(MediaState::Refused, &error),
        Err(error @ DownloadError::Gone(_)) => return ended(MediaState::Expired, &error),
        Err(error @ DownloadError::TooLarge(_)) => return ended(MediaState::TooLarge, &error),
        Err(error @ DownloadError::Passing(_)) => return later(room, media, &error.to_string()),
        Err(DownloadError::Sink(error @ IncomingError::TooLarge(_))) => return ended(MediaState::TooLarge, &error),
        Err(DownloadError::Sink(IncomingError::Store(error))) => return not_stored(room, media, &error),
    };
    keep(room, media, download.sink, download.claimed.as_deref()).await
}

/// Takes the bytes from the delivery that brought the message.
async fn from_delivery(room: &Media, media: &DueMedia, described: &contract::Media, max: u64) -> MediaEnd {
    let gone = || MediaEnd::Ended {
        state: MediaState::Expired,
        reason: sentence(&"the delivery that held it is kept no longer, or does not hold it"),
    };
    let body = match room.base.inbox.delivery_of_media(media.id).await {
        Ok(body) => body,
        Err(error) => return later(room, media, &error.to_string()),
    };
    let pointer = described.inline.as_deref().unwrap_or_default();
    let Some(bytes) = body.and_then(|body| inline::inline(&body, pointer)) else { return gone() };
    let taken = async {
        let mut file = Incoming::begin(&room.store, max).await?;
        file.take(&bytes).await?;
        Ok(file)
    };
    match taken.await {
        Ok(file) => keep(room, media, file, described.mime.as_deref()).await,
        Err(error @ IncomingError::TooLarge(_)) => {
            MediaEnd::Ended { state: MediaState::TooLarge, reason: sentence(&error) }
        }
        Err(IncomingError::Store(error)) => not_stored(room, media, &error),
    }
}

/// Stores a complete file, if its type fits the message.
async fn keep(room: &Media, media: &DueMedia, file: Incoming, claimed: Option<&str>) -> MediaEnd {
    let ended = |state, reason: &dyn std::fmt::Display| MediaEnd::Ended { state, reason: sentence(reason) };
    let whole = match file.finish().await {
        Ok(whole) => whole,
        Err(error) => return not_stored(room, media, &error),
    };
    let mime = sniff::type_of(&whole.head, claimed);
    let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
    if !sniff::fits(&media.kind, &mime) {
        return ended(MediaState::Refused, &format!("what came is {mime} and no {}", media.kind));
    }
    let (size, sha256) = (whole.size, whole.sha256.clone());
    match room.store.keep(&media.key, whole).await {
        Ok(()) => MediaEnd::Stored { mime, size, sha256 },
        Err(error) => not_stored(room, media, &error),
    }
}

fn not_stored(room: &Media, media: &DueMedia, error: &StoreError) -> MediaEnd {
    tracing::error!(%error, media = media.id.get(), "a file could not be stored");
    later(room, media, "it could not be stored here")
}

fn later(room: &Media, media: &DueMedia, reason: &str) -> MediaEnd {
    if media.attempts + 1 >= MAX_ATTEMPTS {
        return MediaEnd::Ended { state: MediaState::Failed, reason: sentence(&reason) };
    }
    let wait = FIRST_WAIT_MS.saturating_mul(3_u64.saturating_pow(media.attempts));
    MediaEnd::Later { at: room.base.clock.now().saturating_add(wait), reason: sentence(&reason) }
}

fn sentence(reason: &dyn std::fmt::Display) -> String {
    format!("There is no copy: {reason}.")
}

fn max_bytes(registered: &LoadedChannel, kind: &str) -> u64 {
    let rules = &registered.capabilities.media_rules;
    let rule = rules.iter().find(|rule| rule.direction == Direction::Inbound && rule.kind.name() == kind);
    rule.map_or(MAX_BYTES, |rule| rule.max_size)
}
