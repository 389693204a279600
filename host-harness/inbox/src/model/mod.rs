//! Owns: the values that an inbox takes and returns: ids, states, views, requests. Plain data without a store.
//! Does not own: storing them (`store`, `sqlite`), acting on them.

mod account;
mod automation;
mod change;
mod contact;
mod counts;
mod delivery;
mod delivery_view;
mod doubt;
mod ids;
mod media;
mod mention;
mod organisation;
mod page;
mod proof;
mod public_id;
mod reply;
mod retention;
mod row;
mod saved_view;
mod search;
mod state;
mod timeline;
mod user;
mod verdict;
mod webhook;

pub use account::{
    AccountRow, AccountState, DueHistory, FromDialog, HistoryMark, NewAccount, SealedCredential, StoredLink,
};
pub use automation::{
    AutomationRow, DecisionView, HandOverNote, NewDecision, OpenTurn, Placement, Standing, TurnChange,
};
pub use change::{Change, ChangeKind, Changes};
pub use contact::{ContactFilter, ContactView, DueProfile, ErasureView};
pub use counts::{DeliveryCounts, ParkedCounts, QueuedDeliveries, Traffic, Waiting};
pub use delivery::{
    Applied, BatchOutcome, DeliveryFailure, DeliveryOrigin, EventCounts, NewDelivery, ParkingBounds, PendingDelivery,
    TakenCallback, TranslatedDelivery,
};
pub use delivery_view::{DeliveryFilter, DeliveryState, DeliveryView, NoDeliveryState, Translator};
pub use doubt::{Doubt, Seen, SeenMessage, Settlement};
pub use ids::{
    AccountId, ActivityId, CannedAnswerId, CollectionId, ContactId, ConversationId, DeliveryId, InvitationId, LabelId,
    MediaId, MessageId, NoteId, ReplyId, SavedViewId, UserId, WebhookId, WorkspaceId,
};
pub use media::{DueMedia, MediaEnd, MediaPlace, MediaState, MediaView, UnusedFiles, Upload};
pub use mention::{MentionView, Named, named_in};
pub use organisation::{
    CannedAnswerText, CannedAnswerView, CollectionView, ConversationChange, ConversationFilter, ConversationState,
    LabelChange, LabelView, NewNote, NewState, NoteView, Organised, WhenClosed,
};
pub use page::{MergedPlace, NoPlace, Page, Place};
pub use proof::Proof;
pub use public_id::{NotAnId, PublicId};
pub use reply::{DueReply, NewReply, OpenReply, Queued, Remarks, ReplyView, StepEnd, StepView, StoredStep};
pub use retention::{Kept, KeptDays};
pub use row::Row;
pub use saved_view::{NewSavedView, SavedView, ViewFilters, Whose};
pub use search::{ConversationHit, Highlight, MessageHit, MessageSearch};
pub use state::{ReplyState, StepState};
pub use timeline::{
    ActivityFilter, ActivityView, Around, ConversationEntry, ConversationSummary, ReactionView, TimelineEntry,
};
pub use user::{
    Accepted, AtProvider, Credentials as UserCredentials, InvitationView, NewInvitation, NewSession, NewUser, Role,
    SessionView, UserChange, UserView, WorkspaceView,
};
pub use verdict::ReplyVerdict;
pub use webhook::{
    KindFilter, NewWebhook, UnknownKind, WebhookAttempt, WebhookChange, WebhookFailure, WebhookState, WebhookView,
};
