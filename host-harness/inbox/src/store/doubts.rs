//! Owns: steps whose outcome is not known: when each is looked for, what was seen, what somebody decided.
//! Does not own: looking, and the echo that confirms one.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Doubt, ReplyId, Seen, SeenMessage, Settlement},
};

/// Parts of replies that may have been delivered.
#[async_trait]
pub trait Doubts: Send + Sync {
    /// The parts that are to be looked for now.
    async fn due_doubts(&self, now: u64) -> Result<Vec<Doubt>, InboxError>;

    /// Decides by what the archive showed: `None` where it could not be read now, or shows nothing of this
    /// conversation.
    ///
    /// That it arrived is proved by a message of ours that nobody else accounts for, with the same words and not
    /// older. That it did not arrive is proved by an archive that reaches back to a message which was there before,
    /// and holds none of ours that nobody accounts for.
    async fn note_look(&self, doubt: &Doubt, shown: Option<Vec<SeenMessage>>, now: u64) -> Result<Seen, InboxError>;

    /// It is not looked for again by itself: the platform has nothing to look into.
    async fn stop_looking(&self, doubt: &Doubt) -> Result<(), InboxError>;

    /// Somebody decides about the part of a reply of which it is not known whether it was delivered.
    ///
    /// # Errors
    /// [`InboxError::NotAmbiguous`] where there is no such part.
    async fn settle(&self, reply: ReplyId, settlement: Settlement, now: u64) -> Result<(), InboxError>;

    /// After a start: what was on its way when the process ended may have arrived.
    async fn settle_interrupted(&self, now: u64) -> Result<usize, InboxError>;

    /// What the host was sending for a reply when it failed itself may have arrived; what it had not begun is
    /// refused.
    async fn settle_failed(&self, reply: ReplyId, now: u64) -> Result<(), InboxError>;
}
