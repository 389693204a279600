//! Tokens: exchanging codes, extending lifetimes, inspecting. The channel never sees a token itself.
//! What belongs here is one function per token endpoint of Meta.
//!
//! Sources: Meta, "Manually Build a Login Flow", "Long-Lived Access Tokens", "Debug Token";
//! "Business Login for Instagram".

use channel_sdk::json::Json;
use channel_sdk::text::contains_ignoring_case;

use super::call::{APP_TOKEN, Answer, Call, Client, GET, USER_TOKEN, earlier, is_about, record};
use super::{AccountError, Outcome, TimestampMs};
use crate::types::{FailureCategory, HttpMethod};

const APP_SECRET: &str = "app-secret";
const INSTAGRAM_APP_SECRET: &str = "instagram-app-secret";
const INSTAGRAM_TOKEN: &str = "instagram-token";
const CODE: &str = "code";
/// Facebook's token endpoint, after the version.
const OAUTH: &str = "/oauth/access_token";
/// The subcodes of used or expired codes (from captures; Meta's pages do not list them).
const SPENT: [&str; 2] = ["36007", "36009"];

/// Exchanges the dialog's code for a token, which is captured into its slot.
///
/// # Errors
/// `expired` if the code was used or is too old.
pub(super) fn exchange(client: &Client<'_>, redirect_uri: &str) -> Outcome<Answer> {
    let app = client.app()?;
    let parameters = [("client_id", app), ("redirect_uri", redirect_uri)];
    let exchanged = if client.is_facebook() {
        facebook(client, &parameters, &[("client_secret", APP_SECRET), ("code", CODE)], USER_TOKEN)
    } else {
        let [app, redirect_uri] = parameters;
        client.send(&Call {
            method: HttpMethod::Post,
            url: &["https://api.instagram.com/oauth/access_token"],
            parameters: &[app, ("grant_type", "authorization_code"), redirect_uri],
            form: true,
            secrets: &[("client_secret", INSTAGRAM_APP_SECRET), ("code", CODE)],
            keeps: Some(INSTAGRAM_TOKEN),
            ..GET
        })
    };
    exchanged.map_err(|error| if is_spent(&error) { Box::new(AccountError::Expired) } else { error })
}

/// Whether the code was the problem. api.instagram.com has a single error code for everything, so the message decides.
fn is_spent(error: &AccountError) -> bool {
    let AccountError::Platform(failure) = error else {
        return false;
    };
    failure.subcode.as_deref().is_some_and(|subcode| SPENT.contains(&subcode))
        || ["authorization code", "matching code"].iter().any(|words| contains_ignoring_case(&failure.message, words))
}

/// Extends the person's token to 60 days. The response's expiry is the token's.
pub(super) fn prolong(client: &Client<'_>) -> Outcome<Answer> {
    if client.is_facebook() {
        let parameters = [("grant_type", "fb_exchange_token"), ("client_id", client.app()?)];
        let secrets = [("client_secret", APP_SECRET), ("fb_exchange_token", USER_TOKEN)];
        return facebook(client, &parameters, &secrets, USER_TOKEN);
    }
    let secrets = [("client_secret", INSTAGRAM_APP_SECRET), ("access_token", INSTAGRAM_TOKEN)];
    instagram(client, "access_token", "ig_exchange_token", &secrets)
}

/// Extends a token of the Instagram login by another 60 days; it must be at least a day old.
pub(super) fn refresh_instagram(client: &Client<'_>) -> Outcome<Answer> {
    instagram(client, "refresh_access_token", "ig_refresh_token", &[("access_token", INSTAGRAM_TOKEN)])
}

fn facebook(
    client: &Client<'_>,
    parameters: &[(&str, &str)],
    secrets: &[(&str, &str)],
    keeps: &str,
) -> Outcome<Answer> {
    let settings = &client.settings;
    client.send(&Call {
        url: &[settings.host(), settings.version, OAUTH],
        parameters,
        secrets,
        keeps: Some(keeps),
        ..GET
    })
}

/// Meta documents these two without a version in the path.
fn instagram(client: &Client<'_>, endpoint: &str, grant_type: &str, secrets: &[(&str, &str)]) -> Outcome<Answer> {
    client.send(&Call {
        url: &[client.settings.host(), endpoint],
        parameters: &[("grant_type", grant_type)],
        secrets,
        keeps: Some(INSTAGRAM_TOKEN),
        ..GET
    })
}

/// Requests the Meta app's own token, captured into its slot. It is Facebook's even if accounts use the Instagram
/// login.
pub(super) fn of_app(client: &Client<'_>) -> Outcome<Answer> {
    let app = match client.meta_app() {
        Some(app) => app,
        None if client.is_facebook() => client.app()?,
        None => return Err(super::call::invalid("Set the channel's setting `app-id` as well.")),
    };
    client.send(&Call {
        url: &["https://graph.facebook.com/", client.settings.version, OAUTH],
        parameters: &[("grant_type", "client_credentials"), ("client_id", app)],
        secrets: &[("client_secret", APP_SECRET)],
        keeps: Some(APP_TOKEN),
        ..GET
    })
}

/// What Facebook says about the token in a slot. Only the app itself may ask.
pub(super) fn debug(client: &Client<'_>, slot: &str) -> Outcome<Answer> {
    of_app(client)?;
    let settings = &client.settings;
    client.send(&Call {
        url: &[settings.host(), settings.version, "/debug_token"],
        token: Some(APP_TOKEN),
        secrets: &[("input_token", slot)],
        ..GET
    })
}

/// When a token or the access to its person's data ends, whichever comes first. 0 means never.
pub(super) fn earliest_end(debugged: &Answer) -> Option<TimestampMs> {
    let body = debugged.json();
    let token = record(&body);
    earlier(end(token, "expires_at"), end(token, "data_access_expires_at"))
}

/// A time of `debug_token`, converted from seconds to milliseconds.
pub(super) fn end(debugged: &Json<'_>, name: &str) -> Option<TimestampMs> {
    debugged.get(name).and_then(Json::whole).filter(|seconds| *seconds > 0).map(|seconds| seconds.saturating_mul(1000))
}

/// Whether the access itself has ended, rather than this one request being refused.
pub(super) fn is_dead(error: &AccountError) -> bool {
    is_about(error, &[FailureCategory::AuthExpired])
}
