//! Owns: the parts of the `harness` command that other crates use: its configuration file, a client for a running host,
//! the demo's stage.
//! Does not own: the commands.

pub mod client;
pub mod config;
#[cfg(feature = "author")]
pub mod demo;

/// The name of this command in sentences. With the author's commands, in a checkout, it runs through cargo.
pub const NAME: &str = if cfg!(feature = "author") { "cargo harness" } else { "harness" };
