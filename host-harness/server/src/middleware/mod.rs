//! Owns: middleware for all routes: headers for browsers, time limits for bodies.
//! Does not own: routes.

pub(crate) mod body;
pub(crate) mod browser;
