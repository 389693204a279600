//! Owns: the product's interface to workspaces and the people who sign in.
//! Does not own: what they store (the inbox), hashing passwords and making sessions (the server).

use std::sync::Arc;

use harness_inbox::store::Users;

use super::Host;

impl Host {
    /// Workspaces, people, their sessions and invitations. [`Host::inbox`] lists them.
    pub fn users(&self) -> Arc<dyn Users> {
        self.base().inbox.store()
    }
}
