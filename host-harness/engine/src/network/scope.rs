//! Owns: in whose name a request leaves, and what is kept while nobody's account is connected yet.
//! Does not own: connecting.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use harness_egress::credentials::{PendingCredentials, Secret};
use harness_inbox::AccountId;

/// What a channel may remember before there is an account, in bytes.
pub(crate) const SCRATCH_BYTES: usize = 64 << 10;

/// What is captured and remembered while an account is being connected.
#[derive(Debug, Default)]
pub(crate) struct PendingAccount {
    pub(crate) credentials: Arc<PendingCredentials>,
    pub(crate) storage: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl PendingAccount {
    /// What was captured and remembered before.
    pub(crate) fn of(secrets: HashMap<String, Secret>, storage: BTreeMap<String, Vec<u8>>) -> Self {
        Self { credentials: Arc::new(PendingCredentials::new(secrets)), storage: Mutex::new(storage) }
    }

    /// What the channel remembers.
    pub(crate) fn storage(&self) -> Vec<(String, Vec<u8>)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        storage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// In whose name a request leaves.
#[derive(Clone)]
pub(crate) enum CallScope {
    /// A connected account's.
    Account {
        /// Its row.
        row: AccountId,
        /// The platform's id.
        id: String,
        /// The row's connection when the call began: what comes of it belongs to no other.
        connection: i64,
    },
    /// Somebody's who is connecting one.
    Connecting(Arc<PendingAccount>),
}
