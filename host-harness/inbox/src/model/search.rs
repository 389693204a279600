//! Owns: what a search asks for and finds.
//! Does not own: the index, what a word is (`words`).

use super::{
    ids::{ConversationId, MessageId, WorkspaceId},
    timeline::ConversationSummary,
};

/// A search for messages.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageSearch {
    /// Whose messages.
    pub workspace: WorkspaceId,
    /// The words: a message has to have all of them.
    pub text: String,
    /// Only the messages of this conversation.
    pub conversation: Option<ConversationId>,
}

/// A place in a text, in characters (code points) from its beginning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Highlight {
    /// The first character.
    pub start: usize,
    /// The character behind the last one.
    pub end: usize,
}

/// A message that a search found.
#[derive(Clone, Debug)]
pub struct MessageHit {
    /// The message's row id.
    pub message: MessageId,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// Platform time, in milliseconds since 1970.
    pub at: i64,
    /// The author's name in a conversation with several people, otherwise the conversation's.
    pub name: Option<String>,
    /// Its text.
    pub text: String,
    /// Where the text has the words.
    pub highlights: Vec<Highlight>,
}

/// A conversation that a search found by the name of its customer or its thread.
#[derive(Clone, Debug)]
pub struct ConversationHit {
    /// The conversation.
    pub conversation: ConversationSummary,
    /// Where its name has the words.
    pub highlights: Vec<Highlight>,
}
