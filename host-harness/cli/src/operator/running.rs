//! Owns: commands that talk to a running host: `connect`, `doctor`, `disconnect`, `deliveries retry`.
//! Does not own: what the host does (its API).

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use harness_cli::{
    NAME,
    client::{ApiClient, ApiClientError},
    config::ConfigFile,
};
use harness_contract::text::{shown, shown_json};
use harness_engine::Secret;
use http::Method;
use serde_json::{Value, json};

use crate::progress;

/// Polling interval for the state of a link.
const POLL: Duration = Duration::from_millis(700);

/// Variable with a named token, for configurations without one.
const TOKEN_VARIABLE: &str = "HARNESS_API_TOKEN";

/// Calls the host. If the token is rejected, the error says which token was used.
pub(super) struct Client {
    api: ApiClient,
    /// The source of the token, for errors.
    shown: String,
}

impl Client {
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        self.api.call(method, path, body).await.map_err(|error| match error {
            ApiClientError::Refused { status: 401 | 403, .. } => anyhow::Error::new(error).context(self.shown.clone()),
            error => error.into(),
        })
    }
}

/// The running host.
#[derive(Args)]
pub(crate) struct Running {
    /// The host's configuration
    #[arg(long, value_name = "FILE", default_value = "harness.toml")]
    config: PathBuf,
}

impl Running {
    pub(crate) fn file(&self) -> Result<ConfigFile> {
        Ok(ConfigFile::read(&self.config)?)
    }

