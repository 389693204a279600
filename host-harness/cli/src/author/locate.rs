//! Owns: resolving the channel that a command names: a component, or a folder to build; default paths.
//! Does not own: what the command does with it.

use std::{
    env, fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use harness_build::{Built, Recipe, Reproducible, SourceTree};
use harness_cli::config::MOST_CORE_INSTANCES;
use harness_sandbox::{Channel, ComponentBounds, Sandbox, SandboxConfig, inspect};

use crate::{compiler::sandbox, progress::spinner};

/// The channel's folder. If none is named: this folder, or `plugin` here or in a folder above.
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

/// The bytes of a component. A folder is built first.
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

/// The path of the default channel's component, built if necessary.
pub(crate) fn component_path() -> Result<PathBuf> {
    Ok(build(&channel_dir(None)?)?.path)
}

/// Builds a channel and shows progress.
pub(crate) fn build(dir: &Path) -> Result<Built> {
    let shown = std::io::stderr().is_terminal();
    let progress = spinner(format!("building the channel in {}", dir.display()));
    let built = harness_build::build(dir, !shown);
    progress.finish_and_clear();
    accepted(built?)
}

/// Builds a channel so that the result can be made again, and shows progress.
pub(crate) fn reproducible(recipe: &Recipe<'_>) -> Result<Reproducible> {
    let shown = std::io::stderr().is_terminal();
    let progress = spinner(format!("building the channel in {} from nothing", recipe.dir.display()));
    let made = harness_build::reproducible(&Recipe { show: !shown, ..*recipe });
    progress.finish_and_clear();
    let made = made?;
    Ok(Reproducible { built: accepted(made.built)?, ..made })
}

/// Builds a channel again from a copy of its source tree in an empty folder, and shows progress.
pub(crate) fn rebuild(tree: &SourceTree, path: &str, at: &Path) -> Result<Reproducible> {
    let shown = std::io::stderr().is_terminal();
    let progress = spinner(format!("building again from {}", tree.root().display()));
    let made = harness_build::rebuild(tree, path, at, !shown);
    progress.finish_and_clear();
    Ok(made?)
}

/// Returns a built component if hosts would accept it.
pub(crate) fn accepted(built: Built) -> Result<Built> {
    // A component that every host rejects is not a successful build.
    inspect(&built.bytes, SandboxConfig::default().max_component_bytes)
        .and_then(|inspection| inspection.manifest())
        .with_context(|| format!("{}: hosts would refuse this component", built.path.display()))?;
    Ok(built)
}

/// Loads a component in a sandbox for this command. It may have more core modules than a host accepts by default;
/// `harness check` reports that.
pub(crate) fn load(bytes: &[u8], cache_dir: Option<PathBuf>) -> Result<Channel> {
    let bounds = ComponentBounds { core_instances: MOST_CORE_INSTANCES, ..ComponentBounds::default() };
    let sandbox = Sandbox::new(SandboxConfig { instances: 4, bounds, ..sandbox(cache_dir) })?;
    Ok(sandbox.load(bytes)?)
}

/// The user's cache of compiled components. Never beside a component: its author could have put native code there.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache"));
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home)?;
    Some(base.join("inbox-harness").join("artifacts"))
}
