//! The host as a process of its own: configured by a file, started, killed with SIGKILL, started again.
//! Belongs here: that process. Not here: what it is made to do.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU16, Ordering},
};

use channel_tests::{PATIENCE, instagram};
use simulator::{Login, Simulator};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_harness");

/// Where the host lives.
pub struct Process {
    folder: PathBuf,
    /// `http://127.0.0.1:…`
    pub address: String,
}

/// One life of it.
pub struct Life {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Writes the configuration: both accounts of the simulator, each with its login.
    pub fn prepare(folder: &Path, sim: &Simulator) -> Self {
        let port = free_port();
        let config = sim.config();
        for (name, secret) in [
            ("app-secret", &config.app_secret),
            ("instagram-app-secret", &config.instagram_app_secret),
            ("verify-token", &config.verify_token),
        ] {
            channel_tests::write_secret(&folder.join(name), secret.expose());
        }
        channel_tests::write_secret(&folder.join("api-token"), channel_tests::API_TOKEN);
        let mut text = format!(
            r#"listen = "127.0.0.1:{port}"
data-dir = "data"
[api]
token = {{ file = "api-token" }}
[channels.instagram]
component = {component:?}
settings = {{ app-id = {app:?}, instagram-app-id = {instagram_app:?} }}
[channels.instagram.grant]
egress = ["graph.facebook.com", "graph.instagram.com", "api.instagram.com"]
media = ["lookaside.fbsbx.com"]
[channels.instagram.secrets]
app-secret = {{ file = "app-secret" }}
instagram-app-secret = {{ file = "instagram-app-secret" }}
verify-token = {{ file = "verify-token" }}
[development]
unsigned-channels = true
[development.endpoints]
"https://graph.facebook.com" = {facebook:?}
"https://graph.instagram.com" = {instagram:?}
"#,
            component = instagram().0,
            app = config.app_id,
            instagram_app = config.instagram_app_id,
            facebook = sim.graph_facebook_url(),
            instagram = sim.graph_instagram_url(),
        );
        for account in sim.accounts() {
            let (login, slot) = match account.webhook_login {
                Login::Facebook => ("facebook", "page-token"),
                Login::Instagram => ("instagram", "instagram-token"),
            };
            let id = &account.ig_id;
            let page = account.page.as_ref().map_or("", |page| page.id.as_str());
            channel_tests::write_secret(&folder.join(id), account.token(account.webhook_login).unwrap().expose());
            text.push_str(&format!(
                "[[channels.instagram.accounts]]\nid = {id:?}\n\
                 settings = {{ login = {login:?}, page-id = {page:?}, human-agent = true }}\n\
                 secrets = {{ {slot} = {{ file = {id:?} }} }}\n"
            ));
        }
        fs::write(folder.join("harness.toml"), text).unwrap();
        Self { folder: folder.to_owned(), address: format!("http://127.0.0.1:{port}") }
    }

    pub fn inbox_file(&self) -> PathBuf {
        self.folder.join("data/inbox.sqlite")
    }

    /// Changes the configuration.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let path = self.folder.join("harness.toml");
        let text = change(fs::read_to_string(&path).unwrap());
        fs::write(path, text).unwrap();
    }

    /// Where it keeps files.
    pub fn media(&self) -> PathBuf {
        self.folder.join("data/media")
    }

    /// Runs a command of the program for this host.
    /// The program runs where it was built: a copy that is started while another thread's child still has it open for
    /// writing is "text file busy".
    pub async fn command(&self, arguments: &[&str]) -> std::process::Output {
        let config = self.folder.join("harness.toml");
        Command::new(PROGRAM).args(arguments).arg("--config").arg(config).output().await.unwrap()
    }

    /// What all lives wrote.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(20_000)..]).into_owned()
    }

    pub fn spawn(&self) -> Life {
        let log = self.folder.join("log");
        let lines = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = Command::new(PROGRAM)
            .args(["serve", "--config"])
            .arg(self.folder.join("harness.toml"))
            .env("XDG_CACHE_HOME", &self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(lines)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Life { child, log }
    }
}

impl Life {
    /// Waits until it listens.
    pub async fn ready(&mut self) {
        let mut lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("the host starts").unwrap();
        let log = || fs::read_to_string(&self.log).unwrap_or_default();
        assert!(line.is_some_and(|line| line.starts_with("listening on")), "the host did not start: {}", log());
        // Its other lines are nobody's business, but a closed pipe would be.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// SIGKILL: nothing is finished, nothing is written any more.
    pub async fn kill(mut self) {
        let early = self.child.try_wait().unwrap();
        assert!(early.is_none(), "the host ended by itself: {early:?} {}", fs::read_to_string(&self.log).unwrap());
        self.child.kill().await.unwrap();
    }
}

/// The ports that were given away in this process, counted from its first one.
static TAKEN: AtomicU16 = AtomicU16::new(0);

/// Below the ports that the system gives to clients: while the host is dead, one of them would be taken.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = first + TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(port < 32_000, "no port is free");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
