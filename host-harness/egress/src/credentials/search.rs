//! Owns: the search for a channel's credentials, rebuilt when they change.
//! Does not own: the credentials, the search algorithm (`redact`).
//!
//! The search holds the credentials' bytes in another form, which is not wiped on drop.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::secret::Secret;
use crate::redact::Spellings;

/// The shortest secret that is searched for; shorter ones would match by chance.
const LEAK_LENGTH: usize = 12;

/// The search for some credentials, built on first use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search(pub(crate) Arc<OnceLock<Spellings>>);

impl Search {
    pub(crate) fn get(&self, secrets: impl FnOnce() -> Vec<Secret>) -> &Spellings {
        self.0.get_or_init(|| {
            let secrets = secrets();
            Spellings::of(secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= LEAK_LENGTH))
        })
    }

    /// Whether it is built, so that using it takes no time.
    pub(crate) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }
}

/// Searches by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Searches(Arc<Mutex<HashMap<String, Search>>>);

impl Searches {
    /// The channel's current search. Read the credentials after this call, so that a later change is not missed.
    pub(crate) fn of(&self, channel: &str) -> Search {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(channel.to_owned()).or_default().clone()
    }

    /// Invalidates the search. Call it after the change.
    pub(crate) fn changed(&self, channel: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }
}
