//! Owns: building a component from a channel's folder: compile, encode, embed the manifest; so that it can be made again
//! elsewhere, with what has to be known for that.
//! Does not own: running it; packages.

mod cargo;
mod embed;
mod encode;
mod environment;
mod error;
mod home;
mod imports;
mod licence;
mod lock;
mod metadata;
mod outside;
mod places;
mod prune;
mod rebuild;
mod reproducible;
mod sbom;
mod source;
mod toolchain;
mod workspace;

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness_contract::manifest::Manifest;

pub use embed::embed;
pub use encode::encode;
pub use error::BuildError;
pub use rebuild::rebuild;
pub use reproducible::{Recipe, Reproducible, reproducible};
pub use source::{SourceTree, TreeError};
pub use toolchain::Toolchain;

use crate::{environment::Environment, places::Places, workspace::Workspace};

/// The target. Its standard library imports nothing, so an empty import list proves the sandbox.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The remedy where a folder is no channel's.
const NO_CHANNEL: &str = "; a channel's folder holds Cargo.toml and channel.toml";

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

/// Builds the channel in a folder that holds `Cargo.toml` and `channel.toml`.
///
/// The component is written to `target/channels/<id>.wasm` of the folder's workspace. Unchanged code is not compiled
/// again. `show` lets the compiler write to standard error. [`reproducible`] gives the same bytes where the lock file fits.
///
/// # Errors
///
/// [`BuildError`].
pub fn build(dir: &Path, show: bool) -> Result<Built, BuildError> {
    let manifest = read_manifest(&dir.join("channel.toml"), NO_CHANNEL)?;
    let environment = Environment::default();
    let libdir = toolchain::ensure_target(&environment, dir)?;
    // `cargo` reads configurations from the real folder upwards.
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let workspace = Workspace::members(&environment, dir)?;
    let own = workspace.package(dir)?;
    let places = match Places::at_a_glance(&environment, &real, &workspace) {
        Some(places) => places,
        None => {
            let whole = Workspace::of(&environment, dir, false)?;
            Places::of(&whole.workspace_root, &whole.below(whole.package(dir)?))
        }
    };
    let target_dir = workspace.target_directory.join("channels");
    let renamed = places.named(&target_dir);
    let renamed: Vec<_> = renamed.into_iter().chain(toolchain::installed_source(&environment, dir, &libdir)?).collect();
    let job =
        cargo::Job { environment: &environment, dir, target_dir: &target_dir, renamed: &renamed, locked: false, show };
    let module = cargo::compile(&job, &workspace)?.module;
    let bytes = finish(&read(&module)?, &manifest, own)?;
    let path = target_dir.join(format!("{}.wasm", manifest.0.channel.id));
    write(&path, &bytes)?;
    Ok(Built { path, bytes, manifest: manifest.0 })
}

/// From a module to a component with manifest and metadata.
fn finish(
    module: &[u8],
    (manifest, text): &(Manifest, String),
    package: &workspace::Package,
) -> Result<Vec<u8>, BuildError> {
    metadata::About::package(manifest, package).write(&encode(module, text)?)
}

/// Reads the manifest in a channel's folder.
///
/// # Errors
///
/// [`BuildError`] where there is none, or none for this version of the contract.
pub fn manifest(dir: &Path) -> Result<Manifest, BuildError> {
    Ok(read_manifest(&dir.join("channel.toml"), NO_CHANNEL)?.0)
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
