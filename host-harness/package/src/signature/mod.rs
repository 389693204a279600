//! Owns: signatures of packages and whom an operator trusts: keys, statements, bundles, the policy, rotation.
//! Does not own: where bundles lie (`source`), keeping private keys (the caller's vault), parsing components.
//!
//! A signature is a sigstore bundle v0.3 with a managed key: ECDSA P-256 over a DSSE envelope that holds an in-toto
//! statement. `docs/decisions/0046-signatures.md` says why, and what is not promised.

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

#[cfg(test)]
mod tests;

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
