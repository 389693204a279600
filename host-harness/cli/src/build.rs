//! `harness build`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;

use crate::locate;

pub(crate) fn run(dir: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let built = locate::build(&locate::channel_dir(dir)?)?;
    let channel = &built.manifest.channel;
    if json {
        println!(
            "{}",
            serde_json::json!({
                "path": built.path, "size": built.bytes.len(), "id": channel.id, "version": channel.version,
            })
        );
    } else {
        let (id, version, size) = (&channel.id, &channel.version, built.bytes.len());
        println!("{id} {version}: {} ({size} bytes)", built.path.display());
    }
    Ok(ExitCode::SUCCESS)
}
