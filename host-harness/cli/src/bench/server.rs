//! A server under measurement: a process of its own in an empty folder, watched from outside.
//! Belongs here: starting it, and what the system says about it.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{ACCOUNT, Mode, SECRET, Subject};

/// How long the host's queue may take to become empty.
const PATIENCE: Duration = Duration::from_secs(300);

/// Ends with the value.
pub(crate) struct Server {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
    subject: Subject,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(subject: Subject, component: &Path, place: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(place)?;
        let mut command = Command::new(std::env::current_exe()?);
        match subject {
            Subject::Harness => {
                let config = configure(folder.path(), component)?;
                command.args(["serve", "--config"]).arg(config);
            }
            Subject::Bare(mode) => {
                command.args(["bench", "bare", "--mode", mode.name(), "--folder"]).arg(folder.path());
            }
        }
        // It complains rightly that it may not reach the platform.
        command.env("HARNESS_LOG", "error");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its standard output")?).lines();
        let line = lines.next().context("the server did not start")??;
        let Some(address) = line.strip_prefix("listening on http://").map(str::to_owned) else {
            bail!("the server said: {line}");
        };
        // A closed pipe would end it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address, subject, _folder: folder })
    }

    /// Waits until everything that was acknowledged is also translated and applied.
    pub(crate) async fn drained(&self) -> Result<()> {
        if self.subject != Subject::Harness {
            return Ok(());
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let health = get(&self.address, "/api/v1/health").await?;
            let counts = health.get("deliveries").context("no counts in the health")?;
            for bad in ["failed", "unrouted"] {
                if counts.get(bad).and_then(serde_json::Value::as_u64) != Some(0) {
                    bail!("deliveries are {bad}: {health}");
                }
            }
            if counts.get("received").and_then(serde_json::Value::as_u64) == Some(0) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the queue did not become empty within {PATIENCE:?}")
    }

    /// Time on the processors so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold spaces, the 12th and 13th: user and system time in hundredths.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// The most memory that it had, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }
}

/// A host with one account and no way out: what it asks of the platform fails at once.
fn configure(folder: &Path, component: &Path) -> Result<std::path::PathBuf> {
    fs::write(folder.join("app-secret"), SECRET)?;
    fs::write(folder.join("page-token"), "a-token")?;
    let file = folder.join("harness.toml");
    let text = format!(
        r#"listen = "127.0.0.1:0"
data-dir = "data"
[channels.instagram]
component = {component:?}
grant = {{ egress = [] }}
secrets = {{ app-secret = {{ file = "app-secret" }} }}
[[channels.instagram.accounts]]
id = "{ACCOUNT}"
settings = {{ login = "facebook", page-id = "104857000000001" }}
secrets = {{ page-token = {{ file = "page-token" }} }}
"#
    );
    fs::write(&file, text)?;
    Ok(file)
}

async fn get(address: &str, path: &str) -> Result<serde_json::Value> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
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
