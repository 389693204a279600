//! The life of an account: connecting, checking, refreshing, reading history.
//! What belongs here is `account` of the contract; for now every function says that it is not done.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Instagram;
use crate::bindings::exports::inbox::channel::account::{
    AccountError, AccountSettings, CheckResult, ConnectRequest, ConnectStep, ConnectedAccount, ContactProfile, Guest,
    HistoryPage, HistoryRequest, Media, MediaLocation, Setting, TimestampMs,
};

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

    fn configure(_: AccountSettings, _: Vec<Setting>) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }
}
