//! A person's pages: which of them lead to an Instagram account, and why others do not.
//! What belongs here is reading them with the person's token of the Facebook login.
//!
//! Sources: Meta, "Get Started" of the Messenger API for Instagram; Graph API reference, "User Accounts",
//! "User Permissions".

use channel_sdk::json::Json;

use super::call::{Call, Client, GET, USER_TOKEN, elements, is_about, is_too_much, list, next_page, record, text};
use super::{Candidate, Outcome};
use crate::outbound::is_id;
use crate::types::{FailureCategory, Media, MediaKind, Retention};

/// The permissions requested for the Facebook login; the manifest lists the same.
pub(super) const SCOPES: &[&str] = &[
    "instagram_basic",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_messaging",
    "pages_read_engagement",
    "pages_show_list",
];
/// The tasks that the person must be allowed to do on the page: answer messages, subscribe to webhooks.
pub(super) const TASKS: [&str; 2] = ["MESSAGING", "MODERATE"];

/// Pages per request: fewer if Meta finds the request too large.
const AT_ONCE: [u64; 4] = [100, 25, 5, 1];
/// The most requests, enough for more pages than anyone has.
const ROUNDS: usize = 40;
/// The most pages to read one by one because only the token names them.
const ONE_BY_ONE: usize = 16;

const FIELDS: &str = "id,name,instagram_business_account{id,username,name,profile_picture_url}";
/// A field that is only available in the list of a person's pages.
const TASKS_FIELD: &str = ",tasks";
/// The field for a linked personal account. Not every version of Meta's API has it.
const PERSONAL: &str = ",connected_instagram_account{id,username}";

/// A page offered as a choice.
pub(super) struct Offered {
    pub(super) candidate: Candidate,
    /// The name of the account behind it.
    pub(super) account_name: Option<String>,
}

/// All pages of the person.
pub(super) fn offered(client: &Client<'_>) -> Outcome<Vec<Offered>> {
    let missing = missing_permissions(client)?;
    let mut found = Vec::new();
    each(client, &mut |page| found.extend(candidate(page, &missing)))?;
    granted(client, &missing, &mut found);
    Ok(found)
}

