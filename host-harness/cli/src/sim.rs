//! Owns: `harness sim`: the simulator of Meta alone, and a configuration with which a host speaks to it.
//! Does not own: the simulator.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use harness_inbox::private_options;
use harness_server::new_token;
use simulator::{Config, Simulator};
use url::Url;

use crate::serve::stopped;

/// A configuration to write.
pub(crate) struct HostConfig {
    pub(crate) file: PathBuf,
    /// The component that it names; `None` builds the channel of this checkout.
    pub(crate) component: Option<PathBuf>,
}

pub(crate) async fn run(port: u16, webhook: String, host_config: Option<HostConfig>, json: bool) -> Result<ExitCode> {
    let host = Url::parse(&webhook).with_context(|| format!("--webhook {webhook}"))?;
    let component = host_config.as_ref().map(|wanted| component(wanted.component.as_deref())).transpose()?;
    let sim = Simulator::start(Config { port, webhook_url: Some(webhook.clone()), ..Config::demo() }).await?;
    let beside = |path: &str| host.join(path).ok().map(String::from);
    sim.update_app(|app| {
        app.deauthorize_url = beside("/callbacks/instagram/deauthorize");
        app.data_deletion_url = beside("/callbacks/instagram/data-deletion");
    });
    let host_config = host_config.map(|wanted| wanted.file);
    if let (Some(file), Some(component)) = (&host_config, &component) {
        write_config(file, component, &sim, &host).with_context(|| file.display().to_string())?;
    }
    let base = sim.base_url();
    let world = world(&sim);
    if json {
        let world: serde_json::Map<String, serde_json::Value> =
            world.into_iter().map(|entry| (entry.key, entry.value.into())).collect();
        println!(
            "{}",
            serde_json::json!({
                "base_url": base, "graph_facebook": sim.graph_facebook_url(), "graph_instagram": sim.graph_instagram_url(),
                "webhook": webhook, "accounts": sim.accounts().iter().map(|account| &account.ig_id).collect::<Vec<_>>(),
                "host_config": host_config, "world": world,
            })
        );
    } else {
        println!("the simulator of Meta listens on {base}");
        for (origin, stand_in) in origins(&sim) {
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

/// The file in the folder of secrets with the token of the host's API.
const API_TOKEN: &str = "api-token";

/// Where a configuration's secrets stand.
fn secrets_folder(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new(".")).join("simulated-secrets")
}

/// A line of the table of what is played.
struct Entry {
    key: String,
    title: String,
    value: String,
}

/// The ids, secrets and tokens of the demo world, which every run has the same.
fn world(sim: &Simulator) -> Vec<Entry> {
    let config = sim.config();
    let mut table = Vec::new();
    let mut add = |key: &str, title: &str, value: &str| {
        table.push(Entry { key: key.to_owned(), title: title.to_owned(), value: value.to_owned() });
    };
    add("app_id", "Meta app", &config.app_id);
    add("app_secret", "its secret", config.app_secret.expose());
    add("instagram_app_id", "Instagram app", &config.instagram_app_id);
    add("instagram_app_secret", "its secret", config.instagram_app_secret.expose());
    add("verify_token", "verify token of the webhook", config.verify_token.expose());
    let person = sim.person();
    add("person_id", "person", &person.id);
    add("user_token", "user token", person.token.expose());
    if let Some(account) = sim.accounts().first() {
        if let Some(page) = &account.page {
            add("page_id", "page", &page.id);
            add("page_token", "page token", page.token.expose());
        }
        add("account_id", "Instagram account", &account.ig_id);
        if let Some(token) = &account.instagram_token {
            add("instagram_token", "its token", token.expose());
        }
    }
    add("customer_id", "a customer", Config::DEMO_CUSTOMER);
    table
}

/// Where the component is that a host shall run.
fn component(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(file) => {
            let found = fs::canonicalize(file).with_context(|| format!("--component {}", file.display()))?;
            anyhow::ensure!(found.is_file(), "--component {} is no file: name a component", file.display());
            Ok(found)
        }
        None => crate::locate::component_path()
            .context("the configuration needs a component: name one with --component FILE, or be in a checkout"),
    }
}

fn origins(sim: &Simulator) -> [(&'static str, String); 6] {
    [
        ("https://graph.facebook.com", sim.graph_facebook_url()),
        ("https://graph.instagram.com", sim.graph_instagram_url()),
        ("https://api.instagram.com", sim.api_instagram_url()),
        ("https://www.facebook.com", sim.www_facebook_url()),
        ("https://www.instagram.com", sim.www_instagram_url()),
        ("https://lookaside.fbsbx.com", format!("{}/lookaside.fbsbx.com", sim.base_url())),
    ]
}

/// A configuration for a host of its own: the simulated app's ids and secrets, everything granted.
fn write_config(file: &Path, component: &Path, sim: &Simulator, host: &Url) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let secrets = secrets_folder(file);
    fs::create_dir_all(&secrets)?;
    let config = sim.config();
    for (name, secret) in [
        ("app-secret", &config.app_secret),
        ("instagram-app-secret", &config.instagram_app_secret),
        ("verify-token", &config.verify_token),
    ] {
        write_private(&secrets.join(name), secret.expose())?;
    }
    write_private(&secrets.join(API_TOKEN), &new_token()?)?;
    let listen = format!("{}:{}", host.host_str().unwrap_or("127.0.0.1"), host.port_or_known_default().unwrap_or(8080));
    let endpoints: String =
        origins(sim).iter().map(|(origin, stand_in)| format!("{origin:?} = {stand_in:?}\n")).collect();
    let text = format!(
        r#"# Made by `harness sim`: a host that takes the simulator for Meta. Not for real use.
listen = {listen:?}
data-dir = "simulated-data"

[api]
token = {{ file = "simulated-secrets/{API_TOKEN}" }}

[channels.instagram]
component = {component:?}
settings = {{ app-id = {app:?}, instagram-app-id = {instagram_app:?} }}

[channels.instagram.grant]
egress = ["graph.facebook.com", "graph.instagram.com", "api.instagram.com"]
media = ["lookaside.fbsbx.com", "*.fbcdn.net", "*.cdninstagram.com"]

[channels.instagram.secrets]
app-secret = {{ file = "simulated-secrets/app-secret" }}
instagram-app-secret = {{ file = "simulated-secrets/instagram-app-secret" }}
verify-token = {{ file = "simulated-secrets/verify-token" }}

[development.endpoints]
{endpoints}"#,
        app = config.app_id,
        instagram_app = config.instagram_app_id,
    );
    fs::write(file, text)?;
    Ok(())
}

pub(crate) fn write_private(file: &Path, secret: impl AsRef<[u8]>) -> std::io::Result<()> {
    let mut file = private_options().write(true).create(true).truncate(true).open(file)?;
    file.write_all(secret.as_ref())
}
