//! Owns: what the automation leaves in the inbox: its settings, decisions, open turns.
//! Does not own: what is decided and why (the crate `automation`); settings and decisions are JSON of its making.

use super::ids::{AccountId, CollectionId, ConversationId, LabelId, UserId};

/// The automation's settings of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomationRow {
    /// The account's row id.
    pub account: AccountId,
    /// JSON.
    pub settings: String,
    /// Changes up to this number are left alone.
    pub since: u64,
    /// Whether a key for the model is stored.
    pub has_model_key: bool,
    /// Whether all automation of the account's workspace is switched off.
    pub off: bool,
}

/// Where a rule puts a conversation. Rows of another workspace are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// The collection.
    pub collection: Option<CollectionId>,
    /// Labels to add.
    pub labels: Vec<LabelId>,
    /// The people who take turns; one is always the same. Those who are disabled are passed over.
    pub assign: Vec<UserId>,
}

/// Where a conversation stands with the team.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Its collection.
    pub collection: Option<CollectionId>,
    /// The person it is assigned to.
    pub assignee: Option<UserId>,
    /// When it was handed back to the assistant last, or closed by the team, in milliseconds since 1970.
    pub handed_back_at: Option<u64>,
}

/// A note of the automation.
#[derive(Clone, Debug, PartialEq)]
pub struct HandOverNote {
    /// The note.
    pub text: String,
    /// The note without anything that a customer wrote.
    pub brief: String,
}

/// What becomes of a conversation's open turn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TurnChange {
    /// The customer wrote: the turn begins or goes on. It is due `pause` after now, and at the latest `longest` after it
    /// began.
    Wrote {
        /// In milliseconds.
        pause: u64,
        /// In milliseconds.
        longest: u64,
    },
    /// It is answered, or will not be, up to this change. If the customer wrote after it, it stays open.
    Ended(u64),
}

/// A decision to record, with what it does to the conversation, in one transaction.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// The part of the automation that decided.
    pub consumer: &'static str,
    /// The change that it is about. One decision of each consumer for each change.
    pub seq: u64,
    /// The account's row id.
    pub account: AccountId,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// The current time.
    pub now: u64,
    /// JSON.
    pub decision: String,
    /// JSON; what the consumer knows of the conversation from now on. `None` if that is unchanged.
    pub state: Option<String>,
    /// Where to put the conversation.
    pub placement: Option<Placement>,
    /// A note for the team.
    pub note: Option<HandOverNote>,
    /// What becomes of the open turn.
    pub turn: Option<TurnChange>,
}

/// A recorded decision.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionView {
    /// Its row id, ascending.
    pub id: i64,
    /// The conversation's row id.
    pub conversation: Option<ConversationId>,
    /// The change that it is about.
    pub seq: u64,
    /// When it was made.
    pub at: u64,
    /// The part of the automation that decided.
    pub consumer: String,
    /// JSON.
    pub decision: String,
}

/// A customer's turn that is to be answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenTurn {
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// The account's row id.
    pub account: AccountId,
    /// The change that began it.
    pub first_seq: u64,
    /// The change that continued it last.
    pub seq: u64,
    /// How often it was begun to be answered.
    pub attempts: u32,
}
