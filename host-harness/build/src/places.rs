//! Owns: under which names a guest speaks of the folders that its parts lay in when it was compiled.
//! Does not own: the other flags (`cargo`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    environment::Environment,
    lock::Lock,
    outside,
    workspace::{Package, Workspace},
};

/// What the folders of other people's packages are called, wherever they lie: in cargo's home, in a mirror's, or in a
/// folder of the workspace.
const CRATES: &str = "crates";
/// What the workspace's folder is called.
const OWN: &str = "channel";
/// What the folder of what build scripts write is called.
const MADE: &str = "target";

/// Which folders are written under which name.
///
/// A registry keeps its packages as `NAME-VERSION` on one shelf, so one entry does for all of them and is the same for
/// every channel of a workspace; of vendored and checked out packages each has its own.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Places {
    root: PathBuf,
    shelves: BTreeSet<PathBuf>,
    single: BTreeMap<PathBuf, String>,
}

impl Places {
    /// The places of these packages.
    pub(crate) fn of(root: &Path, packages: &[&Package]) -> Self {
        let (mut shelves, mut single) = (BTreeSet::new(), BTreeMap::new());
        for package in packages {
            let folder = package.folder();
            if package.source.is_none() && folder.starts_with(root) {
                continue;
            }
            match folder.parent() {
                Some(shelf) if folder.file_name() == Some(package.versioned().as_ref()) => {
                    shelves.insert(shelf.to_owned());
                }
                _ => {
                    single.insert(folder.to_owned(), format!("{CRATES}/{}", package.versioned()));
                }
            }
        }
        Self { root: root.to_owned(), shelves, single }
    }

    /// The places without asking cargo for all packages, which takes longer than to find out that nothing changed: where
    /// all but the workspace's members come from registries, and no configuration says that they lie elsewhere. None
    /// otherwise. `members` is the workspace with its members alone.
    pub(crate) fn at_a_glance(environment: &Environment, dir: &Path, members: &Workspace) -> Option<Self> {
        let moves = |file: &PathBuf| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let table: toml::Table = toml::from_str(&text).unwrap_or_default();
            ["source", "paths", "patch", "include"].iter().any(|key| table.contains_key(*key))
        };
        if outside::configurations(environment, dir).iter().any(moves) {
            return None;
        }
        let own: BTreeSet<_> = members.packages.iter().map(|package| (&*package.name, &*package.version)).collect();
        let lock = Lock::read(&Lock::path(&members.workspace_root)).ok()?;
        let usual = lock.package.iter().all(|package| match package.source.as_deref() {
            Some(source) => source.starts_with("registry+") || source.starts_with("sparse+"),
            None => own.contains(&(&*package.name, &*package.version)),
        });
        let sources = environment.cargo_home()?.join("registry").join("src");
        let shelves: BTreeSet<_> = fs::read_dir(sources).ok()?.flatten().map(|entry| entry.path()).collect();
        let inside = members.packages.iter().all(|package| package.folder().starts_with(&members.workspace_root));
        (usual && inside && !shelves.is_empty()).then(|| Self {
            root: members.workspace_root.clone(),
            shelves,
            single: BTreeMap::new(),
        })
    }

    /// The names, with that of the target folder. Where two folders hold a file, rustc takes the last.
    pub(crate) fn named(self, target_dir: &Path) -> Vec<(PathBuf, String)> {
        let own = [(self.root, OWN.to_owned()), (target_dir.to_owned(), MADE.to_owned())];
        let shelves = self.shelves.into_iter().map(|shelf| (shelf, CRATES.to_owned()));
        own.into_iter().chain(shelves).chain(self.single).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn package(name: &str, source: Option<&str>, folder: &str) -> Package {
        let json = serde_json::json!({
            "id": name, "name": name, "version": "1.0.0", "source": source,
            "manifest_path": format!("{folder}/Cargo.toml"), "license": null, "license_file": null, "description": null,
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_package_has_one_name_in_a_guest_wherever_it_lies() {
        let names = |folder: &str| {
            let dependency = package("dep", Some("registry+https://example.com"), folder);
            let own = package("own", None, "/srv/tree/channel");
            let named = Places::of(Path::new("/srv/tree"), &[&own, &dependency]).named(Path::new("/srv/tree/target/x"));
            // As rustc does: the last that matches.
            let file = Path::new(folder).join("src/lib.rs");
            let (from, to) = named.into_iter().rev().find(|(from, _)| file.starts_with(from)).unwrap();
            Path::new(&to).join(file.strip_prefix(from).unwrap())
        };
        for folder in
            ["/home/a/.cargo/registry/src/index-0123/dep-1.0.0", "/srv/tree/vendor/dep", "/git/checkouts/x/abc/dep"]
        {
            assert_eq!(names(folder), Path::new("crates/dep-1.0.0/src/lib.rs"), "{folder}");
        }
    }

    #[test]
    fn what_is_seen_at_a_glance_is_what_cargo_says_and_nothing_is_seen_where_packages_may_lie_elsewhere() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let environment = Environment::default();
        let members = Workspace::members(&environment, dir).unwrap();
        let seen = Places::at_a_glance(&environment, dir, &members).unwrap();
        let whole = Workspace::of(&environment, dir, true).unwrap();
        let said = Places::of(&whole.workspace_root, &whole.below(whole.package(dir).unwrap()));
        assert!(seen.root == said.root && seen.shelves.is_superset(&said.shelves), "{seen:?} {said:?}");
        assert!(said.single.is_empty() && seen.single.is_empty());

        let home = tempfile::tempdir().unwrap();
        let moved = Environment::with_cargo_home(home.path());
        fs::create_dir_all(home.path().join("registry/src/index")).unwrap();
        assert!(Places::at_a_glance(&moved, dir, &members).is_some());
        fs::write(home.path().join("config.toml"), "[source.crates-io]\nreplace-with = 'mirror'\n").unwrap();
        assert!(Places::at_a_glance(&moved, dir, &members).is_none(), "a mirror may keep them elsewhere");
        let mut alone = members;
        alone.packages.clear();
        assert!(Places::at_a_glance(&environment, dir, &alone).is_none(), "a folder that is no member lies somewhere");
    }
}
