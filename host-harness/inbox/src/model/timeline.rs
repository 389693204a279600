//! Owns: the entries of the inbox's lists: conversations, messages, activities.
//! Does not own: their queries.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ids::{
        AccountId, ActivityId, CollectionId, ContactId, ConversationId, LabelId, MessageId, ReplyId, UserId,
        WorkspaceId,
    },
    media::MediaView,
    organisation::ConversationState,
    page::Place,
    state::StepState,
};

/// The messages around one.
#[derive(Clone, Debug)]
pub struct Around {
    /// Oldest first.
    pub entries: Vec<TimelineEntry>,
    /// Where those before them end; `None` if these are the oldest.
    pub earlier: Option<Place>,
    /// Where those after them begin; `None` if these are the newest.
    pub later: Option<Place>,
}

/// An entry in the list of conversations.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationSummary {
    /// Its row id.
    pub id: ConversationId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The account's row id.
    pub account_id: AccountId,
    /// The contact's row id.
    pub contact_id: ContactId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The platform's id of the customer; `None` if the platform has not given one yet. Such a conversation holds
    /// comments and accepts only private replies to them.
    pub contact: Option<String>,
    /// The thread's title, or the customer's name, if known.
    pub name: Option<String>,
    /// The customer's user name, if known.
    pub username: Option<String>,
    /// The contract's `thread`, if the conversation is one.
    pub thread: Option<Box<RawValue>>,
    /// Platform time of its newest entry, never later than the time of receipt.
    pub last_at: i64,
    /// Messages of the customer since a person answered or marked the conversation as read. More than 1000 count as 1000.
    pub unread: i64,
    /// How far the customer has read: the platform's id of a message.
    pub seen_message: Option<String>,
    /// The text of the newest message.
    pub preview: Option<String>,
    /// What the team has to do with it.
    pub state: ConversationState,
    /// Until when it is snoozed, in milliseconds since 1970.
    pub snoozed_until: Option<u64>,
    /// When the team closed it, in milliseconds since 1970.
    pub closed_at: Option<u64>,
    /// The user who takes care of it.
    pub assignee: Option<UserId>,
    /// The collection that it is in.
    pub collection: Option<CollectionId>,
    /// Its labels.
    pub labels: Vec<LabelId>,
    /// The conversation that the customer's thread was in before this one was begun.
    pub continues: Option<ConversationId>,
    /// The conversation that was begun after this one was closed. Nothing more is written in this one.
    pub continued_in: Option<ConversationId>,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionView {
    /// The customer's id at the platform, or `business`.
    pub actor: String,
    /// The emoji.
    pub emoji: Option<String>,
    /// The platform's name for it.
    pub name: Option<String>,
}

/// A message in a conversation.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineEntry {
    /// Its row id.
    pub id: MessageId,
    /// The platform's id.
    pub platform_id: Option<String>,
    /// The platform's ids of further messages that this entry stands for too: one part of a reply that the platform shows
    /// as several. Each can be answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further_platform_ids: Vec<String>,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The author's row id, if a customer wrote it.
    pub contact_id: Option<ContactId>,
    /// The platform's id of the author, in a conversation with several people.
    pub contact: Option<String>,
    /// The author's name, if known.
    pub name: Option<String>,
    /// The contract's author of an incoming message, or sender of a message sent from here.
    pub author: Box<RawValue>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// Whether it arrived after a newer message.
    pub late: bool,
    /// Its text.
    pub text: Option<String>,
    /// The contract's `message`, for either direction; `None` if it was unsent.
    pub body: Option<Box<RawValue>>,
    /// The contract's `outbound-part`, for messages sent from here: what was requested.
    pub part: Option<Box<RawValue>>,
    /// The contract's `event.details`.
    pub details: Option<Box<RawValue>>,
    /// When it was unsent.
    pub deleted_at: Option<i64>,
    /// The number of edits.
    pub revision: Option<i64>,
    /// The reply that it belongs to, if any.
    pub reply: Option<ReplyId>,
    /// The state of its step, if it was sent from here.
    pub state: Option<StepState>,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
    /// The reactions to it.
    pub reactions: Vec<ReactionView>,
    /// Its files and their states.
    pub media: Vec<MediaView>,
}

/// An event that is not a message: a comment, a mention, a handover, a referral, an opt-in, a notice from the platform.
#[derive(Clone, Debug, Serialize)]
pub struct ActivityView {
    /// Its row id.
    pub id: ActivityId,
    /// The account's row id.
    pub account_id: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The conversation's row id, if it belongs to one. A message written there answers a comment in private, even if
    /// the platform gives no id for the comment's author.
    pub conversation: Option<ConversationId>,
    /// The platform's id of the customer, if known.
    pub contact: Option<String>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// The contract's name for the kind of event, or `refused_event`.
    pub kind: String,
    /// The contract's `event-body`, with the ids needed to answer it.
    pub body: Box<RawValue>,
    /// The contract's `event.details`.
    pub details: Option<Box<RawValue>>,
}

/// Which activities to list. Conditions are combined.
#[derive(Clone, Debug, Default)]
pub struct ActivityFilter {
    /// Those of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those of this conversation.
    pub conversation: Option<ConversationId>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those that happened at this time or later, by the platform's clock, in milliseconds since 1970.
    pub from: Option<i64>,
    /// Those that happened before this time.
    pub to: Option<i64>,
}

/// A message or an activity of a conversation.
#[derive(Clone, Debug)]
pub enum ConversationEntry {
    /// A message.
    Message(Box<TimelineEntry>),
    /// Something that is not a message.
    Activity(Box<ActivityView>),
}
