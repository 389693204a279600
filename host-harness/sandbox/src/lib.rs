//! Owns: running channel components: each call in a fresh instance with a deadline, bounded memory, and imports that trap
//! where the contract says "pure". The only crate that runs wasmtime.
//! Does not own: network and storage, which come in through [`Effects`].
//!
//! The way of a component: [`inspect`] reads it without running anything, [`Sandbox::load`] compiles
//! it (or takes the compiled form from the authenticated cache), [`Channel`] calls it.

mod cache;
mod channel;
mod compiler;
mod config;
mod count;
mod effects;
mod engine;
mod error;
mod exports;
mod inspect;
mod memory;
mod observe;
mod replay;

pub use cache::{ArtifactCache, CacheError, Origin};
pub use channel::Channel;
pub use compiler::compile_stdin;
pub use config::{CompileLimits, Compiler, SandboxConfig};
pub use count::{ComponentBounds, ShapeError};
pub use effects::{Effects, StorageError};
pub use engine::Sandbox;
pub use error::{CallError, CallFailure, LoadError, Scarce};
pub use exports::Optional;
pub use inspect::{InspectError, Inspection, inspect};
pub use observe::{Called, Contents, Observer};
pub use replay::ReplayError;