/// Calls `take` with each page of the person.
pub(super) fn each(client: &Client<'_>, take: &mut dyn FnMut(&Json<'_>)) -> Outcome<()> {
    let mut fields = format!("{}{}{}", FIELDS, TASKS_FIELD, PERSONAL);
    let mut after = None;
    let settings = &client.settings;
    let mut sizes = AT_ONCE.into_iter();
    let mut limit = sizes.next().unwrap_or(1).to_string();
    for _ in 0..ROUNDS {
        let cursor: &str = after.as_deref().unwrap_or_default();
        let parameters = [("fields", fields.as_str()), ("limit", limit.as_str()), ("after", cursor)];
        let used = if cursor.is_empty() { 2 } else { 3 };
        let answer = client.send(&Call {
            url: &[settings.host(), settings.version, "/me/accounts"],
            parameters: parameters.get(..used).unwrap_or_default(),
            token: Some(USER_TOKEN),
            ..GET
        });
        let answer = match answer {
            Err(error) if is_about(&error, &[FailureCategory::ContentInvalid]) && fields.ends_with('}') => {
                fields = format!("{}{}", FIELDS, TASKS_FIELD);
                continue;
            }
            Err(error) if is_too_much(&error) => match sizes.next() {
                Some(fewer) => {
                    limit = fewer.to_string();
                    continue;
                }
                None => return Err(error),
            },
            answer => answer?,
        };
        let body = answer.json();
        elements(&body).iter().for_each(&mut *take);
        after = next_page(&body);
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// Adds pages that belong to a business. Some people's list lacks them, but the token names them.
fn granted(client: &Client<'_>, missing: &str, found: &mut Vec<Offered>) {
    let Ok(answer) = super::token::debug(client, USER_TOKEN) else {
        return;
    };
    let body = answer.json();
    let mut left = ONE_BY_ONE;
    for scope in list(record(&body), "granular_scopes") {
        if !text(scope, "scope").is_some_and(|name| OF_PAGES.contains(&name.as_str())) {
            continue;
        }
        for id in list(scope, "target_ids").iter().filter_map(Json::id).filter(|id| is_id(id)) {
            if left == 0 || found.iter().any(|known| known.candidate.id == id) {
                continue;
            }
            left -= 1;
            match client.read(&id, USER_TOKEN, FIELDS) {
                Ok(page) => found.extend(candidate(&page.json(), missing)),
                // Listed anyway: for a page missing from the list, people would not know what to ask.
                Err(_) => found.push(unreadable(id)),
            }
        }
    }
}

/// The permissions that are granted page by page.
const OF_PAGES: [&str; 2] = ["pages_messaging", "pages_show_list"];

/// The permission for pages to which people have access only through a business.
pub(super) const OF_BUSINESSES: &str = "business_management";

fn unreadable(id: String) -> Offered {
    let obstacle = "You permitted this page, and Facebook does not show it to this inbox. Where a business owns the page, \
                    the permission business_management is needed: ask whoever runs this inbox to switch the setting \
                    business-pages on, and connect again with all permissions switched on. Or connect as somebody who is \
                    an administrator of the page itself.";
    let candidate = Candidate {
        name: format!("Page {id}"),
        id,
        account_id: None,
        username: None,
        picture: None,
        obstacle: Some(obstacle.to_owned()),
    };
    Offered { candidate, account_name: None }
}

/// The permissions that are not granted.
pub(super) fn missing_permissions(client: &Client<'_>) -> Outcome<String> {
    let settings = &client.settings;
    let url = [settings.host(), settings.version, "/me/permissions"];
    let answer = client.send(&Call { url: &url, token: Some(USER_TOKEN), ..GET })?;
    let body = answer.json();
    let mut granted = Vec::new();
    for line in elements(&body) {
        if let (Some(Json::Text(permission)), Some(Json::Text(status))) = (line.get("permission"), line.get("status"))
            && status == "granted"
        {
            granted.push(Json::Text(permission.clone()));
        }
    }
    Ok(lacking(SCOPES, &granted))
}

/// The names that are missing from a list, separated by commas.
pub(super) fn lacking(names: &[&str], there: &[Json<'_>]) -> String {
    let mut lacking = String::new();
    for name in names {
        if !there.iter().any(|one| matches!(one, Json::Text(one) if one == name)) {
            if !lacking.is_empty() {
                lacking.push_str(", ");
            }
            lacking.push_str(name);
        }
    }
    lacking
}

/// The tasks that the person lacks on a page; empty if the page does not list tasks.
pub(super) fn missing_tasks(page: &Json<'_>) -> String {
    let tasks: &[&str] = if page.get("tasks").is_some() { &TASKS } else { &[] };
    lacking(tasks, list(page, "tasks"))
}

/// The professional Instagram account behind a page.
pub(super) const LINKED: &str = "instagram_business_account";

fn candidate(page: &Json<'_>, missing: &str) -> Option<Offered> {
    let id = text(page, "id")?;
    let linked = page.get(LINKED).unwrap_or(&Json::Null);
    let account_id = text(linked, "id");
    let tasks = missing_tasks(page);
    let obstacle = if !missing.is_empty() {
        Some(not_granted(missing))
    } else if !tasks.is_empty() {
        Some(format!("You may not do enough on this page. What is missing: {tasks}. Ask its administrator for it."))
    } else if account_id.is_some() {
        None
    } else if page.get("connected_instagram_account").is_some() {
        Some(PERSONAL_ACCOUNT.to_owned())
    } else {
        let sentence = "No business or creator account of Instagram is linked to this page. \
                        Switch the account to one of these, and link it in the page's settings.";
        Some(sentence.to_owned())
    };
    let name = text(page, "name").or_else(|| text(linked, "name")).unwrap_or_else(|| id.clone());
    let (username, picture) = (text(linked, "username"), picture(linked));
    let candidate = Candidate { id, account_id, name, username, picture, obstacle };
    Some(Offered { candidate, account_name: text(linked, "name") })
}

/// The problem with a personal account.
pub(super) const PERSONAL_ACCOUNT: &str = "The Instagram account is a personal one. \
                                           Switch it to a business or creator account in the Instagram app.";

/// The problem with missing permissions.
pub(super) fn not_granted(missing: &str) -> String {
    format!("What was not granted: {missing}. Connect again and leave every permission switched on.")
}

/// The picture of an Instagram account.
pub(super) fn picture(account: &Json<'_>) -> Option<Media> {
    text(account, "profile_picture_url").map(image)
}

/// A picture at an address.
pub(super) fn image(url: String) -> Media {
    Media {
        kind: MediaKind::Image,
        url: Some(url),
        handle: None,
        inline: None,
        mime: None,
        size: None,
        duration: None,
        name: None,
        caption: None,
        description: None,
        retention: Retention::Storable,
    }
}
