//! Owns: verifying deliveries: the manifest's schemes over the raw bytes. Nothing unverified reaches the journal.
//! Does not own: the answer to a rejected sender.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_contract::{
    AccountSettings, Delivery, DeliverySource, Header,
    manifest::{HashAlgorithm, Signature, SignatureEncoding, Verification, Webhook},
};
use harness_inbox::{NewDelivery, Proof};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use harness_egress::credentials::{Prover, Secret, Secrets};

use super::signed_bytes::Incoming;
use crate::{base::public_url::PublicUrl, error::Refusal};

/// Maximum number of account secrets tried on a body whose address names no account: those of the accounts with the
/// most recently verified webhooks. Channels with more accounts use `/webhooks/{channel}/{account}`.
pub const MAX_TRIED: usize = 64;

/// The address of a webhook.
#[derive(Clone, Copy, Debug)]
pub struct Addressed<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// The platform's id of the account, if the address names it. Secrets of other accounts are then not tried.
    pub account: Option<&'a str>,
    /// The raw query without `?`, empty if there is none.
    pub query: &'a str,
}

impl<'a> Addressed<'a> {
    /// The channel's own address, without a query.
    pub fn channel(channel: &'a str) -> Self {
        Self { channel, account: None, query: "" }
    }
}

/// A delivery with a verified proof. Only [`verify`] and [`Signed::delivery`] create it, and the journal accepts
/// nothing else from outside.
#[derive(Debug)]
pub(crate) struct Verified(NewDelivery);

impl Verified {
    /// The owner of the secret.
    pub(crate) fn proof(&self) -> &Proof {
        &self.0.proof
    }

    pub(crate) fn into_new(self) -> NewDelivery {
        self.0
    }
}

/// Verifies a `POST` against the manifest's scheme and turns it into a delivery.
pub(crate) fn verify(
    to: Addressed<'_>,
    webhook: &Webhook,
    secrets: &Secrets,
    public_url: &PublicUrl,
    (headers, body): (&HeaderMap, Vec<u8>),
    received_at: u64,
) -> Result<Verified, Refusal> {
    if body.len() > webhook.max_body_bytes {
        return Err(Refusal::TooLarge);
    }
    let incoming = Incoming { to, headers, body: &body, public_url };
    let proof = proven_by(incoming, &webhook.verification, secrets, received_at)?;
    let wanted = webhook.headers.iter().map(String::as_str).chain(["content-type"]);
    let headers = wanted
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(Header { name: name.to_owned(), value: value.to_owned() })
        })
        .collect();
    let account = proof.account().or(to.account).map(bare);
    let query = to.query.to_owned();
    let delivery = Delivery { source: DeliverySource::Webhook, body, headers, query, received_at, account };
    Ok(Verified(NewDelivery { channel: to.channel.to_owned(), delivery, proof }))
}

/// The owner of the secret that matches the proof.
fn proven_by(
    incoming: Incoming<'_>,
    verification: &Verification,
    secrets: &Secrets,
    now: u64,
) -> Result<Proof, Refusal> {
    let (to, value) = (incoming.to, incoming.header(verification.header())?);
    let signature = match verification {
        Verification::Hmac(signature) | Verification::Ed25519(signature) => signature,
        Verification::SharedSecretHeader { secrets: slots, .. } => {
            let digest = Sha256::digest(value.as_bytes());
            // Comparing two digests is cheap, so the number of candidates is not limited.
            let candidates = Candidates::of(secrets, to, slots, None, now)?;
            return candidates.find(|secret| secret.digest().ct_eq(&digest));
        }
    };
    let Signature { prefix, encoding, signs, timestamp, secrets: slots, .. } = signature;
    let found = value.to_str().ok().and_then(|value| value.strip_prefix(prefix.as_str()));
    let found = found.and_then(|text| decode(text, *encoding)).ok_or(Refusal::NoProof)?;
    let signed = incoming.signed(signs)?;
    let signed: Vec<&[u8]> = signed.iter().map(AsRef::as_ref).collect();
    let candidates = Candidates::of(secrets, to, slots, Some(MAX_TRIED), now)?;
    let proof = match verification {
        Verification::Ed25519(_) => candidates.signed_for(&signed.concat(), &found),
        _ => candidates.signed(signature.algorithm.unwrap_or_default(), &signed, &found),
    }?;
    // Checked last: a wrong time means something only if the request is genuine (a wrong clock, or a replay).
    match timestamp {
        Some(time) if !incoming.is_of_now(time, now)? => Err(Refusal::NotOfNow),
        _ => Ok(proof),
    }
}

