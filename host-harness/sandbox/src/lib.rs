//! Owns: running channel components: each call in a fresh instance with a deadline, bounded memory, and imports that
//! trap in pure functions. The only crate that runs wasmtime.
//! Does not own: network and storage, which the host supplies through [`Effects`].
//!
//! [`inspect`] reads a component without running it, [`Sandbox::load`] compiles it or loads its compiled form from the
//! authenticated cache, and [`Channel`] calls it.

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
mod metadata;
mod observe;
mod replay;

pub use cache::{ArtifactCache, CacheError, Origin};
pub use channel::Channel;
pub use compiler::compile_stdin;
pub use config::{CompileLimits, Compiler, SandboxConfig};
pub use count::{ComponentBounds, ShapeError, count};
pub use effects::{Effects, StorageError};
pub use engine::Sandbox;
pub use error::{CallError, CallFailure, LoadError, Scarce};
pub use exports::Optional;
pub use inspect::{InspectError, Inspected, Inspection, inspect};
pub use metadata::{Metadata, MetadataError};
pub use observe::{Called, Contents, Observer};
pub use replay::ReplayError;
