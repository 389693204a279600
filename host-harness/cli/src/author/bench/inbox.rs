//! Owns: `harness bench inbox`: how fast the API and the pages are on an inbox of many messages, while more come in.
//! Does not own: filling it (`fill`), the requests (`operations`).

mod client;
mod fill;
mod operations;
mod people;
mod texts;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde::Serialize;
use simulator::{CHANNEL, Config, Customer, Simulator};
use tokio::{io::AsyncReadExt as _, net::TcpStream, task::JoinSet};

use super::{
    SECRET,
    load::{Signer, exchange, percentile},
    pace::{Pace, micros},
    server::{API_TOKEN, Server},
};
use crate::{author::locate, progress};
use client::Client;
use fill::{File, Filled};
use operations::Operation;

/// Connections over which deliveries come in.
const CONNECTIONS: usize = 16;
/// Customers who have just written, so that they can be answered.
const ANSWERED: usize = 40;
/// Each kind of request per second.
const EACH_PER_SECOND: f64 = 5.0;
/// A rate is kept if this share of what was planned was answered in time.
const KEPT: f64 = 0.99;

/// What is asked for on the command line.
pub(super) struct Asked {
    pub(super) messages: u64,
    /// Deliveries per second.
    pub(super) rate: f64,
    pub(super) seconds: u64,
}

