//! Webhook subscriptions of one account: subscribing, verifying, unsubscribing.
//! What belongs here is the edge `subscribed_apps` of both logins.
//!
//! Sources: Meta, "Webhooks" of the Instagram Platform; Graph API reference, "Page Subscribed Apps".

use super::Outcome;
use super::call::{Answer, Call, Client, GET, elements, is_about, list, text};
use super::connect::refusal;
use super::pages::lacking;
use crate::types::{FailureCategory, HttpMethod};

/// The fields without which conversations would be incomplete.
pub(super) const NEEDED: &[&str] =
    &["messages", "messaging_postbacks", "message_reactions", "messaging_seen", "messaging_referral"];
/// Additional fields of the Instagram login. Some need a permission that not every app has.
pub(super) const WANTED: &str = ",messaging_handover,messaging_optins,standby,comments,live_comments";
/// One of Meta's pages lists this field, but some apps get the answer that it does not exist.
const ECHOES: &str = ",message_echoes";

/// A page needs at least one field, whichever: Instagram's fields are set for the whole app in its dashboard.
const OF_PAGES: &[&str] = &["messages"];
const MORE_OF_PAGES: &str = ",messaging_postbacks,message_reactions,messaging_referrals,standby";

/// Subscribes to as many fields as Meta accepts, and verifies the result.
///
/// # Errors
/// A failure if Meta refuses even the needed fields, or does not list the app afterwards.
pub(super) fn subscribe(client: &Client<'_>) -> Outcome<()> {
    let (needed, mut more): (_, &[&str]) = match client.is_facebook() {
        true => (OF_PAGES, &[MORE_OF_PAGES]),
        false => (NEEDED, &[WANTED, ECHOES]),
    };
    // Tries all fields first, then fewer and fewer.
    loop {
        let fields = needed.join(",") + &more.concat();
        let outcome = edge(client, HttpMethod::Post, &[("subscribed_fields", &fields)]);
        let Some((_, less)) = more.split_last() else {
            outcome?;
            break;
        };
        match outcome {
            Err(error) if is_about(&error, ABOUT_FIELDS) => more = less,
            outcome => {
                outcome?;
                break;
            }
        }
    }
    let missing = missing_fields(client)?;
    match missing.as_deref() {
        Some("") => Ok(()),
        _ => Err(refusal(
            "Meta took the subscription to webhooks and does not list it.",
            "Try it again; if it stays so, look at the webhooks in the Meta app's dashboard.",
        )),
    }
}

/// Failures after which fewer fields may be accepted: one is unknown or not permitted.
pub(super) const ABOUT_FIELDS: &[FailureCategory] =
    &[FailureCategory::ContentInvalid, FailureCategory::PermissionMissing, FailureCategory::Other];

/// Ends the subscription.
pub(super) fn unsubscribe(client: &Client<'_>) -> Outcome<()> {
    edge(client, HttpMethod::Delete, &[]).map(|_| ())
}

/// The needed fields that are not subscribed; `None` if the app is not listed.
pub(super) fn missing_fields(client: &Client<'_>) -> Outcome<Option<String>> {
    let answer = edge(client, HttpMethod::Get, &[])?;
    let body = answer.json();
    let needed = if client.is_facebook() { OF_PAGES } else { NEEDED };
    let apps = elements(&body);
    // A page lists other apps too. For the Instagram login, the documentation says neither whether other apps are
    // listed nor which of the app's two ids is used.
    let known = apps.iter().find(|app| match client.known_app() {
        Some(id) => text(app, "id").as_deref() == Some(id),
        None => true,
    });
    let ours = if client.is_facebook() { known } else { known.or(apps.first()) };
    Ok(ours.map(|app| lacking(needed, list(app, "subscribed_fields"))))
}

fn edge(client: &Client<'_>, method: HttpMethod, parameters: &[(&str, &str)]) -> Outcome<Answer> {
    let url = client.settings.url("subscribed_apps");
    client.send(&Call { method, url: &[&url], parameters, token: Some(client.settings.slot()), ..GET })
}