/// The secrets to try.
pub(super) struct Candidates<'s> {
    channel: &'s str,
    secrets: &'s Secrets,
    provers: Vec<Prover>,
}

impl<'s> Candidates<'s> {
    pub(super) fn of(
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
        // An unknown account is a wrong address. It does not mean that the configuration lacks a secret.
        Err(if to.account.is_some() { Refusal::WrongProof } else { Refusal::NoSecret })
    }

    /// The owner of the secret that produced this MAC.
    fn signed(self, algorithm: HashAlgorithm, bytes: &[&[u8]], signature: &[u8]) -> Result<Proof, Refusal> {
        self.secrets.count_macs(self.provers.len());
        self.find(|secret| match algorithm {
            HashAlgorithm::Sha256 => mac_matches::<Hmac<Sha256>>(secret, bytes, signature),
            HashAlgorithm::Sha1 => mac_matches::<Hmac<Sha1>>(secret, bytes, signature),
        })
    }

    /// The owner of the public key that verifies this signature.
    fn signed_for(self, bytes: &[u8], signature: &[u8]) -> Result<Proof, Refusal> {
        self.secrets.count_macs(self.provers.len());
        self.find(|key| {
            let key = hex::decode(key.expose().trim_ascii()).unwrap_or_default();
            Choice::from(u8::from(UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).is_ok()))
        })
    }

    /// The owner of the matching secret. All candidates are tried, so that timing does not reveal which one matched.
    pub(super) fn find(self, matches: impl Fn(&Secret) -> Choice) -> Result<Proof, Refusal> {
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

/// A callback with a verified signature.
#[derive(Debug)]
pub(crate) struct Signed(Proof);

/// Checks that one of the secrets of the channel or of its accounts signed these bytes.
pub(crate) fn signed_by(
    channel: &str,
    slots: &[String],
    secrets: &Secrets,
    bytes: &[u8],
    signature: &[u8; 32],
    now: u64,
) -> Result<Signed, Refusal> {
    let candidates = Candidates::of(secrets, Addressed::channel(channel), slots, Some(MAX_TRIED), now)?;
    candidates.signed(HashAlgorithm::Sha256, &[bytes], signature).map(Signed)
}

impl Signed {
    /// The delivery for a callback of this name.
    pub(crate) fn delivery(self, channel: &str, name: &str, body: Vec<u8>, received_at: u64) -> Verified {
        let Self(proof) = self;
        let source = DeliverySource::Callback(name.to_owned());
        let account = proof.account().map(bare);
        let delivery = Delivery { source, body, headers: Vec::new(), query: String::new(), received_at, account };
        Verified(NewDelivery { channel: channel.to_owned(), delivery, proof })
    }
}

/// An account with its id only. Its settings are added when the delivery is translated.
fn bare(id: &str) -> AccountSettings {
    AccountSettings { id: id.to_owned(), settings: Vec::new(), webhook_url: None }
}

fn decode(text: &str, encoding: SignatureEncoding) -> Option<Vec<u8>> {
    match encoding {
        SignatureEncoding::Hex => hex::decode(text).ok(),
        SignatureEncoding::Base64 => STANDARD.decode(text).ok(),
    }
}

/// A signature of the wrong length matches nothing.
fn mac_matches<M: Mac + KeyInit>(secret: &Secret, bytes: &[&[u8]], signature: &[u8]) -> Choice {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret.expose()) else { return Choice::from(0) };
    bytes.iter().for_each(|piece| mac.update(piece));
    mac.finalize().into_bytes().as_slice().ct_eq(signature)
}
