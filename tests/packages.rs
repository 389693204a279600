//! Packages: where they lie, who signed them, what is installed. With other people's registries and tools.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "packages/fake.rs"]
mod fake;
#[path = "packages/found.rs"]
mod found;
#[path = "packages/hostile.rs"]
mod hostile;
#[path = "packages/hostile_lists.rs"]
mod hostile_lists;
#[path = "packages/hostile_logins.rs"]
mod hostile_logins;
#[path = "packages/keyless.rs"]
mod keyless;
#[path = "packages/registry.rs"]
mod registry;
#[path = "packages/sample.rs"]
mod sample;
#[path = "packages/signatures.rs"]
mod signatures;
#[path = "packages/tls.rs"]
mod tls;
#[path = "packages/uploads.rs"]
mod uploads;