/// One kind of request, or the deliveries, or the events.
#[derive(Serialize)]
struct Measured {
    what: &'static str,
    /// Planned per second; none for what only follows.
    rate: Option<f64>,
    count: usize,
    failed: usize,
    /// Whether as many were made as planned.
    kept: bool,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

#[derive(Serialize)]
struct Report {
    messages: u64,
    conversations: u64,
    file_mib: f64,
    filling_seconds: f64,
    filled_per_second: f64,
    memory_mib: f64,
    /// Messages that were acknowledged and are not in the inbox.
    lost: u64,
    /// Messages that are in the inbox more often than they were sent.
    doubled: u64,
    deliveries: Measured,
    events: Measured,
    operations: Vec<Measured>,
}

/// Answers of one kind.
#[derive(Default)]
struct Tally {
    /// In microseconds.
    latencies: Vec<u32>,
    failed: usize,
}

impl Tally {
    fn measured(mut self, what: &'static str, rate: Option<f64>, time: Duration) -> Measured {
        self.latencies.sort_unstable();
        let count = self.latencies.len();
        let planned = rate.map_or(0.0, |rate| rate * time.as_secs_f64());
        Measured {
            what,
            rate,
            count,
            failed: self.failed,
            kept: self.failed == 0 && count as f64 >= planned * KEPT - 1.0,
            p50_ms: percentile(&self.latencies, 0.5),
            p95_ms: percentile(&self.latencies, 0.95),
            p99_ms: percentile(&self.latencies, 0.99),
            max_ms: percentile(&self.latencies, 1.0),
        }
    }
}

pub(super) async fn run(asked: Asked, folder: &Path, json: bool) -> Result<ExitCode> {
    let component = locate::component_path()?;
    let sim = Simulator::start(Config { app_secret: SECRET.into(), ..Config::demo() }).await?;
    let server = Server::kept(&sim, &component, folder)?;
    sim.set_webhook_url(format!("http://{}/webhooks/{CHANNEL}", server.address));
    let (progress, file) = (progress::spinner("filling".to_owned()), File::open(folder)?);
    let mut filled = Filled::of(folder, asked.messages)?;
    let (begun, before) = (Instant::now(), filled.messages);
    fill::messages(&mut filled, asked.messages, (&sim, &server, folder), &progress).await?;
    let filling = begun.elapsed();
    let mut client = Client::connect(&server.address).await?;
    let cookie = client.joins("kim").await?;
    fill::sort(&mut filled, &mut client, &progress).await?;
    filled.note(folder)?;
    progress.set_message("waiting for the index of the search");
    file.indexed().await?;

    let stored = file.messages()?;
    let customers = greeted(&sim, &server).await;
    let ids: Vec<String> = customers.iter().map(|customer| customer.igsid().to_owned()).collect();
    // A new one, because the server has closed the first by now if that took long.
    let mut client = Client::connect(&server.address).await?;
    let open = operations::of_customers(&mut client, &ids).await?;
    if open.is_empty() {
        bail!("no customer can be answered");
    }
    let replies = (asked.seconds as f64 * EACH_PER_SECOND) as usize + ANSWERED;
    let operations = operations::all(&mut client, asked.messages, &open, &cookie, replies).await?;
    progress.set_message("measuring");
    let load = measure(&asked, &mut filled, folder, &server, operations).await?;
    progress.set_message("waiting for the rest");
    server.drained().await?;
    progress.finish_and_clear();

    let sent = load.acknowledged + u64::try_from(customers.len())?;
    let come = file.messages()?.saturating_sub(stored);
    let (file_size, log_size) = server.files()?;
    let report = Report {
        messages: file.messages()?,
        conversations: file.conversations()?,
        file_mib: (file_size + log_size) as f64 / f64::from(1 << 20),
        filling_seconds: filling.as_secs_f64(),
        filled_per_second: filled.messages.min(asked.messages).saturating_sub(before) as f64 / filling.as_secs_f64(),
        memory_mib: server.memory()? as f64 / f64::from(1 << 20),
        lost: sent.saturating_sub(come),
        doubled: come.saturating_sub(sent),
        deliveries: load.deliveries,
        events: load.events,
        operations: load.operations,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        show(&report);
    }
    let complete = report.lost == 0 && report.doubled == 0 && report.operations.iter().all(|one| one.failed == 0);
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Customers who have just written, when the host has taken it in.
async fn greeted(sim: &Simulator, server: &Server) -> Vec<Customer> {
    let mut customers = Vec::new();
    for number in 0..ANSWERED {
        let customer = sim.customer(&format!("555999000000{number:04}"));
        customer.text("Do you have it in blue?").await;
        customers.push(customer);
    }
    let _ = server.drained().await;
    customers
}

/// What was measured.
struct Load {
    acknowledged: u64,
    deliveries: Measured,
    events: Measured,
    operations: Vec<Measured>,
}

async fn measure(
    asked: &Asked,
    filled: &mut Filled,
    folder: &Path,
    server: &Server,
    operations: Vec<Operation>,
) -> Result<Load> {
    // One of each before it counts: statements are prepared, pages of the file are read.
    let mut warm = Client::connect(&server.address).await?;
    for operation in &operations {
        if let Some(request) = operation.request()
            && !warm.succeeds(request).await?
        {
            bail!("{}: {}", operation.name, String::from_utf8_lossy(warm.answer()));
        }
    }
    let first = filled.messages;
    // Whatever happens from now on, these numbers are not sent again.
    filled.messages += (asked.rate * asked.seconds as f64) as u64 * 2 + 1000;
    filled.note(folder)?;

    let time = Duration::from_secs(asked.seconds);
    let until = Instant::now() + time;
    let (deliveries, next) = (Arc::new(Mutex::new(Tally::default())), Arc::new(AtomicU64::new(first)));
    let signer = Arc::new(Signer::new());
    let times = filled.times();
    let mut work = JoinSet::<Result<()>>::new();
    for number in 0..CONNECTIONS {
        let (tally, next, signer) = (Arc::clone(&deliveries), Arc::clone(&next), Arc::clone(&signer));
        let (address, mut pace) = (server.address.clone(), Pace::new(asked.rate, CONNECTIONS, number));
        work.spawn(async move {
            let mut stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            let mut answer = Vec::new();
            loop {
                let from = pace.next().await;
                if from >= until {
                    return Ok(());
                }
                let number = next.fetch_add(1, Ordering::Relaxed);
                let request = signer.sign(&people::delivery(number..number + 1, times));
                let taken = exchange(&mut stream, &request, &mut answer).await?;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                if taken { tally.latencies.push(micros(from)) } else { tally.failed += 1 }
            }
        });
    }
    let (ends, told) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Tally::default())));
    let following = tokio::spawn(follow(server.address.clone(), Arc::clone(&ends), Arc::clone(&told)));
    let count = operations.len();
    let mut asking = JoinSet::new();
    for (number, operation) in operations.into_iter().enumerate() {
        let (address, mut pace) = (server.address.clone(), Pace::new(EACH_PER_SECOND * count as f64, count, number));
        asking.spawn(async move {
            let (mut client, mut tally) = (Client::connect(&address).await?, Tally::default());
            loop {
                let from = pace.next().await;
                let Some(request) = operation.request().filter(|_| from < until) else { break };
                if client.succeeds(request).await? {
                    tally.latencies.push(micros(from));
                } else {
                    tally.failed += 1;
                    tracing::warn!(operation.name, answer = %String::from_utf8_lossy(client.answer()), "refused");
                }
            }
            Ok::<_, anyhow::Error>((number, tally.measured(operation.name, Some(EACH_PER_SECOND), time)))
        });
    }
    let mut measured = Vec::new();
    while let Some(ended) = asking.join_next().await {
        measured.push(ended??);
    }
    measured.sort_by_key(|(number, _)| *number);
    while let Some(ended) = work.join_next().await {
        ended??;
    }
    server.drained().await?;
    ends.store(true, Ordering::Relaxed);
    following.await??;
    let take = |tally: &Mutex<Tally>| std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    let deliveries = take(&deliveries);
    Ok(Load {
        acknowledged: u64::try_from(deliveries.latencies.len())?,
        deliveries: deliveries.measured("deliveries", Some(asked.rate), time),
        events: take(&told).measured("events, after the change", None, time),
        operations: measured.into_iter().map(|(_, measured)| measured).collect(),
    })
}

