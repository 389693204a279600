//! Owns: a server under measurement: a separate process in an empty folder, observed from outside.
//! Does not own: its load.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use simulator::{AccountConfig, CHANNEL, EGRESS, HostAccount, Simulator};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{ACCOUNT, Mode, SECRET, Subject};
use crate::author::sim::write_private;

/// The token with which the benchmark calls the host's API.
pub(crate) const API_TOKEN: &str = "token-of-a-bench";

/// How long the host's queue may take to drain.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running server. It is killed on drop.
pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
    subject: Subject,
    folder: PathBuf,
    /// Removed with the server.
    _temporary: Option<TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the server, and waits until it listens.
    pub(crate) fn start(subject: Subject, component: &Path, place: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(place)?;
        let mut command = Command::new(std::env::current_exe()?);
        match subject {
            Subject::Harness => {
                let config = configure(folder.path(), component, None)?;
                command.args(["serve", "--config"]).arg(config);
            }
            Subject::Bare(mode) => {
                command.args(["bench", "bare", "--mode", mode.name(), "--folder"]).arg(folder.path());
            }
        }
        Self::spawn(command, subject, folder.path().to_owned(), Some(folder))
    }

    /// Starts a host that uses the simulator as its platform.
    pub(crate) fn with_platform(sim: &Simulator, component: &Path, place: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(place)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--config"]).arg(configure(folder.path(), component, Some(sim))?);
        Self::spawn(command, Subject::Harness, folder.path().to_owned(), Some(folder))
    }

    /// The same in a folder that is kept. What is in it already goes on.
    pub(crate) fn kept(sim: &Simulator, component: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--config"]).arg(configure(folder, component, Some(sim))?);
        Self::spawn(command, Subject::Harness, folder.to_owned(), None)
    }

    fn spawn(mut command: Command, subject: Subject, folder: PathBuf, temporary: Option<TempDir>) -> Result<Self> {
        // Suppresses the expected warnings about the unreachable platform.
        command.env("HARNESS_LOG", "error");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
        let line = lines.next().context("the server did not start")??;
        let Some(address) = line.strip_prefix("listening on http://").map(str::to_owned) else {
            bail!("the server said: {line}");
        };
        // A closed pipe would terminate the server.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, subject, folder, _temporary: temporary })
    }

    /// Waits until every acknowledged delivery has been translated and applied.
    pub(crate) async fn drained(&self) -> Result<()> {
        if self.subject != Subject::Harness {
            return Ok(());
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.waiting().await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the queue did not become empty within {PATIENCE:?}")
    }

    /// The number of deliveries that wait for translation. Fails if any delivery failed.
    pub(crate) async fn waiting(&self) -> Result<u64> {
        let health = get(&self.address, "/api/v1/health").await?;
        let count = |state: &str| health.pointer(&format!("/deliveries/{state}")).and_then(serde_json::Value::as_u64);
        for bad in ["failed", "unrouted"] {
            if count(bad) != Some(0) {
                bail!("deliveries are {bad}: {health}");
            }
        }
        count("received").context("no counts in the health")
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name, which may contain spaces, the 12th and 13th field: user and system time in hundredths of a
        // second.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Peak resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        // Without what is mapped of the inbox's file, which is the operating system's to take back.
        self.status("RssAnon:")
    }

    fn status(&self, name: &'static str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    /// The number of open files and connections.
    pub(crate) fn handles(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// The sizes of the inbox file and of its write-ahead log, in bytes.
    pub(crate) fn files(&self) -> Result<(u64, u64)> {
        let size = |name: &str| Ok(fs::metadata(self.folder.join("data").join(name))?.len());
        // There is no log while it is empty.
        Ok((size("inbox.sqlite")?, size("inbox.sqlite-wal").or_else(|error: std::io::Error| missing(error))?))
    }
}

fn missing(error: std::io::Error) -> Result<u64> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(0) } else { Err(error.into()) }
}

/// Configures a host with one account. Without a simulator no egress is granted, so its requests fail at once.
fn configure(folder: &Path, component: &Path, sim: Option<&Simulator>) -> Result<PathBuf> {
    write_private(&folder.join("app-secret"), SECRET)?;
    write_private(&folder.join("api-token"), API_TOKEN)?;
    let account = sim.and_then(|sim| sim.accounts().into_iter().next()).unwrap_or_else(|| AccountConfig::demo(1));
    let account = HostAccount::of(&account).context("the account has a page with a token")?;
    for (slot, secret) in &account.secrets {
        write_private(&folder.join(slot), secret.expose())?;
    }
    let list = |pairs: Vec<String>| pairs.join(", ");
    let settings = list(account.settings.iter().map(|(key, value)| format!("{key} = {value:?}")).collect());
    let secrets = list(account.secrets.iter().map(|(slot, _)| format!("{slot} = {{ file = {slot:?} }}")).collect());
    let origins = sim.map(|sim| sim.origins().to_vec()).unwrap_or_default();
    let grant: &[&str] = if sim.is_some() { &EGRESS } else { &[] };
    let endpoints: String = origins.iter().map(|(origin, stand_in)| format!("{origin:?} = {stand_in:?}\n")).collect();
    let file = folder.join("harness.toml");
    let text = format!(
        r#"listen = "127.0.0.1:0"
data-dir = "data"
api = {{ token = {{ file = "api-token" }} }}
[channels.{CHANNEL}]
component = {component:?}
grant = {{ egress = {grant:?} }}
secrets = {{ app-secret = {{ file = "app-secret" }} }}
[[channels.{CHANNEL}.accounts]]
id = "{ACCOUNT}"
settings = {{ {settings} }}
secrets = {{ {secrets} }}
[development]
unsigned-channels = true
[development.endpoints]
{endpoints}"#
    );
    fs::write(&file, text)?;
    Ok(file)
}

/// Calls the host's API.
pub(crate) async fn get(address: &str, path: &str) -> Result<serde_json::Value> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {API_TOKEN}\r\n");
    call(address, &format!("{head}connection: close\r\n\r\n")).await
}

/// Makes one request on a new connection. The answer is JSON.
pub(crate) async fn call(address: &str, request: &str) -> Result<serde_json::Value> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    Ok(serde_json::from_str(body)?)
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Message => "message",
        }
    }
}
