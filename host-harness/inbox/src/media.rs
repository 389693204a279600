//! Files that messages name: from the platform's address to our own copy, or to the reason why there is
//! none. Belongs here: their states. Not here: downloading, and where the bytes lie.

use harness_contract::{Attachment, EventOrigin, Media, Message, Retention};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use crate::{
    Inbox, InboxError, Update,
    journal::{as_millis, from_millis},
    messages::Place,
    read::collect,
};

/// What became of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaState {
    /// Only the platform has it; it will be downloaded.
    Remote,
    /// Here.
    Stored,
    /// The platform's terms allow a link and no copy.
    LinkOnly,
    /// The platform's address no longer gave it.
    Expired,
    /// Its message was taken back; nothing of it is kept.
    Deleted,
    /// Larger than this host takes.
    TooLarge,
    /// It is not what its message says, or lies where this host does not go.
    Refused,
    /// It could not be had, after several attempts.
    Failed,
}

impl MediaState {
    /// Its name in the database, in JSON and on pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Stored => "stored",
            Self::LinkOnly => "link-only",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::TooLarge => "too-large",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Self {
        const ALL: [MediaState; 8] = [
            MediaState::Remote,
            MediaState::Stored,
            MediaState::LinkOnly,
            MediaState::Expired,
            MediaState::Deleted,
            MediaState::TooLarge,
            MediaState::Refused,
            MediaState::Failed,
        ];
        ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Failed)
    }
}

/// A file of a message.
#[derive(Clone, Debug, Serialize)]
pub struct MediaView {
    /// Its row.
    pub id: i64,
    /// Its place in the message's attachments, counted from 0.
    pub attachment: i64,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// What became of it.
    pub state: MediaState,
    /// Why it is not stored, in a sentence.
    pub reason: Option<String>,
    /// Where the platform has it, for a time.
    pub url: Option<String>,
    /// What its content is.
    pub mime: Option<String>,
    /// In bytes.
    pub size: Option<i64>,
    /// SHA-256 of its content, in hex.
    pub sha256: Option<String>,
    /// The name under which it was sent.
    pub name: Option<String>,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: Option<String>,
}

/// A file that is to be downloaded now.
#[derive(Clone, Debug)]
pub struct DueMedia {
    /// Its row.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// The account's row.
    pub account: i64,
    /// The conversation's row.
    pub conversation: i64,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// Where it lies.
    pub url: String,
    /// Attempts before this one.
    pub attempts: u32,
    /// The key under which it is to be stored.
    pub key: String,
}

/// How an attempt to download ended.
#[derive(Clone, Debug)]
pub enum MediaEnd {
    /// The bytes are in the media store.
    Stored {
        /// What the content is.
        mime: String,
        /// In bytes.
        size: u64,
        /// In hex.
        sha256: String,
    },
    /// There will be no copy.
    Ended {
        /// Expired, too large, refused or failed.
        state: MediaState,
        /// For a person.
        reason: String,
    },
    /// Another attempt is due at this time, in milliseconds.
    Later {
        /// When.
        at: u64,
        /// What went wrong this time.
        reason: String,
    },
}

/// A file that was given to be sent.
#[derive(Clone, Debug, Serialize)]
pub struct HeldFile {
    /// What `file-ref.handle` names it by.
    pub handle: String,
    /// Its name.
    pub name: Option<String>,
    /// What its content is, where that can be told.
    pub mime: Option<String>,
    /// In bytes.
    pub size: u64,
    /// In hex.
    pub sha256: String,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: String,
}

