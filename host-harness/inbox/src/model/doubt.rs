//! Owns: reply parts with an ambiguous outcome: the history lookup for them, its findings, and a person's decision.
//! Does not own: performing the lookup, acting on its result.

use super::ids::{AccountId, ConversationId, ReplyId};

/// A part of a reply that may have been delivered.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The reply's row id.
    pub reply: ReplyId,
    /// The part's index among the reply's steps.
    pub step: usize,
    /// The account's row id.
    pub account: AccountId,
    /// The platform's id of the account.
    pub account_id: String,
    /// The channel's id.
    pub channel: String,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// The platform's id of the customer.
    pub contact: String,
    /// When the request was sent.
    pub begun_at: u64,
    /// The time of the newest earlier message that the platform is known to have. `None` if there is no such message;
    /// then nothing can be proved.
    pub since: Option<u64>,
}

/// A message as found in the platform's history.
#[derive(Clone, Debug)]
pub struct SeenMessage {
    /// The platform's id.
    pub id: String,
    /// Platform time, in milliseconds since 1970.
    pub at: u64,
    /// Whether the business wrote it.
    pub ours: bool,
    /// Its text, if any.
    pub text: Option<String>,
}

/// What the history lookup for an ambiguous part showed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// The part arrived.
    Arrived,
    /// It did not arrive, and is sent again.
    SentAgain,
    /// It did not arrive, and is not sent again automatically.
    NotArrived,
    /// The lookup proved nothing.
    Unproved,
    /// The part is no longer ambiguous: an echo arrived, or a person decided.
    Over,
}

/// A person's decision about an ambiguous part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// It arrived.
    Arrived,
    /// It did not arrive and is no longer wanted.
    NotArrived,
    /// It is sent again, with the parts after it.
    SendAgain,
    /// Not yet: the platform's history is to be searched for it now.
    Look,
}