/// Follows the stream of events, and notes how long each took from its change.
async fn follow(address: String, ends: Arc<AtomicBool>, told: Arc<Mutex<Tally>>) -> Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let head = format!("GET /api/v1/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {API_TOKEN}\r\n\r\n");
    while !ends.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(&address).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut words = Vec::new();
        loop {
            let read = tokio::time::timeout(Duration::from_millis(100), stream.read_buf(&mut words)).await;
            match read {
                Ok(Ok(0)) => break,
                Ok(Ok(_)) => {
                    note_events(&mut words, &told);
                    // Files may be fetched for long after the last delivery was applied, and each is told.
                    if ends.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_) if ends.load(Ordering::Relaxed) => return Ok(()),
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// Takes the complete lines.
fn note_events(words: &mut Vec<u8>, told: &Mutex<Tally>) {
    let now = jiff::Timestamp::now().as_millisecond();
    let Some(end) = words.iter().rposition(|byte| *byte == b'\n') else { return };
    let lines: Vec<u8> = words.drain(..=end).collect();
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    for data in lines.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data: ")) {
        let event: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
        let at = event.get("created_at").and_then(serde_json::Value::as_str).and_then(|at| at.parse().ok());
        if let Some(at) = at.map(|at: jiff::Timestamp| at.as_millisecond()) {
            told.latencies.push(u32::try_from(now.saturating_sub(at).max(0) * 1000).unwrap_or(u32::MAX));
        }
    }
}

fn show(report: &Report) {
    println!(
        "{} messages in {} conversations, {:.0} MiB; filled {:.0} a second; the host used {:.0} MiB",
        report.messages, report.conversations, report.file_mib, report.filled_per_second, report.memory_mib
    );
    println!(
        "\n{:<28}{:>8}{:>9}{:>10}{:>10}{:>10}{:>10}",
        "", "per s", "count", "p50 ms", "p95 ms", "p99 ms", "max ms"
    );
    for one in [&report.deliveries, &report.events].into_iter().chain(&report.operations) {
        let rate = one.rate.map(|rate| format!("{rate:.0}")).unwrap_or_default();
        print!(
            "{:<28}{rate:>8}{:>9}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
            one.what, one.count, one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms
        );
        let failed = if one.failed == 0 { String::new() } else { format!("  {} failed", one.failed) };
        println!("{failed}{}", if one.kept || one.rate.is_none() { "" } else { "  rate not kept" });
    }
    match (report.lost, report.doubled) {
        (0, 0) => println!("\nnothing was lost, nothing came twice"),
        (lost, doubled) => println!("\n{lost} messages were lost, {doubled} came twice"),
    }
}
