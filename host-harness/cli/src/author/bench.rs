//! Owns: the benchmarks' arguments; `harness bench ingest`: the cost of a durable 200 compared with a bare native server in
//! the same run; plan and table.
//! Does not own: servers and load (see the modules).

pub(crate) mod bare;
mod inbox;
mod load;
mod pace;
mod server;
mod soak;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use crate::{author::locate, progress};
use load::Requests;
use server::Server;

/// The app's secret in this benchmark.
const SECRET: &str = "the-secret-of-the-benchmark";
/// The account that all messages go to.
const ACCOUNT: &str = "17841400000000001";
/// More requests per second than any server here handles.
const PER_SECOND: usize = 60_000;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Measure webhooks per second: acknowledged, translated and applied, compared with a bare native server
    Ingest {
        /// Duration of each measurement, in seconds
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Numbers of persistent connections, one measurement for each
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
        connections: Vec<usize>,
        /// Folder for the servers' files: the disk matters [default: the system's temporary folder]
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a host under half of its sustained load, with replies, and look for growth
    Soak {
        /// Duration in minutes, after one minute that measures the sustained load
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// Deliveries per second [default: half of the sustained load]
        #[arg(long)]
        rate: Option<f64>,
        /// Folder for the host's file, which grows by about 1.4 KB per delivery [default: the system's temporary
        /// folder]
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Fill an inbox through the webhooks, and measure the API and the pages on it while more comes in
    Inbox {
        /// Messages to fill it with; about a hundredth are conversations
        #[arg(long, default_value_t = 100_000)]
        messages: u64,
        /// Deliveries per second while measuring
        #[arg(long, default_value_t = 500.0)]
        rate: f64,
        /// Duration of the measurement, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Folder for the host's files, which are kept: what is filled already is not filled again [default: a folder
        /// that is removed]
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the bare server
    #[command(hide = true)]
    Bare {
        #[arg(long)]
        mode: Mode,
        #[arg(long)]
        folder: PathBuf,
    },
}

/// What the bare server stores of a delivery before it answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Mode {
    /// The raw body.
    Raw,
    /// The raw body, and a message with a unique id.
    Message,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Subject {
    Harness,
    Bare(Mode),
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Harness => "harness",
            Self::Bare(Mode::Raw) => "bare, raw row",
            Self::Bare(Mode::Message) => "bare, raw and message row",
        }
    }
}

/// The result for one server under one load.
#[derive(Serialize)]
struct Measured {
    server: &'static str,
    connections: usize,
    acknowledged: usize,
    refused: usize,
    /// While sending.
    acknowledged_per_second: f64,
    /// From the first request until the queue is empty.
    applied_per_second: f64,
    cpu_micros_per_delivery: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    memory_mib: f64,
}

pub(crate) async fn run(bench: Bench) -> Result<ExitCode> {
    match bench {
        Bench::Bare { mode, folder } => bare::run(mode, &folder).await?,
        Bench::Soak { minutes, rate, folder, json } => {
            if minutes == 0 || rate.is_some_and(|rate| !rate.is_finite() || rate <= 0.0) {
                bail!("--minutes is at least 1, and --rate more than 0");
            }
            let folder = folder.unwrap_or_else(std::env::temp_dir);
            return soak::run(minutes, rate, &folder, json).await;
        }
        Bench::Inbox { messages, rate, seconds, folder, json } => {
            if messages == 0 || seconds == 0 || !rate.is_finite() || rate <= 0.0 {
                bail!("--messages and --seconds are at least 1, and --rate more than 0");
            }
            let asked = inbox::Asked { messages, rate, seconds };
            if let Some(folder) = folder {
                return inbox::run(asked, &folder, json).await;
            }
            let folder = tempfile::tempdir()?;
            return inbox::run(asked, folder.path(), json).await;
        }
        Bench::Ingest { seconds, connections, folder, json } => {
            if seconds == 0 || connections.contains(&0) {
                bail!("--seconds and --connections are at least 1");
            }
            let folder = folder.unwrap_or_else(std::env::temp_dir);
            ingest(Duration::from_secs(seconds), &connections, &folder, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn ingest(time: Duration, connections: &[usize], folder: &Path, json: bool) -> Result<()> {
    let component = locate::component_path()?;
    let count = PER_SECOND * usize::try_from(time.as_secs())?;
    let progress = progress::spinner(format!("signing {count} deliveries"));
    let requests = Arc::new(Requests::build(count));
    let mut all = Vec::new();
    for &connections in connections {
        for subject in [Subject::Bare(Mode::Raw), Subject::Harness, Subject::Bare(Mode::Message)] {
            progress.set_message(format!("{}, {connections} connections", subject.name()));
            all.push(measure(subject, &component, folder, &requests, connections, time).await?);
        }
    }
    progress.finish_and_clear();
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        show(&all);
    }
    Ok(())
}

async fn measure(
    subject: Subject,
    component: &Path,
    folder: &Path,
    requests: &Arc<Requests>,
    connections: usize,
    time: Duration,
) -> Result<Measured> {
    let server = Server::start(subject, component, folder)?;
    let before = server.cpu()?;
    let begun = Instant::now();
    let seen = load::send(&server.address, requests, connections, time).await?;
    server.drained().await?;
    let whole = begun.elapsed();
    let cpu = server.cpu()?.saturating_sub(before);
    let acknowledged = seen.acknowledged as f64;
    Ok(Measured {
        server: subject.name(),
        connections,
        acknowledged: seen.acknowledged,
        refused: seen.refused,
        acknowledged_per_second: acknowledged / seen.time.as_secs_f64(),
        applied_per_second: acknowledged / whole.as_secs_f64(),
        cpu_micros_per_delivery: cpu.as_secs_f64() * 1e6 / acknowledged.max(1.0),
        p50_ms: seen.percentile(0.5),
        p99_ms: seen.percentile(0.99),
        p999_ms: seen.percentile(0.999),
        memory_mib: server.memory()? as f64 / f64::from(1 << 20),
    })
}

fn show(all: &[Measured]) {
    println!(
        "{:>5}  {:<26}{:>12}{:>11}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "conn.", "server", "acknowl./s", "applied/s", "CPU µs", "p50 ms", "p99 ms", "p99.9", "MiB"
    );
    for one in all {
        println!(
            "{:>5}  {:<26}{:>12.0}{:>11.0}{:>9.1}{:>9.2}{:>9.2}{:>9.2}{:>9.0}{}",
            one.connections,
            one.server,
            one.acknowledged_per_second,
            one.applied_per_second,
            one.cpu_micros_per_delivery,
            one.p50_ms,
            one.p99_ms,
            one.p999_ms,
            one.memory_mib,
            if one.refused == 0 { String::new() } else { format!("  ({} refused)", one.refused) }
        );
    }
    println!();
    for group in all.chunk_by(|one, other| one.connections == other.connections) {
        let of = |subject: Subject| group.iter().find(|one| one.server == subject.name());
        let (Some(harness), Some(raw), Some(message)) =
            (of(Subject::Harness), of(Subject::Bare(Mode::Raw)), of(Subject::Bare(Mode::Message)))
        else {
            continue;
        };
        println!(
            "{:>5} connections: acknowledged {:.2} of the bare server with the raw row, applied {:.2} of the one with both",
            harness.connections,
            harness.acknowledged_per_second / raw.acknowledged_per_second,
            harness.applied_per_second / message.acknowledged_per_second,
        );
    }
}
