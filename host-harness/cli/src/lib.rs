//! Owns: the parts of the `harness` command that others use too: its configuration file, and a client of a running host.
//! Does not own: the commands.

pub mod client;
pub mod config;

/// How this command is called, in sentences that name one: in a checkout, with the author's commands, through cargo.
pub const NAME: &str = if cfg!(feature = "author") { "cargo harness" } else { "harness" };
