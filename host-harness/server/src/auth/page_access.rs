//! Owns: who may look at the inbox's pages.
//! Does not own: authenticating requests to the API (`authenticator`).

use std::sync::Arc;

use crate::phone::Phone;

/// Who may look at the inbox's pages.
#[derive(Clone, Debug, Default)]
pub enum PageAccess {
    /// Nobody.
    #[default]
    Closed,
    /// Whoever uses this machine, without signing in: for a demo that listens on a loopback address and holds nobody's
    /// conversations. Requests for any other host name are rejected. With a phone, the page `/demo` shows it.
    Demo(Option<Arc<dyn Phone>>),
}

impl PageAccess {
    /// Whether whoever uses this machine is let in.
    pub(crate) fn is_demo(&self) -> bool {
        matches!(self, Self::Demo(_))
    }

    /// The demo's phone.
    pub(crate) fn phone(&self) -> Option<Arc<dyn Phone>> {
        match self {
            Self::Demo(phone) => phone.clone(),
            Self::Closed => None,
        }
    }
}
