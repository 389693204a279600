//! Owns: sealed credentials and connect links.
//! Does not own: the key, sealing, the meaning of a link.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{SealedCredential, StoredLink},
};

/// Sealed credentials of accounts and channels, and sealed links through which accounts are being connected.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// All sealed credentials.
    async fn credentials(&self) -> Result<Vec<SealedCredential>, InboxError>;

    /// Replaces the credential of a slot, unless the account was connected or disconnected since `connection`, which is
    /// its [`crate::AccountRow::connection`]. Returns whether it was stored.
    async fn put_credential(&self, credential: SealedCredential, connection: i64) -> Result<bool, InboxError>;

    /// Replaces the credential of a slot of the whole channel.
    async fn put_channel_credential(&self, channel: &str, slot: &str, sealed: Vec<u8>) -> Result<(), InboxError>;

    /// Stores a link, unless a newer version is already stored.
    async fn put_link(&self, link: StoredLink) -> Result<(), InboxError>;

    /// All stored links.
    async fn links(&self) -> Result<Vec<StoredLink>, InboxError>;

    /// Deletes expired links.
    async fn delete_links(&self, ids: Vec<[u8; 32]>) -> Result<(), InboxError>;
}
