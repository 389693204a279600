//! Owns: middleware for all routes: headers for browsers, time limits for bodies, the address of the client.
//! Does not own: routes.

pub(crate) mod body;
pub(crate) mod browser;
pub(crate) mod compress;
pub(crate) mod peer;
