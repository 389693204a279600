//! Owns: the account on whose behalf a request is sent, and the state of an account that is still being connected.
//! Does not own: connecting.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::Setting;
use harness_egress::credentials::{PendingCredentials, Secret};
use harness_inbox::AccountId;

/// Maximum bytes of channel storage while an account is being connected.
pub(crate) const SCRATCH_BYTES: usize = 64 << 10;

/// Captured credentials and channel storage of an account that is being connected.
#[derive(Debug, Default)]
pub(crate) struct PendingAccount {
    pub(crate) credentials: Arc<PendingCredentials>,
    pub(crate) storage: Mutex<BTreeMap<String, Vec<u8>>>,
    /// The account's settings known so far: typed in by a person, or returned by the channel.
    pub(crate) settings: Mutex<Arc<[Setting]>>,
}

impl PendingAccount {
    /// Restores what was captured and stored earlier.
    pub(crate) fn of(secrets: HashMap<String, Secret>, storage: BTreeMap<String, Vec<u8>>) -> Self {
        let credentials = Arc::new(PendingCredentials::new(secrets));
        Self { credentials, storage: Mutex::new(storage), settings: Mutex::default() }
    }

    /// Replaces the known settings, which may name the account's host.
    pub(crate) fn knows(&self, settings: &[Setting]) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings.into();
    }

    /// The channel's storage.
    pub(crate) fn storage(&self) -> Vec<(String, Vec<u8>)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        storage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// The account on whose behalf a request is sent.
#[derive(Clone)]
pub(crate) enum CallScope {
    /// A connected account.
    Account {
        /// The account's row.
        row: AccountId,
        /// The platform's id.
        id: String,
        /// The row's connection when the call began. Results are valid for this connection only.
        connection: i64,
        /// The account's settings, which may name hosts such as its server.
        settings: Arc<[Setting]>,
    },
    /// An account that is being connected.
    Connecting(Arc<PendingAccount>),
}

impl CallScope {
    /// The settings of the account on whose behalf a request is sent.
    pub(crate) fn settings(&self) -> Arc<[Setting]> {
        match self {
            Self::Account { settings, .. } => Arc::clone(settings),
            Self::Connecting(pending) => Arc::clone(&pending.settings.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}
