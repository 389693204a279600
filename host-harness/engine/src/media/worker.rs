//! Files on both ways: the worker that fetches what messages name and removes what was taken back, and
//! the files that agents hand in to be sent. Belongs here: what becomes of each. The exchange: `download`.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    Direction, FieldValue, HttpBody, HttpRequest, MediaSource, OutboundMedia, OutboundMessage, OutboundPart,
    TemplateValue,
};
use harness_inbox::{DueMedia, HeldFile, InboxError, MediaEnd, MediaState};
use tokio::{task::JoinSet, time::timeout};

use crate::{
    error::HostError,
    host::Shared,
    media::{
        incoming::{Incoming, IncomingError, PIECE, Whole},
        sniff,
        store::StoreError,
    },
    options::Registered,
    places::{Owner, Places},
    tasks::Worker,
};
use harness_egress::{DownloadError, EgressError, File, Files, check_files, check_request};

/// Downloads at the same time, of which one channel gets at most half.
const AT_ONCE: usize = 8;
/// Files among which those are looked for that have a place.
const LOOK_AT: usize = 64;
/// The largest file that is downloaded where the channel's rules name no size, in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// Attempts at a file that could not be fetched for a passing reason.
const MAX_ATTEMPTS: u32 = 6;
/// The wait before the second attempt; it triples with every further one. An address lives for days.
const FIRST_WAIT_MS: u64 = 2_000;
/// What a file on its way takes of the memory's budget, in bytes: the piece that is read, and the one that is written.
pub(crate) const IN_MEMORY: u64 = 2 * PIECE as u64;
/// How long it waits for that.
const MEMORY_WAIT: Duration = Duration::from_secs(20);
/// How often it is looked for files whose next attempt is due.
const TICK: Duration = Duration::from_secs(1);

