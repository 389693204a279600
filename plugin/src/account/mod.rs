//! The life of an account: connecting, checking, renewing, webhooks, history, entry points.
//! What belongs here is `account` of the contract; each function calls the file that owns it.
//!
//! The order is `connect` → `pages`, `token` → `subscription`, then `check`, `renew`, `profile`, `history`. All of them
//! send requests through `call`.

#![allow(
    clippy::result_large_err,
    reason = "the error is the contract's, made once for a call that waited for the network"
)]

mod app_webhook;
mod call;
mod check;
mod connect;
mod entry_points;
mod history;
mod pages;
mod profile;
mod renew;
mod subscription;
mod token;

use crate::Instagram;
pub use crate::types::{AccountError, AccountSettings, HttpError, Media, TimestampMs};
use crate::types::{HttpRequest, HttpResponse};
use call::Client;
pub use call::Http;
use channel_sdk::account::Guest;
pub use channel_sdk::account::{
    Candidate, CheckLevel, CheckResult, ConnectInput, ConnectRequest, ConnectStep, ConnectedAccount, Parameter,
    Refreshed,
};
pub use channel_sdk::entry_points::EntryPoints;
pub use channel_sdk::history::{Archived, HistoryPage, HistoryRequest};
pub use channel_sdk::profiles::ContactProfile;
use channel_sdk::{entry_points as entry_points_of, history as history_of, profiles};
use channel_sdk::{http, storage};

struct Live;

/// The host's network.
static LIVE: Live = Live;

impl Http for Live {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        http::send(request)
    }

    fn remember(&self, key: &str, value: &str) {
        // If storing fails, a check merely compares less.
        let _ = storage::set(key, value.as_bytes());
    }

    fn recall(&self, key: &str) -> Option<String> {
        String::from_utf8(storage::get(key).ok()??).ok()
    }
}

/// Why a call failed. Boxed, because most code only passes it on.
pub(crate) type Trouble = Box<AccountError>;
/// The result of a call.
pub(crate) type Outcome<T> = Result<T, Trouble>;

/// The functions of an account.
pub(crate) mod calls {
    use super::*;

    pub(crate) use connect::connect;

    pub(crate) fn check(http: &dyn Http, account: &AccountSettings) -> Outcome<Vec<CheckResult>> {
        Ok(check::check(&Client::new(http, account)?))
    }

    pub(crate) fn refresh(http: &dyn Http, account: &AccountSettings) -> Outcome<Refreshed> {
        renew::refresh(&Client::new(http, account)?)
    }

    pub(crate) fn subscribe(http: &dyn Http, account: &AccountSettings) -> Outcome<()> {
        let client = Client::new(http, account)?;
        if let Some(webhook) = &account.webhook_url {
            app_webhook::ensure(&client, webhook);
        }
        subscription::subscribe(&client)
    }

    pub(crate) fn unsubscribe(http: &dyn Http, account: &AccountSettings) -> Outcome<()> {
        subscription::unsubscribe(&Client::new(http, account)?)
    }

    pub(crate) fn profile(http: &dyn Http, account: &AccountSettings, contact: String) -> Outcome<ContactProfile> {
        profile::read(&Client::new(http, account)?, contact)
    }

    pub(crate) fn history(
        http: &dyn Http,
        account: &AccountSettings,
        request: &HistoryRequest,
    ) -> Outcome<HistoryPage> {
        history::read(&Client::new(http, account)?, request)
    }

    pub(crate) fn configure(http: &dyn Http, account: &AccountSettings, wanted: &EntryPoints) -> Outcome<()> {
        for request in entry_points::requests(account, wanted)? {
            call::done(http, &request)?;
        }
        Ok(())
    }
}

/// The same functions over any network, for tests: each with the contract's errors.
macro_rules! over_any_network {
    ($($(#[$doc:meta])* $name:ident($($parameter:ident: $type:ty),*) -> $value:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(http: &dyn Http, $($parameter: $type),*) -> Result<$value, AccountError> {
                calls::$name(http, $($parameter),*).map_err(|trouble| *trouble)
            }
        )*
    };
}

over_any_network! {
    /// Begins or continues connecting.
    connect(request: ConnectRequest) -> ConnectStep;
    /// Tests the connection and reports the results line by line.
    check(account: &AccountSettings) -> Vec<CheckResult>;
    /// Renews the credentials. Returns when they must be renewed next.
    refresh(account: &AccountSettings) -> Refreshed;
    /// Configures the app's webhook if it is not configured, subscribes the account, and verifies the subscription.
    subscribe(account: &AccountSettings) -> ();
    /// Ends the account's subscription.
    unsubscribe(account: &AccountSettings) -> ();
    /// Reads a contact's profile.
    profile(account: &AccountSettings, contact: String) -> ContactProfile;
    /// Reads past messages, for [`parse`](crate::parse) with the source `history`.
    history(account: &AccountSettings, request: &HistoryRequest) -> HistoryPage;
    /// Sets the account's entry points.
    configure(account: &AccountSettings, wanted: &EntryPoints) -> ();
}

impl Guest for Instagram {
    fn connect(request: ConnectRequest) -> Result<ConnectStep, AccountError> {
        connect(&LIVE, request)
    }

    fn check(account: AccountSettings) -> Result<Vec<CheckResult>, AccountError> {
        check(&LIVE, &account)
    }

    fn refresh(account: AccountSettings) -> Result<Refreshed, AccountError> {
        refresh(&LIVE, &account)
    }

    fn subscribe(account: AccountSettings) -> Result<(), AccountError> {
        subscribe(&LIVE, &account)
    }

    fn unsubscribe(account: AccountSettings) -> Result<(), AccountError> {
        unsubscribe(&LIVE, &account)
    }
}

impl profiles::Guest for Instagram {
    fn profile(account: AccountSettings, contact: String, _: Option<String>) -> Result<ContactProfile, AccountError> {
        profile(&LIVE, &account, contact)
    }
}

impl history_of::Guest for Instagram {
    fn history(account: AccountSettings, request: HistoryRequest) -> Result<HistoryPage, AccountError> {
        history(&LIVE, &account, &request)
    }
}

impl entry_points_of::Guest for Instagram {
    fn configure(account: AccountSettings, wanted: EntryPoints) -> Result<(), AccountError> {
        configure(&LIVE, &account, &wanted)
    }
}
