//! Owns: credentials, in memory and at rest.
//! Does not own: where they may go (the manifest and `inject`), how they come (`capture`, configuration).

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
