//! Owns: `harness bench soak`: a real `serve` with a simulated platform, for a long time; one sample per minute.
//! Does not own: the traffic (`traffic`).

mod traffic;

use std::{
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;
use simulator::{CHANNEL, Config, Simulator};

use super::{SECRET, load::percentile, server::Server};
use crate::{author::locate, progress};
use traffic::{Tally, Traffic};

/// How long the sustained rate is measured. This also fills the caches, which would otherwise look like growth.
const PROBE: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);
const MIB: f64 = (1u64 << 20) as f64;

/// The sample of one minute.
#[derive(Serialize)]
struct Minute {
    minute: u64,
    acknowledged: usize,
    refused: usize,
    replies_sent: usize,
    replies_not_sent: usize,
    p50_ms: f64,
    p99_ms: f64,
    memory_mib: f64,
    handles: usize,
    /// Deliveries that wait for translation.
    waiting: u64,
    file_mib: f64,
    log_mib: f64,
}

/// One figure in the first and in the last third of the run: the median of the minutes.
#[derive(Serialize)]
struct Compared {
    what: &'static str,
    first_third: f64,
    last_third: f64,
    flat: bool,
}

#[derive(Serialize)]
struct Soaked {
    sustained_per_second: f64,
    rate_per_second: f64,
    minutes: Vec<Minute>,
    compared: Vec<Compared>,
    flat: bool,
}

