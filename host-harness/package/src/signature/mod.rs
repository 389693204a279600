//! Owns: signatures of packages and whom an operator trusts: keys, statements, bundles, the policy, rotation.
//! Does not own: where bundles lie (`source`), keeping private keys (the caller's vault), parsing components.
//!
//! A signature is a sigstore bundle v0.3 with a managed key: ECDSA P-256 over a DSSE envelope that holds an in-toto
//! statement. `docs/decisions/0047-signatures.md` says why, and what is not promised.

mod bundle;
mod dsse;
mod json;
mod key;
mod pem;
mod policy;
mod refusal;
mod rotation;
mod statement;
mod verify;

pub use bundle::{Bundle, BundleError, SignError};
pub use dsse::{MAX_BUNDLE, PAYLOAD_TYPE, pae};
pub use json::JsonError;
pub use key::{KeyError, KeyHint, PublicKey, SigningKey};
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
    let shown = harness_contract::text::shown(text);
    if shown.chars().nth(MAX_QUOTED).is_none() {
        return shown;
    }
    shown.chars().take(MAX_QUOTED).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