impl Inbox {
    /// The files whose download is due, without those in `except`, which are under way. In turns: first the oldest
    /// of each channel, of a channel the oldest of each account, of an account the oldest of each conversation.
    pub async fn due_media(&self, now: u64, except: &[i64], limit: usize) -> Result<Vec<DueMedia>, InboxError> {
        let except = serde_json::to_string(except)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "WITH due AS (
                         SELECT media.id, account.channel, message.account_id, message.conversation_id, media.kind,
                             media.url, media.attempts, media.next_attempt_at AS at,
                             row_number() OVER (PARTITION BY message.conversation_id
                                                ORDER BY media.next_attempt_at, media.id) AS turn
                         FROM media JOIN message ON message.id = media.message_id
                         JOIN account ON account.id = message.account_id
                         WHERE media.state = 'remote' AND media.next_attempt_at <= ?1 AND media.url IS NOT NULL
                           AND media.id NOT IN (SELECT value FROM json_each(?2))),
                     of_account AS (
                         SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY turn, at, id) AS second FROM due),
                     of_channel AS (
                         SELECT *, row_number() OVER (PARTITION BY channel ORDER BY second, at, id) AS third
                         FROM of_account)
                     SELECT id, channel, account_id, conversation_id, kind, url, attempts FROM of_channel
                     ORDER BY third, at, id LIMIT ?3",
                    params![as_millis(now), except, limit],
                    |row| {
                        let id: i64 = row.get(0)?;
                        Ok(DueMedia {
                            id,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            conversation: row.get(3)?,
                            kind: row.get(4)?,
                            url: row.get(5)?,
                            attempts: row.get(6)?,
                            key: format!("inbound/{id}"),
                        })
                    },
                )
            })
            .await
    }

    /// Notes an attempt at a file before it is made, with the key of its future copy, so that no crash leaves a
    /// copy that nobody knows of. False where it is not wanted any more.
    pub async fn begin_media(&self, id: i64, key: &str) -> Result<bool, InboxError> {
        let key = key.to_owned();
        self.writer
            .write(move |tx| {
                let begun = tx
                    .prepare_cached(
                        "UPDATE media SET attempts = attempts + 1, stored_as = ?2 WHERE id = ?1 AND state = 'remote'",
                    )?
                    .execute(params![id, key])?;
                Ok(begun == 1)
            })
            .await
    }

    /// When the next download is due, in milliseconds.
    pub async fn next_media(&self) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(|connection| {
                let next: Option<i64> = connection
                    .prepare_cached("SELECT min(next_attempt_at) FROM media WHERE state = 'remote'")?
                    .query_row([], |row| row.get(0))?;
                Ok(next.map(from_millis))
            })
            .await
    }

    /// Writes down how a download ended. A file whose message was taken back meanwhile stays deleted.
    pub async fn finish_media(&self, id: i64, end: MediaEnd) -> Result<(), InboxError> {
        let conversation = self
            .writer
            .write(move |tx| {
                match &end {
                    MediaEnd::Stored { mime, size, sha256 } => tx
                        .prepare_cached(
                            "UPDATE media SET state = 'stored', reason = NULL, mime = ?2, size = ?3, sha256 = ?4
                             WHERE id = ?1 AND state = 'remote'",
                        )?
                        .execute(params![id, mime, as_millis(*size), sha256])?,
                    MediaEnd::Ended { state, reason } => tx
                        .prepare_cached("UPDATE media SET state = ?2, reason = ?3 WHERE id = ?1 AND state = 'remote'")?
                        .execute(params![id, state.name(), reason])?,
                    MediaEnd::Later { at, reason } => tx
                        .prepare_cached(
                            "UPDATE media SET next_attempt_at = ?2, reason = ?3 WHERE id = ?1 AND state = 'remote'",
                        )?
                        .execute(params![id, as_millis(*at), reason])?,
                };
                Ok(tx
                    .prepare_cached(
                        "SELECT message.conversation_id FROM media JOIN message ON message.id = media.message_id
                         WHERE media.id = ?1",
                    )?
                    .query_row(params![id], |row| row.get::<_, i64>(0))
                    .optional()?)
            })
            .await?;
        self.announce(conversation.map(|conversation| Update::Conversation { conversation, kind: "media" }));
        Ok(())
    }

    /// Copies that must go, with their keys: of messages that were taken back, and of downloads that ended
    /// without one.
    pub async fn purgeable_media(&self, limit: usize) -> Result<Vec<(i64, String)>, InboxError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, stored_as FROM media
                     WHERE stored_as IS NOT NULL AND state <> 'stored' AND state <> 'remote' LIMIT ?1",
                )?;
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = statement.query_map(params![limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Notes that the copy of a file is gone.
    pub async fn note_purged(&self, id: i64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE media SET stored_as = NULL WHERE id = ?1")?.execute(params![id])?;
                Ok(())
            })
            .await
    }

    /// A file of a message.
    pub async fn media(&self, id: i64) -> Result<MediaView, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached(&select("id = ?1"))?
                    .query_row(params![id], view)
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "media", id: id.to_string() })
            })
            .await
    }

    /// Keeps what is known of a file that was given to be sent. Its bytes are in the media store.
    pub async fn hold_file(&self, file: HeldFile, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO file (handle, name, mime, size, sha256, stored_as, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![
                    file.handle,
                    file.name,
                    file.mime,
                    as_millis(file.size),
                    file.sha256,
                    file.stored_as,
                    as_millis(now)
                ])?;
                Ok(())
            })
            .await
    }

    /// A file that was given to be sent.
    pub async fn held_file(&self, handle: &str) -> Result<HeldFile, InboxError> {
        let handle = handle.to_owned();
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT handle, name, mime, size, sha256, stored_as FROM file WHERE handle = ?1")?
                    .query_row(params![handle], |row| {
                        Ok(HeldFile {
                            handle: row.get(0)?,
                            name: row.get(1)?,
                            mime: row.get(2)?,
                            size: from_millis(row.get(3)?),
                            sha256: row.get(4)?,
                            stored_as: row.get(5)?,
                        })
                    })
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "file", id: handle })
            })
            .await
    }
}

