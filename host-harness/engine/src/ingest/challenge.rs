//! Owns: answering a platform's challenges: what is echoed, and to whom.
//! Does not own: verifying the request whose body is a challenge (`verify`).

use harness_contract::manifest::{Challenge, Webhook};
use harness_egress::credentials::Secrets;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::verify::{Addressed, Candidates};
use crate::error::Refusal;

/// Maximum size of an echoed text, in bytes.
const MAX_CHALLENGE: usize = 1024;
/// Maximum size of a body that may be a challenge, in bytes.
const MAX_BODY: usize = 16 << 10;

/// Verifies a `GET` challenge. Returns the plain text to echo.
pub(super) fn in_query(to: Addressed<'_>, webhook: &Webhook, secrets: &Secrets, now: u64) -> Result<String, Refusal> {
    let Some(Challenge::QueryEcho { require, token, answer, secret }) = &webhook.challenge else {
        return Err(Refusal::NoChallenge);
    };
    let parameter = |name: &str| {
        let mut found = url::form_urlencoded::parse(to.query.as_bytes()).filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.into_owned()),
            _ => None,
        }
    };
    if !require.iter().all(|(name, value)| parameter(name).as_ref() == Some(value)) {
        return Err(Refusal::NoChallenge);
    }
    let (Some(token), Some(answer)) = (parameter(token), parameter(answer)) else { return Err(Refusal::NoChallenge) };
    if !may_be_echoed(&answer) {
        return Err(Refusal::NoChallenge);
    }
    let expected = Candidates::of(secrets, to, std::slice::from_ref(secret), None, now)?;
    let digest = Sha256::digest(token.as_bytes());
    expected.find(|secret| secret.digest().ct_eq(&digest)).map(|_| answer)
}

/// The text to echo if the body of a verified webhook is a challenge.
pub(super) fn in_body(webhook: &Webhook, body: &[u8]) -> Option<String> {
    let Some(Challenge::JsonEcho { when, answer }) = &webhook.challenge else { return None };
    let document: Value = (body.len() <= MAX_BODY).then(|| serde_json::from_slice(body).ok()).flatten()?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    if !when.iter().all(|(pointer, wanted)| text(pointer) == Some(wanted)) {
        return None;
    }
    text(answer).filter(|answer| may_be_echoed(answer)).map(str::to_owned)
}

fn may_be_echoed(text: &str) -> bool {
    (1..=MAX_CHALLENGE).contains(&text.len())
}
