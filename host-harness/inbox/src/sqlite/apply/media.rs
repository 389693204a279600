//! Owns: recording the files of a new message.
//! Does not own: downloading them.

use harness_contract::{Attachment, EventOrigin, Media, Message, Retention};
use rusqlite::{Transaction, params};

use super::place::EventPlace;
use crate::{error::InboxError, model::MediaState, model::MessageId};

/// The last turn. Those of a conversation that has more files waiting come one after the other.
const LAST_TURN: i64 = 63;

/// Records the files of a new message, each with its turn among what waits of its conversation.
pub(crate) fn note_files(
    tx: &Transaction<'_>,
    place: &EventPlace,
    row: MessageId,
    origin: EventOrigin,
    message: &Message,
) -> Result<(), InboxError> {
    // The files of the dashboard's test events do not exist.
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
            "INSERT INTO media (message_id, attachment, kind, url, state, reason, next_attempt_at, name, described,
                 account_id, conversation_id, turn)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, account_id, conversation_id, min(?10, coalesce(1 + (
                 SELECT max(f.turn) FROM media f WHERE f.conversation_id = m.conversation_id AND f.state = 'remote'), 0))
             FROM message m WHERE m.id = ?1",
        )?
        .execute(params![
            row,
            i64::try_from(at).unwrap_or(i64::MAX),
            file.kind,
            file.url,
            state.name(),
            (state == MediaState::LinkOnly).then_some("The platform allows no copy of this, only the link."),
            place.received_at,
            file.name,
            file.described.map(serde_json::to_string).transpose()?,
            LAST_TURN
        ])?;
    }
    Ok(())
}

/// The downloadable file of an attachment.
struct File<'a> {
    kind: &'static str,
    /// `None` if the channel locates the file or the delivery contains it.
    url: Option<&'a str>,
    described: Option<&'a Media>,
    name: Option<&'a str>,
    retention: Retention,
}

fn file_of(attachment: &Attachment) -> Option<File<'_>> {
    match attachment {
        Attachment::Media(media) => file_of_media(media),
        Attachment::Sticker(sticker) => sticker.media.as_ref().and_then(file_of_media),
        Attachment::Share(share) => {
            let url = Some(share.url.as_deref()?);
            Some(File { kind: "share", url, described: None, name: None, retention: share.retention })
        }
        Attachment::StoryMention(story) => {
            let url = Some(story.url.as_deref()?);
            Some(File { kind: "story", url, described: None, name: None, retention: Retention::LinkOnly })
        }
        _ => None,
    }
}

fn file_of_media(media: &Media) -> Option<File<'_>> {
    let url = media.url.as_deref();
    let described = Some(media).filter(|media| url.is_none() && (media.handle.is_some() || media.inline.is_some()));
    if url.is_none() && described.is_none() {
        return None;
    }
    Some(File { kind: media.kind.name(), url, described, name: media.name.as_deref(), retention: media.retention })
}
