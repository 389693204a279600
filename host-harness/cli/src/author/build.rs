//! Owns: `harness build`.
//! Does not own: the build (`harness-build`).

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use harness_build::Built;
use harness_contract::text::{shown, shown_json};

use crate::author::locate;

pub(crate) fn run(dir: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    print(&locate::build(&locate::channel_dir(dir)?)?, json);
    Ok(ExitCode::SUCCESS)
}

/// Prints the built component's path, id, version and size.
pub(crate) fn print(built: &Built, json: bool) {
    let channel = &built.manifest.channel;
    if json {
        let document = serde_json::json!({
            "path": built.path, "size": built.bytes.len(), "id": channel.id, "version": channel.version,
        });
        println!("{}", shown_json(&document.to_string()));
    } else {
        let (id, version, size) = (&channel.id, &channel.version, built.bytes.len());
        let (id, version) = (shown(id), shown(version));
        println!("{id} {version}: {} ({size} bytes)", built.path.display());
    }
}
