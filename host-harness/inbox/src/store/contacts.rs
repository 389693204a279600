//! Owns: profiles of contacts.
//! Does not own: asking the platform.

use async_trait::async_trait;
use harness_contract::ContactProfile;

use crate::{error::InboxError, model::ContactId, model::DueProfile};

/// Profiles of contacts: which are asked for next, and what was said.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Contacts of accounts that are connected, whose profile is to be asked for now: in turns, first the one of each
    /// account that waits longest.
    async fn due_profiles(&self, now: u64, limit: usize) -> Result<Vec<DueProfile>, InboxError>;

    /// Keeps a profile, and when it is asked for next.
    async fn note_profile(&self, contact: ContactId, profile: &ContactProfile, next: u64) -> Result<(), InboxError>;

    /// Notes why there is no profile, and when it is asked for next. What was known before stays.
    async fn note_no_profile(&self, contact: ContactId, problem: String, next: u64) -> Result<(), InboxError>;
}
