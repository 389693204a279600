//! Owns: what the automation asks of the host: its storage, and the model's key.
//! Does not own: deciding, and calling the model (the crate `automation`).

use std::sync::Arc;

use harness_egress::credentials::{Secret, SecretKey};
use harness_inbox::{AccountId, store::Automations};

use super::{Host, HostError};

impl Host {
    /// The settings, decisions and open turns of the automation.
    pub fn automations(&self) -> Arc<dyn Automations> {
        self.base().inbox.store()
    }

    /// Stores the key for the model of an account, sealed; `None` deletes it. The account must have settings of the
    /// automation.
    pub async fn set_model_key(&self, account: AccountId, key: Option<Secret>) -> Result<(), HostError> {
        let vault = &self.rooms.accounts.credentials.vault;
        let sealed = key.map(|key| vault.seal(&place_of(account), &key)).transpose()?;
        Ok(self.base().inbox.set_model_key(account, sealed, self.clock().now()).await?)
    }

    /// The key for the model of an account.
    pub async fn model_key(&self, account: AccountId) -> Result<Option<Secret>, HostError> {
        let Some(sealed) = self.base().inbox.model_key(account).await? else { return Ok(None) };
        Ok(Some(self.rooms.accounts.credentials.vault.unseal(&place_of(account), &sealed)?))
    }
}

/// What a sealed key is bound to: no channel can have it under one of its slots.
fn place_of(account: AccountId) -> SecretKey {
    SecretKey { channel: "automation".into(), account: Some(account.to_string()), slot: "model-key".into() }
}
