//! Owns: endpoints that read contacts.
//! Does not own: their conversations (`conversations`).

use axum::extract::State;
use harness_inbox::{ContactFilter, ContactId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, Routes,
    conversations::Rules,
    dto::{
        IdentityRule,
        contact::{Contact, ContactDetail},
        conversation::Conversation,
    },
    extract::{Json, Query, Row},
    ids::{AccountRef, ContactRef, Id},
    paging::{List, Paging},
};
use crate::auth::{Principal, Scope};

/// The most conversations that are shown with a contact.
const MAX_CONVERSATIONS: usize = 50;

pub(super) fn routes() -> Routes {
    Routes::default().at(Scope::Read, routes!(list_contacts)).at(Scope::Read, routes!(get_contact))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those of this account.
    account_id: Option<AccountRef>,
    /// Those of this channel's accounts.
    channel: Option<String>,
}

/// Contacts, newest first.
#[utoipa::path(
    get, path = "/contacts", tag = "Contacts", params(Which, Paging), responses((status = 200, body = List<Contact>)),
)]
async fn list_contacts(
    State(api): State<Api>,
    principal: Principal,
    Query(which): Query<Which>,
    Query(paging): Query<Paging>,
) -> Answer<List<Contact>> {
    let account = which.account_id.map(|Id(id)| id);
    let filter = ContactFilter { workspace: Some(principal.workspace), account, channel: which.channel };
    let page = api.host.inbox().contacts_before(filter, paging.place()?, paging.limit()?).await?;
    let mut rules = Rules::new(&api.host);
    Ok(Json(List::of(page, |view| {
        let rule = rules.of(&view.channel).clone();
        Contact::of(view, &rule)
    })))
}

/// One contact, with the conversations that the person is in.
#[utoipa::path(
    get, path = "/contacts/{id}", tag = "Contacts", params(("id" = ContactRef, Path)),
    responses((status = 200, body = ContactDetail)),
)]
async fn get_contact(State(api): State<Api>, Row(id): Row<ContactId>) -> Answer<ContactDetail> {
    let inbox = api.host.inbox();
    let view = inbox.contact(id).await?;
    let rule = IdentityRule::of(&api.host, &view.channel);
    let mut conversations = Vec::new();
    for conversation in inbox.conversations_with(id, MAX_CONVERSATIONS).await? {
        // One that was deleted meanwhile is left out.
        if let Ok(row) = inbox.conversation(conversation).await {
            conversations.push(Conversation::of(row, &rule, None));
        }
    }
    Ok(Json(ContactDetail { contact: Contact::of(view, &rule), conversations }))
}
