//! Owns: secrets that the host generates for a channel or an account: generated once, sealed, kept in memory.
//! Does not own: which slots are generated (the manifest).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::manifest::{Manifest, SlotScope};
use harness_egress::credentials::{Secret, SecretKey, VaultError, random};
use harness_inbox::AccountId;
use zeroize::Zeroizing;

use super::credentials::{AccountCredentials, CredentialsError};

impl AccountCredentials {
    /// The secrets of an account's generated slots: existing ones, and new ones for empty slots.
    pub(crate) fn generated_for(
        &self,
        manifest: &Manifest,
        account: &str,
    ) -> Result<Vec<(String, Secret)>, VaultError> {
        let of_slot = |slot: &str| {
            let known = self.secrets.find(&manifest.channel.id, account, slot);
            Ok((slot.to_owned(), known.map_or_else(new_secret, Ok)?))
        };
        manifest.generated_slots(SlotScope::Account).map(of_slot).collect()
    }

    /// Generates the missing secrets of a connected account.
    pub(crate) async fn generate_for(&self, manifest: &Manifest, account: AccountId) -> Result<(), CredentialsError> {
        if manifest.generated_slots(SlotScope::Account).next().is_none() {
            return Ok(());
        }
        let row = self.inbox.account_row(account).await?;
        for (slot, secret) in self.generated_for(manifest, &row.platform_id)? {
            if self.secrets.find(&row.channel, &row.platform_id, &slot).is_none() {
                self.keep(&row.channel, &row.platform_id, row.connection, slot, secret).await?;
            }
        }
        Ok(())
    }

    /// Generates the missing secrets of a channel.
    pub(crate) async fn generate_of_channel(&self, manifest: &Manifest) -> Result<(), CredentialsError> {
        let channel = &manifest.channel.id;
        for slot in manifest.generated_slots(SlotScope::App) {
            if self.secrets.of_app(channel, slot).is_some() {
                continue;
            }
            let (key, secret) =
                (SecretKey { channel: channel.clone(), account: None, slot: slot.to_owned() }, new_secret()?);
            self.inbox.put_channel_credential(channel, slot, self.vault.seal(&key, &secret)?).await?;
            self.secrets.set(key, secret);
        }
        Ok(())
    }
}

fn new_secret() -> Result<Secret, VaultError> {
    let bytes = Zeroizing::new(random::<32>()?);
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes).into_bytes()))
}
