//! Owns: the scopes of tokens and their names.
//! Does not own: which endpoint needs which scope (`api`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a token allows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Reading conversations, messages, files, accounts and channels.
    Read,
    /// Sending replies, and uploading files for them.
    Reply,
    /// Connecting, checking, configuring and disconnecting accounts.
    Accounts,
    /// Counters and the journal's health, which contain nothing that people write.
    Observe,
    /// Everything, including stopping and starting channels.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [Self::Read, Self::Reply, Self::Accounts, Self::Observe, Self::Admin];

    /// The name in commands and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Reply => "reply",
            Self::Accounts => "accounts",
            Self::Observe => "observe",
            Self::Admin => "admin",
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
