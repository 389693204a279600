//! The app's own webhook: where Meta sends Instagram events, configured once for the whole app.
//! What belongs here is the edge `subscriptions` of the Meta app, called with the app's token. Subscriptions of
//! accounts are in `subscription`. The webhook belongs to the Meta app even if accounts use the Instagram login.
//!
//! Source: Graph API reference, "App Subscriptions". Only several public projects, not Meta's Instagram pages, document
//! that it accepts the object `instagram`. So a refusal is not a failure; people are then told what to enter where.

use channel_sdk::json::Json;

use super::call::{Answer, Call, Client, GET, elements, invalid, is_about, list, text};
use super::pages::lacking;
use super::subscription::{ABOUT_FIELDS, NEEDED, WANTED};
use super::{Outcome, token};
use crate::types::HttpMethod;

const FACEBOOK: &str = "https://graph.facebook.com/";
/// The storage key for the webhook URL that the host gave.
const OUR_ADDRESS: &str = "webhook";

/// The state of the app's webhook.
pub(super) enum Standing {
    /// It is not configured.
    Unset,
    /// It points here, or our URL is unknown, and it has all fields.
    Set(String),
    /// It points elsewhere.
    Elsewhere(String),
    /// It lacks these fields.
    Lacks(String),
}

/// Configures the webhook if it is not configured. One that points elsewhere is left alone, because another system may
/// depend on it.
pub(super) fn ensure(client: &Client<'_>, ours: &str) {
    client.remember(OUR_ADDRESS, ours);
    // The check reports any problem.
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

/// The state of the webhook. Needs the app's token in its slot.
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
        // Older API versions list bare names.
        if let Some(Json::Text(name)) = field.get("name").or(Some(field)) {
            fields.push(Json::Text(name.clone()));
        }
    }
    let missing = lacking(NEEDED, &fields);
    Ok(if missing.is_empty() { Standing::Set(address) } else { Standing::Lacks(missing) })
}

/// Instructions for configuring the webhook manually.
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
