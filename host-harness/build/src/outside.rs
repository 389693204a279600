//! Owns: whether everything that a build takes lies in the source tree, or is pinned by a checksum in its lock file.
//! Does not own: which files belong to the tree (`source`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    BuildError, SourceTree,
    environment::Environment,
    lock::Lock,
    read,
    workspace::{Package, Workspace},
};

/// The tables of cargo's configuration that decide how packages are fetched and what is shown, and not what is built.
const HARMLESS: [&str; 14] = [
    "alias",
    "cache",
    "cargo-new",
    "credential-alias",
    "future-incompat-report",
    "http",
    "install",
    "net",
    "registries",
    "registry",
    "resolver",
    "source",
    "term",
    "doc",
];

/// Refuses what would make the tree's digest say less than it seems to: a lock file or packages that are not part of it,
/// and cargo's configuration above it or in cargo's home, where that decides what is built.
pub(crate) fn check(
    environment: &Environment,
    dir: &Path,
    tree: &SourceTree,
    workspace: &Workspace,
    packages: &[&Package],
) -> Result<(), BuildError> {
    belongs(tree, &Lock::path(&workspace.workspace_root))?;
    for package in packages.iter().filter(|package| package.source.is_none()) {
        // The position in the workspace is part of the symbols' names; outside of it, the whole path is.
        if !package.folder().starts_with(&workspace.workspace_root) {
            let (name, folder) = (package.name.clone(), package.folder().to_owned());
            return Err(BuildError::Elsewhere { name, folder, workspace: workspace.workspace_root.clone() });
        }
        belongs(tree, &package.manifest_path)?;
    }
    configuration(environment, dir, tree)
}

/// Refuses a file that is used and not part of the tree.
pub(crate) fn belongs(tree: &SourceTree, file: &Path) -> Result<(), BuildError> {
    if tree.has(file) {
        return Ok(());
    }
    Err(BuildError::OutsideTree { file: file.to_owned(), root: tree.root().to_owned() })
}

fn configuration(environment: &Environment, dir: &Path, tree: &SourceTree) -> Result<(), BuildError> {
    let above = dir.ancestors().map(|folder| folder.join(".cargo"));
    for file in above.chain(environment.cargo_home()).flat_map(|folder| files(&folder)).filter(|file| !tree.has(file)) {
        // What cargo cannot read, it refuses by itself.
        let table: toml::Table = toml::from_str(&String::from_utf8_lossy(&read(&file)?)).unwrap_or_default();
        if let Some(key) = table.keys().find(|key| !HARMLESS.contains(&key.as_str())) {
            return Err(BuildError::Configuration { file, table: key.clone(), root: tree.root().to_owned() });
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    ["config.toml", "config"].map(|name| folder.join(name)).into_iter().filter(|file| file.is_file()).collect()
}

/// The files that a module was made of, without those of packages from a registry, as cargo notes them beside it.
pub(crate) fn used(module: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let path = module.with_extension("d");
    let text = fs::read_to_string(&path).map_err(|source| BuildError::Io { path, source, hint: "" })?;
    let (_, files) = text.trim_end().split_once(": ").unwrap_or_default();
    Ok(split(files))
}

/// A list as make has it: blanks between the names, and those inside of a name behind a backslash.
fn split(files: &str) -> Vec<PathBuf> {
    let (mut found, mut name, mut characters) = (Vec::new(), String::new(), files.chars().peekable());
    while let Some(c) = characters.next() {
        match c {
            '\\' if characters.peek() == Some(&' ') => name.extend(characters.next()),
            ' ' => found.extend((!name.is_empty()).then(|| PathBuf::from(std::mem::take(&mut name)))),
            c => name.push(c),
        }
    }
    found.extend((!name.is_empty()).then(|| PathBuf::from(name)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_are_one_file() {
        let files = split(r"/a/lib.rs /b\ c/d.rs  /e");
        assert_eq!(files, ["/a/lib.rs", "/b c/d.rs", "/e"].map(PathBuf::from));
        assert!(split("").is_empty());
    }
}
