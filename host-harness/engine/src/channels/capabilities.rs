//! Owns: what a channel can say and hear for one account, asked for once for equal settings.
//! Does not own: what a composer, a window or a rate makes of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::{AccountSettings, ChannelCapabilities};
use harness_sandbox::Channel;
use sha2::{Digest as _, Sha256};

/// Settings that are remembered for one channel; beyond that many all are asked for again.
const REMEMBERED: usize = 256;

/// The capabilities of a channel by the settings of an account. A component that is replaced begins with an empty one.
#[derive(Clone, Default)]
pub(crate) struct OfAccounts {
    known: Arc<Mutex<HashMap<[u8; 32], Arc<ChannelCapabilities>>>>,
}

impl OfAccounts {
    /// What the account may do. Where the channel does not answer, what any account may do at most: it is asked again the
    /// next time, and the platform refuses what is too much.
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
