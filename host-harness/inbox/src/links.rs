//! Links for connecting accounts, as they rest in the file. Belongs here: keeping and deleting them. What a link is
//! and whether it is still good is the gateway's to know, which seals it.

use rusqlite::params;

use crate::{Inbox, InboxError};

/// A link at rest.
#[derive(Clone, Debug)]
pub struct StoredLink {
    /// SHA-256 of its ticket.
    pub id: [u8; 32],
    /// Rises with every change.
    pub version: i64,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

impl Inbox {
    /// Keeps a link. A newer version that was kept before stays.
    pub async fn put_link(&self, link: StoredLink) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO link (id, version, sealed) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET version = ?2, sealed = ?3 WHERE version < ?2",
                )?
                .execute(params![link.id, link.version, link.sealed])?;
                Ok(())
            })
            .await
    }

    /// Every link that is kept.
    pub async fn links(&self) -> Result<Vec<StoredLink>, InboxError> {
        self.readers
            .read(|connection| {
                crate::read::collect(connection, "SELECT id, version, sealed FROM link", [], |row| {
                    Ok(StoredLink { id: row.get(0)?, version: row.get(1)?, sealed: row.get(2)? })
                })
            })
            .await
    }

    /// Deletes links whose time is over.
    pub async fn delete_links(&self, ids: Vec<[u8; 32]>) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let mut delete = tx.prepare_cached("DELETE FROM link WHERE id = ?1")?;
                ids.iter().try_for_each(|id| delete.execute(params![id]).map(|_| ()))?;
                Ok(())
            })
            .await
    }
}
