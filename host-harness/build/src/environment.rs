//! Owns: which of the calling shell's variables the tools of a build see, so that none of the others changes a byte.
//! Does not own: which tools run (`toolchain`, `cargo`).

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::BuildError;

/// Where things lie, how the network is reached, and how many jobs run: nothing that changes what is built.
/// `RUSTFLAGS`, `RUSTC_WRAPPER`, `CARGO_PROFILE_*`, `CARGO_INCREMENTAL` and whatever comes next are not passed on.
const KEPT: [&str; 22] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_AUTO_INSTALL",
    "TMPDIR",
    "TERM",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CARGO_HTTP_CAINFO",
    "CARGO_NET_OFFLINE",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "CARGO_BUILD_JOBS",
];

/// What the tools are started with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    /// Instead of the user's own.
    cargo_home: Option<PathBuf>,
}

impl Environment {
    /// With this folder as cargo's home.
    pub(crate) fn with_cargo_home(folder: &Path) -> Self {
        Self { cargo_home: Some(folder.to_owned()) }
    }

    /// Cargo's home, whose configuration cargo reads.
    pub(crate) fn cargo_home(&self) -> Option<PathBuf> {
        let named = || env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        self.cargo_home.clone().or_else(named).or_else(|| env::home_dir().map(|home| home.join(".cargo")))
    }

    /// A tool that sees the kept variables and no others, and reads no input.
    pub(crate) fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(tool);
        command.env_clear().envs(kept()).stdin(Stdio::null());
        if let Some(home) = &self.cargo_home {
            command.env("CARGO_HOME", home);
        }
        command
    }
}

fn kept() -> impl Iterator<Item = (&'static str, OsString)> {
    KEPT.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

/// Runs a tool to its end.
pub(crate) fn run(tool: &'static str, command: &mut Command) -> Result<Output, BuildError> {
    command.output().map_err(|source: io::Error| BuildError::Tool { tool, source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_tool_sees_none_of_the_variables_that_could_change_what_is_built() {
        // Cargo sets a dozen for every test.
        assert!(env::var_os("CARGO_PKG_NAME").is_some());
        let output = Environment::with_cargo_home(Path::new("/home/of/cargo")).command("env").output().unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        let names: Vec<&str> = seen.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(names.contains(&"PATH") && names.iter().all(|name| KEPT.contains(name)), "{names:?}");
        assert!(seen.contains("CARGO_HOME=/home/of/cargo\n"), "{seen}");
    }
}
