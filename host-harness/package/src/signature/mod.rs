//! Owns: signatures of packages and whom an operator trusts: keys, statements, bundles, the policy, rotation.
//! Does not own: where bundles lie (`source`), keeping private keys (the caller's vault), parsing components.
//!
//! A signature is a sigstore bundle v0.3 around a DSSE envelope that holds an in-toto statement: by a managed key (ECDSA
//! P-256), or by a certificate for an identity with an entry in a transparency log. `docs/decisions/0047-signatures.md` and
//! `0049-signatures-without-keys.md` say why, and what is not promised.

mod bundle;
mod dsse;
mod evidence;
mod identity;
mod json;
mod key;
mod keyless;
mod pem;
mod policy;
mod refusal;
mod rotation;
mod statement;
mod verify;

pub use bundle::{Bundle, BundleError, SignError};
pub use dsse::{MAX_BUNDLE, PAYLOAD_TYPE, pae};
pub use evidence::EvidenceError;
pub use identity::{Identity, IdentityError, Signer};
pub use json::JsonError;
pub use key::{KeyError, KeyHint, PublicKey, SigningKey};
pub use keyless::{KeylessError, MAX_TRUSTED_ROOT, TrustedRoot};
pub use pem::PemError;
pub use policy::{ChannelPattern, PolicyError, PublisherRule, TrustPolicy, TrustRules};
pub use refusal::{MAX_BUNDLES, TrustError};
pub use rotation::{MAX_ROTATIONS, RotationError};
pub use statement::{
    Attachment, Build, Package, PackageStatement, RotationStatement, SourceTree, Statement, StatementError,
};
pub use verify::{Expected, Verified, verify};

/// The longest text of a stranger's that a refusal quotes, in characters.
const MAX_QUOTED: usize = 80;

/// What a refusal quotes of a stranger's text: escaped, and short enough for a sentence.
fn quoted(text: &str) -> String {
    bounded(text, MAX_QUOTED)
}

/// A text, escaped, of at most so many characters.
fn bounded(text: &str, max: usize) -> String {
    let shown = harness_contract::text::shown(text);
    if shown.chars().nth(max).is_none() {
        return shown;
    }
    shown.chars().take(max).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
