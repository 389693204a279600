//! Owns: what lists of the inbox show: conversations, the messages of one, activities.
//! Does not own: their queries.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ids::{ActivityId, ConversationId, MessageId, ReplyId},
    media::MediaView,
    state::StepState,
};

/// One line of the list of conversations.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationSummary {
    /// Its row.
    pub id: ConversationId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The platform's id of the customer; none where the platform has named none yet. Such a conversation holds comments,
    /// and takes private replies to them alone.
    pub contact: Option<String>,
    /// The thread's title, or the customer's name, where they are known.
    pub name: Option<String>,
    /// The contract's `thread`, where the conversation is one.
    pub thread: Option<Box<RawValue>>,
    /// The newest thing in it, by platform time; never later than its receipt.
    pub last_at: i64,
    /// Messages of the customer since a person answered or marked the conversation as read.
    pub unread: i64,
    /// How far the customer has read: the platform's id of a message.
    pub seen_message: Option<String>,
    /// The text of the newest message.
    pub preview: Option<String>,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionView {
    /// The customer's platform id, or `business`.
    pub actor: String,
    /// The emoji.
    pub emoji: Option<String>,
    /// The platform's name for it.
    pub name: Option<String>,
}

/// A message as a conversation shows it.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineEntry {
    /// Its row.
    pub id: MessageId,
    /// The platform's id.
    pub platform_id: Option<String>,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The platform's id of who wrote it, where several people are in the conversation.
    pub contact: Option<String>,
    /// The name, where it is known.
    pub name: Option<String>,
    /// The contract's author of what came in, or sender of what was sent from here.
    pub author: Box<RawValue>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// It arrived after something newer.
    pub late: bool,
    /// What it says.
    pub text: Option<String>,
    /// The contract's `message`, in either direction; none when it was unsent.
    pub body: Option<Box<RawValue>>,
    /// The contract's `outbound-part`, for what was sent from here: what was asked for.
    pub part: Option<Box<RawValue>>,
    /// The contract's `event.details`.
    pub details: Option<Box<RawValue>>,
    /// When it was unsent.
    pub deleted_at: Option<i64>,
    /// How often it was edited.
    pub revision: Option<i64>,
    /// The reply that it belongs to.
    pub reply: Option<ReplyId>,
    /// Where its sending stands.
    pub state: Option<StepState>,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
    /// What people put on it.
    pub reactions: Vec<ReactionView>,
    /// The files that it names, and what became of them.
    pub media: Vec<MediaView>,
}

/// Something that happened and is no message: a comment, a mention, a handover, a referral, an opt-in, a word of the
/// platform's.
#[derive(Clone, Debug, Serialize)]
pub struct ActivityView {
    /// Its row.
    pub id: ActivityId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The conversation's row, where it belongs to one. What is written there answers a comment in private, also where
    /// the platform gives its writer no id.
    pub conversation: Option<ConversationId>,
    /// The platform's id of the customer, where it is known.
    pub contact: Option<String>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// The kind of event by the contract's name, or `refused_event`.
    pub kind: String,
    /// The contract's `event-body`, with the ids by which it is answered.
    pub body: Box<RawValue>,
    /// The contract's `event.details`.
    pub details: Option<Box<RawValue>>,
}
