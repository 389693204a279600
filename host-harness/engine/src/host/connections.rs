//! Owns: the product's interface to accounts.
//! Does not own: its implementation (`accounts`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use harness_contract::{
    AccountError, EntryPoints,
    manifest::SlotScope,
    settings::{RawSetting, SettingScope, resolve_settings},
};
use harness_egress::credentials::Secret;
use harness_inbox::{AccountId, NewAccount, WorkspaceId};
use url::Url;

use super::{Host, HostError};
use crate::{
    accounts::{AccountHealth, ConnectStage, ConnectView, Entered, Typed},
    channels::{
        WrongSettings,
        loaded::{LoadedChannel, check_slots},
    },
    error::ConnectError,
};

impl Host {
    /// Connects an account with known credentials. Returns its row in the inbox.
    pub async fn connect_account(
        &self,
        channel: &str,
        account: &str,
        name: &str,
        settings: &BTreeMap<String, RawSetting>,
        secrets: HashMap<String, Secret>,
    ) -> Result<AccountId, HostError> {
        if account.is_empty() {
            let problem = AccountError::InvalidInput("The id of an account is empty.".to_owned());
            return Err(HostError::Account(Box::new(problem)));
        }
        let registered = self.channel(channel)?;
        let manifest = registered.channel.manifest();
        let settings = resolve_settings(&manifest.settings, SettingScope::Account, settings).map_err(|source| {
            WrongSettings::OfAccount { channel: channel.to_owned(), account: account.to_owned(), source }
        })?;
        check_slots(manifest, &secrets, SlotScope::Account)?;
        let new = NewAccount {
            workspace: None,
            channel: channel.to_owned(),
            platform_id: account.to_owned(),
            name: name.to_owned(),
            settings,
            dialog: None,
            now: self.base().clock.now(),
        };
        let (accounts, channel, account) = (Arc::clone(&self.rooms.accounts), channel.to_owned(), account.to_owned());
        let connect = async move {
            let row = {
                let _alone = accounts.credentials.unchanged.write().await;
                // The credentials come first, so that no worker finds the account without them.
                accounts.network.secrets.set_configured(&channel, Some(&account), secrets);
                accounts.base.inbox.connect_account(new).await?
            };
            accounts.credentials.generate_for(registered.channel.manifest(), row).await?;
            accounts.base.wake.usable();
            Ok(row)
        };
        self.rooms.accounts.base.begun.whole(connect).await
    }

    /// Sets the host's public address, such as `https://inbox.example`, which platforms and browsers are given.
    pub fn set_public_url(&self, url: Url) {
        self.rooms.accounts.public_url.set(url);
    }

    /// Whether the public address is `https`.
    pub fn is_public_over_tls(&self) -> bool {
        self.rooms.accounts.public_url.get().is_some_and(|url| url.scheme() == "https")
    }

    /// The origin of the public address.
    pub fn public_origin(&self) -> Option<String> {
        self.rooms.accounts.public_url.get().map(|url| url.origin().ascii_serialization())
    }

    /// An address of this host's own pages, with these path segments, as a person's browser reaches it.
    pub fn address(&self, segments: &[&str]) -> Result<String, ConnectError> {
        Ok(self.rooms.accounts.public_url.address(segments)?.into())
    }

