//! Owns: `harness backup`, `restore` and `check-inbox`: choosing the host's files, and printing the results.
//! Does not own: the work (the engine).

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::Args;
use harness_cli::{NAME, config::ConfigFile};
use harness_contract::text::shown;
use harness_engine::{
    Clock, VaultKey,
    backup::{self, BackupKey, BackupManifest, Place},
};

use crate::progress;

/// The host whose files are used.
#[derive(Args)]
pub(crate) struct OfHost {
    /// The host's configuration
    #[arg(long, value_name = "FILE", default_value = "harness.toml")]
    config: PathBuf,
}

impl OfHost {
    fn place(&self) -> Result<Place> {
        let file = ConfigFile::read(&self.config)?;
        Ok(Place::in_folder(&file.resolve(&file.config.data_dir), file.vault_key())?)
    }
}

pub(crate) async fn make(of: &OfHost, dest: &Path, with_key: bool) -> Result<ExitCode> {
    let place = of.place()?;
    let progress = progress::spinner("copying".into());
    let made = backup::make(&place, dest, with_key, Clock::default().now()).await;
    progress.finish_and_clear();
    let made = made?;
    println!("backed up into {}: {}", dest.display(), contents(&made));
    if made.ambiguous_steps > 0 {
        println!(
            "steps of replies that waited or were under way, and will be ambiguous after a restore: {}",
            made.ambiguous_steps
        );
    }
    if !made.missing.is_empty() {
        println!("files of messages that the media store did not have any more: {}", made.missing.len());
    }
    match made.key {
        BackupKey::Included => println!("the key of the credentials is in it: keep it as you would keep the tokens"),
        BackupKey::Apart => println!(
            "the key of the credentials is not in it: keep {} apart, without it every account must be connected again",
            key_in_words(&place.key)
        ),
    }
    println!("the configuration and the secrets that it names are not part of a backup");
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(of: &OfHost, src: &Path) -> Result<ExitCode> {
    let place = of.place()?;
    let progress = progress::spinner("checking and copying".into());
    let restored = backup::restore(&place, src).await;
    progress.finish_and_clear();
    let restored = restored?;
    println!("restored what was backed up at {}: {}", shown(&restored.made_at), contents(&restored));
    if restored.ambiguous_steps > 0 {
        println!(
            "steps of replies that had no end then are ambiguous now, and are not sent by themselves: {}",
            restored.ambiguous_steps
        );
    }
    if let (BackupKey::Apart, VaultKey::File(path)) = (restored.key, &place.key)
        && !path.exists()
    {
        println!(
            "before you start the host, put the key of the credentials at {}; without it every account must be connected again",
            path.display()
        );
    }
    println!("what was taken back or erased after that moment is there again");
    Ok(ExitCode::SUCCESS)
}

/// Prints every problem, one per line.
pub(crate) async fn check(of: &OfHost) -> Result<ExitCode> {
    let place = of.place()?;
    let progress = progress::spinner("reading all of it".into());
    let checked = backup::check(&place).await;
    progress.finish_and_clear();
    let findings = checked?;
    for finding in &findings {
        println!("{}", shown(finding));
    }
    if findings.is_empty() {
        println!("{}: nothing is wrong", place.inbox.display());
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}: put a backup in its place with `{NAME} restore`", place.inbox.display());
    Ok(ExitCode::FAILURE)
}

fn contents(manifest: &BackupManifest) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let files = manifest.files.len();
    format!("{files} files, {bytes} bytes, schema {}", manifest.schema)
}

fn key_in_words(key: &VaultKey) -> String {
    match key {
        VaultKey::File(path) => path.display().to_string(),
        VaultKey::Env(name) => format!("what stands in {name}"),
        VaultKey::Command(_) => "what the command prints".to_owned(),
    }
}
