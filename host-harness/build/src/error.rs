//! Owns: why a channel could not be built.
//! Does not own: why a source tree has no digest (`source`).

use std::{io, path::PathBuf};

use harness_contract::{manifest::ManifestError, text::shown};

use crate::{TARGET, TreeError};

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
    /// cargo does not understand the workspace, or the lock file does not fit it.
    #[error("`cargo metadata` refuses the workspace of {dir}: {output}")]
    Workspace {
        /// The channel's folder.
        dir: PathBuf,
        /// cargo's output.
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
    /// The manifest's licence is none that tools understand.
    #[error("the channel's licence is \"{}\", expected in `license` of channel.toml an SPDX expression such as \"Apache-2.0\" or \"MIT OR Apache-2.0\"", shown(.licence))]
    Licence {
        /// What it says.
        licence: String,
    },
    /// A licence's text is larger than any licence.
    #[error(
        "{path} has more than {max} bytes, which no licence has; name the right file with `license-file` in Cargo.toml"
    )]
    LicenceTooLarge {
        /// The file.
        path: PathBuf,
        /// The bound, in bytes.
        max: u64,
    },
    /// The lock file cannot be read.
    #[error("{path} cannot be read: {reason}; let cargo write it again with `cargo generate-lockfile`")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The parser's message.
        reason: String,
    },
    /// The source tree has no digest.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file is used that the tree's digest would not cover.
    #[error(
        "{file} is used and does not belong to the source tree {root}, so nobody could build this again from the tree: move it there, and where the tree is in git, add it"
    )]
    OutsideTree {
        /// The file.
        file: PathBuf,
        /// The tree's root.
        root: PathBuf,
    },
    /// A path dependency outside of the workspace: its absolute path would be part of the bytes.
    #[error(
        "the package {name} lies in {folder}, outside of the workspace {workspace}: its place would become part of the component; move it into the workspace, or take it from a registry"
    )]
    Elsewhere {
        /// The package.
        name: String,
        /// Its folder.
        folder: PathBuf,
        /// The workspace's folder.
        workspace: PathBuf,
    },
    /// A configuration of cargo outside of the tree decides what is built.
    #[error(
        "the table `{}` in {file} may change what is built, and does not belong to the source tree {root}: move it into the tree's `.cargo/config.toml`, or package a copy of the tree elsewhere",
        shown(.table)
    )]
    Configuration {
        /// The file.
        file: PathBuf,
        /// The table.
        table: String,
        /// The tree's root.
        root: PathBuf,
    },
    /// A downloaded package is not the one that the lock file pins.
    #[error(
        "{path} is not the package that Cargo.lock pins (SHA-256 {checksum}): it was changed after it was downloaded; delete it, and cargo downloads it again"
    )]
    Poisoned {
        /// The packed package.
        path: PathBuf,
        /// The checksum in the lock file.
        checksum: String,
    },
}
