//! Owns: row ids in columns and back.
//! Does not own: the id types.

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

use crate::model::{
    AccountId, ActivityId, CannedAnswerId, CollectionId, ContactId, ConversationId, DeliveryId, InvitationId, LabelId,
    MediaId, MessageId, NoteId, ReplyId, SavedViewId, UserId, WebhookId, WorkspaceId,
};

macro_rules! column {
    ($($id:ty),+) => {
        $(
            impl ToSql for $id {
                fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                    Ok(self.get().into())
                }
            }

            impl FromSql for $id {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                    value.as_i64().map(Self::new)
                }
            }
        )+
    };
}

column!(
    AccountId,
    ActivityId,
    CannedAnswerId,
    CollectionId,
    ContactId,
    ConversationId,
    DeliveryId,
    InvitationId,
    LabelId,
    MediaId,
    MessageId,
    NoteId,
    ReplyId,
    SavedViewId,
    UserId,
    WebhookId,
    WorkspaceId
);
