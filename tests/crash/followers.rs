//! Those who follow the host while it is killed: a client of its events, which comes back where it stopped, and a product's
//! address. Belongs here: that each saw every change once and in order. Not here: the killing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use channel_tests::{
    api, eventually,
    follow::{EventStream, Product},
};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::process::Process;

pub struct Followers {
    product: Product,
    seen: JoinHandle<Vec<u64>>,
    newest: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Followers {
    /// Begins with the first change. The host must be running.
    pub async fn start(process: &Process, product: Product) -> Self {
        let json_type = [("content-type", "application/json")];
        let new = json!({ "url": product.url }).to_string();
        let made = api("POST", &format!("{}/api/v1/webhooks", process.address), &json_type, new).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let address = format!("{}/api/v1/webhooks/{}", process.address, made.json()["id"].as_str().unwrap());
        let moved = api("PATCH", &address, &json_type, json!({ "position": "0" }).to_string()).await;
        assert_eq!(moved.status, 200, "{}", moved.body);
        let stop = Arc::new(AtomicBool::new(false));
        let newest = Arc::new(AtomicU64::new(0));
        let url = format!("{}/api/v1/events?after=0", process.address);
        let seen = tokio::spawn(follow(url, Arc::clone(&newest), Arc::clone(&stop)));
        Self { product, seen, newest, stop }
    }

    /// The host must be running, and nothing must change any more.
    pub async fn judge(self, process: &Process) {
        let expected = eventually("the rest", async || {
            let expected = told_of(process);
            let last = *expected.last()?;
            let told =
                self.product.events().iter().any(|(_, event)| event["id"].as_str() == Some(last.to_string().as_str()));
            (told && self.newest.load(Ordering::Relaxed) >= last).then_some(expected)
        })
        .await;
        self.stop.store(true, Ordering::Relaxed);
        let seen = tokio::time::timeout(channel_tests::PATIENCE, self.seen).await.expect("the stream ends").unwrap();
        assert!(seen == expected, "the stream: {}", difference(&seen, &expected));
        let mut once = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        // It may be told of its own making before it is asked to begin with the first change.
        let first = expected.first().map(ToString::to_string);
        let from_the_first =
            self.product.events().into_iter().skip_while(|(_, event)| event["id"].as_str() != first.as_deref());
        for (name, event) in from_the_first {
            if known.insert(name) {
                once.push(event["id"].as_str().unwrap().parse().unwrap());
            }
        }
        println!("{} changes; {} calls of the webhook", expected.len(), self.product.events().len());
        assert!(once == expected, "the webhook: {}", difference(&once, &expected));
    }
}

/// Reads the stream, and comes back where it stopped whenever it ends.
async fn follow(url: String, newest: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Vec<u64> {
    let (mut seen, mut last) = (Vec::new(), None::<String>);
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut stream) = EventStream::open(&url, last.as_deref()).await else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        while let Some(told) = tokio::select! {
            told = stream.next() => told,
            () = stopped(&stop) => None,
        } {
            assert_ne!(told.kind, "feed.missed");
            seen.push(told.id);
            newest.fetch_max(told.id, Ordering::Relaxed);
        }
        last = stream.last_id.or(last);
    }
    seen
}

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// The changes of the first workspace.
fn told_of(process: &Process) -> Vec<u64> {
    let file = Connection::open_with_flags(process.inbox_file(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = file.prepare("SELECT seq FROM change WHERE workspace_id = 1 ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, i64>(0)).unwrap();
    rows.map(|seq| u64::try_from(seq.unwrap()).unwrap()).collect()
}

fn difference(seen: &[u64], expected: &[u64]) -> String {
    let at = seen.iter().zip(expected).take_while(|(one, other)| one == other).count();
    let around = |all: &[u64]| all.iter().skip(at.saturating_sub(3)).take(8).copied().collect::<Vec<_>>();
    format!(
        "{} instead of {}; at {at} {:?} instead of {:?}",
        seen.len(),
        expected.len(),
        around(seen),
        around(expected)
    )
}
