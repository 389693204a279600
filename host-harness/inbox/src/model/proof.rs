//! Owns: whose secret proved a delivery, and so for which accounts it may speak.
//! Does not own: finding the secret, and what follows from it.

use serde::{Deserialize, Serialize};

/// Whose secret proved a delivery. Nothing that stands in the delivery itself changes it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The channel's own secret in this slot: it speaks for every account of the channel.
    Channel {
        /// The slot's name in the manifest.
        slot: String,
    },
    /// A secret of one account: it speaks for that account alone.
    Account {
        /// The platform's id of the account.
        account: String,
        /// The slot's name in the manifest.
        slot: String,
    },
    /// The host asked for it in the name of one account: it speaks for that account alone.
    Archive {
        /// The platform's id of the account.
        account: String,
    },
}

impl Proof {
    /// The only account that it speaks for; none for every account of the channel.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Channel { .. } => None,
            Self::Account { account, .. } | Self::Archive { account } => Some(account),
        }
    }

    /// The slot whose secret matched; none where no secret was asked for.
    pub fn slot(&self) -> Option<&str> {
        match self {
            Self::Channel { slot } | Self::Account { slot, .. } => Some(slot),
            Self::Archive { .. } => None,
        }
    }
}
