//! Owns: notifications that something in the inbox changed.
//! Does not own: the new state; subscribers read it from the inbox.

use super::ids::{AccountId, ConversationId, DeliveryId};

/// Something in the inbox changed. Sent after the change is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// A conversation changed: a message, a reaction, a deletion, an activity, a step's outcome.
    Conversation {
        /// The conversation's row id.
        conversation: ConversationId,
        /// The contract's name for the kind of change, or `outcome`.
        kind: &'static str,
    },
    /// An account was connected or disconnected, or its state changed.
    Account {
        /// The account's row id.
        account: AccountId,
    },
    /// A delivery could not be translated. It is kept.
    Failed {
        /// The delivery's row id.
        delivery: DeliveryId,
    },
}
