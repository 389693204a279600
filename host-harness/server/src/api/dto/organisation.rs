//! Owns: what a team makes of conversations in the API's JSON: changes of a conversation, notes, collections, labels,
//! canned answers.
//! Does not own: the conversation itself (`conversation`).

use harness_inbox::{CannedAnswerView, CollectionView, LabelView, NoteView};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{CannedAnswerTag, CollectionTag, LabelTag, NoteTag, conversation::State};
use crate::api::{
    ids::{CannedAnswerRef, CollectionRef, ConversationRef, Id, LabelRef, NoteRef, UserRef},
    time::Time,
};

/// A field that may be null: left out, it changes nothing.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes to a conversation. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeConversation {
    pub(crate) state: Option<State>,
    /// With the state `snoozed`: when it is opened again.
    pub(crate) snoozed_until: Option<Time>,
    /// Who takes care of it; null for nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<UserRef>)]
    pub(crate) assignee_id: Option<Option<UserRef>>,
    /// Null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CollectionRef>)]
    pub(crate) collection_id: Option<Option<CollectionRef>>,
    /// Change nothing and answer 409 unless this is the assignee now; null: unless nobody is. Of two people who take a
    /// conversation at once, one learns that the other was first.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<UserRef>)]
    pub(crate) if_assignee_id: Option<Option<UserRef>>,
}

/// Labels of a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Labels {
    pub(crate) label_ids: Vec<LabelRef>,
}

/// A private note of the team. It never leaves the host.
#[derive(Serialize, ToSchema)]
pub(crate) struct Note {
    object: NoteTag,
    id: NoteRef,
    conversation_id: ConversationRef,
    /// Who wrote it; null where a program did.
    user_id: Option<UserRef>,
    /// The author's name then.
    author: String,
    created_at: Time,
    edited_at: Option<Time>,
    text: String,
}

impl From<NoteView> for Note {
    fn from(note: NoteView) -> Self {
        Self {
            object: NoteTag::Tag,
            id: note.id.into(),
            conversation_id: note.conversation.into(),
            user_id: note.user.map(Id::from),
            author: note.author,
            created_at: note.at.into(),
            edited_at: note.edited_at.map(Time::from),
            text: note.text,
        }
    }
}

/// The text of a note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteText {
    /// 1 to 10,000 characters.
    pub(crate) text: String,
}

/// Where conversations of one kind are put.
#[derive(Serialize, ToSchema)]
pub(crate) struct Collection {
    object: CollectionTag,
    id: CollectionRef,
    name: String,
    created_at: Time,
}

impl From<CollectionView> for Collection {
    fn from(row: CollectionView) -> Self {
        Self { object: CollectionTag::Tag, id: row.id.into(), name: row.name, created_at: row.created_at.into() }
    }
}

/// A collection's content.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CollectionContent {
    /// 1 to 80 characters; no other collection of the workspace has the name.
    pub(crate) name: String,
}

/// A label.
#[derive(Serialize, ToSchema)]
pub(crate) struct Label {
    object: LabelTag,
    id: LabelRef,
    name: String,
    /// Of the palette.
    color: String,
    created_at: Time,
}

impl From<LabelView> for Label {
    fn from(row: LabelView) -> Self {
        let LabelView { id, name, color, created_at, .. } = row;
        Self { object: LabelTag::Tag, id: id.into(), name, color, created_at: created_at.into() }
    }
}

/// A label's content.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LabelContent {
    /// 1 to 80 characters; no other label of the workspace has the name.
    pub(crate) name: String,
    /// `gray`, `red`, `orange`, `yellow`, `green`, `teal`, `blue`, `purple` or `pink`.
    pub(crate) color: String,
}

/// An answer that is kept to be used again.
#[derive(Serialize, ToSchema)]
pub(crate) struct CannedAnswer {
    object: CannedAnswerTag,
    id: CannedAnswerRef,
    /// What is typed after `/`.
    shortcut: String,
    title: String,
    /// With variables, such as `{{contact.name}}` and `{{contact.first_name | there}}`.
    text: String,
    created_at: Time,
}

impl From<CannedAnswerView> for CannedAnswer {
    fn from(row: CannedAnswerView) -> Self {
        let CannedAnswerView { id, shortcut, title, text, created_at, .. } = row;
        Self { object: CannedAnswerTag::Tag, id: id.into(), shortcut, title, text, created_at: created_at.into() }
    }
}

/// A canned answer's content.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CannedAnswerContent {
    /// 1 to 40 letters, digits, `-` and `_`; no other one of the workspace has it.
    pub(crate) shortcut: String,
    /// 1 to 120 characters.
    pub(crate) title: String,
    /// 1 to 10,000 characters. Variables: `contact.name`, `contact.first_name`, `contact.username`, `agent.name`,
    /// `agent.first_name`, `account.name`, `account.username`.
    pub(crate) text: String,
}

/// For which conversation a canned answer is filled in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FillFor {
    pub(crate) conversation_id: ConversationRef,
}

/// A canned answer for one conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct FilledAnswer {
    pub(crate) text: String,
    /// Variables that have neither a value nor a fallback: nothing stands in their places.
    pub(crate) missing: Vec<&'static str>,
}
