//! Owns: tests of signatures and trust as a whole, and what they share: two publishers, a package, a policy.
//! Does not own: tests of one file, which are in that file.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod bundles;
mod rotations;
mod trust;

use super::*;
use crate::{Digest, Publisher};

/// The bytes that are signed. Nothing here parses them.
const COMPONENT: &[u8] = b"\0asm a component";
const MANIFEST: &[u8] = b"{\"schemaVersion\":2}";

fn name(text: &str) -> Publisher {
    text.parse().unwrap()
}

fn statement(publisher: &str, channel: &str, version: &str) -> PackageStatement {
    let package = Package {
        channel: channel.into(),
        version: version.parse().unwrap(),
        publisher: name(publisher),
        contract: "0.2.0".parse().unwrap(),
        predecessor: Some(Digest::of(b"the version before")),
        source: SourceTree {
            tree: Digest::of(b"tree"),
            path: "channels/chat".into(),
            lock_file: Digest::of(b"Cargo.lock"),
            repository: Some("https://example.com/acme/chat".into()),
        },
        build: Build {
            rustc: "rustc 1.95.0 (f2d3ce0bd 2026-03-21)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n".into(),
            cargo: "cargo 1.95.0".into(),
            target: "wasm32-unknown-unknown".into(),
            flags: vec!["-Copt-level=2".into()],
            builder: "harness 0.1.0".into(),
        },
        attachments: vec![Attachment { media_type: crate::oci::SBOM.into(), digest: Digest::of(b"{}"), size: 2 }],
    };
    PackageStatement { component: Digest::of(COMPONENT), manifest: Digest::of(MANIFEST), package }
}

fn signed(key: &SigningKey, statement: PackageStatement) -> Vec<u8> {
    Bundle::sign(key, &statement.into()).unwrap().to_bytes().unwrap()
}

fn rotated(old: &SigningKey, publisher: &str, new: &SigningKey) -> Vec<u8> {
    let statement = RotationStatement { publisher: name(publisher), new_key: *new.public() };
    Bundle::sign(old, &statement.into()).unwrap().to_bytes().unwrap()
}

fn rule(publisher: &str, keys: &[&SigningKey], channels: &[&str]) -> PublisherRule {
    PublisherRule {
        name: name(publisher),
        keys: keys.iter().map(|key| *key.public()).collect(),
        identities: Vec::new(),
        channels: channels.iter().map(|pattern| pattern.parse().unwrap()).collect(),
    }
}

/// Acme, which publishes `chat` and `acme-*`, and Bolt, which publishes `bolt`.
struct Parties {
    acme: SigningKey,
    bolt: SigningKey,
    rules: TrustRules,
}

impl Parties {
    fn new() -> Self {
        let (acme, bolt) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let publishers = vec![rule("acme", &[&acme], &["chat", "acme-*"]), rule("bolt", &[&bolt], &["bolt"])];
        Self { acme, bolt, rules: TrustRules { publishers, ..TrustRules::default() } }
    }

    fn policy(&self) -> TrustPolicy {
        TrustPolicy::new(self.rules.clone()).unwrap()
    }

    /// What Acme hands out.
    fn bundle(&self) -> Vec<u8> {
        signed(&self.acme, statement("acme", "chat", "1.2.0"))
    }

    fn verify(&self, bundles: &[Vec<u8>]) -> Result<Verified, TrustError> {
        verify(bundles, &[], &expected(), &self.policy())
    }

    /// The sentence of a refusal, which is one line for people.
    fn refusal(&self, bundles: &[Vec<u8>]) -> (TrustError, String) {
        told(self.verify(bundles))
    }
}

/// What was fetched with its manifest.
fn expected() -> Expected {
    Expected { manifest: Some(Digest::of(MANIFEST)), ..Expected::component(Digest::of(COMPONENT)) }
}

fn told(outcome: Result<Verified, TrustError>) -> (TrustError, String) {
    let error = outcome.unwrap_err();
    let sentence = error.to_string();
    assert!(!sentence.chars().any(harness_contract::text::misleads), "{sentence:?}");
    assert!((20..600).contains(&sentence.chars().count()), "{sentence}");
    (error, sentence)
}
