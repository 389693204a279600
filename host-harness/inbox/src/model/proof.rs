//! Owns: the secret that verified a delivery, and thereby the accounts that the delivery may act for.
//! Does not own: choosing the secret, enforcing the limit.

use serde::{Deserialize, Serialize};

/// Which secret verified a delivery. The content of the delivery has no influence on it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The channel's own secret in this slot: valid for every account of the channel.
    Channel {
        /// The slot's name in the manifest.
        slot: String,
    },
    /// A secret of one account: valid for that account only.
    Account {
        /// The platform's id of the account.
        account: String,
        /// The slot's name in the manifest.
        slot: String,
    },
    /// A response that the host requested on behalf of one account: valid for that account only.
    Archive {
        /// The platform's id of the account.
        account: String,
    },
}

impl Proof {
    /// The only account that it is valid for; `None` if it covers every account of the channel.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Channel { .. } => None,
            Self::Account { account, .. } | Self::Archive { account } => Some(account),
        }
    }

    /// The slot whose secret matched; `None` if no secret was involved.
    pub fn slot(&self) -> Option<&str> {
        match self {
            Self::Channel { slot } | Self::Account { slot, .. } => Some(slot),
            Self::Archive { .. } => None,
        }
    }
}
