//! Owns: contacts: in lists, those whose profile is due, and requests to delete all data about a person.
//! Does not own: calls to the platform.

use harness_contract::{Contact, ContactProfile};
use serde::Serialize;

use super::ids::{AccountId, ContactId, LabelId, WorkspaceId};

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

/// Which contacts to list. Conditions are combined.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// Those of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those of the accounts of this channel.
    pub channel: Option<String>,
}

/// A person who has written to an account, or was seen by it.
#[derive(Clone, Debug)]
pub struct ContactView {
    /// Its row id.
    pub id: ContactId,
    /// The account's row id. A person who writes to two accounts is two contacts.
    pub account_id: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id; `None` if it has not given one yet.
    pub platform_id: Option<String>,
    /// The name, if known.
    pub name: Option<String>,
    /// The user name, if known.
    pub username: Option<String>,
    /// What events told beyond a name.
    pub told: Option<Contact>,
    /// The profile, once it was fetched.
    pub profile: Option<ContactProfile>,
    /// Why the profile could not be fetched, as a sentence.
    pub profile_problem: Option<String>,
    /// The platform's time of the oldest entry of the conversations with this person.
    pub first_seen_at: Option<i64>,
    /// The platform's time of the newest message of a customer in them.
    pub last_seen_at: Option<i64>,
    /// The labels of the conversations.
    pub labels: Vec<LabelId>,
}
