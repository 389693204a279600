//! Owns: loading a channel as configured, and replacing it with the current content of its file.
//! Does not own: when that happens (`serve`, `watch`).

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use harness_cli::config::{ChannelConfig, ConfigFile};
use harness_engine::{ChannelOptions, Grant, Host, LoadedChannel};

use crate::progress;

/// Reads a channel's component and its options from the configuration.
fn read(file: &ConfigFile, id: &str, config: &ChannelConfig) -> Result<(PathBuf, Vec<u8>, ChannelOptions)> {
    let key = |rest: &str| format!("channels.{id}.{rest}");
    let path = file.resolve(&config.component);
    let component = fs::read(&path).map_err(|error| {
        file.value(
            &key("component"),
            format!("{}: {error}; `cargo harness build`, in a checkout, makes a component", path.display()),
        )
    })?;
    let secrets = file.secrets(&key("secrets"), &config.secrets)?;
    let grant = Grant { egress: config.grant.egress.clone(), media: config.grant.media.clone() };
    let previous_secrets = file.previous_secrets(&key("previous-secrets"), &config.previous_secrets)?;
    let settings = config.settings.clone();
    Ok((path, component, ChannelOptions { grant: Some(grant), settings, secrets, previous_secrets }))
}

/// Replaces a running channel with the current content of its file.
pub(crate) async fn replace(host: &Host, file: &ConfigFile, id: &str, config: &ChannelConfig) -> Result<LoadedChannel> {
    let (path, component, setup) = read(file, id, config)?;
    host.replace_channel(id, component, setup).await.with_context(|| path.display().to_string())
}

/// Loads a channel and connects the accounts in the configuration.
pub(crate) async fn load(host: &Host, file: &ConfigFile, id: &str, config: &ChannelConfig) -> Result<()> {
    let key = |rest: &str| format!("channels.{id}.{rest}");
    let (path, component, setup) = read(file, id, config)?;
    let progress = progress::spinner(format!("loading {id}"));
    let registered = host.load_channel(component, setup).await;
    progress.finish_and_clear();
    let registered = registered.with_context(|| path.display().to_string())?;
    if registered.channel.id() != id {
        let problem = format!("the component's id is `{}`: name the table [channels.{0}]", registered.channel.id());
        return Err(file.value(&key("component"), problem).into());
    }
    for (index, account) in config.accounts.iter().enumerate() {
        let table = key(&format!("accounts[{index}]"));
        let secrets = file.secrets(&format!("{table}.secrets"), &account.secrets)?;
        let name = account.name.as_deref().unwrap_or(&account.id);
        host.connect_account(id, &account.id, name, &account.settings, secrets)
            .await
            .map_err(|error| file.value(&table, error.to_string()))?;
    }
    Ok(())
}
