//! Owns: the parts of the `harness` command that other crates use: its configuration file, and a client for a running
//! host.
//! Does not own: the commands.

pub mod client;
pub mod config;

/// The name of this command in sentences. With the author's commands, in a checkout, it runs through cargo.
pub const NAME: &str = if cfg!(feature = "author") { "cargo harness" } else { "harness" };
