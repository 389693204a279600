//! Owns: the load of a benchmark: prebuilt signed requests over persistent connections.
//! Does not own: other measurements.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use simulator::{CHANNEL, Secret};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{ACCOUNT, SECRET};

/// The number of different customers.
const CUSTOMERS: usize = 997;

/// Prebuilt requests in one buffer.
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    /// Builds distinct deliveries with one text message each.
    pub(crate) fn build(count: usize) -> Self {
        let mut requests = Self { bytes: Vec::with_capacity(count * 700), ends: Vec::with_capacity(count) };
        let signer = Signer::new();
        for number in 0..count {
            requests.bytes.extend(signer.request(number));
            requests.ends.push(requests.bytes.len());
        }
        requests
    }

    fn get(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.bytes.get(start..end)
    }
}

/// Builds signed requests.
pub(crate) struct Signer(Secret);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(Secret::new(SECRET))
    }

    /// A delivery with one text message, distinct for each number.
    pub(crate) fn request(&self, number: usize) -> Vec<u8> {
        self.sign(simulator::text_webhook(ACCOUNT, number, CUSTOMERS).as_bytes())
    }

    /// A delivery with this body.
    pub(crate) fn sign(&self, body: &[u8]) -> Vec<u8> {
        let mut request = format!("POST /webhooks/{CHANNEL} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        for (name, value) in simulator::webhook_headers(&self.0, body) {
            request.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        [request.as_bytes(), body].concat()
    }
}

/// What the clients measured.
pub(crate) struct Seen {
    pub(crate) acknowledged: usize,
    /// Answered with a status other than 200.
    pub(crate) refused: usize,
    pub(crate) time: Duration,
    /// Latency of each acknowledged delivery, in microseconds, ascending.
    pub(crate) latencies: Vec<u32>,
}

impl Seen {
    /// A percentile of the latencies, in milliseconds. `share` is from 0 to 1.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share)
    }
}

/// A percentile of ascending latencies in microseconds, in milliseconds.
pub(crate) fn percentile(latencies: &[u32], share: f64) -> f64 {
    let at = (latencies.len() as f64 * share) as usize;
    let last = latencies.len().saturating_sub(1);
    latencies.get(at.min(last)).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

/// Sends for `time`, or until all requests are sent.
pub(crate) async fn send(address: &str, requests: &Arc<Requests>, connections: usize, time: Duration) -> Result<Seen> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        open.push(stream);
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for stream in open {
        tasks.spawn(client(stream, Arc::clone(requests), Arc::clone(&next), started + time));
    }
    let mut seen = Seen { acknowledged: 0, refused: 0, time: Duration::ZERO, latencies: Vec::new() };
    while let Some(ended) = tasks.join_next().await {
        let (latencies, refused) = ended??;
        seen.refused += refused;
        seen.latencies.extend(latencies);
    }
    seen.time = started.elapsed();
    seen.acknowledged = seen.latencies.len();
    seen.latencies.sort_unstable();
    Ok(seen)
}

async fn client(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
    until: Instant,
) -> Result<(Vec<u32>, usize)> {
    let mut latencies = Vec::new();
    let mut refused = 0;
    let mut answer = Vec::with_capacity(1024);
    loop {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
        if exchange(&mut stream, request, &mut answer).await? {
            latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        } else {
            refused += 1;
        }
    }
    Ok((latencies, refused))
}

/// Sends one request and reads the answer. Returns whether its status is 200.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) -> Result<bool> {
    stream.write_all(request).await?;
    answer.clear();
    while !complete(answer) {
        if stream.read_buf(answer).await? == 0 {
            bail!("the server closed a connection: {}", String::from_utf8_lossy(answer));
        }
    }
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

/// Where the head of an answer ends.
fn end_of_head(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|four| four == b"\r\n\r\n")
}

/// The head of an answer; empty as long as it is not complete.
pub(crate) fn head(answer: &[u8]) -> &str {
    let head = end_of_head(answer).and_then(|end| answer.get(..end)).unwrap_or_default();
    std::str::from_utf8(head).unwrap_or_default()
}

/// Whether an answer is complete: by its `content-length`, or by the last of its chunks. One without either has no body.
fn complete(answer: &[u8]) -> bool {
    let Some(end) = end_of_head(answer) else { return false };
    for (name, value) in head(answer).lines().filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            return answer.len() >= end + 4 + value.trim().parse::<usize>().unwrap_or(0);
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return answer.ends_with(b"\r\n0\r\n\r\n");
        }
    }
    true
}

/// The status of an answer.
pub(crate) fn status(answer: &[u8]) -> Option<u16> {
    head(answer).split(' ').nth(1)?.parse().ok()
}

/// The body of a complete answer that is not in chunks.
pub(crate) fn body(answer: &[u8]) -> &[u8] {
    end_of_head(answer).and_then(|end| answer.get(end + 4..)).unwrap_or_default()
}
