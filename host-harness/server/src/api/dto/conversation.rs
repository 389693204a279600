//! Owns: conversations and their messaging window in the API's JSON.
//! Does not own: their content (`message`, `activity`), computing the window.

use harness_contract as contract_types;
use harness_inbox::{ConversationState, ConversationSummary};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{ConversationTag, Identifiers, IdentityRule, contract};
use crate::api::{
    ids::{AccountRef, CollectionRef, ContactRef, ConversationRef, Id, LabelRef, UserRef, WorkspaceRef},
    time::Time,
};

/// A conversation with one person, or a thread of several.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    object: ConversationTag,
    id: ConversationRef,
    workspace_id: WorkspaceRef,
    /// The channel's id.
    channel: String,
    account_id: AccountRef,
    /// The customer.
    contact: ContactSummary,
    /// The thread's title, or the customer's name, if known.
    name: Option<String>,
    /// What kind of conversation it is, where it is not with one person.
    #[schema(value_type = Option<contract::Thread>)]
    thread: Option<Box<RawValue>>,
    /// Of its newest entry, by the platform's clock, never later than the time of receipt.
    last_at: Time,
    /// Messages of the customer since a person answered or marked the conversation as read. More than 1000 count as 1000.
    unread: i64,
    /// How far the customer has read: the platform's id of a message.
    seen_platform_id: Option<String>,
    /// The text of the newest message.
    preview: Option<String>,
    state: State,
    /// Until when it is out of sight.
    snoozed_until: Option<Time>,
    /// When the team closed it.
    closed_at: Option<Time>,
    /// Who takes care of it.
    assignee_id: Option<UserRef>,
    collection_id: Option<CollectionRef>,
    label_ids: Vec<LabelRef>,
    /// The conversation before, where this one was begun because the customer wrote after that one was closed.
    continues: Option<ConversationRef>,
    /// The conversation that was begun because the customer wrote after this one was closed. Replies are written there; this one
    /// stays closed.
    continued_in: Option<ConversationRef>,
    /// Whether the business may write now. In lists it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
}

/// What the team has to do with a conversation. `pending`: it waits for somebody else. A message of the customer opens one
/// that is snoozed, and one that is closed unless the account's `when_closed` is `new`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConversationState)]
pub(crate) enum State {
    Open,
    Pending,
    Snoozed,
    Closed,
}

impl From<ConversationState> for State {
    fn from(state: ConversationState) -> Self {
        match state {
            ConversationState::Open => Self::Open,
            ConversationState::Pending => Self::Pending,
            ConversationState::Snoozed => Self::Snoozed,
            ConversationState::Closed => Self::Closed,
        }
    }
}

/// The customer of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactSummary {
    id: ContactRef,
    /// Empty if the platform has not given an id yet. Such a conversation holds comments and accepts only private replies
    /// to them.
    identifiers: Identifiers,
}

/// The messaging window, computed by the platform's clock and the channel's rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Window {
    /// `open`, `human_only` (a person may write, a program may not), `closed`, `never_opened` or `unknown` (only the
    /// platform knows).
    state: &'static str,
    /// What the customer did: `message`, `story_reply`, `comment` and others.
    opened_by: Option<String>,
    opened_at: Option<Time>,
    /// When it closes for everybody.
    closes_at: Option<Time>,
    /// When it closes for people too.
    human_closes_at: Option<Time>,
    /// How many messages the business may still send, where the rule counts them.
    replies_left: Option<u32>,
    /// Set when the platform refused, which counts for more than the rules.
    refused_at: Option<Time>,
}

impl From<contract_types::Window> for Window {
    fn from(window: contract_types::Window) -> Self {
        Self {
            state: window.state.name(),
            opened_by: window.opened_by,
            opened_at: window.opened_at.map(Time::from),
            closes_at: window.closes_at.map(Time::from),
            human_closes_at: window.human_closes_at.map(Time::from),
            replies_left: window.replies_left,
            refused_at: window.refused_at.map(Time::from),
        }
    }
}

impl Conversation {
    pub(crate) fn of(row: ConversationSummary, rule: &IdentityRule, window: Option<contract_types::Window>) -> Self {
        Self {
            object: ConversationTag::Tag,
            id: row.id.into(),
            workspace_id: row.workspace.into(),
            channel: row.channel,
            account_id: row.account_id.into(),
            contact: ContactSummary { id: row.contact_id.into(), identifiers: rule.identifiers(row.contact) },
            name: row.name,
            thread: row.thread,
            last_at: row.last_at.into(),
            unread: row.unread,
            seen_platform_id: row.seen_message,
            preview: row.preview,
            state: row.state.into(),
            snoozed_until: row.snoozed_until.map(Time::from),
            closed_at: row.closed_at.map(Time::from),
            assignee_id: row.assignee.map(Id::from),
            collection_id: row.collection.map(Id::from),
            label_ids: row.labels.into_iter().map(Id::from).collect(),
            continues: row.continues.map(Id::from),
            continued_in: row.continued_in.map(Id::from),
            window: window.map(Window::from),
        }
    }
}

/// What marking a conversation as read changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MarkedAsRead {
    /// The number of messages that were unread.
    pub(crate) read: usize,
}
