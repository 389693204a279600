//! Owns: what every request and answer passes: headers for browsers, the time that bodies may take.
//! Does not own: routes.

pub(crate) mod body;
pub(crate) mod browser;
