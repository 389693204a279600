//! Owns: contacts: those whose profile is due, and requests to delete all data about a person.
//! Does not own: calls to the platform.

use serde::Serialize;

use super::ids::{AccountId, ContactId};

/// A contact whose profile is due to be fetched.
#[derive(Clone, Debug)]
pub struct DueProfile {
    /// The contact's row id.
    pub contact: ContactId,
    /// The account's row id.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the contact.
    pub platform_id: String,
    /// The thread in which the contact was last active, if the conversation has one.
    pub thread: Option<String>,
}

/// A request to delete all data about a person.
#[derive(Clone, Debug, Serialize)]
pub struct ErasureView {
    /// When the request arrived.
    pub received_at: u64,
    /// When the deletion was finished.
    pub finished_at: Option<u64>,
    /// The number of accounts whose credentials and conversations were deleted.
    pub accounts: i64,
    /// The number of contacts deleted.
    pub contacts: i64,
}
