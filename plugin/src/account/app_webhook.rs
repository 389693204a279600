//! The app's own webhook: where Meta sends what happens on Instagram, set once for the whole app.
//! What belongs here is the edge `subscriptions` of the Meta app, with the app's token; the accounts' own
//! subscriptions are `subscription`'s. It is the Meta app's also where accounts use the Instagram login.
//!
//! Source: Graph API reference, "App Subscriptions"; that it takes the object `instagram` is told by several public
//! projects and not by Meta's Instagram pages, so a refusal is no failure: then people are told what to type where.

use channel_sdk::json::Json;

use super::call::{Answer, Call, Client, GET, elements, invalid, is_about, list, text};
use super::pages::lacking;
use super::subscription::{ABOUT_FIELDS, NEEDED, WANTED};
use super::{Outcome, token};
use crate::types::HttpMethod;

const FACEBOOK: &str = "https://graph.facebook.com/";
/// Where the address that the host gave is remembered.
const OUR_ADDRESS: &str = "webhook";

/// How the app's webhook stands.
pub(super) enum Standing {
    /// None is set.
    Unset,
    /// It leads here, or wherever nothing else is known, and has the fields.
    Set(String),
    /// It leads elsewhere.
    Elsewhere(String),
    /// Fields are missing.
    Lacks(String),
}

/// Sets it up where nobody has. One that leads elsewhere is left alone: another system may live from it.
pub(super) fn ensure(client: &Client<'_>, ours: &str) {
    client.remember(OUR_ADDRESS, ours);
    // What is in the way is said by the check.
    let _ = set_up(client, ours);
}

fn set_up(client: &Client<'_>, ours: &str) -> Outcome<()> {
    token::of_app(client)?;
    if let Standing::Set(_) | Standing::Elsewhere(_) = standing(client)? {
        return Ok(());
    }
    let fewer = NEEDED.join(",");
    let all = format!("{fewer}{}", WANTED);
    match post(client, ours, &all) {
        Err(error) if is_about(&error, ABOUT_FIELDS) => post(client, ours, &fewer)?,
        answer => answer?,
    };
    Ok(())
}

fn post(client: &Client<'_>, ours: &str, fields: &str) -> Outcome<Answer> {
    edge(
        client,
        HttpMethod::Post,
        &[("object", "instagram"), ("callback_url", ours), ("include_values", "true"), ("fields", fields)],
    )
}

/// How it stands; needs the app's token in its slot.
pub(super) fn standing(client: &Client<'_>) -> Outcome<Standing> {
    let answer = edge(client, HttpMethod::Get, &[])?;
    let body = answer.json();
    let of_instagram = |entry: &&Json<'_>| {
        text(entry, "object").as_deref() == Some("instagram") && !matches!(entry.get("active"), Some(Json::Bool(false)))
    };
    let Some(entry) = elements(&body).iter().find(of_instagram) else {
        return Ok(Standing::Unset);
    };
    let address = text(entry, "callback_url").unwrap_or_default();
    if client.recall(OUR_ADDRESS).is_some_and(|ours| ours != address) {
        return Ok(Standing::Elsewhere(address));
    }
    let mut fields = Vec::new();
    for field in list(entry, "fields") {
        // Older versions list bare names.
        if let Some(Json::Text(name)) = field.get("name").or(Some(field)) {
            fields.push(Json::Text(name.clone()));
        }
    }
    let missing = lacking(NEEDED, &fields);
    Ok(if missing.is_empty() { Standing::Set(address) } else { Standing::Lacks(missing) })
}

/// What to type where.
pub(super) fn by_hand(client: &Client<'_>) -> String {
    let ours = client.recall(OUR_ADDRESS);
    let ours = ours.as_deref().unwrap_or("the address of this host that ends in /webhooks/instagram");
    let fields = NEEDED.join(", ");
    format!(
        "In the Meta app's dashboard, under Webhooks, choose Instagram; type the callback URL {ours} and the verify \
         token of the configuration, press Verify and save, and subscribe to {fields}."
    )
}

fn edge(client: &Client<'_>, method: HttpMethod, parameters: &[(&str, &str)]) -> Outcome<Answer> {
    let form = method == HttpMethod::Post;
    let app = client.meta_app().ok_or_else(|| {
        invalid("Set the channel's setting `app-id`: with it the app's webhook can be set up and looked at.")
    })?;
    client.send(&Call {
        method,
        url: &[FACEBOOK, client.settings.version, "/", app, "/subscriptions"],
        parameters,
        form,
        token: Some(super::call::APP_TOKEN),
        secrets: if form { &[("verify_token", "verify-token")] } else { &[] },
        ..GET
    })
}
