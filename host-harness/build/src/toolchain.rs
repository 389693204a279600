//! Owns: rustc and rustup: the target's standard library, and which compiler it is.
//! Does not own: compiling (`cargo`).

use std::path::{Path, PathBuf};

use crate::{
    BuildError, TARGET,
    environment::{Environment, run},
};

/// The compilers of a build.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Toolchain {
    /// What `rustc -vV` says, in full.
    pub rustc: String,
    /// What `cargo -V` says.
    pub cargo: String,
}

impl Toolchain {
    /// Asks the tools that are found in this folder.
    pub(crate) fn of(environment: &Environment, dir: &Path) -> Result<Self, BuildError> {
        let say = |tool, flag| {
            let output = run(tool, environment.command(tool).arg(flag).current_dir(dir))?;
            Ok::<_, BuildError>(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Ok(Self { rustc: say("rustc", "-vV")?, cargo: say("cargo", "-V")? })
    }

    /// The name under which rustc speaks of its own library's source.
    fn library(&self) -> Option<String> {
        let hash = self.rustc.lines().find_map(|line| line.strip_prefix("commit-hash: "))?;
        Some(format!("/rustc/{hash}"))
    }
}

/// Installs the target's standard library if it is missing. Returns its folder.
pub(crate) fn ensure_target(environment: &Environment, dir: &Path) -> Result<PathBuf, BuildError> {
    let mut ask = environment.command("rustc");
    ask.args(["--print", "target-libdir", "--target", TARGET]).current_dir(dir);
    let libdir = run("rustc", &mut ask)?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&libdir.stdout).trim());
    if libdir.is_dir() {
        return Ok(libdir);
    }
    let added = run("rustup", environment.command("rustup").args(["target", "add", TARGET]).current_dir(dir))?;
    if added.status.success() {
        Ok(libdir)
    } else {
        Err(BuildError::Target { output: String::from_utf8_lossy(&added.stderr).trim().to_owned() })
    }
}

/// With the component `rust-src`, rustc writes the path of the installed source in place of its virtual one: the folder,
/// and the name that it has without.
pub(crate) fn installed_source(
    environment: &Environment,
    dir: &Path,
    libdir: &Path,
) -> Result<Option<(PathBuf, String)>, BuildError> {
    let Some(source) = libdir.ancestors().nth(2).map(|rustlib| rustlib.join("src").join("rust")) else {
        return Ok(None);
    };
    if !source.is_dir() {
        return Ok(None);
    }
    let library = Toolchain::of(environment, dir)?.library();
    Ok(library.map(|name| (source, name)))
}
