//! Owns: the account data that a channel gets with a delivery: the webhook address, and the settings that the manifest
//! marks `in-webhooks`.
//! Does not own: which account a delivery is for (`verify`).

use std::collections::HashMap;

use harness_contract::{AccountSettings, settings::merge_settings};
use harness_inbox::{InboxError, PendingDelivery};

use super::Ingest;
use crate::channels::loaded::LoadedChannel;

impl Ingest {
    /// Adds the address and the settings to the deliveries whose account is known.
    pub(super) async fn tell_settings(
        &self,
        registered: &LoadedChannel,
        pending: &mut [PendingDelivery],
    ) -> Result<(), InboxError> {
        let specs = &registered.channel.manifest().settings;
        let in_webhooks = specs.values().any(|spec| spec.in_webhooks);
        let mut known: HashMap<String, AccountSettings> = HashMap::new();
        for account in pending.iter_mut().filter_map(|one| one.delivery.account.as_mut()) {
            if let Some(told) = known.get(&account.id) {
                account.clone_from(told);
                continue;
            }
            account.webhook_url = self.channels.webhook_url(registered, &account.id);
            if in_webhooks {
                let mut settings = self.base.inbox.settings_of(registered.channel.id(), &account.id).await?;
                merge_settings(&mut settings, &registered.settings);
                settings.retain(|setting| specs.get(&setting.key).is_some_and(|spec| spec.in_webhooks));
                account.settings = settings;
            }
            known.insert(account.id.clone(), account.clone());
        }
        Ok(())
    }
}
