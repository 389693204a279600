//! The life of an account: connecting, checking, refreshing, reading history, its entry points.
//! What belongs here is `account` of the contract; so far `configure` is done, the rest says that it is not.

#![allow(
    clippy::result_large_err,
    reason = "the error is the contract's, made once for a call that waited for the network"
)]

mod entry_points;

use alloc::string::String;
use alloc::vec::Vec;

use crate::Instagram;
use crate::bindings::exports::inbox::channel::account::{
    AccountError, AccountSettings, CheckResult, ConnectRequest, ConnectStep, ConnectedAccount, ContactProfile,
    EntryPoints, Guest, HistoryPage, HistoryRequest, Media, MediaLocation, TimestampMs,
};
use crate::bindings::inbox::channel::http;
use crate::outcome;
use crate::types::HttpRequest;
use crate::words::separated;

impl Guest for Instagram {
    fn connect(_: ConnectRequest) -> Result<ConnectStep, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn select(_: ConnectRequest, _: String) -> Result<ConnectedAccount, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn check(_: AccountSettings) -> Result<Vec<CheckResult>, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn refresh(_: AccountSettings) -> Result<Option<TimestampMs>, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn subscribe(_: AccountSettings, _: String) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }

    fn unsubscribe(_: AccountSettings) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }

    fn profile(_: AccountSettings, _: String) -> Result<ContactProfile, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn history(_: AccountSettings, _: HistoryRequest) -> Result<HistoryPage, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn locate_media(_: AccountSettings, _: Media) -> Result<MediaLocation, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn configure(account: AccountSettings, wanted: EntryPoints) -> Result<(), AccountError> {
        let requests = entry_points::requests(&account, &wanted)
            .map_err(|sentences| AccountError::InvalidInput(separated(" ", &sentences)))?;
        requests.into_iter().try_for_each(send)
    }
}

/// Sends a request whose answer says nothing but whether it was done.
fn send(request: HttpRequest) -> Result<(), AccountError> {
    let response = http::send(&request).map_err(AccountError::Http)?;
    outcome::failure_of(&response).map_or(Ok(()), |failure| Err(AccountError::Platform(failure)))
}
