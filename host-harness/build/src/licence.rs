//! Owns: the texts of a channel's own licence.
//! Does not own: licences as expressions (`sbom`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    BuildError, read,
    workspace::{Package, Workspace},
};

/// The most bytes of one text.
const MAX_BYTES: u64 = 256 << 10;

/// The text of the file that Cargo.toml names, otherwise those named `LICENSE…`, `LICENCE…` or `COPYING…` in the package's
/// folder, otherwise in the workspace's, in the order of their names. None where there is no such file.
pub(crate) fn text(workspace: &Workspace, package: &Package) -> Result<Option<Vec<u8>>, BuildError> {
    let files = match &package.license_file {
        Some(named) => vec![package.folder().join(named)],
        None => {
            let own = named_so(package.folder());
            if own.is_empty() { named_so(&workspace.workspace_root) } else { own }
        }
    };
    let mut texts = Vec::new();
    for file in files {
        if fs::metadata(&file).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
            return Err(BuildError::LicenceTooLarge { path: file, max: MAX_BYTES });
        }
        texts.push(read(&file)?);
    }
    Ok((!texts.is_empty()).then(|| texts.join(&b"\n\n"[..])))
}

fn named_so(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase()).unwrap_or_default();
            path.is_file() && ["LICENSE", "LICENCE", "COPYING"].iter().any(|word| name.starts_with(word))
        })
        .collect();
    found.sort();
    found
}
