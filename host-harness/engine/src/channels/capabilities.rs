//! Owns: the capabilities of a channel per account, cached by the account's settings.
//! Does not own: how composers, windows and rates use them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::{AccountSettings, ChannelCapabilities};
use harness_sandbox::Channel;
use sha2::{Digest as _, Sha256};

/// Cached settings per channel. When the cache is full, it is cleared.
const REMEMBERED: usize = 256;

/// The capabilities by an account's settings. A replaced component starts with an empty cache.
#[derive(Clone, Default)]
pub(crate) struct OfAccounts {
    known: Arc<Mutex<HashMap<[u8; 32], Arc<ChannelCapabilities>>>>,
}

impl OfAccounts {
    /// The capabilities of an account. If the channel fails, returns `most`, the maximum for any account, uncached: the
    /// platform refuses what is too much.
    pub(crate) async fn of(
        &self,
        channel: &Channel,
        account: &AccountSettings,
        most: &Arc<ChannelCapabilities>,
    ) -> Arc<ChannelCapabilities> {
        let key: [u8; 32] = Sha256::digest(serde_json::to_vec(&account.settings).unwrap_or_default()).into();
        if let Some(known) = self.get(&key) {
            return known;
        }
        let (channel, account) = (channel.clone(), account.clone());
        match tokio::task::spawn_blocking(move || channel.capabilities(Some(&account))).await {
            Ok(Ok(capabilities)) => {
                let capabilities = Arc::new(capabilities);
                self.keep(key, Arc::clone(&capabilities));
                capabilities
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the channel does not say what this account may do");
                Arc::clone(most)
            }
            Err(_) => Arc::clone(most),
        }
    }

    fn get(&self, key: &[u8; 32]) -> Option<Arc<ChannelCapabilities>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep(&self, key: [u8; 32], capabilities: Arc<ChannelCapabilities>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, capabilities);
    }
}
