//! Owns: `harness serve`: running the host as configured.
//! Does not own: loading channels (`load`), detecting changed components (`watch`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, Result};
use harness_automation::Automation;
use harness_cli::config::ConfigFile;
use harness_contract::text::shown_lines;
use harness_engine::{Host, HostOptions};
use harness_sandbox::SandboxConfig;
use harness_server::ProviderOptions;

use super::{
    installed::Before,
    load::{self, Refused, load},
    packages::trust,
    updates, watch,
};
use crate::{compiler, log, progress};

pub(crate) async fn run(path: &Path, watched: bool, record: Option<PathBuf>) -> Result<ExitCode> {
    let file = ConfigFile::read(path)?;
    let limits = file.limits()?;
    let data_dir = file.data_dir();
    private_dir(&data_dir).map_err(|error| file.value("data-dir", format!("{}: {error}", data_dir.display())))?;
    // The address is bound first, so that a second host started by mistake sends nothing.
    let listener = harness_server::bind(file.config.listen)
        .await
        .map_err(|error| file.value("listen", format!("{}: {error}", file.config.listen)))?;
    let access = file.access()?;
    let mut options = HostOptions::in_folder(&data_dir);
    options.sandbox =
        SandboxConfig { bounds: file.component_bounds()?, ..compiler::sandbox(options.sandbox.cache_dir) };
    options.vault_key = file.vault_key();
    options.endpoints = file.config.development.endpoints.clone();
    options.private_hosts = file.config.private_hosts.clone();
    options.budget = file.budget()?;
    options.sizes = file.sizes()?;
    options.retention = (&file.config.retention).into();
    if let Some(path) = &record {
        tracing::warn!(path = %path.display(), "every call of a channel is recorded, with what people write");
        if let Ok(Some(_)) = harness_inbox::open_to_others(path) {
            tracing::warn!(path = %path.display(), "others can read what is recorded: run `chmod 600` on it");
        }
    }
    options.record = record;
    if !options.endpoints.is_empty() {
        tracing::warn!("development: requests go to stand-ins for the platforms");
    }
    let host = Host::open(options).await?;
    let workspaces = host.inbox().workspaces().await?;
    let missing = |one: &ProviderOptions| workspaces.iter().all(|known| known.id != one.workspace);
    if let Some(provider) = file.sign_in()?.providers.iter().find(|provider| missing(provider)) {
        let key = format!("sign-in.providers.{}.workspace", provider.id);
        return Err(file.value(&key, "there is no such workspace: `GET /api/v1/workspaces` lists them").into());
    }
    let address = listener.local_addr()?;
    let public_url = match &file.config.public_url {
        Some(url) => url.clone(),
        None => format!("http://{address}").parse().context("the address of this host")?,
    };
    host.set_public_url(public_url.clone());
    let installed = trust::installed(&file)?;
    host.keep_earlier(Arc::new(Before { file: file.clone(), installed: installed.clone() }));
    let watching = watch::now(&file, &installed, watched)?;
    let channels = load::ids(&file, &installed)?;
    for id in &channels {
        match load(&host, &file, &installed, id).await {
            Err(error) if error.is::<Refused>() => eprintln!("error: {}", shown_lines(&log::told(&error))),
            loaded => loaded?,
        }
    }
    println!("listening on http://{address}");
    for id in &channels {
        println!("webhooks of {id}: {}/webhooks/{id}", public_url.as_str().trim_end_matches('/'));
    }
    println!("inbox file: {}", data_dir.join("inbox.sqlite").display());
    if file.config.api.token.is_none() {
        println!("token of the API: {}, which commands on this machine read", file.admin_token().path().display());
    }
    let looking = tokio::spawn(updates::run(host.clone(), file.clone(), installed.clone()));
    let watching = tokio::spawn(watch::run(host.clone(), file.clone(), installed, watching));
    let automation = Automation::start(&host);
    let router = harness_server::router_with(host.clone(), access, &limits);
    harness_server::serve_with(listener, router, &limits, stopped()).await?;
    looking.abort();
    watching.abort();
    let progress = progress::spinner("waiting for requests that are under way".into());
    automation.stop().await;
    host.shutdown().await;
    progress.finish_and_clear();
    Ok(ExitCode::SUCCESS)
}

/// Creates a folder for this user alone: the inbox holds conversations.
pub(crate) fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Returns on the first Ctrl-C or SIGTERM.
pub(crate) async fn stopped() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await;
}
