//! Owns: the messaging-channel contract as plain Rust: the types of `wit/`, their JSON form, the manifest
//! `channel.toml`.
//! Does not own: running components, sockets, files.

pub mod asks;
mod checks;
pub mod differences;
pub mod egress;
mod json;
pub mod manifest;
pub mod setting_host;
pub mod settings;
mod signed_text;
mod syntax;
pub mod text;
mod webhook;

/// The contract's types, generated from `wit/` at build time. All interfaces share one namespace. Names are the WIT's,
/// in Rust's spelling, and in snake case in JSON.
#[allow(missing_docs, reason = "the WIT documents a type and those of its fields whose name does not say it")]
#[allow(
    clippy::large_enum_variant,
    reason = "the component model lifts a variant in place; a box would be a copy more"
)]
mod types {
    include!(concat!(env!("OUT_DIR"), "/types.rs"));
}

/// The JSON Schema of every type of the contract, in one JSON object by name, such as `ContractOutboundMessage`. They
/// refer to each other below `#/components/schemas/`, as in an OpenAPI document.
pub const SCHEMAS: &str = include_str!(concat!(env!("OUT_DIR"), "/schemas.json"));

pub use channel_names as names;
pub use types::*;

impl SendResult {
    /// What went wrong; `None` if the message was sent.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Sent(_) => None,
            Self::RateLimited(failure)
            | Self::Transient(failure)
            | Self::Ambiguous(failure)
            | Self::Rejected(failure)
            | Self::Unauthorized(failure)
            | Self::Rebuild(failure) => Some(failure),
        }
    }
}

impl CaptureTarget {
    /// The name of the captured value.
    pub fn kept_as(&self) -> &str {
        match self {
            Self::Slot(name) | Self::Value(name) | Self::Other(name) => name,
        }
    }
}

impl From<&SendStep> for SentStep {
    fn from(step: &SendStep) -> Self {
        Self {
            parts: step.parts.clone(),
            kind: step.kind,
            repeatable: step.repeatable,
            correlation: step.correlation.clone(),
            context: step.context.clone(),
            method: step.request.method,
            url: step.request.url.clone(),
            captured: step.request.captures.iter().map(|capture| capture.target.kept_as().to_owned()).collect(),
        }
    }
}

/// Whether a component of one version runs in a host of another. Before 1.0.0, the types are equal if only the patch
/// numbers differ; from 1.0.0 on, if the major numbers are equal. See `wit/VERSIONING.md`.
pub fn is_compatible(component: &str, host: &str) -> bool {
    let parts = |version: &str| version.split('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let (component, host) = (parts(component), parts(host));
    let frozen = component.first().is_some_and(|major| major != "0");
    component.first() == host.first() && (frozen || component == host)
}
