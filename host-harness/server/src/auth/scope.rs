//! Owns: the scopes of tokens and their names.
//! Does not own: which endpoint needs which scope (`api`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a token allows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Reading conversations, messages, files, accounts and channels.
    Read,
    /// Sending replies, and uploading files for them.
    Reply,
    /// Connecting, checking, configuring and disconnecting accounts.
    Accounts,
    /// Counters and the journal's health of the whole host, which contain nothing that people write.
    Observe,
    /// Everything of one workspace: its people, tokens and settings too.
    Admin,
    /// What concerns the whole host: workspaces, stopping and starting channels, deliveries. Requests of its owner may be
    /// about any workspace.
    Host,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] = [Self::Read, Self::Reply, Self::Accounts, Self::Observe, Self::Admin, Self::Host];

    /// Whether it concerns one workspace only, and [`Self::Admin`] includes it.
    pub fn is_of_workspace(self) -> bool {
        !matches!(self, Self::Observe | Self::Host)
    }

    /// The name in commands and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Reply => "reply",
            Self::Accounts => "accounts",
            Self::Observe => "observe",
            Self::Admin => "admin",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.into_iter().map(Self::name).collect();
            format!("is not a scope; there are {}", known.join(", "))
        })
    }
}
