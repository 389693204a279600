//! Owns: the description of events in the API's JSON, and a page of them.
//! Does not own: their JSON, which webhooks carry too (the engine).

use harness_engine::Event as Told;
use serde::Serialize;
use utoipa::ToSchema;

use super::EventTag;
use crate::api::{
    ids::{
        AccountRef, ActivityRef, ContactRef, ConversationRef, DeliveryRef, MediaRef, MessageRef, NoteRef, ReplyRef,
        UserRef, WebhookRef, WorkspaceRef,
    },
    time::Time,
};

/// Something changed. It names the objects that it concerns and holds none: read them, they may have changed again. Ids that
/// it does not concern are left out.
#[derive(ToSchema)]
#[schema(as = Event)]
#[allow(dead_code, reason = "it describes the engine's type")]
pub(crate) struct EventShape {
    object: EventTag,
    /// The number of the change: ascending in the order in which changes were made, never used twice.
    #[schema(example = "4711")]
    id: String,
    /// The kind of change, such as `message.created`.
    r#type: String,
    created_at: Time,
    #[schema(required = false)]
    workspace_id: WorkspaceRef,
    #[schema(required = false)]
    account_id: AccountRef,
    #[schema(required = false)]
    conversation_id: ConversationRef,
    #[schema(required = false)]
    message_id: MessageRef,
    #[schema(required = false)]
    reply_id: ReplyRef,
    #[schema(required = false)]
    activity_id: ActivityRef,
    #[schema(required = false)]
    contact_id: ContactRef,
    #[schema(required = false)]
    media_id: MediaRef,
    #[schema(required = false)]
    note_id: NoteRef,
    /// Who was mentioned.
    #[schema(required = false)]
    user_id: UserRef,
    #[schema(required = false)]
    delivery_id: DeliveryRef,
    #[schema(required = false)]
    webhook_id: WebhookRef,
}

/// Changes after a position.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changes {
    /// In order.
    #[schema(value_type = Vec<EventShape>)]
    pub(crate) data: Vec<Told>,
    /// Whether there are more now.
    pub(crate) has_more: bool,
    /// Where to go on: the next `after`. Store it when you have dealt with `data`.
    #[schema(example = "4711")]
    pub(crate) position: String,
    /// Whether changes after your position are gone, because they are older than the host keeps them: read the inbox
    /// again.
    pub(crate) missed: bool,
}
