//! Owns: the account in whose name a request is sent, and the state of an account that is still being connected.
//! Does not own: connecting.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use harness_egress::credentials::{PendingCredentials, Secret};
use harness_inbox::AccountId;

/// Bytes that a channel may store before there is an account.
pub(crate) const SCRATCH_BYTES: usize = 64 << 10;

/// Captured credentials and channel storage of an account that is being connected.
#[derive(Debug, Default)]
pub(crate) struct PendingAccount {
    pub(crate) credentials: Arc<PendingCredentials>,
    pub(crate) storage: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl PendingAccount {
    /// Restores what was captured and stored earlier.
    pub(crate) fn of(secrets: HashMap<String, Secret>, storage: BTreeMap<String, Vec<u8>>) -> Self {
        Self { credentials: Arc::new(PendingCredentials::new(secrets)), storage: Mutex::new(storage) }
    }

    /// The channel's storage.
    pub(crate) fn storage(&self) -> Vec<(String, Vec<u8>)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        storage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// In whose name a request is sent.
#[derive(Clone)]
pub(crate) enum CallScope {
    /// A connected account.
    Account {
        /// Its row.
        row: AccountId,
        /// The platform's id.
        id: String,
        /// The row's connection when the call began. Results are valid for this connection only.
        connection: i64,
    },
    /// An account that is being connected.
    Connecting(Arc<PendingAccount>),
}
