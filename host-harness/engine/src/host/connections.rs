//! Owns: what a product does with accounts.
//! Does not own: how (`accounts`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use harness_contract::{
    EntryPoints,
    manifest::SlotScope,
    settings::{RawSetting, SettingScope, resolve_settings},
};
use harness_egress::credentials::Secret;
use harness_inbox::{AccountId, NewAccount};
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
    /// Connects an account whose credentials are at hand. Returns its row in the inbox.
    pub async fn connect_account(
        &self,
        channel: &str,
        account: &str,
        name: &str,
        settings: &BTreeMap<String, RawSetting>,
        secrets: HashMap<String, Secret>,
    ) -> Result<AccountId, HostError> {
        let registered = self.channel(channel)?;
        let manifest = registered.channel.manifest();
        let settings = resolve_settings(&manifest.settings, SettingScope::Account, settings).map_err(|source| {
            WrongSettings::OfAccount { channel: channel.to_owned(), account: account.to_owned(), source }
        })?;
        check_slots(manifest, &secrets, SlotScope::Account)?;
        let new = NewAccount {
            channel: channel.to_owned(),
            platform_id: account.to_owned(),
            name: name.to_owned(),
            settings,
            dialog: None,
            now: self.base().clock.now(),
        };
        let (accounts, channel, account) = (Arc::clone(&self.rooms.accounts), channel.to_owned(), account.to_owned());
        let connect = async move {
            let _alone = accounts.credentials.unchanged.write().await;
            // First, so that no worker meets the account without them.
            accounts.network.secrets.set_configured(&channel, Some(&account), secrets);
            let row = accounts.base.inbox.connect_account(new).await?;
            accounts.base.wake.usable();
            Ok(row)
        };
        self.rooms.accounts.base.begun.whole(connect).await
    }

    /// Says where this host is reached from outside, such as `https://inbox.example`: for the addresses that
    /// platforms and browsers are given.
    pub fn set_public_url(&self, url: Url) {
        self.rooms.accounts.public_url.set(url);
    }

    /// Whether browsers come over TLS.
    pub fn is_public_over_tls(&self) -> bool {
        self.rooms.accounts.public_url.get().is_some_and(|url| url.scheme() == "https")
    }

    /// The origin under which browsers reach this host.
    pub fn public_origin(&self) -> Option<String> {
        self.rooms.accounts.public_url.get().map(|url| url.origin().ascii_serialization())
    }

    /// Asks the platform to stop, and forgets the account's credentials. Its conversations stay, or go.
    ///
    /// A platform that does not answer does not keep anybody: then the second value says what it did not do.
    pub async fn disconnect(
        &self,
        account: AccountId,
        delete_conversations: bool,
    ) -> Result<Option<String>, HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        let disconnect = async move { accounts.disconnect(account, delete_conversations).await };
        Ok(self.base().begun.whole(disconnect).await?)
    }

    /// Writes an account's ice breakers and its menu on its platform.
    pub async fn configure(&self, account: AccountId, wanted: EntryPoints) -> Result<(), HostError> {
        let accounts = Arc::clone(&self.rooms.accounts);
        Ok(self.base().begun.whole(async move { accounts.configure(account, wanted).await }).await?)
    }

    /// Checks an account: the way in, the way out, its credentials, and what the platform says.
    ///
    /// `probe` also sends a signal (typing) to the newest conversation that is open.
    pub async fn check(&self, account: AccountId, probe: bool) -> Result<AccountHealth, HostError> {
        let mut health = self.rooms.accounts.check(account).await?;
        if probe && self.channel(&health.account.channel).is_ok() {
            health.checks.push(self.probe(&health.account).await);
            // What it found out about the credentials is in the row by now.
            health.account = self.base().inbox.account_row(account).await?;
        }
        Ok(health)
    }

    /// Makes a link over which one account can be connected: `{public-url}/connect/{ticket}`. The ticket is a
    /// credential: whoever begins from the link first goes on with it. With a `login`, it is for that one alone.
    pub async fn begin_connecting(&self, channel: &str, login: Option<&str>) -> Result<String, HostError> {
        Ok(self.rooms.accounts.begin_connecting(channel, login).await?)
    }

    /// The address of a link.
    pub fn link(&self, ticket: &str) -> Result<String, ConnectError> {
        self.rooms.accounts.link(ticket)
    }

    /// Where the forms of the pages lead: the dialogs of a channel's logins.
    pub fn dialog_origins(&self, registered: &LoadedChannel) -> Vec<String> {
        self.rooms.accounts.dialog_origins(registered)
    }

    /// How far connecting has come.
    pub fn connecting(&self, ticket: &str) -> Result<ConnectView, ConnectError> {
        self.rooms.accounts.connecting(ticket)
    }

    /// The same for a browser that shows these cookies: only the one that the link belongs to, once it does. Looking
    /// changes nothing.
    pub fn look(&self, ticket: &str, cookies: &[&str]) -> Result<ConnectView, ConnectError> {
        self.rooms.accounts.look(ticket, cookies)
    }

    /// Which of these cookies a link belongs to, where it does.
    pub fn claimed_by<'c>(&self, ticket: &str, cookies: &[&'c str]) -> Option<&'c str> {
        self.rooms.accounts.claimed_by(ticket, cookies)
    }

    /// Returns when a link has changed, or after this time.
    pub async fn await_change(&self, ticket: &str, seen: &ConnectStage, patience: Duration) {
        self.rooms.accounts.await_change(ticket, seen, patience).await;
    }

    /// A value for the cookie of a new browser.
    pub fn new_cookie(&self) -> Result<String, HostError> {
        Ok(self.rooms.accounts.new_cookie()?)
    }

    /// Binds a link to the browser that begins with it first: by its cookie, or by a new one, which is returned.
    /// Another browser is refused.
    pub async fn open_link(&self, ticket: &str, cookie: Option<&str>) -> Result<Option<String>, HostError> {
        Ok(self.rooms.accounts.open_link(ticket, cookie).await?)
    }

    /// Begins with a login. Returns where the browser is to go, where that is a dialog; else [`Host::connecting`] says how it
    /// goes on.
    pub async fn start_connecting(&self, ticket: &str, login: &str, cookie: &str) -> Result<Option<Url>, HostError> {
        Ok(self.rooms.accounts.start_connecting(ticket, login, cookie).await?)
    }

    /// Takes the platform's callback from a browser that shows these cookies. Returns the ticket: how it ended is read
    /// with [`Host::connecting`]. Coming again with the same answer leads there too, and asks the platform nothing.
    pub async fn connect_callback(&self, channel: &str, query: &str, cookies: &[&str]) -> Result<String, HostError> {
        Ok(self.rooms.accounts.connect_callback(channel, query, cookies).await?)
    }

    /// Takes the person's choice. `cookies` is none for a caller that has the API's authority. Returns where a browser
    /// goes, where a dialog follows.
    pub async fn connect_select(
        &self,
        ticket: &str,
        candidate: &str,
        cookies: Option<&[&str]>,
    ) -> Result<Option<Url>, HostError> {
        Ok(self.rooms.accounts.connect_select(ticket, candidate, cookies).await?)
    }

    /// Takes what the person typed in, by the keys of the fields. What is secret goes into its slot, and not to the channel.
    /// `cookies` is none for a caller that has the API's authority.
    pub async fn connect_enter(
        &self,
        ticket: &str,
        typed: Typed,
        cookies: Option<&[&str]>,
    ) -> Result<Entered, HostError> {
        Ok(self.rooms.accounts.connect_enter(ticket, typed, cookies).await?)
    }
}
