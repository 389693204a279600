//! Owns: accounts in the API's JSON, and what a check of one found.
//! Does not own: rows, checks.

use harness_contract::{CheckResult, EntryPoints, Setting};
use harness_engine::AccountHealth;
use harness_inbox::{AccountRow, AccountState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AccountTag, contract};
use crate::api::{ids::AccountRef, time::Time};

/// An account of a business on a platform.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    object: AccountTag,
    id: AccountRef,
    /// The channel's id.
    channel: String,
    /// The platform's id of the account.
    platform_id: String,
    /// The name shown to people.
    name: String,
    /// Its handle at the platform, if any.
    username: Option<String>,
    /// The platform's address of its picture, valid for a limited time.
    picture_url: Option<String>,
    /// `connected`: usable. `needs_reconnect`: messages come in, replies wait until it is connected again.
    /// `disconnected`: a person disconnected it.
    #[schema(inline)]
    state: State,
    /// Why it is not usable, as a sentence.
    problem: Option<String>,
    connected_at: Time,
    /// The login of the channel's manifest that it was connected with; null if it stands in the configuration.
    login: Option<String>,
    /// Values for the settings that the channel's manifest declares.
    #[schema(value_type = Vec<contract::Setting>)]
    settings: Vec<Setting>,
    /// Its ice breakers and menu, as they were last set from here; null if they never were.
    #[schema(value_type = Option<contract::EntryPoints>)]
    entry_points: Option<EntryPoints>,
    /// What becomes of its closed conversations when the customer writes again.
    when_closed: WhenClosed,
    /// When its credentials expire, if they do.
    credentials_expire_at: Option<Time>,
    /// When its conversations were last deleted, if ever. Messages from before that time are not stored again.
    conversations_deleted_at: Option<Time>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Connected,
    NeedsReconnect,
    Disconnected,
}

/// `reopen`: a closed conversation is opened when the customer writes again. `new`: it stays closed, and another one begins.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenClosed {
    Reopen,
    New,
}

impl From<harness_inbox::WhenClosed> for WhenClosed {
    fn from(choice: harness_inbox::WhenClosed) -> Self {
        match choice {
            harness_inbox::WhenClosed::Reopen => Self::Reopen,
            harness_inbox::WhenClosed::New => Self::New,
        }
    }
}

impl From<WhenClosed> for harness_inbox::WhenClosed {
    fn from(choice: WhenClosed) -> Self {
        match choice {
            WhenClosed::Reopen => Self::Reopen,
            WhenClosed::New => Self::New,
        }
    }
}

/// Changes to an account. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeAccount {
    pub(crate) when_closed: Option<WhenClosed>,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            object: AccountTag::Tag,
            id: row.id.into(),
            channel: row.channel,
            platform_id: row.platform_id,
            name: row.name,
            username: row.username,
            picture_url: row.picture.and_then(|picture| picture.url),
            state: match row.state {
                AccountState::Connected => State::Connected,
                AccountState::NeedsReconnect => State::NeedsReconnect,
                AccountState::Disconnected => State::Disconnected,
            },
            problem: row.problem,
            connected_at: row.connected_at.into(),
            login: row.login,
            settings: row.settings,
            entry_points: row.entry_points,
            when_closed: row.when_closed.into(),
            credentials_expire_at: row.refresh_before.map(Time::from),
            conversations_deleted_at: row.conversations_deleted_at.map(Time::from),
        }
    }
}

/// What a check of an account found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountCheck {
    account: Account,
    /// Line by line: first the host's, then the channel's.
    #[schema(value_type = Vec<contract::CheckResult>)]
    checks: Vec<CheckResult>,
}

impl From<AccountHealth> for AccountCheck {
    fn from(health: AccountHealth) -> Self {
        Self { account: health.account.into(), checks: health.checks }
    }
}

/// What disconnecting an account could not do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Disconnected {
    /// Why the platform could not be told. The account is disconnected regardless.
    pub(crate) warning: Option<String>,
}
