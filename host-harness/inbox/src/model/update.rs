//! Owns: that something in the inbox changed.
//! Does not own: what it is now; whoever is told reads it.

use super::ids::{AccountId, ConversationId, DeliveryId};

/// Something in the inbox changed. Sent after the change is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A conversation has something new: a message, a reaction, a deletion, an activity, a step's outcome.
    Conversation {
        /// The conversation's row.
        conversation: ConversationId,
        /// What kind of thing, by the contract's name, or `outcome`.
        kind: &'static str,
    },
    /// An account was connected, disconnected, or is in another state.
    Account {
        /// The account's row.
        account: AccountId,
    },
    /// A delivery could not be translated; it is kept.
    Failed {
        /// The delivery's row.
        delivery: DeliveryId,
    },
}
