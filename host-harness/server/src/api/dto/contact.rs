//! Owns: contacts in the API's JSON.
//! Does not own: their conversations (`conversation`).

use harness_contract as contract_types;
use harness_inbox::ContactView;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ContactTag, Fact, Identifiers, IdentityRule, conversation::Conversation};
use crate::api::{
    ids::{AccountRef, ContactRef, Id, LabelRef},
    time::Time,
};

/// A person who has written to an account, or was seen by it. One who writes to two accounts is two contacts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contact {
    object: ContactTag,
    id: ContactRef,
    /// The channel's id.
    channel: String,
    account_id: AccountRef,
    /// Empty if the platform has not given an id yet.
    identifiers: Identifiers,
    name: Option<String>,
    username: Option<String>,
    /// Mail addresses, phone numbers and the like that the platform tells.
    addresses: Vec<Address>,
    /// A BCP 47 tag, such as `pt-BR`.
    language: Option<String>,
    /// Facts to show, such as how many people follow the person.
    details: Vec<Fact>,
    /// The platform's address of the picture, valid for a limited time.
    picture_url: Option<String>,
    /// Why the platform shows no profile, as a sentence.
    profile_problem: Option<String>,
    /// Of the oldest entry in the conversations with this person, by the platform's clock.
    first_seen_at: Option<Time>,
    /// Of the newest message of a customer in them.
    last_seen_at: Option<Time>,
    /// The labels of these conversations.
    label_ids: Vec<LabelRef>,
}

/// An address of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContactAddress)]
struct Address {
    /// `email`, `phone` and others.
    kind: String,
    value: String,
}

impl Contact {
    pub(crate) fn of(view: ContactView, rule: &IdentityRule) -> Self {
        let (shown, picture) = match view.profile {
            Some(contract_types::ContactProfile { contact, picture }) => (Some(contact), picture),
            None => (None, None),
        };
        // What an event told, beside what the profile says.
        let all = || shown.iter().chain(&view.told);
        let addresses = all().find(|one| !one.addresses.is_empty()).map_or(&[][..], |one| &one.addresses);
        let details = all().find(|one| !one.details.is_empty()).map_or(&[][..], |one| &one.details);
        Self {
            object: ContactTag::Tag,
            id: view.id.into(),
            channel: view.channel,
            account_id: view.account_id.into(),
            identifiers: rule.identifiers(view.platform_id),
            name: view.name,
            username: view.username,
            addresses: addresses
                .iter()
                .map(|one| Address { kind: one.kind.clone(), value: one.value.clone() })
                .collect(),
            language: all().find_map(|one| one.language.clone()),
            details: details.iter().map(Fact::from).collect(),
            picture_url: picture.and_then(|picture| picture.url),
            profile_problem: view.profile_problem,
            first_seen_at: view.first_seen_at.map(Time::from),
            last_seen_at: view.last_seen_at.map(Time::from),
            label_ids: view.labels.into_iter().map(Id::from).collect(),
        }
    }
}

/// A contact with the conversations that the person is in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactDetail {
    #[serde(flatten)]
    pub(crate) contact: Contact,
    /// With this contact, those in which the person wrote among others, and those with other accounts of the channel under
    /// the same id: newest first, at most 50.
    pub(crate) conversations: Vec<Conversation>,
}
