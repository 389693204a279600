//! Owns: ids in the API's JSON, paths and queries: opaque texts with a prefix for the kind, such as `cnv_7w3k0x9f2m4qz`.
//! Does not own: how they are spelled (the inbox), whether the row exists and whose it is.

use std::{borrow::Cow, str::FromStr};

use harness_inbox::{
    AccountId, ActivityId, CannedAnswerId, CollectionId, ContactId, ConversationId, DeliveryId, InvitationId, LabelId,
    MediaId, MessageId, NotAnId, NoteId, PublicId, ReplyId, SavedViewId, UserId, WebhookId, WorkspaceId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, Schema, Type},
    },
};

/// Begins the error of a text that is not an id, from which [`super::extract`] knows it among serde's errors.
pub(crate) const NOT_AN_ID: &str = "not an id: ";

/// An id as the API shows and takes it. One of another kind, or a text that is none, is refused: 404 in a path, 400
/// `bad_id` in a query or a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Id<T>(pub(crate) T);

// By these names in descriptions: utoipa would ask a description of the parameter of `Id`.
pub(crate) type AccountRef = Id<AccountId>;
pub(crate) type ActivityRef = Id<ActivityId>;
pub(crate) type CannedAnswerRef = Id<CannedAnswerId>;
pub(crate) type CollectionRef = Id<CollectionId>;
pub(crate) type ContactRef = Id<ContactId>;
pub(crate) type ConversationRef = Id<ConversationId>;
pub(crate) type DeliveryRef = Id<DeliveryId>;
pub(crate) type InvitationRef = Id<InvitationId>;
pub(crate) type LabelRef = Id<LabelId>;
pub(crate) type MediaRef = Id<MediaId>;
pub(crate) type MessageRef = Id<MessageId>;
pub(crate) type NoteRef = Id<NoteId>;
pub(crate) type ReplyRef = Id<ReplyId>;
pub(crate) type SavedViewRef = Id<SavedViewId>;
pub(crate) type UserRef = Id<UserId>;
pub(crate) type WebhookRef = Id<WebhookId>;
pub(crate) type WorkspaceRef = Id<WorkspaceId>;

impl<T: PublicId> From<T> for Id<T> {
    fn from(id: T) -> Self {
        Self(id)
    }
}

impl<T: PublicId> FromStr for Id<T> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        T::from_public(text).map(Self)
    }
}

impl<T: PublicId> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.public())
    }
}

impl<'de, T: PublicId> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format_args!("{NOT_AN_ID}{error}")))
    }
}

impl<T: PublicId> PartialSchema for Id<T> {
    fn schema() -> RefOr<Schema> {
        let prefix = T::PREFIX;
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!("A {} id.", T::NOUN)))
            .pattern(Some(format!("^{prefix}_[0-9a-hjkmnp-tv-z]{{13}}$")))
            .examples([T::from_number(1).public()]);
        RefOr::T(text.build().into())
    }
}

impl<T: PublicId> ToSchema for Id<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Id_{}", T::PREFIX))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_text_of_its_kind_in_json() {
        let id = Id(ConversationId::new(42));
        let text = serde_json::to_string(&id).unwrap();
        assert!(text.starts_with("\"cnv_"), "{text}");
        assert_eq!(serde_json::from_str::<Id<ConversationId>>(&text).unwrap(), id);
        for wrong in ["42", "\"42\"", "\"cnv_\"", "null"] {
            assert!(serde_json::from_str::<Id<ConversationId>>(wrong).is_err(), "{wrong}");
        }
        let error = serde_json::from_str::<Id<AccountId>>(&text).unwrap_err().to_string();
        assert!(error.contains(NOT_AN_ID) && error.contains("`acc_`"), "{error}");
    }
}
