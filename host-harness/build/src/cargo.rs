//! Owns: running cargo, rustc and rustup: flags, and parsing their output.
//! Does not own: encoding.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::{BuildError, TARGET};

/// The profile of a guest, which lives for one call: fast, small, without unwinding. A channel overrides it for its own
/// package, in `[profile.release.package.NAME]`.
const PROFILE: [&str; 5] = [
    "profile.release.opt-level=2",
    "profile.release.lto=\"fat\"",
    "profile.release.panic=\"abort\"",
    "profile.release.codegen-units=1",
    "profile.release.strip=true",
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

/// The flags of a guest, in the form of `CARGO_ENCODED_RUSTFLAGS`. They keep paths of the building machine out of the
/// guest, so that the same source gives the same bytes everywhere.
fn rustflags(workspace: &Path) -> OsString {
    let mut flags = OsString::from(RUSTFLAGS.join("\x1f"));
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let registry = cargo_home.map(|home| home.join("registry").join("src"));
    for (path, name) in [(registry.as_deref(), "registry"), (Some(workspace), "channel")] {
        if let Some(path) = path {
            flags.push("\x1f--remap-path-prefix=");
            flags.push(path);
            flags.push("=");
            flags.push(name);
        }
    }
    flags
}

fn run(tool: &'static str, command: &mut Command) -> Result<std::process::Output, BuildError> {
    command.stdin(Stdio::null()).output().map_err(|source| BuildError::Tool { tool, source })
}

/// Installs the target's standard library if it is missing.
pub(crate) fn ensure_target() -> Result<(), BuildError> {
    let libdir = run("rustc", Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&libdir.stdout).trim());
    if libdir.is_dir() {
        return Ok(());
    }
    let added = run("rustup", Command::new("rustup").args(["target", "add", TARGET]))?;
    if added.status.success() {
        Ok(())
    } else {
        Err(BuildError::Target { output: String::from_utf8_lossy(&added.stderr).trim().to_owned() })
    }
}

/// The output of `cargo metadata` for a folder's workspace.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// The target directory.
    pub(crate) target_directory: PathBuf,
    workspace_root: PathBuf,
}

/// Runs `cargo metadata` in the folder.
pub(crate) fn metadata(dir: &Path) -> Result<Metadata, BuildError> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(dir);
    let output = run("cargo", &mut command)?;
    if !output.status.success() {
        return Err(BuildError::Encode(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| BuildError::Encode(format!("`cargo metadata` answered something unexpected: {error}")))
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Compiles the channel and returns the path of its module.
pub(crate) fn compile(dir: &Path, workspace: &Metadata, target_dir: &Path, show: bool) -> Result<PathBuf, BuildError> {
    let mut command = Command::new("cargo");
    command.args(["build", "--lib", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    command.arg("--target-dir").arg(target_dir).current_dir(dir);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    // Flags of the calling build (coverage, sanitizers, native CPU) must not affect a guest.
    command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", rustflags(&workspace.workspace_root));
    command.stdin(Stdio::null()).stderr(if show { Stdio::inherit() } else { Stdio::piped() });
    let output = command.output().map_err(|source| BuildError::Tool { tool: "cargo", source })?;
    if !output.status.success() {
        if !show {
            eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        }
        return Err(BuildError::Compile { dir: dir.to_owned() });
    }
    let own = dir.join("Cargo.toml").canonicalize().ok();
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact" && message.manifest_path == own)
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .ok_or_else(|| BuildError::NoModule { dir: dir.to_owned() })
}
