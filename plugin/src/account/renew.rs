//! Renewing an account's credentials before they expire.
//! What belongs here is what each login requires, and when to renew next.

use channel_sdk::json::Json;

use super::call::{Client, earlier, record};
use super::connect::{keep_page_token, refusal};
use super::token::{self, earliest_end, is_dead};
use super::{AccountError, Outcome, Refreshed, TimestampMs, Trouble};
use crate::outbound::is_id;
use crate::outcome;
use crate::types::FailureCategory;

/// Renews all credentials that can be renewed.
///
/// # Errors
/// A failure of the category `auth-expired` if the access has ended.
pub(super) fn refresh(client: &Client<'_>) -> Outcome<Refreshed> {
    let before = if client.is_facebook() { facebook(client) } else { instagram(client) }?;
    Ok(Refreshed { before, settings: Vec::new() })
}

fn instagram(client: &Client<'_>) -> Outcome<Option<TimestampMs>> {
    let renewed = token::refresh_instagram(client)?;
    match renewed.expiry() {
        Some(end) => Ok(Some(end)),
        None => Err(refusal("Instagram renewed the token and does not say for how long.", "Try it again tomorrow.")),
    }
}

/// The page's token outlives the person's, so the account keeps working even if the person's cannot be renewed. What
/// matters is Facebook's verdict on the page's token.
fn facebook(client: &Client<'_>) -> Outcome<Option<TimestampMs>> {
    let renewed = token::prolong(client);
    let reread = match &renewed {
        // Without the page's id in the settings, `me` would be the person.
        Ok(_) if is_id(&client.settings.node) => keep_page_token(client, &client.settings.node).err(),
        _ => None,
    };
    let debugged = token::debug(client, client.settings.slot())?;
    if let Some(ended) = ended(record(&debugged.json())) {
        // Of two reasons, the one given for the person's token is more specific.
        return Err(match renewed.err().or(reread) {
            Some(reason) if is_dead(&reason) => reason,
            _ => ended,
        });
    }
    let person = renewed.ok().and_then(|answer| answer.expiry());
    Ok(earlier(person, earliest_end(&debugged)))
}

/// Why a token is invalid, according to `debug_token`.
fn ended(debugged: &Json<'_>) -> Option<Trouble> {
    if !matches!(debugged.get("is_valid"), Some(Json::Bool(false))) {
        return None;
    }
    let subcode = debugged.get("error").and_then(|error| error.get("subcode")).and_then(Json::whole);
    let failure = outcome::failure_of_code(DEAD, subcode);
    debug_assert!(failure.category == FailureCategory::AuthExpired, "the table has a line for it");
    Some(Box::new(AccountError::Platform(failure)))
}

/// Meta's code for invalid tokens.
const DEAD: u64 = 190;
