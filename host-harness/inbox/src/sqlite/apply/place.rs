//! Owns: where and when an event happened.
//! Does not own: what it does.

use crate::model::{AccountId, ConversationId, DeliveryId};

/// Where and when an event happened.
#[derive(Clone, Copy)]
pub(crate) struct EventPlace {
    pub(crate) account: AccountId,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) at: i64,
    pub(crate) received_at: i64,
    pub(crate) delivery: DeliveryId,
}
