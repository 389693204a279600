//! Owns: signatures without a key of the publisher's: whether a certificate for an identity, and an entry in a
//! transparency log, prove who signed, and when.
//! Does not own: the form of such bundles (`evidence`), whose identity it is (`policy`); the verification itself, which
//! other people's crates do (`verifier`), where they are built in.

#[cfg_attr(not(feature = "keyless"), path = "keyless/no_verifier.rs")]
mod verifier;

use std::{fmt, sync::Arc};

use super::identity::{Identity, IdentityError};
use crate::Digest;

/// The largest file with a trusted root, in bytes.
pub const MAX_TRUSTED_ROOT: usize = 1 << 20;

/// Why a signature by a certificate does not count. What other people's crates said is an escaped and bounded copy, because
/// it may quote the bundle.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeylessError {
    /// This program cannot verify such signatures.
    #[error(
        "this program was built without the verification of signatures by certificates: build it with the feature `keyless`"
    )]
    NotBuilt,
    /// The trusted root cannot be used.
    #[error("the trusted root cannot be used: {0}; expected a `trusted_root.json` of sigstore")]
    Root(String),
    /// The certificate is not sound, not of a trusted authority, or not made public.
    #[error("its certificate is refused: {0}")]
    Certificate(String),
    /// The certificate is not for an identity.
    #[error("its certificate names nobody who can be trusted: {0}")]
    Nobody(#[from] IdentityError),
    /// The certificate is not for the identity that it was read as, which no sound program says.
    #[error("its certificate is for somebody else: {0}")]
    SomebodyElse(String),
    /// Nothing proves when it was signed, or that was not while the certificate was valid.
    #[error("nothing proves that it was signed while its certificate was valid: {0}")]
    Time(String),
    /// The entry of the log is not sound, not of a trusted log, or not in it.
    #[error("its entry in the transparency log is refused: {0}")]
    Log(String),
    /// The entry of the log is about something else.
    #[error("its entry in the transparency log is for another signature: {0}")]
    OtherEntry(String),
    /// The signature is not by the certificate's key.
    #[error("the statement or the signature was changed: {0}")]
    Forged(String),
    /// Something that is not expected of a bundle.
    #[error("it is refused: {0}")]
    Other(String),
}

/// Whose certificates and logs count for signatures without a key. A clone is the same.
#[derive(Clone)]
pub struct TrustedRoot(Arc<verifier::Verifier>);

impl TrustedRoot {
    /// Reads a `trusted_root.json` of sigstore: authorities of certificates, logs of certificates, transparency logs and
    /// authorities of timestamps, each with its time. Nothing is ever fetched.
    ///
    /// # Errors
    ///
    /// [`KeylessError::Root`], or [`KeylessError::NotBuilt`] where this program cannot verify such signatures.
    pub fn read(json: &[u8]) -> Result<Self, KeylessError> {
        if json.len() > MAX_TRUSTED_ROOT {
            return Err(KeylessError::Root(format!("it has more than {MAX_TRUSTED_ROOT} bytes")));
        }
        let text = str::from_utf8(json).map_err(|_| KeylessError::Root("it is no text".to_owned()))?;
        Ok(Self(Arc::new(verifier::Verifier::new(text)?)))
    }

    /// Whom a certificate is for, as it claims.
    pub(super) fn claimed(&self, certificate: &[u8]) -> Result<Identity, KeylessError> {
        self.0.claimed(certificate)
    }

    /// Verifies a bundle: that the certificate is of an authority of this root, public and for this identity, that it was
    /// valid when the signature was made, that the signature stands in a log of this root, and that it is over a statement
    /// about this component. Returns when it was made, in milliseconds since 1970.
    pub(super) fn verify(&self, bundle: &str, identity: &Identity, component: &Digest) -> Result<u64, KeylessError> {
        self.0.verify(bundle, identity, component)
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedRoot")
    }
}
