//! Owns: contacts: whose profile is asked for, and requests to delete everything about somebody.
//! Does not own: asking the platform.

use serde::Serialize;

use super::ids::{AccountId, ContactId};

/// A contact whose profile is to be asked for.
#[derive(Clone, Debug)]
pub struct DueProfile {
    /// The contact's row.
    pub contact: ContactId,
    /// The account's row.
    pub account: AccountId,
    /// The platform's id of the contact.
    pub platform_id: String,
    /// The thread in which the contact was last active, where the conversation has one.
    pub thread: Option<String>,
}

/// A request to delete everything about somebody.
#[derive(Clone, Debug, Serialize)]
pub struct ErasureView {
    /// When it came.
    pub received_at: u64,
    /// When it was done.
    pub finished_at: Option<u64>,
    /// Accounts whose credentials and conversations were deleted.
    pub accounts: i64,
    /// Contacts that were deleted.
    pub contacts: i64,
}