/// Downloads and purges for as long as the host lives. A file that comes slowly holds up no other one.
pub(crate) async fn run(shared: Arc<Shared>) {
    let places = Places::new(AT_ONCE, AT_ONCE);
    let mut downloads = JoinSet::new();
    loop {
        if let Err(error) = look(&shared, &places, &mut downloads).await {
            tracing::error!(%error, "downloading media pauses");
        }
        tokio::select! {
            Some(_) = downloads.join_next() => {}
            () = shared.media_due.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Removes what must go, and begins what is due and has a place.
async fn look(shared: &Arc<Shared>, places: &Places, downloads: &mut JoinSet<()>) -> Result<(), InboxError> {
    loop {
        let purgeable = shared.inbox.purgeable_media(64).await?;
        let mut removed = 0;
        for (id, key) in &purgeable {
            match shared.media.delete(key).await {
                Ok(()) => {
                    shared.inbox.note_purged(*id).await?;
                    removed += 1;
                }
                Err(error) => tracing::error!(%error, media = id, "a file that was taken back could not be removed"),
            }
        }
        if removed == 0 {
            break;
        }
    }
    let now = shared.clock.now();
    for media in shared.inbox.due_media(now, &places.keys(), LOOK_AT).await? {
        let owner = Owner { channel: &media.channel, account: media.account, conversation: Some(media.conversation) };
        let Some(place) = places.take(owner, media.id) else { continue };
        if !shared.inbox.begin_media(media.id, &media.key).await? {
            continue;
        }
        let shared = Arc::clone(shared);
        downloads.spawn(async move {
            let _place = place;
            let end = match shared.guarded(Worker::Media, fetch(&shared, &media)).await {
                Ok(end) => end,
                Err(_) => later(&shared, &media, "this host failed while it fetched it"),
            };
            if let Err(error) = shared.inbox.finish_media(media.id, end).await {
                tracing::error!(%error, media = media.id, "how a download ended could not be written down");
                tokio::time::sleep(TICK).await;
            }
        });
    }
    Ok(())
}

/// Fetches one file and says how that ended.
async fn fetch(shared: &Shared, media: &DueMedia) -> MediaEnd {
    let ended = |state, reason: &dyn std::fmt::Display| MediaEnd::Ended { state, reason: sentence(reason) };
    let Ok(registered) = shared.channel(&media.channel) else {
        return later(shared, media, "its channel is not loaded");
    };
    let Ok(Ok(_memory)) = timeout(MEMORY_WAIT, shared.memory.take(&media.channel, IN_MEMORY)).await else {
        return later(shared, media, "its channel has so much in flight that there was no memory for it");
    };
    let max = max_bytes(&registered, &media.kind).min(shared.sizes.file);
    let begin = async || Ok(Incoming::begin(&shared.media, max).await?);
    let download = match shared.egress.download(&registered.media_hosts, &media.url, max, begin).await {
        Ok(download) => download,
        Err(error @ DownloadError::NotGranted(_)) => return ended(MediaState::Refused, &error),
        Err(error @ DownloadError::Gone(_)) => return ended(MediaState::Expired, &error),
        Err(error @ DownloadError::TooLarge(_)) => return ended(MediaState::TooLarge, &error),
        Err(error @ DownloadError::Passing(_)) => return later(shared, media, &error.to_string()),
        Err(DownloadError::Sink(error @ IncomingError::TooLarge(_))) => return ended(MediaState::TooLarge, &error),
        Err(DownloadError::Sink(IncomingError::Store(error))) => return not_stored(shared, media, &error),
    };
    let whole = match download.sink.finish().await {
        Ok(whole) => whole,
        Err(error) => return not_stored(shared, media, &error),
    };
    let mime = sniff::type_of(&whole.head, download.claimed.as_deref());
    let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
    if !sniff::fits(&media.kind, &mime) {
        return ended(MediaState::Refused, &format!("what came is {mime} and no {}", media.kind));
    }
    let (size, sha256) = (whole.size, whole.sha256.clone());
    match shared.media.keep(&media.key, whole).await {
        Ok(()) => MediaEnd::Stored { mime, size, sha256 },
        Err(error) => not_stored(shared, media, &error),
    }
}

fn not_stored(shared: &Shared, media: &DueMedia, error: &StoreError) -> MediaEnd {
    tracing::error!(%error, media = media.id, "a file could not be stored");
    later(shared, media, "it could not be stored here")
}

fn later(shared: &Shared, media: &DueMedia, reason: &str) -> MediaEnd {
    if media.attempts + 1 >= MAX_ATTEMPTS {
        return MediaEnd::Ended { state: MediaState::Failed, reason: sentence(&reason) };
    }
    let wait = FIRST_WAIT_MS.saturating_mul(3_u64.saturating_pow(media.attempts));
    MediaEnd::Later { at: shared.clock.now().saturating_add(wait), reason: sentence(&reason) }
}

fn sentence(reason: &dyn std::fmt::Display) -> String {
    format!("There is no copy: {reason}.")
}

fn max_bytes(registered: &Registered, kind: &str) -> u64 {
    let rules = &registered.capabilities.media_rules;
    let rule = rules.iter().find(|rule| rule.direction == Direction::Inbound && rule.kind.name() == kind);
    rule.map_or(MAX_BYTES, |rule| rule.max_size)
}

/// Removes what of files was left when the last run ended in the middle of them.
pub(crate) async fn remove_unfinished(shared: &Shared) -> Result<(), StoreError> {
    let removed = shared.media.remove_unfinished().await?;
    if removed > 0 {
        tracing::info!(count = removed, "removed files that were not whole when the last run ended");
        shared.calls.metrics.removed("unfinished_files", removed);
    }
    Ok(())
}

/// Takes a file that is to be sent.
pub(crate) async fn hold(
    shared: &Shared,
    whole: Whole,
    name: Option<String>,
    claimed: Option<&str>,
) -> Result<HeldFile, HostError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| HostError::Random(error.to_string()))?;
    let handle = URL_SAFE_NO_PAD.encode(random);
    let file = HeldFile {
        stored_as: format!("outbound/{handle}"),
        handle,
        name,
        mime: sniff::type_of(&whole.head, claimed),
        size: whole.size,
        sha256: whole.sha256.clone(),
    };
    shared.media.keep(&file.stored_as, whole).await?;
    shared.inbox.hold_file(file.clone(), shared.clock.now()).await?;
    Ok(file)
}

/// Puts what the host knows of its files into a message: their sizes, what their content is, their names.
pub(crate) async fn describe(shared: &Shared, message: &mut OutboundMessage) -> Result<(), HostError> {
    for media in media_of(message) {
        let MediaSource::File(reference) = &mut media.source else { continue };
        let file = shared.inbox.held_file(&reference.handle).await?;
        reference.size = file.size;
        media.size = Some(file.size);
        media.mime = file.mime.or_else(|| media.mime.take());
        media.name = media.name.take().or(file.name);
    }
    Ok(())
}

fn media_of(message: &mut OutboundMessage) -> Vec<&mut OutboundMedia> {
    let mut found = Vec::new();
    for part in &mut message.parts {
        match part {
            OutboundPart::Media(files) => found.extend(files),
            OutboundPart::Buttons(buttons) => found.extend(&mut buttons.header),
            OutboundPart::Template(template) => {
                found.extend(template.parameters.iter_mut().filter_map(|parameter| match &mut parameter.value {
                    TemplateValue::Media(media) => Some(media),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

/// Why the files of a request are not at hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Request(#[from] EgressError),
}

/// The files that a request carries, in the order of its fields, opened and not read. Counted first, by what the host
/// knows of them.
pub(crate) async fn files_of(shared: &Shared, request: &HttpRequest) -> Result<Files, FilesError> {
    let mut files = Files::default();
    let HttpBody::Multipart(fields) = &request.body else { return Ok(files) };
    check_request(request, &shared.sizes)?;
    let mut held = Vec::new();
    for field in fields {
        if let FieldValue::File(file) = &field.value {
            held.push(shared.inbox.held_file(&file.handle).await?);
        }
    }
    check_files(held.iter().map(|file| file.size), &shared.sizes)?;
    for file in held {
        let content = shared.media.get(&file.stored_as).await?;
        files.push(File { size: content.size(), body: reqwest::Body::wrap(content) });
    }
    Ok(files)
}
