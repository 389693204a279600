//! Owns: one credential, its key, and the rules for slot names. Credentials are wiped on drop and have no readable
//! form.
//! Does not own: storing them.
//!
//! Not `secrecy`: a credential here also caches its digest, by which it is compared.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::EgressError;

/// A credential.
#[derive(Clone)]
pub struct Secret(Arc<Held>);

struct Held {
    bytes: Zeroizing<Vec<u8>>,
    /// Computed on first comparison.
    digest: OnceLock<[u8; 32]>,
}

impl Secret {
    /// Takes ownership of the bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Held { bytes: Zeroizing::new(bytes), digest: OnceLock::new() }))
    }

    /// The bytes, for a request, a MAC or a private file.
    pub fn expose(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Its SHA-256, for comparison in constant time.
    pub fn digest(&self) -> &[u8; 32] {
        self.0.digest.get_or_init(|| Sha256::digest(self.expose()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The slot's name in the manifest, i.e. the part before the colon. The part after it distinguishes credentials of one
/// kind.
pub fn declared_slot(slot: &str) -> &str {
    slot.split_once(':').map_or(slot, |(declared, _)| declared)
}

/// Maximum length of a slot name, including the part after the colon.
const MAX_SLOT_NAME: usize = 192;

/// Checks a slot name that a channel chose: it appears in errors, logs and the inbox's file.
pub(crate) fn check_slot_name(slot: &str) -> Result<(), EgressError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if slot.is_empty() || slot.len() > MAX_SLOT_NAME || !slot.bytes().all(fits) {
        return Err(EgressError::Invalid(
            "the name of a credential has letters, digits, `-`, `_`, `.` and one `:`".into(),
        ));
    }
    Ok(())
}

/// Identifies a credential.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SecretKey {
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account; `None` for a slot of the whole channel.
    pub account: Option<String>,
    /// The slot's name in the manifest.
    pub slot: String,
}
