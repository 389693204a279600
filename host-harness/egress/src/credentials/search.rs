//! Owns: the search for a channel's credentials, built once for every change of them.
//! Does not own: the credentials, the search itself (`redact`).
//!
//! What is built holds the credentials' bytes in another form, which is not wiped when it is dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::secret::Secret;
use crate::redact::Spellings;

/// The shortest secret that is searched for; shorter ones would be found by chance.
const LEAK_LENGTH: usize = 12;

/// The search for some credentials, built when it is needed first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search(pub(crate) Arc<OnceLock<Spellings>>);

impl Search {
    pub(crate) fn get(&self, secrets: impl FnOnce() -> Vec<Secret>) -> &Spellings {
        self.0.get_or_init(|| {
            let secrets = secrets();
            Spellings::of(secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= LEAK_LENGTH))
        })
    }

    /// Whether it is there already, so that getting it takes no time.
    pub(crate) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }
}

/// The searches, by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searches(Arc<Mutex<HashMap<String, Search>>>);

impl Searches {
    /// The same one until the channel's credentials change. It must be filled with what they are after this call.
    pub(crate) fn of(&self, channel: &str) -> Search {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(channel.to_owned()).or_default().clone()
    }

    /// The channel's credentials changed: called after the change.
    pub(crate) fn changed(&self, channel: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }
}
