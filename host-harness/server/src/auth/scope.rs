//! Owns: the scopes of tokens and their names.
//! Does not own: which endpoint asks for which (`api`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a token opens.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Conversations, messages, files, accounts and channels, as they are.
    Read,
    /// Replies, and the files for them.
    Reply,
    /// Connecting, checking, setting up and disconnecting accounts.
    Accounts,
    /// Counters and the journal's health, which hold nothing of what people write.
    Observe,
    /// Everything, also what stops and starts channels.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::Reply, Self::Accounts, Self::Observe, Self::Admin];

    /// As commands and errors write it.
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
