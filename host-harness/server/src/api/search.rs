//! Owns: the endpoint that searches messages and names, and the filters of the list of conversations.
//! Does not own: the index (the inbox).

use axum::extract::State;
use harness_inbox::{ConversationFilter, ConversationState, Highlight, MessageHit, MessageSearch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{IdentityRule, conversation::Conversation},
    extract::{Json, Query},
    ids::{AccountRef, CollectionRef, ContactRef, ConversationRef, Id, LabelRef, MessageRef, UserRef},
    paging::{List, Paging},
    time::Time,
};
use crate::auth::{Principal, Scope};

/// How many conversations a search finds by their names.
const NAMES: usize = 20;

pub(super) fn routes() -> Routes {
    Routes::default().at(Scope::Read, routes!(search))
}

/// Which conversations a list has. All conditions hold.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Those of this account.
    account_id: Option<AccountRef>,
    /// Those of this channel's accounts.
    channel: Option<String>,
    /// Those with this contact.
    contact_id: Option<ContactRef>,
    /// Those in one of these states, with commas between them: `open`, `pending`, `snoozed`, `closed`.
    state: Option<String>,
    /// Those of this user: an id, `me`, or `none` for those of nobody.
    assignee_id: Option<String>,
    /// Those in this collection: an id, or `none` for those in none.
    collection_id: Option<String>,
    /// Those with a private note that mentions this user: an id, or `me`.
    mentioned_id: Option<String>,
    /// Those with this label.
    label_id: Option<LabelRef>,
    /// Those with unread messages, or without.
    unread: Option<bool>,
    /// Those whose newest entry is from this time or later.
    from: Option<Time>,
    /// Those whose newest entry is from before this time.
    to: Option<Time>,
    /// Those with these words in their name or in a message: in the newest 250 messages that have them.
    q: Option<String>,
}

impl Filter {
    /// As the inbox takes it: of the sender's workspace, so that ids of others match nothing.
    pub(super) fn of(self, principal: &Principal) -> Result<ConversationFilter, ApiError> {
        let wrong = |name: &str, sentence: String| ApiError::bad("bad_parameter", sentence).at(name);
        let names = self.state.as_deref().into_iter().flat_map(|all| all.split(','));
        let states: Option<Vec<_>> = names.map(ConversationState::from_name).collect();
        let states = states.ok_or_else(|| {
            wrong("state", "`state` is one or more of `open`, `pending`, `snoozed`, `closed`, with commas".to_owned())
        })?;
        let assignee = match self.assignee_id.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some("me") => Some(Some(principal.user_id().ok_or_else(|| {
                wrong("assignee_id", "`me` is a person, and a token is none: name the user by id".to_owned())
            })?)),
            Some(id) => {
                let id = id.parse().map(|Id(id): UserRef| id);
                Some(Some(id.map_err(|error| ApiError::bad("bad_id", error.to_string()).at("assignee_id"))?))
            }
        };
        let mentioned = match self.mentioned_id.as_deref() {
            None => None,
            Some("me") => Some(principal.user_id().ok_or_else(|| {
                wrong("mentioned_id", "`me` is a person, and a token is none: name the user by id".to_owned())
            })?),
            Some(id) => {
                let id = id.parse().map(|Id(id): UserRef| id);
                Some(id.map_err(|error| ApiError::bad("bad_id", error.to_string()).at("mentioned_id"))?)
            }
        };
        let collection = match self.collection_id.as_deref() {
            None => None,
            Some("none") => Some(None),
            Some(id) => {
                let id = id.parse().map(|Id(id): CollectionRef| id);
                Some(Some(id.map_err(|error| ApiError::bad("bad_id", error.to_string()).at("collection_id"))?))
            }
        };
        let millis = |Time(at): Time| u64::try_from(at).unwrap_or(0);
        Ok(ConversationFilter {
            workspace: Some(principal.workspace),
            account: self.account_id.map(|Id(id)| id),
            channel: self.channel,
            contact: self.contact_id.map(|Id(id)| id),
            assignee,
            collection,
            mentioned,
            label: self.label_id.map(|Id(id)| id),
            states,
            unread: self.unread,
            from: self.from.map(millis),
            to: self.to.map(millis),
            text: self.q,
        })
    }
}

/// A place in a text, in characters (code points of Unicode).
#[derive(Serialize, ToSchema)]
#[schema(as = Highlight)]
struct Place {
    /// The first character.
    start: usize,
    /// The character behind the last one.
    end: usize,
}

impl From<Highlight> for Place {
    fn from(Highlight { start, end }: Highlight) -> Self {
        Self { start, end }
    }
}

/// A message that has the words.
#[derive(Serialize, ToSchema)]
struct FoundMessage {
    message_id: MessageRef,
    conversation_id: ConversationRef,
    /// `inbound` or `outbound`.
    direction: String,
    at: Time,
    /// The author's name in a conversation with several people, otherwise the conversation's.
    name: Option<String>,
    text: String,
    highlights: Vec<Place>,
}

impl From<MessageHit> for FoundMessage {
    fn from(hit: MessageHit) -> Self {
        Self {
            message_id: hit.message.into(),
            conversation_id: hit.conversation.into(),
            direction: hit.direction,
            at: hit.at.into(),
            name: hit.name,
            text: hit.text,
            highlights: hit.highlights.into_iter().map(Place::from).collect(),
        }
    }
}

/// A conversation whose name has the words.
#[derive(Serialize, ToSchema)]
struct FoundConversation {
    conversation: Conversation,
    /// In its `name`.
    highlights: Vec<Place>,
}

/// What a search found.
#[derive(Serialize, ToSchema)]
struct Found {
    /// By the name of the customer or the thread, newest first; none on later pages.
    conversations: Vec<FoundConversation>,
    /// Messages with all of the words, the last that came first.
    messages: List<FoundMessage>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The words. Each is found by its first three letters or more, without regard to case and accents; what is shorter,
    /// as a whole word; Chinese, Japanese, Korean and Thai anywhere.
    q: String,
    /// Only the messages of this conversation.
    conversation_id: Option<ConversationRef>,
}

/// Searches the messages and the names of conversations. A new message is found within moments; one that was unsent or
/// edited is not found from then on.
#[utoipa::path(
    get, path = "/search", tag = "Conversations", params(Wanted, Paging), responses((status = 200, body = Found)),
)]
async fn search(
    State(api): State<Api>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Answer<Found> {
    let (workspace, inbox) = (principal.workspace, api.host.inbox());
    let conversation = wanted.conversation_id.map(|Id(id)| id);
    if let Some(id) = conversation {
        api.own(&principal, id).await.map_err(|problem| problem.at("conversation_id"))?;
    }
    let names = paging.cursor.is_none() && conversation.is_none();
    let names = if names { inbox.search_names(workspace, wanted.q.clone(), NAMES).await? } else { Vec::new() };
    let search = MessageSearch { workspace, text: wanted.q, conversation };
    let messages = inbox.search_messages(search, paging.place()?, paging.limit()?).await?;
    let conversations = names.into_iter().map(|hit| {
        let rule = IdentityRule::of(&api.host, &hit.conversation.channel);
        let highlights = hit.highlights.into_iter().map(Place::from).collect();
        FoundConversation { conversation: Conversation::of(hit.conversation, &rule, None), highlights }
    });
    Ok(Json(Found { conversations: conversations.collect(), messages: List::of(messages, FoundMessage::from) }))
}
