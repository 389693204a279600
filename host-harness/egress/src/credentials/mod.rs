//! Owns: credentials, in memory and at rest.
//! Does not own: where they may be used (the manifest and `inject`), where they come from (`capture`, configuration).

mod memory;
mod pending;
mod search;
mod secret;
mod vault;

pub use memory::{Prover, Secrets};
pub use pending::PendingCredentials;
pub(crate) use secret::check_slot_name;
pub use secret::{Secret, SecretKey, declared_slot};
pub use vault::{Vault, VaultError, VaultKey, random};
