//! Credentials in the file: sealed, one for each slot of an account. Belongs here: reading and replacing them.
//! Sealing is the gateway's.

use rusqlite::{Transaction, params};

use crate::{Inbox, InboxError};

/// A sealed credential.
#[derive(Clone, Debug)]
pub struct SealedCredential {
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The slot's name in the manifest.
    pub slot: String,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

impl Inbox {
    /// Every sealed credential.
    pub async fn credentials(&self) -> Result<Vec<SealedCredential>, InboxError> {
        self.readers
            .read(|connection| {
                let sql = "SELECT channel, account, slot, sealed FROM credential";
                crate::read::collect(connection, sql, [], |row| {
                    Ok(SealedCredential {
                        channel: row.get(0)?,
                        account: row.get(1)?,
                        slot: row.get(2)?,
                        sealed: row.get(3)?,
                    })
                })
            })
            .await
    }

    /// Keeps a credential in place of the slot's present one, if its account is still connected as it was under this
    /// [`crate::AccountRow::connection`]. Returns whether it was kept.
    pub async fn put_credential(&self, credential: SealedCredential, connection: i64) -> Result<bool, InboxError> {
        self.writer
            .write(move |tx| {
                let current = tx
                    .prepare_cached(
                        "SELECT 1 FROM account WHERE channel = ?1 AND platform_id = ?2 AND connection = ?3
                             AND state <> 'disconnected'",
                    )?
                    .exists(params![credential.channel, credential.account, connection])?;
                if current {
                    put(tx, &credential)?;
                }
                Ok(current)
            })
            .await
    }
}

pub(crate) fn put(tx: &Transaction<'_>, credential: &SealedCredential) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO credential (channel, account, slot, sealed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET sealed = ?4",
    )?
    .execute(params![credential.channel, credential.account, credential.slot, credential.sealed])?;
    Ok(())
}
