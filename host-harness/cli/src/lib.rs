//! Owns: the parts of the `harness` command that others use too: its configuration file, and a client of a running host.
//! Does not own: the commands.

pub mod client;
pub mod config;
