//! Owns: `harness embed`.
//! Does not own: the component's format (`harness-build`).

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;

use crate::author::{build, locate};

pub(crate) fn run(component: &Path, manifest: &Path, out: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let out = out.unwrap_or_else(|| component.to_owned());
    let built = locate::accepted(harness_build::embed(component, manifest, &out)?)?;
    build::print(&built, json);
    Ok(ExitCode::SUCCESS)
}
