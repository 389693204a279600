//! Owns: the channel that a command means: a component, or a folder that is built first; default paths.
//! Does not own: what the command does with it.

use std::{
    env, fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use harness_build::Built;
use harness_cli::config::MOST_CORE_INSTANCES;
use harness_sandbox::{Channel, ComponentBounds, Sandbox, SandboxConfig, inspect};

use crate::{compiler::sandbox, progress::spinner};

/// The folder of the channel when none is named: `plugin` here or in a folder above.
pub(crate) fn channel_dir(named: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(dir) = named {
        return Ok(dir);
    }
    let here = env::current_dir()?;
    if here.join("channel.toml").is_file() {
        return Ok(here);
    }
    here.ancestors()
        .map(|folder| folder.join("plugin"))
        .find(|plugin| plugin.join("channel.toml").is_file())
        .context("no channel here: name a folder that holds Cargo.toml and channel.toml")
}

/// The bytes of a component; a folder is built first.
pub(crate) fn component(path: Option<PathBuf>) -> Result<(PathBuf, Vec<u8>)> {
    let path = match path {
        Some(path) if path.is_file() => path,
        Some(path) if !path.exists() => bail!("{}: there is no such file or folder", path.display()),
        other => {
            let built = build(&channel_dir(other)?)?;
            return Ok((built.path, built.bytes));
        }
    };
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    Ok((path, bytes))
}

/// Where the default channel's component is, built first if need be.
pub(crate) fn component_path() -> Result<PathBuf> {
    Ok(build(&channel_dir(None)?)?.path)
}

/// Builds a channel and shows that something happens.
pub(crate) fn build(dir: &Path) -> Result<Built> {
    let shown = std::io::stderr().is_terminal();
    let progress = spinner(format!("building the channel in {}", dir.display()));
    let built = harness_build::build(dir, !shown);
    progress.finish_and_clear();
    accepted(built?)
}

/// What was built, if hosts would take it.
pub(crate) fn accepted(built: Built) -> Result<Built> {
    // What every host refuses is no success of a build.
    inspect(&built.bytes, SandboxConfig::default().max_component_bytes)
        .and_then(|inspection| inspection.manifest())
        .with_context(|| format!("{}: hosts would refuse this component", built.path.display()))?;
    Ok(built)
}

/// Loads a component in a sandbox of this command's own. It may be made of more modules than a host usually takes;
/// `harness check` says so.
pub(crate) fn load(bytes: &[u8], cache_dir: Option<PathBuf>) -> Result<Channel> {
    let bounds = ComponentBounds { core_instances: MOST_CORE_INSTANCES, ..ComponentBounds::default() };
    let sandbox = Sandbox::new(SandboxConfig { instances: 4, bounds, ..sandbox(cache_dir) })?;
    Ok(sandbox.load(bytes)?)
}

/// Where this user's commands keep compiled components. Never beside a component: whoever made the
/// component could have put native code there.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home)?;
    Some(base.join("inbox-harness").join("artifacts"))
}
