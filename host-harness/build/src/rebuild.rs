//! Owns: building a channel again from a source tree as somebody else would: from a copy, with a clean cargo home.
//! Does not own: comparing the result with a package (`harness verify --rebuild`).

use std::{fs, path::Path};

use crate::{BuildError, Recipe, Reproducible, SourceTree, home::clean_cargo_home, lock::Lock, reproducible};

/// Copies a source tree into the empty folder `at` and builds the channel in its folder `path` there. Of the user's cargo
/// home it sees downloaded packages alone, and those only where they are the ones that the lock file pins.
///
/// # Errors
///
/// [`BuildError`]; [`BuildError::Poisoned`] where a downloaded package was changed.
pub fn rebuild(tree: &SourceTree, path: &str, at: &Path, show: bool) -> Result<Reproducible, BuildError> {
    let made = |folder: &Path| {
        fs::create_dir_all(folder).map_err(|source| BuildError::Io { path: folder.to_owned(), source, hint: "" })
    };
    let (root, home) = (at.join("source"), at.join("cargo"));
    made(&root)?;
    made(&home)?;
    tree.copy_to(&root)?;
    let dir = root.join(path);
    // Which of them is the workspace's, cargo says only once it has a home.
    let folders = dir.ancestors().take_while(|folder| folder.starts_with(&root));
    let locks: Vec<_> = folders.map(Lock::path).filter(|lock| lock.is_file()).collect();
    clean_cargo_home(&home, &locks)?;
    reproducible(&Recipe { dir: &dir, root: Some(&root), cargo_home: Some(&home), show })
}
