//! Owns: what `cargo metadata` says about a channel's workspace and the packages that it stands on.
//! Does not own: compiling them (`cargo`), which of them the component is made of (`cargo`, `sbom`).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    BuildError, TARGET,
    environment::{Environment, run},
};

/// The output of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// The target directory.
    pub(crate) target_directory: PathBuf,
    /// The folder of Cargo.lock.
    pub(crate) workspace_root: PathBuf,
    /// All packages of the workspace and everything below them.
    pub(crate) packages: Vec<Package>,
    resolve: Option<Resolve>,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// As cargo names it in all its outputs.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// None: a folder.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) license: Option<String>,
    pub(crate) license_file: Option<PathBuf>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: BTreeSet<String>,
}

impl Package {
    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// `NAME-VERSION`.
    pub(crate) fn versioned(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl Workspace {
    /// Runs `cargo metadata` in the folder. `locked` refuses a lock file that is missing or would be changed.
    pub(crate) fn of(environment: &Environment, dir: &Path, locked: bool) -> Result<Self, BuildError> {
        let mut command = environment.command("cargo");
        command.args(["metadata", "--format-version", "1", "--filter-platform", TARGET]).current_dir(dir);
        if locked {
            command.arg("--locked");
        }
        let output = run("cargo", &mut command)?;
        if !output.status.success() {
            return Err(BuildError::Workspace {
                dir: dir.to_owned(),
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| BuildError::Workspace {
            dir: dir.to_owned(),
            output: format!("`cargo metadata` answered something unexpected: {error}"),
        })
    }

    /// The package of a channel's folder.
    pub(crate) fn package(&self, dir: &Path) -> Result<&Package, BuildError> {
        let own = dir.join("Cargo.toml").canonicalize().ok();
        let found = self.packages.iter().find(|package| package.manifest_path.canonicalize().ok() == own);
        found.filter(|_| own.is_some()).ok_or_else(|| BuildError::NoModule { dir: dir.to_owned() })
    }

    /// Everything below a package, itself included.
    pub(crate) fn below(&self, package: &Package) -> Vec<&Package> {
        let edges = self.edges();
        let (mut found, mut open) = (BTreeSet::new(), vec![package.id.as_str()]);
        while let Some(id) = open.pop() {
            if found.insert(id) {
                open.extend(edges.get(id).into_iter().flat_map(|ids| ids.iter().map(String::as_str)));
            }
        }
        self.packages.iter().filter(|package| found.contains(package.id.as_str())).collect()
    }

    /// Which package stands on which, by id.
    pub(crate) fn edges(&self) -> BTreeMap<&str, &BTreeSet<String>> {
        let nodes = self.resolve.iter().flat_map(|resolve| &resolve.nodes);
        nodes.map(|node| (node.id.as_str(), &node.dependencies)).collect()
    }
}
