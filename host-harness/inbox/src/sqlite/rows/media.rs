//! Owns: the rows of a message's files once the message is gone.
//! Does not own: downloads.

use rusqlite::{Transaction, params};

use crate::{error::InboxError, model::AccountId};

/// Marks the files of a message as deleted, because it was unsent or proved to be one of ours.
/// [`crate::store::MediaFiles::purgeable_media`] then returns their copies.
pub(crate) fn forget(
    tx: &Transaction<'_>,
    account: AccountId,
    platform_id: &str,
    gone: bool,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE media SET state = 'deleted', url = NULL, described = NULL, name = NULL, mime = NULL, size = NULL, sha256 = NULL,
             reason = 'The message was taken back.', message_id = iif(?3, NULL, message_id)
         WHERE message_id IN (SELECT id FROM message WHERE account_id = ?1 AND platform_id = ?2
                              AND (NOT ?3 OR reply_id IS NULL))",
    )?
    .execute(params![account, platform_id, gone])?;
    Ok(())
}