    /// A client with the configuration's token; else the one in the variable; else the admin token.
    pub(super) fn client(&self) -> Result<Client> {
        let file = self.file()?;
        let named = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty());
        let own = file.admin_token();
        let (token, shown) = if let Some(token) = file.api_token()? {
            let path = file.path.display();
            (token, format!("the token that was shown is the one of `[api]` in {path}"))
        } else if let Some(named) = named {
            let own = own.path().display();
            let shown = format!(
                "the token that was shown is the one in the variable {TOKEN_VARIABLE}; without the variable, commands show the one in {own}"
            );
            (Secret::new(named.trim().into()), shown)
        } else {
            let path = own.path().display().to_string();
            let Some(token) = own.read()? else {
                bail!(
                    "there is no token to show to the host: its first start makes {path}; as another user, or on another machine, set {TOKEN_VARIABLE} to one that `{NAME} token create` made"
                );
            };
            (token, format!("the token that was shown is the one in {path}, which the host reads when it starts"))
        };
        let mut listen = file.config.listen;
        if listen.ip().is_unspecified() {
            listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let base = format!("http://{listen}").parse().context("the address of the host")?;
        Ok(Client { api: ApiClient::new(base, Some(token))?, shown })
    }
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Makes a link and follows it until a test message has arrived.
pub(crate) async fn connect(running: &Running, channel: &str, login: Option<&str>, json: bool) -> Result<ExitCode> {
    let client = running.client()?;
    let body = json!({ "channel": channel, "login": login });
    let link = client.call(Method::POST, "connect", Some(&body)).await?;
    let path = format!("connect/{}", text(&link, "ticket"));
    if json {
        println!("{}", shown_json(&link.to_string()));
    } else {
        println!("Open this link, within 20 minutes and in one browser:\n\n  {}\n", shown(text(&link, "link")));
    }
    let progress = progress::spinner("waiting for you in the browser".into());
    let mut told = String::new();
    loop {
        tokio::time::sleep(POLL).await;
        let state = client.call(Method::GET, &path, None).await?;
        let stage = text(&state, "stage").to_owned();
        let received = state.get("received").and_then(Value::as_bool).unwrap_or(false);
        if json && (stage != told || received) {
            println!("{}", shown_json(&state.to_string()));
        }
        match stage.as_str() {
            "visiting" => progress.set_message("waiting for the platform"),
            "choosing" => progress.set_message("waiting for your choice in the browser"),
            "entering" => progress.set_message("waiting for what you type in in the browser"),
            "waiting_for" => {
                let code =
                    state.get("code").and_then(Value::as_str).map(|code| format!(" ({code})")).unwrap_or_default();
                progress.set_message(format!("{}{}", shown(text(&state, "text")), shown(&code)));
            }
            "failed" if stage != told => {
                progress.suspend(|| eprintln!("{}", shown(text(&state, "sentence"))));
                progress.set_message("you can try again from the same link");
            }
            "connected" => {
                let account = text(&state, "account_id");
                if stage != told {
                    let row = client.call(Method::GET, &format!("accounts/{account}"), None).await?;
                    if !json {
                        let username = row.get("username").and_then(Value::as_str);
                        let username = username.map(|name| format!(" @{name}")).unwrap_or_default();
                        progress.suspend(|| {
                            println!(
                                "connected: {}{} (account {})",
                                shown(text(&row, "name")),
                                shown(&username),
                                shown(account)
                            );
                            println!("Send it a test message from another account; Ctrl-C ends waiting for it.");
                        });
                    }
                    progress.set_message("waiting for a test message");
                }
                if received {
                    progress.finish_and_clear();
                    if !json {
                        println!("received: the first message is in the inbox");
                    }
                    return Ok(ExitCode::SUCCESS);
                }
            }
            _ => {}
        }
        told = stage;
    }
}

/// Finds accounts by id, platform id, name or handle. `None`: all accounts.
async fn find(client: &Client, wanted: Option<&str>) -> Result<Vec<Value>> {
    let list = client.call(Method::GET, "accounts", None).await?;
    let Some(accounts) = list.get("data").and_then(Value::as_array).cloned() else {
        bail!("the host did not answer with a list of accounts")
    };
    let Some(wanted) = wanted else { return Ok(accounts) };
    let is_it =
        |account: &Value| ["id", "platform_id", "name", "username"].iter().any(|key| text(account, key) == wanted);
    let found: Vec<Value> = accounts.iter().filter(|account| is_it(account)).cloned().collect();
    if found.is_empty() {
        let known =
            accounts.iter().map(|account| format!("{} ({})", text(account, "platform_id"), text(account, "name")));
        bail!("there is no account `{wanted}`; there are: {}", shown(&known.collect::<Vec<_>>().join(", ")));
    }
    Ok(found)
}

/// Checks accounts line by line. Fails if any line failed.
pub(crate) async fn doctor(running: &Running, account: Option<&str>, probe: bool, json: bool) -> Result<ExitCode> {
    let client = running.client()?;
    let accounts = find(&client, account).await?;
    if accounts.is_empty() {
        bail!("no account is connected yet: `{NAME} connect CHANNEL` connects one");
    }
    let mut reports = Vec::new();
    let mut healthy = true;
    for account in accounts {
        let id = text(&account, "id");
        let progress = progress::spinner(format!("checking {}", shown(text(&account, "name"))));
        let report = client
            // A probe has an effect: it sends a signal.
            .call(if probe { Method::POST } else { Method::GET }, &format!("accounts/{id}/check"), None)
            .await;
        progress.finish_and_clear();
        let report = report?;
        let checks = report.get("checks").and_then(Value::as_array).cloned().unwrap_or_default();
        healthy &= checks.iter().all(|check| text(check, "level") != "failed");
        if !json {
            println!(
                "{} {} ({})",
                shown(text(&account, "channel")),
                shown(text(&account, "name")),
                shown(text(&account, "platform_id"))
            );
            for check in &checks {
                print_line(check);
            }
            println!();
        }
        reports.push(report);
    }
    if json {
        println!("{}", shown_json(&format!("{:#}", Value::Array(reports))));
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_line(check: &Value) {
    let mark = match text(check, "level") {
        "passed" => "ok  ",
        "warning" => "warn",
        "failed" => "FAIL",
        _ => "skip",
    };
    println!("  {mark} {:<20} {}", shown(text(check, "name")), shown(text(check, "finding")));
    if let Some(fix) = check.get("fix").and_then(Value::as_str)
        && text(check, "level") != "passed"
    {
        println!("       {:<20} -> {}", "", shown(fix));
    }
}

/// Requeues deliveries that could not be translated.
pub(crate) async fn retry_deliveries(running: &Running, channel: Option<&str>) -> Result<ExitCode> {
    let query: String = channel
        .map(|id| url::form_urlencoded::Serializer::for_suffix("?".to_owned(), 1).append_pair("channel", id).finish())
        .unwrap_or_default();
    let answer = running.client()?.call(Method::POST, &format!("deliveries/retry{query}"), None).await?;
    println!("{} deliveries are translated again", answer.get("requeued").and_then(Value::as_u64).unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// Disconnects an account.
pub(crate) async fn disconnect(running: &Running, account: &str, delete: bool) -> Result<ExitCode> {
    let client = running.client()?;
    for account in find(&client, Some(account)).await? {
        let id = text(&account, "id");
        let how = if delete { "delete" } else { "keep" };
        let answer = client.call(Method::DELETE, &format!("accounts/{id}?conversations={how}"), None).await?;
        println!("disconnected: {} ({})", shown(text(&account, "name")), shown(text(&account, "platform_id")));
        if let Some(warning) = answer.get("warning").and_then(Value::as_str) {
            eprintln!("the platform was not told: {}", shown(warning));
        }
    }
    Ok(ExitCode::SUCCESS)
}
