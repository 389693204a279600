//! Owns: reading Cargo.lock: which packages it pins, and their checksums.
//! Does not own: resolving (cargo).

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{BuildError, read};

/// A lock file.
#[derive(Debug, Deserialize)]
pub(crate) struct Lock {
    #[serde(default)]
    pub(crate) package: Vec<Locked>,
}

/// A package that it pins.
#[derive(Debug, Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// None: a folder.
    pub(crate) source: Option<String>,
    /// SHA-256 of the packed package in hexadecimal digits, of those from a registry.
    pub(crate) checksum: Option<String>,
}

impl Lock {
    /// Where it lies.
    pub(crate) fn path(workspace_root: &Path) -> PathBuf {
        workspace_root.join("Cargo.lock")
    }

    /// Reads one.
    pub(crate) fn read(path: &Path) -> Result<Self, BuildError> {
        let bytes = read(path)?;
        let malformed = |reason: String| BuildError::Lock { path: path.to_owned(), reason };
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
        toml::from_str(text).map_err(|error| malformed(error.message().to_owned()))
    }
}
