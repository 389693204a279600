//! Owns: from a channel's folder to a component: compile, encode, embed the manifest.
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

/// The target: its standard library imports nothing, so an empty import list proves the sandbox.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// A channel that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where the component lies.
    pub path: PathBuf,
    /// The component.
    pub bytes: Vec<u8>,
    /// Its manifest.
    pub manifest: Manifest,
}

/// Why a channel could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read or written.
    #[error("{path}: {source}{hint}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
        /// What to do, where there is something.
        hint: &'static str,
    },
    /// The manifest was refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The channel is written for another version of the contract, and no host of this version would load it.
    #[error(
        "{path}: `contract` is \"{found}\", and this builds components of \"{expected}\": adapt the channel and write that, or build it with the version that it names"
    )]
    OtherContract {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What is built here.
        expected: &'static str,
    },
    /// A tool is not there.
    #[error("`{tool}` cannot be run: {source}; install Rust with rustup, see https://rustup.rs")]
    Tool {
        /// Which.
        tool: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The target cannot be installed.
    #[error("the target {TARGET} is missing and `rustup target add {TARGET}` failed: {output}")]
    Target {
        /// What rustup said.
        output: String,
    },
    /// The compiler refused the source; it has said why on standard error.
    #[error("the channel in {dir} does not compile; the compiler's words stand above")]
    Compile {
        /// The channel's folder.
        dir: PathBuf,
    },
    /// There is nothing to encode.
    #[error("{dir} builds no WebAssembly module; give its Cargo.toml `[lib] crate-type = [\"cdylib\", \"rlib\"]`")]
    NoModule {
        /// The channel's folder.
        dir: PathBuf,
    },
    /// A component of another tool's cannot be read.
    #[error("{path} cannot be read as a component: {reason}")]
    Malformed {
        /// The component.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// The module does not implement the world.
    #[error("the module cannot be encoded as a component: {0}")]
    Encode(String),
}

/// Builds the channel in a folder that holds `Cargo.toml` and `channel.toml`.
///
/// The component is written to `target/channels/<id>.wasm` of the folder's workspace. What has not
/// changed is not compiled again. `show` lets the compiler write to standard error.
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

/// A manifest for this version of the contract, and its text.
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

/// Writes beside and renames: builds of several processes never show half a component.
fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path)).map_err(|source| BuildError::Io {
        path: path.to_owned(),
        source,
        hint: "",
    })
}
