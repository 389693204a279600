//! Owns: which keys count: those of the policy, and those that a publisher's older key passed its trust on to. Identities
//! neither pass trust on nor are it passed on to: which of them count stands in the policy alone.
//! Does not own: what the keys signed (`verify`).
//!
//! A rotation adds a key and takes none away: the old one counts until the operator removes or revokes it. A key that was
//! stolen can pass trust on as long as it counts, so revoking it also undoes all that it passed on.

use std::collections::BTreeMap;

use super::{
    bundle::Bundle,
    key::{KeyHint, PublicKey},
    policy::TrustPolicy,
    statement::{RotationStatement, Statement},
};
use crate::Publisher;

/// How many times trust is passed on, from a key of the policy to the last one.
pub const MAX_ROTATIONS: usize = 5;

/// Why a new key does not count.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RotationError {
    /// The old key is nobody's.
    #[error(
        "a statement passes the trust in `{publisher}` on to the key {new}, but is signed by the key {old}, which is not trusted"
    )]
    UnknownKey {
        /// Whose new key it claims to be.
        publisher: Publisher,
        /// The new key.
        new: KeyHint,
        /// The key that signed.
        old: KeyHint,
    },
    /// It is signed by a certificate.
    #[error(
        "a statement passes the trust in `{publisher}` on to the key {new}, but is signed without a key: identities pass no \
         trust on; add the key to the trust policy"
    )]
    Identity {
        /// Whose new key it claims to be.
        publisher: Publisher,
        /// The new key.
        new: KeyHint,
    },
    /// The old key is revoked.
    #[error("the trust in `{publisher}` was passed on to the key {new} by the key {old}, which is revoked")]
    RevokedOld {
        /// Whose key it is.
        publisher: Publisher,
        /// The new key.
        new: KeyHint,
        /// The key that signed.
        old: KeyHint,
    },
    /// The new key is revoked.
    #[error("the trust in `{publisher}` was passed on to the key {new}, which is revoked")]
    RevokedNew {
        /// Whose key it is.
        publisher: Publisher,
        /// The new key.
        new: KeyHint,
    },
    /// The statement or its signature was changed.
    #[error(
        "a statement about a new key of `{publisher}` was changed after the key {old} signed it, or that key never did"
    )]
    Forged {
        /// Whose new key it claims to be.
        publisher: Publisher,
        /// The key that should have signed.
        old: KeyHint,
    },
    /// One publisher names a key for another, or another's key for itself.
    #[error("`{by}` passes trust on to the key {new} of `{of}`; a publisher can do that for its own keys only")]
    AnothersKey {
        /// Whose old key signed.
        by: Publisher,
        /// Whose new key it would be or is.
        of: Publisher,
        /// The new key.
        new: KeyHint,
    },
    /// Too many links.
    #[error(
        "the trust in `{publisher}` was passed on more than {MAX_ROTATIONS} times: configure its present key, {new}"
    )]
    TooLong {
        /// Whose keys they are.
        publisher: Publisher,
        /// The key after the last one that counts.
        new: KeyHint,
    },
}

/// A bundle that claims to pass trust on.
#[derive(Debug)]
pub(super) struct Rotation {
    pub(super) bytes: Vec<u8>,
    pub(super) old: KeyHint,
    pub(super) bundle: Bundle,
    pub(super) claimed: RotationStatement,
}

/// A key that counts.
#[derive(Clone, Debug)]
pub(super) struct Trusted {
    pub(super) publisher: Publisher,
    pub(super) key: PublicKey,
    /// The keys that passed trust on, from the policy's on, and the bundles that say so; empty for a key of the policy.
    pub(super) from: Vec<(KeyHint, Vec<u8>)>,
}

/// All keys that count, and those of the policy that are revoked.
#[derive(Debug)]
pub(super) struct Keyring(BTreeMap<KeyHint, Trusted>);

impl Keyring {
    pub(super) fn of(policy: &TrustPolicy) -> Self {
        let trusted = |(hint, publisher, key): (&KeyHint, &Publisher, &PublicKey)| {
            (*hint, Trusted { publisher: publisher.clone(), key: *key, from: Vec::new() })
        };
        Self(policy.keys().map(trusted).collect())
    }

    pub(super) fn get(&self, hint: &KeyHint) -> Option<&Trusted> {
        self.0.get(hint)
    }

    /// Adds the keys that rotations pass trust on to, whatever order they are in, and returns why others do not count.
    pub(super) fn rotate(&mut self, rotations: Vec<Rotation>, policy: &TrustPolicy) -> Vec<RotationError> {
        let mut failures = Vec::new();
        let mut waiting = rotations;
        loop {
            // One link in each round, so that the shortest chain to a key is the one that is found.
            let (ready, later): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|rotation| self.0.contains_key(&rotation.old));
            if ready.is_empty() {
                waiting = later;
                break;
            }
            waiting = later;
            for rotation in ready {
                match self.link(rotation, policy) {
                    Ok(Some((hint, trusted))) => {
                        self.0.insert(hint, trusted);
                    }
                    Ok(None) => {}
                    Err(failure) => failures.push(failure),
                }
            }
        }
        failures.extend(waiting.into_iter().map(|rotation| RotationError::UnknownKey {
            publisher: rotation.claimed.publisher,
            new: rotation.claimed.new_key.hint(),
            old: rotation.old,
        }));
        failures
    }

    /// The key that a rotation adds; none where it is there already.
    fn link(&self, rotation: Rotation, policy: &TrustPolicy) -> Result<Option<(KeyHint, Trusted)>, RotationError> {
        let Rotation { bytes, old, bundle, claimed } = rotation;
        let RotationStatement { publisher, new_key } = claimed.clone();
        let new = new_key.hint();
        let Some(by) = self.0.get(&old) else { return Err(RotationError::UnknownKey { publisher, new, old }) };
        if policy.revokes_key(&old) {
            return Err(RotationError::RevokedOld { publisher, new, old });
        }
        let signed = bundle.verified(&by.key).ok().map(Statement::read);
        if !matches!(signed, Some(Ok(Statement::Rotation(signed))) if signed == claimed) {
            return Err(RotationError::Forged { publisher, old });
        }
        if by.publisher != publisher {
            return Err(RotationError::AnothersKey { by: by.publisher.clone(), of: publisher, new });
        }
        if policy.revokes_key(&new) {
            return Err(RotationError::RevokedNew { publisher, new });
        }
        match self.0.get(&new) {
            Some(known) if known.publisher == publisher => return Ok(None),
            Some(known) => return Err(RotationError::AnothersKey { by: publisher, of: known.publisher.clone(), new }),
            None => {}
        }
        if by.from.len() >= MAX_ROTATIONS {
            return Err(RotationError::TooLong { publisher, new });
        }
        let from = by.from.iter().cloned().chain([(old, bytes)]).collect();
        Ok(Some((new, Trusted { publisher, key: new_key, from })))
    }
}
