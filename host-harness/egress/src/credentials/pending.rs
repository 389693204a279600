//! Owns: credentials captured while an account is being connected.
//! Does not own: assigning them to an account.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{search::Search, secret::Secret};

/// Captured so far, by slot.
#[derive(Debug, Default)]
pub struct PendingCredentials {
    secrets: Mutex<HashMap<String, Secret>>,
    /// The search for them; rebuilt when they change.
    search: Mutex<Search>,
}

impl PendingCredentials {
    /// Starts with credentials that were captured earlier.
    pub fn new(secrets: HashMap<String, Secret>) -> Self {
        Self { secrets: Mutex::new(secrets), search: Mutex::default() }
    }

    /// The credential in a slot.
    pub fn find(&self, slot: &str) -> Option<Secret> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).get(slot).cloned()
    }

    /// Sets a slot.
    pub fn set(&self, slot: String, secret: Secret) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).insert(slot, secret);
        *self.search.lock().unwrap_or_else(PoisonError::into_inner) = Search::default();
    }

    /// All of them, by slot.
    pub fn all(&self) -> Vec<(String, Secret)> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().map(|(slot, secret)| (slot.clone(), secret.clone())).collect()
    }

    /// The search for them.
    pub(crate) fn search(&self) -> Search {
        self.search.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
