//! Owns: profiles of contacts.
//! Does not own: calls to the platform.

use async_trait::async_trait;
use harness_contract::ContactProfile;

use crate::{error::InboxError, model::ContactId, model::DueProfile};

/// Profiles of contacts: which are due to be fetched, and the results.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Contacts of connected accounts whose profile is due to be fetched. Round robin over the accounts, starting with
    /// the contact of each account that has waited longest.
    async fn due_profiles(&self, now: u64, limit: usize) -> Result<Vec<DueProfile>, InboxError>;

    /// The next time after `after` at which a profile is due, in milliseconds since 1970.
    async fn next_profile(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Stores a profile, and when to fetch it next.
    async fn note_profile(
        &self,
        contact: ContactId,
        profile: &ContactProfile,
        now: u64,
        next: u64,
    ) -> Result<(), InboxError>;

    /// Records why there is no profile, and when to try next. An earlier profile is kept.
    async fn note_no_profile(&self, contact: ContactId, problem: String, next: u64) -> Result<(), InboxError>;
}
