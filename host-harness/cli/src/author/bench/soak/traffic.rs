//! Owns: the traffic of the soak: webhooks at a steady rate, conversations with replies, and counts of the results.
//! Does not own: the evaluation (`soak`).

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use simulator::{Customer, Simulator};
use tokio::{net::TcpStream, task::JoinSet};

use super::super::{
    load::{Signer, exchange},
    pace::{Pace, micros},
    server::{API_TOKEN, call, get},
};

/// Persistent connections.
const CONNECTIONS: usize = 16;
/// Customers who get replies.
const ANSWERED: usize = 8;
/// The pause of such a customer between two messages.
const PAUSE: Duration = Duration::from_secs(2);

/// The results since the last call of [`Traffic::take`].
#[derive(Default)]
pub(super) struct Tally {
    /// Latency of each acknowledged delivery, in microseconds.
    pub(super) latencies: Vec<u32>,
    pub(super) refused: usize,
    pub(super) replies_sent: usize,
    pub(super) replies_not_sent: usize,
}

/// Traffic for one host.
pub(super) struct Traffic {
    address: String,
    signer: Signer,
    next: AtomicUsize,
    stop: AtomicBool,
    tally: Mutex<Tally>,
    /// Each with the id of its conversation.
    customers: Vec<(Customer, String)>,
    keys: AtomicUsize,
}

impl Traffic {
    /// Sends a first message from each customer, so that the conversations exist.
    pub(super) async fn new(sim: &Simulator, address: &str) -> Result<Self> {
        let mut customers = Vec::new();
        for number in 0..ANSWERED {
            let customer = sim.customer(&format!("555999000000{number:04}"));
            customer.text("hello").await;
            customers.push((conversation(address, customer.igsid()).await?, customer));
        }
        Ok(Self {
            address: address.to_owned(),
            signer: Signer::new(),
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            tally: Mutex::default(),
            customers: customers.into_iter().map(|(conversation, customer)| (customer, conversation)).collect(),
            keys: AtomicUsize::new(0),
        })
    }

    /// Starts the traffic. `rate` is deliveries per second over all connections.
    pub(super) fn begin(self: &Arc<Self>, rate: f64) -> JoinSet<Result<()>> {
        self.stop.store(false, Ordering::Relaxed);
        let mut work = JoinSet::new();
        for connection in 0..CONNECTIONS {
            let traffic = Arc::clone(self);
            work.spawn(async move { traffic.deliver(connection, rate).await });
        }
        for customer in 0..self.customers.len() {
            let traffic = Arc::clone(self);
            work.spawn(async move { traffic.converse(customer).await });
        }
        work
    }

    /// Stops the traffic, and returns the first error.
    pub(super) async fn end(&self, mut work: JoinSet<Result<()>>) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = work.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Takes the results, and starts counting again.
    pub(super) fn take(&self) -> Tally {
        self.count(mem::take)
    }

    fn count<T>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One of the connections that together make `rate` deliveries per second.
    async fn deliver(&self, connection: usize, rate: f64) -> Result<()> {
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let mut answer = Vec::with_capacity(1024);
        let mut pace = Pace::new(rate, CONNECTIONS, connection);
        while !self.stopped() {
            let from = pace.next().await;
            let request = self.signer.request(self.next.fetch_add(1, Ordering::Relaxed));
            let taken = exchange(&mut stream, &request, &mut answer).await?;
            let micros = micros(from);
            self.count(|tally| if taken { tally.latencies.push(micros) } else { tally.refused += 1 });
        }
        Ok(())
    }

    /// One customer who writes and gets a reply, in turn.
    async fn converse(&self, number: usize) -> Result<()> {
        let (customer, conversation) = self.customers.get(number).context("the customer")?;
        while !self.stopped() {
            customer.text("Is it still there?").await;
            let key = self.keys.fetch_add(1, Ordering::Relaxed);
            let body =
                json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "text": { "text": "Yes, it is." } }] });
            let body = body.to_string();
            let request = format!(
                "POST /api/v1/conversations/{conversation}/replies?wait=10000 HTTP/1.1\r\nhost: {}\r\n\
                 connection: close\r\nidempotency-key: soak-{key}\r\ncontent-type: application/json\r\n\
                 authorization: Bearer {API_TOKEN}\r\ncontent-length: {}\r\n\r\n{body}",
                self.address,
                body.len()
            );
            let answer = call(&self.address, &request).await?;
            let steps = answer.get("steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let sent = !steps.is_empty() && steps.iter().all(|step| step.get("state") == Some(&json!("sent")));
            self.count(|tally| if sent { tally.replies_sent += 1 } else { tally.replies_not_sent += 1 });
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// The conversation with a customer who has written.
async fn conversation(address: &str, igsid: &str) -> Result<String> {
    for _ in 0..200 {
        let all = get(address, "/api/v1/conversations?limit=100").await?;
        let mut all = all.get("data").and_then(Value::as_array).into_iter().flatten();
        let is_it =
            |one: &&Value| one.pointer("/contact/identifiers").is_some_and(|known| known.to_string().contains(igsid));
        if let Some(id) = all.find(is_it).and_then(|one| one.get("id")).and_then(Value::as_str) {
            return Ok(id.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the first message of a customer did not arrive")
}
