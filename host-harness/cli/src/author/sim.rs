//! Owns: `harness sim`: the simulator alone, and a configuration for a host that talks to it.
//! Does not own: the simulator, and what a host is told about its platform.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use harness_inbox::private_options;
use harness_server::new_token;
use simulator::{CHANNEL, Config, PLATFORM, Simulator};
use url::Url;

use crate::operator::serve::stopped;

/// The webhook address of a host on this machine that was started as in the README.
pub(crate) fn usual_webhook() -> String {
    format!("http://127.0.0.1:8080/webhooks/{CHANNEL}")
}

/// A configuration to be written.
pub(crate) struct HostConfig {
    pub(crate) file: PathBuf,
    /// The component that it names; `None` builds the channel of this checkout.
    pub(crate) component: Option<PathBuf>,
}

pub(crate) async fn run(port: u16, webhook: String, host_config: Option<HostConfig>, json: bool) -> Result<ExitCode> {
    let host = Url::parse(&webhook).with_context(|| format!("--webhook {webhook}"))?;
    let component = host_config.as_ref().map(|wanted| component(wanted.component.as_deref())).transpose()?;
    let sim = Simulator::start(Config { port, webhook_url: Some(webhook.clone()), ..Config::demo() }).await?;
    sim.set_callbacks(&host.origin().ascii_serialization());
    let host_config = host_config.map(|wanted| wanted.file);
    if let (Some(file), Some(component)) = (&host_config, &component) {
        write_config(file, component, &sim, &host).with_context(|| file.display().to_string())?;
    }
    let base = sim.base_url();
    let world = sim.world();
    if json {
        let world: serde_json::Map<String, serde_json::Value> =
            world.into_iter().map(|entry| (entry.key.to_owned(), entry.value.into())).collect();
        let addresses: serde_json::Map<String, serde_json::Value> =
            sim.graph_addresses().map(|(name, address)| (name.to_owned(), address.into())).into_iter().collect();
        let accounts: Vec<_> = sim.accounts().iter().map(|account| account.ig_id.clone()).collect();
        let mut played = serde_json::json!({
            "base_url": base, "webhook": webhook, "accounts": accounts, "host_config": host_config, "world": world,
        });
        if let Some(object) = played.as_object_mut() {
            object.extend(addresses);
        }
        println!("{played}");
    } else {
        println!("the simulator of {PLATFORM} listens on {base}");
        for (origin, stand_in) in sim.origins() {
            println!("  {origin:<30} {stand_in}");
        }
        println!("  webhooks go to                 {webhook}");
        println!("what it plays; none of this is secret, and none of it works anywhere else:");
        for entry in world {
            println!("  {:<30} {}", entry.title, entry.value);
        }
        println!("its control surface is {base}/sim/; simulator/README.md describes it");
        if let Some(file) = host_config {
            println!("a host for it: harness serve --config {}", file.display());
            println!(
                "its API: curl -H \"Authorization: Bearer $(cat {})\" {}",
                secrets_folder(&file).join(API_TOKEN).display(),
                host.join("/api/v1/conversations")?
            );
        }
    }
    stopped().await;
    Ok(ExitCode::SUCCESS)
}

/// File with the token of the host's API, in the folder of secrets.
const API_TOKEN: &str = "api-token";

/// The folder of secrets beside a configuration.
const SECRETS: &str = "simulated-secrets";

/// The folder of a configuration's secrets.
fn secrets_folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new(".")).join(SECRETS)
}

/// The path of the component that a host is to run.
fn component(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(file) => {
            let found = fs::canonicalize(file).with_context(|| format!("--component {}", file.display()))?;
            anyhow::ensure!(found.is_file(), "--component {} is no file: name a component", file.display());
            Ok(found)
        }
        None => super::locate::component_path()
            .context("the configuration needs a component: name one with --component FILE, or be in a checkout"),
    }
}

/// Writes a host configuration with the simulated app's ids and secrets. Everything is granted.
fn write_config(file: &Path, component: &Path, sim: &Simulator, host: &Url) -> Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    let secrets = secrets_folder(file);
    fs::create_dir_all(&secrets)?;
    for (slot, secret) in sim.config().app_secrets() {
        write_private(&secrets.join(slot), secret.expose())?;
    }
    write_private(&secrets.join(API_TOKEN), &new_token()?)?;
    let listen = format!("{}:{}", host.host_str().unwrap_or("127.0.0.1"), host.port_or_known_default().unwrap_or(8080));
    let component = component.to_str().context("the component's path is not text")?;
    let channel = sim.host_config(component, SECRETS);
    let text = format!(
        r#"# Made by `harness sim`: a host that takes the simulator for {PLATFORM}. Not for real use.
listen = {listen:?}
data-dir = "simulated-data"

[api]
token = {{ file = "{SECRETS}/{API_TOKEN}" }}

{channel}"#
    );
    fs::write(file, text)?;
    Ok(())
}

pub(crate) fn write_private(file: &Path, secret: impl AsRef<[u8]>) -> std::io::Result<()> {
    let mut file = private_options().write(true).create(true).truncate(true).open(file)?;
    file.write_all(secret.as_ref())
}
