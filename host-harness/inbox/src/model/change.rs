//! Owns: the entries of the change feed: what changed, and which rows it concerns.
//! Does not own: the new state; readers look it up. Writing and reading the feed (`store`, `sqlite`).

use super::ids::{AccountId, ActivityId, ConversationId, DeliveryId, MessageId, ReplyId, WorkspaceId};

macro_rules! kinds {
    ($($(#[$meaning:meta])+ $kind:ident = $name:literal,)+) => {
        /// What changed. The names are those of the API's events.
        #[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Ord, PartialOrd)]
        pub enum ChangeKind {
            $($(#[$meaning])+ $kind,)+
        }

        impl ChangeKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in SQL, events and filters.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name),+
                }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A message came in, was sent from here, was sent from the platform's own app, or was read from the history.
    MessageCreated = "message.created",
    /// The text or the attachments of a message were edited.
    MessageEdited = "message.edited",
    /// A message was unsent, or its row is gone because it proved to be one of ours that is shown already.
    MessageDeleted = "message.deleted",
    /// A reaction to a message came or went.
    MessageReacted = "message.reacted",
    /// A file of a message was stored, or could not be.
    MessageMedia = "message.media",
    /// A reply was queued.
    ReplyQueued = "reply.queued",
    /// A reply was refused, or one of its steps has another state.
    ReplyUpdated = "reply.updated",
    /// A conversation began.
    ConversationCreated = "conversation.created",
    /// The state, assignee, collection, labels, thread, window or number of unread messages of a conversation changed.
    ConversationUpdated = "conversation.updated",
    /// Somebody of the team read a conversation.
    ConversationRead = "conversation.read",
    /// The customer read a conversation up to some message.
    ConversationSeen = "conversation.seen",
    /// The customer is typing. Nothing is stored of it but this change.
    ConversationTyping = "conversation.typing",
    /// A conversation is gone: its content was deleted, or goes on in another one, which was updated.
    ConversationDeleted = "conversation.deleted",
    /// Something that is not a message happened: a comment, a mention, a referral, a handover.
    ActivityCreated = "activity.created",
    /// A contact is new, or its profile or ids changed: once for each of its conversations.
    ContactUpdated = "contact.updated",
    /// A private note was written.
    NoteCreated = "note.created",
    /// A private note was edited.
    NoteUpdated = "note.updated",
    /// A private note was deleted.
    NoteDeleted = "note.deleted",
    /// A private note mentions somebody of the team.
    MentionCreated = "mention.created",
    /// Somebody has looked at a conversation in which they were mentioned.
    MentionSeen = "mention.seen",
    /// An account was connected or disconnected, or its state changed.
    AccountUpdated = "account.updated",
    /// A delivery could not be translated. It is kept.
    DeliveryFailed = "delivery.failed",
    /// Users, labels, collections, canned answers, saved views, webhooks or the automation's settings of a workspace changed.
    SettingsUpdated = "settings.updated",
}

/// One change. Its references stay when the rows are gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its number: ascending in commit order, without gaps, never used twice.
    pub seq: u64,
    /// When it was written, in milliseconds since 1970.
    pub at: u64,
    /// What changed.
    pub kind: ChangeKind,
    /// Whose it is; `None` for what concerns the whole host.
    pub workspace: Option<WorkspaceId>,
    /// The account, if it concerns one.
    pub account: Option<AccountId>,
    /// The conversation, if it concerns one.
    pub conversation: Option<ConversationId>,
    /// The message, if it concerns one.
    pub message: Option<MessageId>,
    /// The reply, if it concerns one.
    pub reply: Option<ReplyId>,
    /// The activity, if it concerns one.
    pub activity: Option<ActivityId>,
    /// The delivery, if it concerns one.
    pub delivery: Option<DeliveryId>,
    /// The row of another kind that `kind` names: a file, a contact, a note, a user.
    pub object: Option<i64>,
}

/// Changes after a position, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// At most as many as were asked for.
    pub changes: Vec<Change>,
    /// Where to go on reading: everything up to there was returned or is of others.
    pub position: u64,
    /// Whether changes after the position were removed because they are older than the feed is kept, or the position is
    /// one that this feed has not reached, as after a restored backup: the reader has missed some and has to read the
    /// inbox again.
    pub missed: bool,
}
