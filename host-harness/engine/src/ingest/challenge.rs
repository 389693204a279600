//! Owns: a platform's challenges: what is echoed, and to whom.
//! Does not own: verifying the request that a challenge in a body comes in (`verify`).

use harness_contract::manifest::{Challenge, Webhook};
use harness_egress::credentials::Secrets;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::verify::{Addressed, Candidates};
use crate::error::Refusal;

/// The longest text that is echoed, in bytes.
const MAX_CHALLENGE: usize = 1024;
/// The longest body that is looked through for a challenge, in bytes.
const MAX_BODY: usize = 16 << 10;

/// Checks a `GET` challenge and returns what to echo, as plain text.
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

/// What to echo, where the body of a verified webhook is a challenge.
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
