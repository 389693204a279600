//! Owns: parts of replies that may have been delivered: what is looked for, what was seen, what somebody decided.
//! Does not own: looking, and what follows from it.

use super::ids::{AccountId, ConversationId, ReplyId};

/// A part that may have been delivered.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The reply's row.
    pub reply: ReplyId,
    /// The part's place among the reply's steps.
    pub step: usize,
    /// The account's row.
    pub account: AccountId,
    /// The platform's id of the account.
    pub account_id: String,
    /// The channel's id.
    pub channel: String,
    /// The conversation's row.
    pub conversation: ConversationId,
    /// The platform's id of the customer.
    pub contact: String,
    /// When the request left.
    pub begun_at: u64,
    /// When the newest message was written that the platform certainly has and that is older; none where there is
    /// no such message, so that nothing can be proved.
    pub since: Option<u64>,
}

/// A message as the platform's archive has it.
#[derive(Clone, Debug)]
pub struct SeenMessage {
    /// The platform's id.
    pub id: String,
    /// Platform time, in milliseconds since 1970.
    pub at: u64,
    /// Whether the business wrote it.
    pub ours: bool,
    /// What it says.
    pub text: Option<String>,
}

/// What looking for a part showed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// It arrived.
    Arrived,
    /// It did not, and goes out again.
    SentAgain,
    /// It did not, and is not sent again by itself.
    NotArrived,
    /// Nothing is proved.
    Unproved,
    /// It is in doubt no longer: an echo came, or somebody decided.
    Over,
}

/// What somebody found out about the part of a reply that was in doubt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// It arrived.
    Arrived,
    /// It did not, and is not wanted any more.
    NotArrived,
    /// It is to be sent again, with what stands behind it.
    SendAgain,
}
