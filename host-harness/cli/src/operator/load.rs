//! Owns: loading a channel as configured or installed, and replacing it with what its file or the lock file names now.
//! Does not own: when that happens (`serve`, `watch`), whether what is installed can be trusted (`installed`).

use std::{collections::BTreeSet, fs, sync::Arc};

use anyhow::{Context as _, Result};
use harness_cli::config::{ChannelConfig, ConfigFile};
use harness_engine::{ChannelOptions, Grant, Host, Loadable, LoadedChannel, Provenance};

use harness_package::installed::Installed;

use super::installed::{Checked, verified};
use crate::progress;

/// A component with where it came from, for errors.
struct Component {
    place: String,
    loadable: Loadable,
    options: ChannelOptions,
}

/// An installed channel that is not run: it is not what was installed, or not trusted any more. Others run without it.
#[derive(Debug, thiserror::Error)]
#[error("the installed channel {0} is not run")]
pub(crate) struct Refused(String);

/// The channels that are to run: those of the configuration, and those that are installed.
pub(crate) fn ids(file: &ConfigFile, installed: &Installed) -> Result<BTreeSet<String>> {
    let mut ids: BTreeSet<String> = file.config.channels.keys().cloned().collect();
    let state = installed.state()?;
    ids.extend(state.installed().map(|(id, _)| id.to_owned()));
    Ok(ids)
}

/// What is configured for a channel; nothing for one that is only installed.
fn config_of(file: &ConfigFile, id: &str) -> ChannelConfig {
    file.config.channels.get(id).cloned().unwrap_or_default()
}

/// Reads a channel's component and its options.
fn read(file: &ConfigFile, installed: &Installed, id: &str, config: &ChannelConfig) -> Result<Component> {
    let key = |rest: &str| format!("channels.{id}.{rest}");
    let listed = config.grant.as_ref().map(|grant| Grant { egress: grant.egress.clone(), media: grant.media.clone() });
    let (place, loadable, grant, provenance) = match &config.component {
        Some(component) => {
            let path = file.resolve(component);
            if !file.config.development.unsigned_channels {
                let problem = format!(
                    "{} is a file that nobody signed, so whoever can write it decides what runs here: take this line out and \
                     install a signed package (`harness install`), or set `unsigned-channels = true` under [development]",
                    path.display()
                );
                return Err(file.value(&key("component"), problem).into());
            }
            let bytes = fs::read(&path).map_err(|error| {
                let hint = "`cargo harness build`, in a checkout, makes a component";
                file.value(&key("component"), format!("{}: {error}; {hint}", path.display()))
            })?;
            (path.display().to_string(), bytes.into(), listed.unwrap_or_default(), Provenance::Unsigned)
        }
        None => {
            let checked = verified(file, installed, &installed.state()?, id);
            let Checked { component, grant, provenance } = checked.with_context(|| Refused(id.to_owned()))?;
            (format!("the installed {id}"), component.into(), narrowed(grant, listed), provenance)
        }
    };
    let secrets = file.secrets(&key("secrets"), &config.secrets)?;
    let previous_secrets = file.previous_secrets(&key("previous-secrets"), &config.previous_secrets)?;
    let settings = config.settings.clone();
    let options = ChannelOptions { grant: Some(grant), settings, secrets, previous_secrets, provenance };
    Ok(Component { place, loadable, options })
}

/// What was agreed to, without what the configuration does not list, where it lists something.
fn narrowed(agreed: Grant, listed: Option<Grant>) -> Grant {
    let Some(listed) = listed else { return agreed };
    let both =
        |agreed: Vec<String>, listed: &[String]| agreed.into_iter().filter(|host| listed.contains(host)).collect();
    Grant { egress: both(agreed.egress, &listed.egress), media: both(agreed.media, &listed.media) }
}

/// Replaces a running channel with the current content of its file, or with what is installed now.
pub(crate) async fn replace(
    host: &Host,
    file: &ConfigFile,
    installed: &Installed,
    id: &str,
) -> Result<Arc<LoadedChannel>> {
    let Component { place, loadable, options } = read(file, installed, id, &config_of(file, id))?;
    host.replace_channel(id, loadable, options).await.context(place)
}

/// Loads a channel and connects the accounts in the configuration.
pub(crate) async fn load(host: &Host, file: &ConfigFile, installed: &Installed, id: &str) -> Result<()> {
    let key = |rest: &str| format!("channels.{id}.{rest}");
    let config = config_of(file, id);
    let Component { place, loadable, options } = read(file, installed, id, &config)?;
    let progress = progress::spinner(format!("loading {id}"));
    let registered = host.load_channel(loadable, options).await;
    progress.finish_and_clear();
    let registered = registered.context(place)?;
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
