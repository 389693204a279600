//! Owns: a build whose result anybody can make again from the source tree, and what has to be known for that.
//! Does not own: the statement that says so, and the package (`harness package`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{
    BuildError, Built, NO_CHANNEL, SourceTree, Toolchain,
    cargo::{self, Job},
    environment::Environment,
    finish, licence,
    lock::Lock,
    outside, read, read_manifest, sbom, toolchain,
    workspace::Workspace,
    write,
};

/// What is built, and where.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The channel's folder.
    pub dir: &'a Path,
    /// The source tree's root. None: the git work tree that tracks the channel, otherwise its workspace.
    pub root: Option<&'a Path>,
    /// Cargo's home. None: the user's.
    pub cargo_home: Option<&'a Path>,
    /// Let the compiler write to standard error.
    pub show: bool,
}

/// A component with all that another person needs to build it again.
#[derive(Clone, Debug)]
pub struct Reproducible {
    /// The component.
    pub built: Built,
    /// The target folder of the channel's workspace.
    pub target_dir: PathBuf,
    /// The source tree.
    pub tree: SourceTree,
    /// The channel's folder in the tree, with `/` between its parts; empty for its root.
    pub path: String,
    /// SHA-256 of Cargo.lock.
    pub lock_file: [u8; 32],
    /// The compilers.
    pub toolchain: Toolchain,
    /// The flags.
    pub flags: Vec<String>,
    /// What it was made of, as CycloneDX 1.6 in JSON.
    pub sbom: Vec<u8>,
    /// The text of the channel's licence, and of those that what it holds code of asks to be passed on. None where neither
    /// package nor workspace has such a file.
    pub licence: Option<Vec<u8>>,
}

/// Builds a channel from nothing, in a target folder that is emptied first.
///
/// # Errors
///
/// [`BuildError`]; among others where anything is used that neither belongs to the source tree nor is pinned by its lock
/// file.
pub fn reproducible(recipe: &Recipe<'_>) -> Result<Reproducible, BuildError> {
    let dir = recipe.dir.canonicalize().map_err(|source| BuildError::Io {
        path: recipe.dir.to_owned(),
        source,
        hint: NO_CHANNEL,
    })?;
    let manifest = read_manifest(&dir.join("channel.toml"), NO_CHANNEL)?;
    let environment = recipe.cargo_home.map(Environment::with_cargo_home).unwrap_or_default();
    let libdir = toolchain::ensure_target(&environment, &dir)?;
    let workspace = Workspace::of(&environment, &dir, true)?;
    let own = workspace.package(&dir)?;
    let tree = match recipe.root {
        Some(root) => SourceTree::of(root)?,
        None => SourceTree::around(&dir, &workspace.workspace_root)?,
    };
    let packages = workspace.below(own);
    outside::check(&environment, &dir, &tree, &workspace, &packages)?;
    let path =
        tree.inside(&dir).ok_or_else(|| BuildError::OutsideTree { file: dir.clone(), root: tree.root().to_owned() })?;

    let target_dir = workspace.target_directory.join("packages").join("build").join(&manifest.0.channel.id);
    if target_dir.exists() {
        let emptied = fs::remove_dir_all(&target_dir);
        emptied.map_err(|source| BuildError::Io { path: target_dir.clone(), source, hint: "" })?;
    }
    let renamed = cargo::renamed(&workspace.workspace_root, &target_dir, &packages)
        .into_iter()
        .chain(toolchain::installed_source(&environment, &dir, &libdir)?)
        .collect::<Vec<_>>();
    let job = Job {
        environment: &environment,
        dir: &dir,
        target_dir: &target_dir,
        renamed: &renamed,
        locked: true,
        show: recipe.show,
    };
    let compiled = cargo::compile(&job, &workspace)?;
    for file in outside::used(&compiled.module)?.iter().filter(|file| !file.starts_with(&target_dir)) {
        outside::belongs(&tree, file)?;
    }
    let bytes = finish(&read(&compiled.module)?, &manifest, own)?;
    let built = Built { path: target_dir.join(format!("{}.wasm", manifest.0.channel.id)), bytes, manifest: manifest.0 };
    write(&built.path, &built.bytes)?;
    Ok(Reproducible {
        sbom: sbom::list(&workspace, own, &built, &compiled.packages)?,
        licence: licence::texts(&workspace, own, &compiled.packages)?,
        lock_file: Sha256::digest(read(&Lock::path(&workspace.workspace_root))?).into(),
        toolchain: Toolchain::of(&environment, &dir)?,
        flags: cargo::stated_flags(),
        target_dir: workspace.target_directory.clone(),
        built,
        tree,
        path,
    })
}