/// Notes the files that a new message names.
pub(crate) fn note_files(
    tx: &Transaction<'_>,
    place: &Place,
    message_row: i64,
    origin: EventOrigin,
    message: &Message,
) -> Result<(), InboxError> {
    // The files of the dashboard's samples do not exist.
    if origin == EventOrigin::Test {
        return Ok(());
    }
    for (at, attachment) in message.attachments.iter().enumerate() {
        let Some(file) = file_of(attachment) else { continue };
        let state = match file.retention {
            Retention::Storable => MediaState::Remote,
            Retention::LinkOnly => MediaState::LinkOnly,
        };
        tx.prepare_cached(
            "INSERT INTO media (message_id, attachment, kind, url, state, reason, next_attempt_at, name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            message_row,
            i64::try_from(at).unwrap_or(i64::MAX),
            file.kind,
            file.url,
            state.name(),
            (state == MediaState::LinkOnly).then_some("The platform allows no copy of this, only the link."),
            place.received_at,
            file.name
        ])?;
    }
    Ok(())
}

/// What of an attachment can be downloaded.
struct File<'a> {
    kind: &'static str,
    url: &'a str,
    name: Option<&'a str>,
    retention: Retention,
}

fn file_of(attachment: &Attachment) -> Option<File<'_>> {
    match attachment {
        Attachment::Media(media) => file_of_media(media),
        Attachment::Sticker(sticker) => sticker.media.as_ref().and_then(file_of_media),
        Attachment::Share(share) => {
            Some(File { kind: "share", url: share.url.as_deref()?, name: None, retention: share.retention })
        }
        Attachment::StoryMention(story) => {
            Some(File { kind: "story", url: story.url.as_deref()?, name: None, retention: Retention::LinkOnly })
        }
        _ => None,
    }
}

fn file_of_media(media: &Media) -> Option<File<'_>> {
    Some(File {
        kind: media.kind.name(),
        url: media.url.as_deref()?,
        name: media.name.as_deref(),
        retention: media.retention,
    })
}

/// Forgets the files of a message that was taken back, or that turned out to be one of ours. The copies
/// are found by [`Inbox::purgeable_media`].
pub(crate) fn forget(tx: &Transaction<'_>, account: i64, platform_id: &str, gone: bool) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE media SET state = 'deleted', url = NULL, name = NULL, mime = NULL, size = NULL, sha256 = NULL,
             reason = 'The message was taken back.', message_id = iif(?3, NULL, message_id)
         WHERE message_id IN (SELECT id FROM message WHERE account_id = ?1 AND platform_id = ?2
                              AND (NOT ?3 OR reply_id IS NULL))",
    )?
    .execute(params![account, platform_id, gone])?;
    Ok(())
}

/// The files of a message.
pub(crate) fn of_message(connection: &Connection, message: i64) -> Result<Vec<MediaView>, InboxError> {
    let mut statement = connection.prepare_cached(&select("message_id = ?1 ORDER BY attachment"))?;
    let rows = statement.query_map(params![message], view)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn select(which: &str) -> String {
    format!(
        "SELECT id, attachment, kind, state, reason, url, mime, size, sha256, name, stored_as FROM media WHERE {which}"
    )
}

fn view(row: &Row<'_>) -> rusqlite::Result<MediaView> {
    Ok(MediaView {
        id: row.get(0)?,
        attachment: row.get(1)?,
        kind: row.get(2)?,
        state: MediaState::from_name(&row.get::<_, String>(3)?),
        reason: row.get(4)?,
        url: row.get(5)?,
        mime: row.get(6)?,
        size: row.get(7)?,
        sha256: row.get(8)?,
        name: row.get(9)?,
        stored_as: row.get(10)?,
    })
}
