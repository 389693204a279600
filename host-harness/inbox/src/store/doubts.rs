//! Owns: steps with an ambiguous outcome: lookup times, findings and decisions.
//! Does not own: performing the lookup, echoes that confirm a step.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Doubt, ReplyId, Seen, SeenMessage, Settlement},
};

/// Reply parts that may have been delivered.
#[async_trait]
pub trait Doubts: Send + Sync {
    /// The parts whose history lookup is due.
    async fn due_doubts(&self, now: u64) -> Result<Vec<Doubt>, InboxError>;

    /// The next time after `after` at which a lookup is due, in milliseconds since 1970.
    async fn next_doubt(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Decides from the messages in the platform's history. `shown` is `None` if it could not be read now, or shows
    /// nothing of this conversation.
    ///
    /// A part is proved to have arrived by a message of ours that has the same text, is not older than the part, and is
    /// not otherwise accounted for. It is proved not to have arrived by a history that reaches back to an earlier known
    /// message and in which every message of ours is accounted for.
    async fn note_look(&self, doubt: &Doubt, shown: Option<Vec<SeenMessage>>, now: u64) -> Result<Seen, InboxError>;

    /// Ends the lookups for a part, because the platform offers no history to search.
    async fn stop_looking(&self, doubt: &Doubt) -> Result<(), InboxError>;

    /// Applies a person's decision about the ambiguous part of a reply.
    ///
    /// # Errors
    /// [`InboxError::NotAmbiguous`] if there is no such part.
    async fn settle(&self, reply: ReplyId, settlement: Settlement, now: u64) -> Result<(), InboxError>;

    /// At startup, marks the steps that were in flight when the process ended as ambiguous. Returns how many there
    /// were.
    async fn settle_interrupted(&self, now: u64) -> Result<usize, InboxError>;

    /// After an internal failure of the host, marks the step of the reply that was in flight as ambiguous, and refuses
    /// what had not begun.
    async fn settle_failed(&self, reply: ReplyId, now: u64) -> Result<(), InboxError>;
}