pub(crate) async fn run(minutes: u64, rate: Option<f64>, folder: &Path, json: bool) -> Result<ExitCode> {
    let component = locate::component_path()?;
    let sim = Simulator::start(Config { app_secret: SECRET.into(), ..Config::demo() }).await?;
    let server = Server::with_platform(&sim, &component, folder)?;
    sim.set_webhook_url(format!("http://{}/webhooks/{CHANNEL}", server.address));
    let traffic = Arc::new(Traffic::new(&sim, &server.address).await?);

    let progress = progress::spinner("what the host sustains".to_owned());
    let sustained = probe(&server, &traffic).await?;
    let rate = rate.unwrap_or(sustained / 2.0);
    let work = traffic.begin(rate);
    let mut all = Vec::new();
    if !json {
        head(sustained, rate);
    }
    let begun = Instant::now();
    for minute in 1..=minutes {
        progress.set_message(format!("minute {minute} of {minutes}"));
        tokio::time::sleep((begun + MINUTE * u32::try_from(minute)?).saturating_duration_since(Instant::now())).await;
        let sample = sample(minute, &server, traffic.take()).await?;
        if !json {
            progress.suspend(|| line(&sample));
        }
        all.push(sample);
    }
    traffic.end(work).await?;
    progress.set_message("the rest of the queue");
    server.drained().await?;
    progress.finish_and_clear();

    let compared = compare(&all);
    let complete = all.iter().all(|minute| minute.refused == 0 && minute.replies_not_sent == 0);
    let flat = complete && compared.iter().all(|figure| figure.flat);
    if json {
        let soaked = Soaked { sustained_per_second: sustained, rate_per_second: rate, minutes: all, compared, flat };
        println!("{}", serde_json::to_string_pretty(&soaked)?);
    } else {
        show(&compared, complete, flat);
    }
    Ok(if flat { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The rate of deliveries that are acknowledged, translated and applied per second under full load.
async fn probe(server: &Server, traffic: &Arc<Traffic>) -> Result<f64> {
    let begun = Instant::now();
    let work = traffic.begin(f64::INFINITY);
    tokio::time::sleep(PROBE).await;
    traffic.end(work).await?;
    server.drained().await?;
    Ok(traffic.take().latencies.len() as f64 / begun.elapsed().as_secs_f64())
}

async fn sample(minute: u64, server: &Server, tally: Tally) -> Result<Minute> {
    let Tally { mut latencies, refused, replies_sent, replies_not_sent } = tally;
    latencies.sort_unstable();
    let (file, log) = server.files()?;
    Ok(Minute {
        minute,
        acknowledged: latencies.len(),
        refused,
        replies_sent,
        replies_not_sent,
        p50_ms: percentile(&latencies, 0.5),
        p99_ms: percentile(&latencies, 0.99),
        memory_mib: server.resident()? as f64 / MIB,
        handles: server.handles()?,
        waiting: server.waiting().await?,
        file_mib: file as f64 / MIB,
        log_mib: log as f64 / MIB,
    })
}

/// A figure: its name, its value in a sample, by which share it may grow, and by how much of its unit in any case,
/// because small values fluctuate.
type Figure = (&'static str, fn(&Minute) -> f64, f64, f64);

/// Compares the medians of the first and the last third.
fn compare(all: &[Minute]) -> Vec<Compared> {
    let third = all.len().div_ceil(3);
    let (first, last) = (all.get(..third).unwrap_or_default(), all.get(all.len() - third..).unwrap_or_default());
    let figures: [Figure; 6] = [
        ("memory, MiB", |minute| minute.memory_mib, 0.1, 16.0),
        ("open handles", |minute| minute.handles as f64, 0.1, 8.0),
        ("p50, ms", |minute| minute.p50_ms, 0.25, 2.0),
        ("p99, ms", |minute| minute.p99_ms, 0.5, 20.0),
        ("waiting deliveries", |minute| minute.waiting as f64, 0.5, 2_000.0),
        ("log beside the file, MiB", |minute| minute.log_mib, 0.25, 16.0),
    ];
    let compared = figures.into_iter().map(|(what, figure, share, least)| {
        let [first_third, last_third] = [first, last].map(|minutes| median(minutes.iter().map(figure).collect()));
        let flat = last_third <= first_third + (first_third * share).max(least);
        Compared { what, first_third, last_third, flat }
    });
    compared.collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn head(sustained: f64, rate: f64) {
    println!("sustained: {sustained:.0} deliveries per second, acknowledged and applied");
    println!("load: {rate:.0} deliveries per second, and replies\n");
    println!(
        "{:>6}{:>13}{:>9}{:>9}{:>9}{:>9}{:>10}{:>9}{:>9}{:>10}{:>9}",
        "minute",
        "acknowl.",
        "refused",
        "replies",
        "p50 ms",
        "p99 ms",
        "RSS MiB",
        "handles",
        "waiting",
        "file MiB",
        "WAL MiB"
    );
}

fn line(one: &Minute) {
    let unsent = if one.replies_not_sent == 0 {
        String::new()
    } else {
        format!("  ({} replies not sent)", one.replies_not_sent)
    };
    println!(
        "{:>6}{:>13}{:>9}{:>9}{:>9.2}{:>9.2}{:>10.1}{:>9}{:>9}{:>10.1}{:>9.1}{unsent}",
        one.minute,
        one.acknowledged,
        one.refused,
        one.replies_sent,
        one.p50_ms,
        one.p99_ms,
        one.memory_mib,
        one.handles,
        one.waiting,
        one.file_mib,
        one.log_mib
    );
}

fn show(compared: &[Compared], complete: bool, flat: bool) {
    println!("\n{:<28}{:>12}{:>12}", "median of the minutes", "first third", "last third");
    for one in compared {
        let word = if one.flat { "flat" } else { "grows" };
        println!("{:<28}{:>12.2}{:>12.2}  {word}", one.what, one.first_third, one.last_third);
    }
    if !complete {
        println!("not everything was taken: look at the refused deliveries and the replies that were not sent");
    }
    println!("{}", if flat { "flat" } else { "not flat" });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(memory: impl Fn(u64) -> f64) -> Vec<Minute> {
        let minute = |minute| Minute {
            minute,
            acknowledged: 1,
            refused: 0,
            replies_sent: 1,
            replies_not_sent: 0,
            p50_ms: 1.0,
            p99_ms: 5.0,
            memory_mib: memory(minute),
            handles: 30,
            waiting: 0,
            file_mib: minute as f64,
            log_mib: 4.0,
        };
        (1..=30).map(minute).collect()
    }

    #[test]
    fn what_grows_is_called_so_and_what_moves_by_chance_is_not() {
        let flat = |all: &[Minute]| compare(all).iter().all(|figure| figure.flat);
        assert!(flat(&minutes(|minute| 100.0 + (minute % 3) as f64)));
        assert!(!flat(&minutes(|minute| 100.0 + 3.0 * minute as f64)));
        assert!(flat(minutes(|_| 100.0).get(..1).unwrap_or_default()), "a single minute compares with itself");
    }
}
