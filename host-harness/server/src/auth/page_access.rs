//! Owns: who may look at the inbox's pages.
//! Does not own: authenticating requests to the API (`authenticator`).

/// Who may look at the inbox's pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum PageAccess {
    /// Nobody.
    #[default]
    Closed,
    /// Whoever uses this machine, without signing in: for a demo that listens on a loopback address and holds nobody's
    /// conversations. Requests for any other host name are rejected.
    Demo,
}
