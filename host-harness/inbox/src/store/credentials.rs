//! Owns: sealed credentials and links.
//! Does not own: the key, sealing, and what a link is.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{SealedCredential, StoredLink},
};

/// Sealed credentials of accounts, and sealed links over which accounts are being connected.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Every sealed credential.
    async fn credentials(&self) -> Result<Vec<SealedCredential>, InboxError>;

    /// Keeps a credential in place of the slot's present one, if its account is still connected as it was under this
    /// [`crate::AccountRow::connection`]. Returns whether it was kept.
    async fn put_credential(&self, credential: SealedCredential, connection: i64) -> Result<bool, InboxError>;

    /// Keeps a link. A newer version that was kept before stays.
    async fn put_link(&self, link: StoredLink) -> Result<(), InboxError>;

    /// Every link that is kept.
    async fn links(&self) -> Result<Vec<StoredLink>, InboxError>;

    /// Deletes links whose time is over.
    async fn delete_links(&self, ids: Vec<[u8; 32]>) -> Result<(), InboxError>;
}
