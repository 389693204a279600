//! The way in: is this delivery genuine, and does it fit? Nothing reaches the journal or a channel
//! before that. Belongs here: the manifest's recipes. All refusals look alike from outside.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_contract::{
    Delivery, DeliverySource, Header,
    manifest::{Challenge, SignatureEncoding, Verification, Webhook},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::secrets::{Secret, Secrets};

/// Why a delivery was refused. For logs and counters: the answer to the sender never tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such channel is loaded.
    #[error("no such channel")]
    UnknownChannel,
    /// Larger than the channel takes.
    #[error("the body is larger than the channel takes")]
    TooLarge,
    /// The header with the proof is missing or not written as the recipe says.
    #[error("the proof of origin is missing or malformed")]
    NoProof,
    /// No secret of the channel makes this proof.
    #[error("no secret of this channel matches")]
    WrongProof,
    /// The operator has not filled the slot that the recipe needs.
    #[error("the channel's secret is not configured")]
    NoSecret,
    /// The query is not that of a challenge.
    #[error("this is not a challenge")]
    NoChallenge,
}

impl Refusal {
    /// A word for counters.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::UnknownChannel => "unknown_channel",
            Self::TooLarge => "too_large",
            Self::NoProof => "no_proof",
            Self::WrongProof => "wrong_proof",
            Self::NoSecret => "no_secret",
            Self::NoChallenge => "no_challenge",
        }
    }
}

/// Checks a `POST` against the recipe and makes a delivery of it. Also returns the slot whose secret matched.
pub fn verify(
    channel: &str,
    webhook: &Webhook,
    secrets: &Secrets,
    headers: &HeaderMap,
    body: Vec<u8>,
    received_at: u64,
) -> Result<(Delivery, String), Refusal> {
    if body.len() > webhook.max_body_bytes {
        return Err(Refusal::TooLarge);
    }
    let (account, slot) = proven_by(channel, &webhook.verification, secrets, headers, &body, received_at)?;
    let wanted = webhook.headers.iter().map(String::as_str).chain(["content-type"]);
    let headers = wanted
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(Header { name: name.to_owned(), value: value.to_owned() })
        })
        .collect();
    Ok((Delivery { source: DeliverySource::Webhook, body, headers, received_at, account }, slot))
}

/// Whose secret makes the proof (an account's, or the channel's), and in which slot it is.
fn proven_by(
    channel: &str,
    recipe: &Verification,
    secrets: &Secrets,
    headers: &HeaderMap,
    body: &[u8],
    now: u64,
) -> Result<(Option<String>, String), Refusal> {
    let mut values = headers.get_all(recipe.header()).iter();
    // Two headers of the same name could be read differently by what stands before this host.
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refusal::NoProof) };
    let candidates = Candidates::of(secrets, channel, recipe.secrets(), now)?;
    match recipe {
        Verification::HmacSha256 { prefix, encoding, .. } => {
            let signature = value.to_str().ok().and_then(|value| value.strip_prefix(prefix.as_str()));
            let signature = signature.and_then(|text| decode(text, *encoding)).ok_or(Refusal::NoProof)?;
            candidates.find(|secret| mac_matches(secret, body, &signature))
        }
        Verification::SharedSecretHeader { .. } => {
            let digest = Sha256::digest(value.as_bytes());
            candidates.find(|secret| Sha256::digest(secret.expose()).ct_eq(&digest))
        }
    }
}

/// The secrets that may prove something, each with its slot and the account that it belongs to.
struct Candidates<'s>(Vec<(&'s String, Option<String>, Secret)>);

impl<'s> Candidates<'s> {
    fn of(secrets: &Secrets, channel: &str, slots: &'s [String], now: u64) -> Result<Self, Refusal> {
        let in_slot = |slot: &'s String| {
            secrets.in_slot(channel, slot, now).into_iter().map(move |(account, secret)| (slot, account, secret))
        };
        let candidates: Vec<_> = slots.iter().flat_map(in_slot).collect();
        if candidates.is_empty() { Err(Refusal::NoSecret) } else { Ok(Self(candidates)) }
    }

    /// Whose secret matches, and in which slot it is. Every candidate is tried, so that the time tells nothing
    /// about which one it was.
    fn find(self, matches: impl Fn(&Secret) -> Choice) -> Result<(Option<String>, String), Refusal> {
        let mut found = None;
        for (slot, account, secret) in self.0 {
            if bool::from(matches(&secret)) && found.is_none() {
                found = Some((account, slot.clone()));
            }
        }
        found.ok_or(Refusal::WrongProof)
    }
}

/// Whether one of the channel's secrets, or of its accounts', has signed these bytes.
pub(crate) fn signed_by(
    channel: &str,
    slots: &[String],
    secrets: &Secrets,
    bytes: &[u8],
    signature: &[u8; 32],
    now: u64,
) -> Result<(), Refusal> {
    let candidates = Candidates::of(secrets, channel, slots, now)?;
    candidates.find(|secret| mac_matches(secret, bytes, signature)).map(drop)
}

fn decode(text: &str, encoding: SignatureEncoding) -> Option<[u8; 32]> {
    match encoding {
        SignatureEncoding::Hex => hex::decode(text).ok()?.try_into().ok(),
        SignatureEncoding::Base64 => STANDARD.decode(text).ok()?.try_into().ok(),
    }
}

fn mac_matches(secret: &Secret, body: &[u8], signature: &[u8; 32]) -> Choice {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose()) else { return Choice::from(0) };
    mac.update(body);
    mac.finalize().into_bytes().ct_eq(signature)
}

/// The longest challenge that is echoed, in bytes.
const MAX_CHALLENGE: usize = 1024;

/// Checks a `GET` challenge and returns what to echo, as plain text.
pub fn challenge(
    channel: &str,
    webhook: &Webhook,
    secrets: &Secrets,
    query: &str,
    now: u64,
) -> Result<String, Refusal> {
    let Some(Challenge::QueryEcho { require, token, answer, secret }) = &webhook.challenge else {
        return Err(Refusal::NoChallenge);
    };
    let parameter = |name: &str| {
        let mut found = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.into_owned()),
            _ => None,
        }
    };
    if !require.iter().all(|(name, value)| parameter(name).as_ref() == Some(value)) {
        return Err(Refusal::NoChallenge);
    }
    let (Some(token), Some(answer)) = (parameter(token), parameter(answer)) else { return Err(Refusal::NoChallenge) };
    if answer.is_empty() || answer.len() > MAX_CHALLENGE {
        return Err(Refusal::NoChallenge);
    }
    let expected = Candidates::of(secrets, channel, std::slice::from_ref(secret), now)?;
    let digest = Sha256::digest(token.as_bytes());
    expected.find(|secret| Sha256::digest(secret.expose()).ct_eq(&digest)).map(|_| answer)
}
