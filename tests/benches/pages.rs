//! How fast the pages of the inbox are at the server and in Chromium, and how soon a customer's message is on them:
//! `cargo bench -p channel-tests --bench pages -- --folder DIR`, with a folder that `harness bench inbox` has filled.
//! Belongs here: starting the host on it, somebody who signs in. Not here: what is measured. docs/benchmarks.md has the
//! figures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark on the command line"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use channel_tests::{
    process::Process,
    root,
    speed::{self, Desk, Rounds},
    team::{accepts, invited_at},
    write_secret,
};
use rusqlite::{Connection, OpenFlags};
use simulator::{CHANNEL, Config, HostAccount, Secret, Simulator};
use toml::{Table, Value};

/// Rounds of each thing, unless the command line says how many.
const ROUNDS: usize = 200;
/// The pause before a customer's message, about.
const PAUSE: Duration = Duration::from_millis(700);

/// What the command line says.
struct Asked {
    folder: PathBuf,
    rounds: usize,
    program: PathBuf,
}

impl Asked {
    fn read() -> Option<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let of = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            Some(arguments.get(at + 1).unwrap_or_else(|| panic!("{name} is followed by its value")).clone())
        };
        Some(Self {
            folder: of("--folder")?.into(),
            rounds: of("--rounds").map_or(ROUNDS, |rounds| rounds.parse().expect("--rounds is a number")),
            program: of("--harness").map_or_else(|| root().join("target/release/harness"), PathBuf::from),
        })
    }
}

/// The host.
fn served(asked: &Asked, config: &Path) -> Process {
    let program = &asked.program;
    let hint = "`cargo build --release -p harness-cli` makes it; --harness names another one";
    assert!(program.is_file(), "{} is no program. {hint}", program.display());
    Process::start(Command::new(program).args(["serve", "--config"]).arg(config).env("HARNESS_LOG", "error"))
}

/// The folder's configuration with this simulator as the platform, and the account in it.
fn configured(folder: &Path, sim: &Simulator) -> (PathBuf, String) {
    let old = fs::read_to_string(folder.join("harness.toml")).unwrap_or_else(|error| {
        panic!("{}: {error}. `harness bench inbox --folder` fills a folder", folder.join("harness.toml").display())
    });
    let mut config: Table = old.parse().unwrap();
    let origins = sim.origins().map(|(origin, stand_in)| (origin.to_owned(), Value::String(stand_in)));
    config["development"]["endpoints"] = Value::Table(origins.into_iter().collect());
    let account = HostAccount::of(&sim.accounts()[0]).expect("the account has a page");
    for (slot, secret) in &account.secrets {
        write_secret(&folder.join(slot), secret.expose());
    }
    let file = folder.join("pages.toml");
    fs::write(&file, config.to_string()).unwrap();
    let account = config["channels"][CHANNEL]["accounts"][0]["id"].as_str().unwrap().to_owned();
    (file, account)
}

/// Somebody joins the team, as their browser does it; their session.
async fn joins(address: &str, token: &str) -> Vec<(String, String)> {
    let email = format!("kim.{}@bench.example", std::process::id());
    let link = invited_at(address, &format!("Bearer {token}"), None, &email, "agent").await;
    let browser = accepts(address, &link, "Kim").await;
    browser.cookies().into_iter().collect()
}

/// How much there is.
fn size(folder: &Path) -> String {
    let file = folder.join("data").join("inbox.sqlite");
    let inbox = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count = |table: &str| -> i64 {
        inbox.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let mib = fs::metadata(&file).unwrap().len() >> 20;
    format!("{} messages in {} conversations, {mib} MiB", count("message"), count("conversation"))
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` only asks whether it runs.
    let Some(asked) = Asked::read() else {
        println!("nothing is measured without --folder DIR, which `harness bench inbox --folder DIR` fills");
        return;
    };
    let secret = |name: &str| fs::read_to_string(asked.folder.join(name)).unwrap().trim().to_owned();
    let (app_secret, token) = (secret("app-secret"), secret("api-token"));
    let sim =
        Simulator::start(Config { app_secret: Secret::new(app_secret.as_str()), ..Config::demo() }).await.unwrap();
    let (config, account) = configured(&asked.folder, &sim);
    let host = served(&asked, &config);
    sim.set_webhook_url(format!("{}/webhooks/{CHANNEL}", host.address));
    let cookies = joins(&host.address, &token).await;
    println!("{}", size(&asked.folder));
    let desk = Desk { address: host.address.clone(), token, cookies, app_secret, account };
    let all = speed::measure(&desk, Rounds { count: asked.rounds, pause: PAUSE }).await;
    println!("{}", speed::table(&all));
}
