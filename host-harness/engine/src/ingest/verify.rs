//! Owns: whether a delivery is genuine: the manifest's schemes over the raw bytes. Nothing reaches the journal before.
//! Does not own: what a refused sender hears.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_contract::{
    AccountSettings, Delivery, DeliverySource, Header,
    manifest::{Challenge, SignatureEncoding, Verification, Webhook},
};
use harness_inbox::{NewDelivery, Proof};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use harness_egress::credentials::{Prover, Secret, Secrets};

use crate::error::Refusal;

/// Secrets of accounts that are tried over a whole body at an address that names no account: those of the accounts
/// that proved a webhook last. A channel with more of them is reached at `/webhooks/{channel}/{account}`.
pub const MAX_TRIED: usize = 64;

/// To whom a webhook was addressed.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// The platform's id of the account, where the address names it: then no other account's secret is tried.
    pub account: Option<&'a str>,
}

/// A delivery whose proof was checked, with what it proves. Only [`verify`] and [`Signed::delivery`] make one, and
/// the journal takes nothing else from outside.
#[derive(Debug)]
pub(crate) struct Verified(NewDelivery);

impl Verified {
    /// Whose secret it was.
    pub(crate) fn proof(&self) -> &Proof {
        &self.0.proof
    }

    pub(crate) fn into_new(self) -> NewDelivery {
        self.0
    }
}

/// Checks a `POST` against the recipe and makes a delivery of it.
pub(crate) fn verify(
    to: Addressed<'_>,
    webhook: &Webhook,
    secrets: &Secrets,
    headers: &HeaderMap,
    body: Vec<u8>,
    received_at: u64,
) -> Result<Verified, Refusal> {
    if body.len() > webhook.max_body_bytes {
        return Err(Refusal::TooLarge);
    }
    let proof = proven_by(to, &webhook.verification, secrets, headers, &body, received_at)?;
    let wanted = webhook.headers.iter().map(String::as_str).chain(["content-type"]);
    let headers = wanted
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(Header { name: name.to_owned(), value: value.to_owned() })
        })
        .collect();
    let account = proof.account().or(to.account).map(bare);
    let delivery =
        Delivery { source: DeliverySource::Webhook, body, headers, query: String::new(), received_at, account };
    Ok(Verified(NewDelivery { channel: to.channel.to_owned(), delivery, proof }))
}

/// Whose secret makes the proof.
fn proven_by(
    to: Addressed<'_>,
    recipe: &Verification,
    secrets: &Secrets,
    headers: &HeaderMap,
    body: &[u8],
    now: u64,
) -> Result<Proof, Refusal> {
    let mut values = headers.get_all(recipe.header()).iter();
    // Two headers of the same name could be read differently by what stands before this host.
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refusal::NoProof) };
    match recipe {
        Verification::HmacSha256 { prefix, encoding, .. } => {
            let signature = value.to_str().ok().and_then(|value| value.strip_prefix(prefix.as_str()));
            let signature = signature.and_then(|text| decode(text, *encoding)).ok_or(Refusal::NoProof)?;
            Candidates::of(secrets, to, recipe.secrets(), Some(MAX_TRIED), now)?.signed(body, &signature)
        }
        Verification::SharedSecretHeader { .. } => {
            let digest = Sha256::digest(value.as_bytes());
            // Comparing two digests costs nothing, so that there may be any number of them.
            Candidates::of(secrets, to, recipe.secrets(), None, now)?.find(|secret| secret.digest().ct_eq(&digest))
        }
    }
}

/// The secrets that may prove something.
struct Candidates<'s> {
    channel: &'s str,
    secrets: &'s Secrets,
    provers: Vec<Prover>,
}

impl<'s> Candidates<'s> {
    fn of(
        secrets: &'s Secrets,
        to: Addressed<'s>,
        slots: &[String],
        accounts: Option<usize>,
        now: u64,
    ) -> Result<Self, Refusal> {
        let provers = match to.account {
            Some(account) => secrets.provers_of(to.channel, account, slots, now),
            None => secrets.provers(to.channel, slots, accounts, now),
        };
        if !provers.is_empty() {
            return Ok(Self { channel: to.channel, secrets, provers });
        }
        // An account that does not exist is a wrong address and says nothing about the configuration.
        Err(if to.account.is_some() { Refusal::WrongProof } else { Refusal::NoSecret })
    }

    /// Whose secret has signed these bytes.
    fn signed(self, bytes: &[u8], signature: &[u8; 32]) -> Result<Proof, Refusal> {
        self.secrets.count_macs(self.provers.len());
        self.find(|secret| mac_matches(secret, bytes, signature))
    }

    /// Whose secret matches. Every candidate is tried, so that the time tells nothing about which one it was.
    fn find(self, matches: impl Fn(&Secret) -> Choice) -> Result<Proof, Refusal> {
        let mut found = None;
        for Prover { account, slot, secret } in self.provers {
            if bool::from(matches(&secret)) && found.is_none() {
                found = Some((account, slot));
            }
        }
        let (account, slot) = found.ok_or(Refusal::WrongProof)?;
        Ok(match account {
            None => Proof::Channel { slot },
            Some(account) => {
                self.secrets.note_proved(self.channel, &account);
                Proof::Account { account, slot }
            }
        })
    }
}

/// A signed callback whose signature was checked.
#[derive(Debug)]
pub(crate) struct Signed(Proof);

/// Checks whether one of the channel's secrets, or of its accounts', has signed these bytes.
pub(crate) fn signed_by(
    channel: &str,
    slots: &[String],
    secrets: &Secrets,
    bytes: &[u8],
    signature: &[u8; 32],
    now: u64,
) -> Result<Signed, Refusal> {
    let to = Addressed { channel, account: None };
    Candidates::of(secrets, to, slots, Some(MAX_TRIED), now)?.signed(bytes, signature).map(Signed)
}

impl Signed {
    /// The callback of this name as a delivery.
    pub(crate) fn delivery(self, channel: &str, name: &str, body: Vec<u8>, received_at: u64) -> Verified {
        let Self(proof) = self;
        let source = DeliverySource::Callback(name.to_owned());
        let account = proof.account().map(bare);
        let delivery = Delivery { source, body, headers: Vec::new(), query: String::new(), received_at, account };
        Verified(NewDelivery { channel: channel.to_owned(), delivery, proof })
    }
}

/// An account of which only the id is known here; its settings are put in when the delivery is read.
fn bare(id: &str) -> AccountSettings {
    AccountSettings { id: id.to_owned(), settings: Vec::new(), webhook_url: None }
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
pub(crate) fn challenge(
    to: Addressed<'_>,
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
    let expected = Candidates::of(secrets, to, std::slice::from_ref(secret), None, now)?;
    let digest = Sha256::digest(token.as_bytes());
    expected.find(|secret| secret.digest().ct_eq(&digest)).map(|_| answer)
}
