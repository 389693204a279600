//! Owns: the last step of connecting: subscribing to the account's webhooks, unsubscribing its previous connection,
//! sealing its credentials.
//! Does not own: the steps before (`connect`).

use std::sync::Arc;

use harness_contract::{
    AccountError, AccountSettings, ConnectedAccount, Setting, SettingValue,
    manifest::SlotScope,
    settings::{RawSetting, SettingScope, merge_settings, resolve_settings},
};
use harness_inbox::{AccountId, AccountState, FromDialog, NewAccount, WorkspaceId};

use super::{Accounts, AccountsError, jobs};
use crate::{
    channels::{WrongSettings, loaded::LoadedChannel},
    error::ConnectError,
    network::{CallScope, PendingAccount},
};
use harness_egress::credentials::{SecretKey, declared_slot};

/// How far back the history is read after connecting, in milliseconds.
pub(super) const HISTORY_MS: u64 = 30 * 24 * 3_600_000;

impl Accounts {
    /// Subscribes to the account's webhooks and, if the platform agrees, stores the account. The platform comes first,
    /// so that no account is shown as connected while its webhooks are not coming.
    pub(super) async fn activate(
        self: &Arc<Self>,
        workspace: WorkspaceId,
        registered: &LoadedChannel,
        pending: &Arc<PendingAccount>,
        (login, account): (&str, ConnectedAccount),
    ) -> Result<AccountId, AccountsError> {
        let manifest = registered.channel.manifest();
        let channel = manifest.channel.id.clone();
        if account.id.is_empty() {
            let problem = AccountError::Other("The channel gave the account no id.".to_owned());
            return Err(AccountsError::Account(Box::new(problem)));
        }
        // Before anything is changed at the platform: another team's connection goes on undisturbed.
        let elsewhere = |row: &harness_inbox::AccountRow| {
            row.channel == channel && row.platform_id == account.id && row.workspace != workspace
        };
        if self.base.inbox.accounts().await?.iter().any(elsewhere) {
            return Err(ConnectError::OtherWorkspace.into());
        }
        let raw = account.settings.iter().map(|setting| (setting.key.clone(), raw(&setting.value))).collect();
        let settings = resolve_settings(&manifest.settings, SettingScope::Account, &raw).map_err(|source| {
            WrongSettings::OfAccount { channel: channel.clone(), account: account.id.clone(), source }
        })?;
        let mut told = AccountSettings {
            id: account.id.clone(),
            settings: settings.clone(),
            webhook_url: self.webhook_url(registered, Some(&account.id))?,
        };
        merge_settings(&mut told.settings, &registered.settings);
        // The channel may need these secrets to subscribe.
        for (slot, secret) in self.credentials.generated_for(manifest, &account.id)? {
            pending.credentials.set(slot, secret);
        }
        pending.knows(&told.settings);
        self.subscribe(registered, pending, &told).await?;
        if self.leave_earlier(&channel, &account, &settings).await {
            // Unsubscribing may have ended the new subscription.
            self.subscribe(registered, pending, &told).await?;
        }

        let now = self.base.clock.now();
        let mut credentials = Vec::new();
        let mut opened = Vec::new();
        for (slot, secret) in pending.credentials.all() {
            let declared = manifest.slots.get(declared_slot(&slot));
            if !declared.is_some_and(|declared| declared.scope == SlotScope::Account) {
                continue;
            }
            // Credentials of candidates that were not chosen.
            if slot.contains(':') {
                continue;
            }
            let key = SecretKey { channel: channel.clone(), account: Some(account.id.clone()), slot: slot.clone() };
            credentials.push((slot, self.credentials.vault.seal(&key, &secret)?));
            opened.push((key, secret));
        }
        let new = NewAccount {
            workspace: Some(workspace),
            channel: channel.clone(),
            platform_id: account.id.clone(),
            name: account.name,
            settings,
            dialog: Some(FromDialog {
                login: Some(login.to_owned()),
                username: account.username,
                picture: account.picture,
                aliases: account.aliases,
                authorized_by: account.authorized_by,
                refresh_before: account.refresh_before,
                refresh_at: Some(jobs::next_refresh(account.refresh_before, now)),
                credentials,
                storage: pending.storage(),
                history_from: Some(now.saturating_sub(HISTORY_MS)),
            }),
            now,
        };
        let row = {
            let _alone = self.credentials.unchanged.write().await;
            let row = self.base.inbox.connect_account(new).await?;
            self.network.secrets.replace(&channel, &account.id, opened);
            row
        };
        self.base.wake.usable();
        Ok(row)
    }

    async fn subscribe(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        pending: &Arc<PendingAccount>,
        account: &AccountSettings,
    ) -> Result<(), AccountsError> {
        let (account, scope) = (account.clone(), CallScope::Connecting(Arc::clone(pending)));
        self.call_as(registered, scope, move |channel, effects| channel.subscribe(effects, &account)).await
    }

    /// The address for an account's webhooks, or for webhooks of an account that is not yet known. `None` if the
    /// channel has no webhooks.
    pub(super) fn webhook_url(
        &self,
        registered: &LoadedChannel,
        account: Option<&str>,
    ) -> Result<Option<String>, ConnectError> {
        registered.webhook_url(&self.public_url, account)
    }

    /// Unsubscribes the account's previous connection if it was made with other settings, e.g. through another page or
    /// login. Returns whether it tried.
    async fn leave_earlier(self: &Arc<Self>, channel: &str, account: &ConnectedAccount, settings: &[Setting]) -> bool {
        let Ok(accounts) = self.base.inbox.accounts().await else { return false };
        let here = |row: &&harness_inbox::AccountRow| row.channel == channel && row.platform_id == account.id;
        let Some(row) = accounts.iter().find(here) else { return false };
        let Ok((_, earlier)) = self.base.inbox.account(row.id).await else { return false };
        if row.state == AccountState::Disconnected || earlier.settings == settings {
            return false;
        }
        let left = self.call(row.id, |channel, effects, account| channel.unsubscribe(effects, account));
        if let Err(error) = left.await {
            // Webhooks may then arrive twice; the inbox applies each event once.
            tracing::warn!(%error, account = row.id.get(), "the account's earlier way could not be left");
        }
        true
    }
}

fn raw(value: &SettingValue) -> RawSetting {
    match value {
        SettingValue::Text(text) => RawSetting::Text(text.clone()),
        SettingValue::Number(number) => RawSetting::Number(*number),
        SettingValue::Flag(flag) => RawSetting::Flag(*flag),
        SettingValue::Texts(texts) => RawSetting::Texts(texts.clone()),
    }
}
