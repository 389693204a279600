//! Owns: the account, conversation, delivery and time of an event.
//! Does not own: the event's effect.

use crate::model::{AccountId, ConversationId, DeliveryId};

/// The account, conversation, delivery and time of an event.
#[derive(Clone, Copy)]
pub(crate) struct EventPlace {
    pub(crate) account: AccountId,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) at: i64,
    pub(crate) received_at: i64,
    pub(crate) delivery: DeliveryId,
}
