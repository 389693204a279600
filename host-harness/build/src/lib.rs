//! Owns: building a component from a channel's folder: compile, encode, embed the manifest.
//! Does not own: running it.

mod cargo;
mod embed;
mod encode;
mod prune;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness_contract::manifest::{Manifest, ManifestError};

pub use embed::embed;
pub use encode::encode;

/// The target. Its standard library imports nothing, so an empty import list proves the sandbox.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A built channel.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component's path.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
    /// The manifest.
    pub manifest: Manifest,
}

/// Why a channel could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read or written.
    #[error("{path}: {source}{hint}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
        /// The remedy, if there is one.
        hint: &'static str,
    },
    /// The manifest was rejected.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The channel is written for another version of the contract, so no host of this version would load it.
    #[error(
        "{path}: `contract` is \"{found}\", and this builds components of \"{expected}\": adapt the channel and write that, or build it with the version that it names"
    )]
    OtherContract {
        /// The manifest's path.
        path: PathBuf,
        /// The version in the manifest.
        found: String,
        /// The version that this program builds.
        expected: &'static str,
    },
    /// A tool cannot be run.
    #[error("`{tool}` cannot be run: {source}; install Rust with rustup, see https://rustup.rs")]
    Tool {
        /// The tool.
        tool: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The target cannot be installed.
    #[error("the target {TARGET} is missing and `rustup target add {TARGET}` failed: {output}")]
    Target {
        /// rustup's output.
        output: String,
    },
    /// The source does not compile. The compiler has written its errors to standard error.
    #[error("the channel in {dir} does not compile; the compiler's words stand above")]
    Compile {
        /// The channel's folder.
        dir: PathBuf,
    },
    /// The build produced no WebAssembly module.
    #[error("{dir} builds no WebAssembly module; give its Cargo.toml `[lib] crate-type = [\"cdylib\", \"rlib\"]`")]
    NoModule {
        /// The channel's folder.
        dir: PathBuf,
    },
    /// A component that another tool built is malformed.
    #[error("{path} cannot be read as a component: {reason}")]
    Malformed {
        /// The component.
        path: PathBuf,
        /// The parser's message.
        reason: String,
    },
    /// The module does not implement the world.
    #[error("the module cannot be encoded as a component: {0}")]
    Encode(String),
}

/// Builds the channel in a folder that holds `Cargo.toml` and `channel.toml`.
///
/// The component is written to `target/channels/<id>.wasm` of the folder's workspace. Unchanged code is not compiled
/// again. `show` lets the compiler write to standard error.
pub fn build(dir: &Path, show: bool) -> Result<Built, BuildError> {
    let (manifest, text) =
        read_manifest(&dir.join("channel.toml"), "; a channel's folder holds Cargo.toml and channel.toml")?;
    cargo::ensure_target()?;
    let workspace = cargo::metadata(dir)?;
    let target_dir = workspace.target_directory.join("channels");
    let module = cargo::compile(dir, &workspace, &target_dir, show)?;
    let bytes = encode(&read(&module)?, &text)?;
    let path = target_dir.join(format!("{}.wasm", manifest.channel.id));
    write(&path, &bytes)?;
    Ok(Built { path, bytes, manifest })
}

/// Reads a manifest for this version of the contract. Returns its text too.
fn read_manifest(path: &Path, hint: &'static str) -> Result<(Manifest, String), BuildError> {
    let text = fs::read_to_string(path).map_err(|source| BuildError::Io { path: path.to_owned(), source, hint })?;
    let manifest = Manifest::parse(&text, &path.display().to_string())?;
    if harness_contract::is_compatible(&manifest.channel.contract, harness_contract::VERSION) {
        return Ok((manifest, text));
    }
    let (found, expected) = (manifest.channel.contract, harness_contract::VERSION);
    Err(BuildError::OtherContract { path: path.to_owned(), found, expected })
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|source| BuildError::Io { path: path.to_owned(), source, hint: "" })
}

/// Writes a temporary file and renames it, so that concurrent builds never see half a component.
fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(|source| BuildError::Io {
        path: path.to_owned(),
        source,
        hint: "",
    })
}
