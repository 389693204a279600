//! Owns: naming a row of any kind that belongs to a workspace.
//! Does not own: which workspace that is (`store`).

use super::ids::{
    AccountId, ActivityId, CannedAnswerId, CollectionId, ContactId, ConversationId, DeliveryId, InvitationId, LabelId,
    MediaId, MessageId, NoteId, ReplyId, SavedViewId, UserId, WebhookId,
};

macro_rules! rows {
    ($($kind:ident($id:ty),)+) => {
        /// A row of any kind that belongs to a workspace.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Row {
            $(
                #[doc = "The row with this id."]
                $kind($id),
            )+
            /// The uploaded file with this handle.
            Upload(String),
        }

        $(
            impl From<$id> for Row {
                fn from(id: $id) -> Self {
                    Self::$kind(id)
                }
            }
        )+
    };
}

rows! {
    Account(AccountId),
    Activity(ActivityId),
    CannedAnswer(CannedAnswerId),
    Collection(CollectionId),
    Contact(ContactId),
    Conversation(ConversationId),
    Delivery(DeliveryId),
    Invitation(InvitationId),
    Label(LabelId),
    Media(MediaId),
    Message(MessageId),
    Note(NoteId),
    Reply(ReplyId),
    SavedView(SavedViewId),
    User(UserId),
    Webhook(WebhookId),
}
