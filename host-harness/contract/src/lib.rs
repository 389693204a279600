//! Owns: the messaging-channel contract as plain Rust: the types of `wit/`, their JSON form, the manifest `channel.toml`.
//! Does not own: running a component, sockets, files.

pub mod asks;
mod checks;
pub mod egress;
mod json;
pub mod manifest;
pub mod settings;
pub mod text;

/// The contract's types, generated from `wit/` when this crate is built. All interfaces share one
/// namespace; the names are the WIT's in Rust's spelling, and in snake case in JSON.
#[allow(missing_docs, reason = "the WIT documents a type and those of its fields whose name does not say it")]
#[allow(
    clippy::large_enum_variant,
    reason = "the component model lifts a variant in place; a box would be a copy more"
)]
mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

pub use types::*;

impl SendResult {
    /// What went wrong; none where nothing did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Sent(_) => None,
            Self::RateLimited(failure)
            | Self::Transient(failure)
            | Self::Ambiguous(failure)
            | Self::Rejected(failure)
            | Self::Unauthorized(failure) => Some(failure),
        }
    }
}

/// Whether two versions of the contract have the same types: where they differ in the patch number only, see
/// `wit/VERSIONING.md`.
pub fn is_compatible(a: &str, b: &str) -> bool {
    a.split('.').take(2).eq(b.split('.').take(2))
}