    /// Unsubscribes the account on its platform and forgets its credentials. Its conversations are kept unless
    /// `delete_conversations` is set.
    ///
    /// A platform that does not answer does not prevent this: the returned sentence then says what it did not do.
    pub async fn disconnect(
        &self,
        account: AccountId,
        delete_conversations: bool,
    ) -> Result<Option<String>, HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        let disconnect = async move { accounts.disconnect(account, delete_conversations).await };
        Ok(self.base().begun.whole(disconnect).await?)
    }

    /// Writes an account's ice breakers and menu to its platform.
    pub async fn configure(&self, account: AccountId, wanted: EntryPoints) -> Result<(), HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        Ok(self.base().begun.whole(async move { accounts.configure(account, wanted).await }).await?)
    }

    /// Checks an account: receiving, sending, its credentials, and the platform's own status.
    ///
    /// `probe` also sends a signal (typing) to the newest open conversation.
    pub async fn check(&self, account: AccountId, probe: bool) -> Result<AccountHealth, HostError> {
        let mut health = self.rooms.accounts.check(account).await?;
        if probe && self.channel(&health.account.channel).is_ok() {
            health.checks.push(self.probe(&health.account).await);
            // The probe may have changed the state of the credentials.
            health.account = self.base().inbox.account_row(account).await?;
        }
        Ok(health)
    }

    /// Renews an account's credentials ahead of time. Returns when the new ones expire, if they do.
    pub async fn renew(&self, account: AccountId) -> Result<Option<u64>, HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        Ok(self.base().begun.whole(async move { accounts.renew(account).await }).await?)
    }

    /// Has an account's history read again in the background, so that messages that never arrived are found now and not
    /// with the next comparison. What is in the inbox stays as it is.
    pub async fn fetch_history(&self, account: AccountId) -> Result<(), HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        Ok(self.base().begun.whole(async move { accounts.fetch_history(account).await }).await?)
    }

    /// Makes a link for connecting one account: `{public-url}/connect/{ticket}`. The ticket is a credential: the first
    /// browser that begins with the link owns it. With a `login`, the link is for that login only.
    pub async fn begin_connecting(&self, channel: &str, login: Option<&str>) -> Result<String, HostError> {
        self.begin_connecting_in(WorkspaceId::FIRST, channel, login).await
    }

    /// Like [`Self::begin_connecting`], for an account that will belong to this workspace.
    pub async fn begin_connecting_in(
        &self,
        workspace: WorkspaceId,
        channel: &str,
        login: Option<&str>,
    ) -> Result<String, HostError> {
        Ok(self.rooms.accounts.begin_connecting(workspace, channel, login).await?)
    }

    /// The address of a link.
    pub fn link(&self, ticket: &str) -> Result<String, ConnectError> {
        self.rooms.accounts.link(ticket)
    }

    /// The origins that forms of the connect pages may lead to: those of the logins' dialogs.
    pub fn dialog_origins(&self, registered: &LoadedChannel) -> Vec<String> {
        self.rooms.accounts.dialog_origins(registered)
    }

    /// The stage of connecting.
    pub fn connecting(&self, ticket: &str) -> Result<ConnectView, ConnectError> {
        self.rooms.accounts.connecting(ticket)
    }

    /// Like [`Self::connecting`], for a browser with these cookies. Once a link belongs to a browser, others are
    /// refused. Changes nothing.
    pub fn look(&self, ticket: &str, cookies: &[&str]) -> Result<ConnectView, ConnectError> {
        self.rooms.accounts.look(ticket, cookies)
    }

    /// The cookie, among these, of the browser that a link belongs to.
    pub fn claimed_by<'c>(&self, ticket: &str, cookies: &[&'c str]) -> Option<&'c str> {
        self.rooms.accounts.claimed_by(ticket, cookies)
    }

    /// Returns when a link has changed, or after `patience`.
    pub async fn await_change(&self, ticket: &str, seen: &ConnectStage, patience: Duration) {
        self.rooms.accounts.await_change(ticket, seen, patience).await;
    }

    /// A value for the cookie of a new browser.
    pub fn new_cookie(&self) -> Result<String, HostError> {
        Ok(self.rooms.accounts.new_cookie()?)
    }

    /// Binds a link to the first browser that begins with it: by its cookie, or by a new one, which is returned. Other
    /// browsers are refused.
    pub async fn open_link(&self, ticket: &str, cookie: Option<&str>) -> Result<Option<String>, HostError> {
        Ok(self.rooms.accounts.open_link(ticket, cookie).await?)
    }

    /// Starts a login. Returns where to send the browser if a dialog follows; otherwise [`Host::connecting`] tells the next
    /// step.
    pub async fn start_connecting(&self, ticket: &str, login: &str, cookie: &str) -> Result<Option<Url>, HostError> {
        Ok(self.rooms.accounts.start_connecting(ticket, login, cookie).await?)
    }

    /// Takes the platform's callback from a browser with these cookies. Returns the ticket, whose result is read with
    /// [`Host::connecting`]. A repeated callback returns it too, without asking the platform.
    pub async fn connect_callback(&self, channel: &str, query: &str, cookies: &[&str]) -> Result<String, HostError> {
        Ok(self.rooms.accounts.connect_callback(channel, query, cookies).await?)
    }

    /// Takes the person's choice. `cookies` is `None` for callers authenticated by the API. Returns where to send a browser
    /// if a dialog follows.
    pub async fn connect_select(
        &self,
        ticket: &str,
        candidate: &str,
        cookies: Option<&[&str]>,
    ) -> Result<Option<Url>, HostError> {
        Ok(self.rooms.accounts.connect_select(ticket, candidate, cookies).await?)
    }

    /// Takes what the person typed in, by the keys of the fields. What is secret goes into its slot, and not to the channel.
    /// `cookies` is `None` for callers authenticated by the API.
    pub async fn connect_enter(
        &self,
        ticket: &str,
        typed: Typed,
        cookies: Option<&[&str]>,
    ) -> Result<Entered, HostError> {
        Ok(self.rooms.accounts.connect_enter(ticket, typed, cookies).await?)
    }
}
