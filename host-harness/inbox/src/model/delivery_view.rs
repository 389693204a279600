//! Owns: deliveries as a person inspects them, without what they carry.
//! Does not own: their bodies and translation (`delivery`).

use std::{fmt, str::FromStr};

use super::ids::{AccountId, DeliveryId};

/// The states of a delivery, by their names in columns and in the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeliveryState {
    /// It waits to be translated.
    Received,
    /// It was translated, and its events were applied.
    Applied,
    /// It waits for its account or its channel.
    Unrouted,
    /// The channel cannot translate it.
    Failed,
    /// It was emptied.
    Purged,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 5] = [Self::Received, Self::Applied, Self::Unrouted, Self::Failed, Self::Purged];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Applied => "applied",
            Self::Unrouted => "unrouted",
            Self::Failed => "failed",
            Self::Purged => "purged",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a state.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is not a state of a delivery")]
pub struct NoDeliveryState;

impl FromStr for DeliveryState {
    type Err = NoDeliveryState;

    fn from_str(text: &str) -> Result<Self, NoDeliveryState> {
        Self::ALL.into_iter().find(|state| state.name() == text).ok_or(NoDeliveryState)
    }
}

/// Which deliveries to list. Conditions are combined.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Those of the channel with this id.
    pub channel: Option<String>,
    /// Those that name this account, or changed something of it.
    pub account: Option<AccountId>,
    /// Those in this state.
    pub state: Option<DeliveryState>,
}

/// The component that translated a delivery last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translator {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// The version in its manifest; `None` if it has not been loaded since versions are recorded.
    pub version: Option<String>,
}

/// A delivery in a list.
#[derive(Clone, Debug)]
pub struct DeliveryView {
    /// Its row id.
    pub id: DeliveryId,
    /// The channel's id.
    pub channel: String,
    /// `webhook` or `history`.
    pub source: String,
    /// The platform's id of the account, if the address or the secret named it.
    pub account: Option<String>,
    /// When it was received, in milliseconds since 1970.
    pub received_at: u64,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was translated.
    pub attempts: u32,
    /// Why it is not applied, as a sentence.
    pub problem: Option<String>,
    /// What translated it last; `None` if nothing did yet.
    pub translator: Option<Translator>,
    /// The size of its body, in bytes.
    pub size: u64,
}
