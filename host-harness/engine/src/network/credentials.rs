//! Owns: credentials of accounts, in the file and in memory together: stored, discarded if they come too late, removed
//! with their account.
//! Does not own: sealing and looking them up (egress).

use std::sync::Arc;

use harness_inbox::{AccountState, Inbox, InboxError, SealedCredential};

use harness_egress::credentials::{Secret, SecretKey, Secrets, Vault, VaultError};
use tokio::sync::RwLock;

use crate::error::Overtaken;

/// Credentials that a channel may store for one account.
const MAX_CREDENTIALS: usize = 128;
/// Total bytes of those credentials. Every response is searched for all of them.
const MAX_CREDENTIAL_BYTES: usize = 64 << 10;

/// A channel captured more credentials for one account than it may store.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{0}` keeps too many credentials of one account")]
pub struct TooManyCredentials(pub String);

/// Why a credential was not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The credential could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The limit is reached.
    #[error(transparent)]
    TooMany(#[from] TooManyCredentials),
    /// The credential came too late.
    #[error(transparent)]
    Overtaken(#[from] Overtaken),
}

/// The credentials of accounts. Cloning shares them.
#[derive(Clone)]
pub(crate) struct AccountCredentials {
    pub(crate) inbox: Inbox,
    pub(crate) secrets: Secrets,
    pub(crate) vault: Arc<Vault>,
    /// Write-locked by changes to an account's connection, in the file and in memory. Read-locked by code that needs
    /// both to agree.
    pub(crate) unchanged: Arc<RwLock<()>>,
}

impl AccountCredentials {
    /// Stores a credential of an account: sealed in the inbox's file, and in memory. Discards it if the account has
    /// been disconnected or reconnected since `connection`.
    pub(crate) async fn keep(
        &self,
        channel: &str,
        account: &str,
        connection: i64,
        slot: String,
        secret: Secret,
    ) -> Result<(), CredentialsError> {
        let channel = channel.to_owned();
        let key = SecretKey { channel: channel.clone(), account: Some(account.to_owned()), slot: slot.clone() };
        let (count, bytes) = self.secrets.others(&key);
        if count >= MAX_CREDENTIALS || bytes.saturating_add(secret.expose().len()) > MAX_CREDENTIAL_BYTES {
            return Err(TooManyCredentials(channel).into());
        }
        let sealed = self.vault.seal(&key, &secret)?;
        let credential = SealedCredential { channel, account: Some(account.to_owned()), slot, sealed };
        // File and memory must agree, so no connecting or disconnecting may come in between.
        let _unchanged = self.unchanged.read().await;
        if !self.inbox.put_credential(credential, connection).await? {
            return Err(Overtaken.into());
        }
        self.secrets.set(key, secret);
        Ok(())
    }

    /// Removes from memory the credentials of accounts that are disconnected in the file.
    pub(crate) async fn forget_lost(&self, lost: Vec<(String, String)>) -> Result<(), InboxError> {
        if lost.is_empty() {
            return Ok(());
        }
        let _alone = self.unchanged.write().await;
        let accounts = self.inbox.accounts().await?;
        for (channel, account) in lost {
            // The account may have been connected again since.
            let in_use = accounts.iter().any(|row| {
                row.channel == channel && row.platform_id == account && row.state != AccountState::Disconnected
            });
            if !in_use {
                self.secrets.forget(&channel, &account);
            }
        }
        Ok(())
    }

    /// Loads the stored credentials into memory. One that cannot be unsealed affects only its account.
    pub(crate) async fn open(&self, now: u64) -> Result<(), InboxError> {
        for sealed in self.inbox.credentials().await? {
            let SealedCredential { channel, account, slot, sealed } = sealed;
            let key = SecretKey { channel, account, slot };
            match self.vault.unseal(&key, &sealed) {
                Ok(secret) => self.secrets.set(key, secret),
                Err(error) => {
                    tracing::error!(%error, "a credential cannot be used");
                    let accounts = self.inbox.accounts().await?;
                    let of = |row: &&harness_inbox::AccountRow| {
                        row.channel == key.channel && Some(&row.platform_id) == key.account.as_ref()
                    };
                    if let Some(row) = accounts.iter().find(of) {
                        let problem = Some(error.to_string());
                        let state = AccountState::NeedsReconnect;
                        self.inbox.mark_account(row.id, row.connection, state, problem, now).await?;
                    }
                }
            }
        }
        Ok(())
    }
}
