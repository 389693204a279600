//! Owns: running `cargo build` for a guest: profile, flags, and parsing its output.
//! Does not own: what stands in the environment (`environment`), encoding (`encode`).

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;

use crate::{
    BuildError, TARGET,
    environment::Environment,
    workspace::{Package, Workspace},
};

/// The profile of a guest, which lives for one call: fast, small, without unwinding. A channel overrides it for its own
/// package, in `[profile.release.package.NAME]`.
const PROFILE: [&str; 6] = [
    "profile.release.opt-level=2",
    "profile.release.lto=\"fat\"",
    "profile.release.panic=\"abort\"",
    "profile.release.codegen-units=1",
    "profile.release.strip=true",
    "profile.release.incremental=false",
];

/// Stack and data fit into one page of memory, because the first touch of a page costs more than the parsing. Addresses
/// are written without padding. Inlining is limited beyond the profile, also for functions marked `#[inline]`: a
/// quarter of the usual threshold makes a large batch 6 % slower and saves 64 kB.
const RUSTFLAGS: [&str; 4] = [
    "-Clink-arg=-zstack-size=16384",
    "-Clink-arg=--compress-relocations",
    "-Cllvm-args=-inline-threshold=25",
    "-Cllvm-args=-inlinehint-threshold=25",
];

/// What the folders of other people's packages are called in a guest, wherever they lie: in cargo's home, in a mirror's,
/// or in a folder of the workspace.
const CRATES: &str = "crates";
/// What the workspace's folder is called in a guest.
const OWN: &str = "channel";
/// What the folder of what build scripts write is called.
const MADE: &str = "target";

/// The flags that decide what the bytes are, as anybody would write them: no path of this machine.
pub(crate) fn stated_flags() -> Vec<String> {
    let cargo = ["--lib", "--release", "--locked"].map(str::to_owned);
    let profile = PROFILE.map(|setting| format!("--config={setting}"));
    cargo.into_iter().chain(profile).chain(RUSTFLAGS.map(str::to_owned)).collect()
}

/// Which folders are written under which name. Where two match, rustc takes the last.
///
/// A registry keeps its packages as `NAME-VERSION` in one folder, so one entry does for all of them and is the same for
/// every channel of a workspace; of vendored and checked out packages each has its own.
pub(crate) fn renamed(root: &Path, target_dir: &Path, packages: &[&Package]) -> Vec<(PathBuf, String)> {
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
    let own = [(root.to_owned(), OWN.to_owned()), (target_dir.to_owned(), MADE.to_owned())];
    let shelves = shelves.into_iter().map(|shelf| (shelf, CRATES.to_owned()));
    own.into_iter().chain(shelves).chain(single).collect()
}

/// The flags of a guest, in the form of `CARGO_ENCODED_RUSTFLAGS`. They keep paths of the building machine out of the
/// guest, so that the same source gives the same bytes everywhere.
fn rustflags(renamed: &[(PathBuf, String)]) -> OsString {
    let mut flags = OsString::from(RUSTFLAGS.join("\x1f"));
    for (path, name) in renamed {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(name);
    }
    flags
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// What a compilation made.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The module.
    pub(crate) module: PathBuf,
    /// The packages that took part, by id: whether code of them was compiled for the guest, and not only for what
    /// compiles it (build scripts, macros).
    pub(crate) packages: BTreeMap<String, bool>,
}

/// How to compile.
pub(crate) struct Job<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) dir: &'a Path,
    pub(crate) target_dir: &'a Path,
    /// Which folders are written under which name.
    pub(crate) renamed: &'a [(PathBuf, String)],
    /// Refuse a lock file that does not fit.
    pub(crate) locked: bool,
    /// Let the compiler write to standard error.
    pub(crate) show: bool,
}

/// Compiles a package of the workspace.
pub(crate) fn compile(job: &Job<'_>, workspace: &Workspace) -> Result<Compiled, BuildError> {
    let own = &workspace.package(job.dir)?.id;
    let mut command = job.environment.command("cargo");
    command.args(["build", "--lib", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    command.arg("--target-dir").arg(job.target_dir).current_dir(job.dir);
    if job.locked {
        command.arg("--locked");
    }
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(job.renamed));
    command.stderr(if job.show { Stdio::inherit() } else { Stdio::piped() });
    let output = command.output().map_err(|source| BuildError::Tool { tool: "cargo", source })?;
    if !output.status.success() {
        if !job.show {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        return Err(BuildError::Compile { dir: job.dir.to_owned() });
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let (mut module, mut packages) = (None, BTreeMap::new());
    let of_guest = job.target_dir.join(TARGET);
    for message in messages.filter(|message| message.reason == "compiler-artifact") {
        let in_guest = message.filenames.iter().any(|file| file.starts_with(&of_guest));
        if message.package_id == *own {
            let wasm = message.filenames.into_iter().find(|file| file.extension().is_some_and(|end| end == "wasm"));
            module = module.or(wasm);
        }
        *packages.entry(message.package_id).or_default() |= in_guest;
    }
    let module = module.ok_or_else(|| BuildError::NoModule { dir: job.dir.to_owned() })?;
    Ok(Compiled { module, packages })
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
            let own = package("own", None, "/work/channel");
            let renamed = renamed(Path::new("/work"), Path::new("/work/target/x"), &[&own, &dependency]);
            // As rustc does: the last that matches.
            let file = Path::new(folder).join("src/lib.rs");
            let (from, to) = renamed.into_iter().rev().find(|(from, _)| file.starts_with(from)).unwrap();
            Path::new(&to).join(file.strip_prefix(from).unwrap())
        };
        for folder in
            ["/home/a/.cargo/registry/src/index-0123/dep-1.0.0", "/work/vendor/dep", "/git/checkouts/x/abc/dep"]
        {
            assert_eq!(names(folder), Path::new("crates/dep-1.0.0/src/lib.rs"), "{folder}");
        }
    }
}
