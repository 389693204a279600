//! Owns: the bare native server that the host is compared with: HMAC, serde, one writer thread with group commit.
//! Does not own: any product around it.

use std::{path::Path, thread};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, params};
use serde::Deserialize;
use sha2::Sha256;
use simulator::{CHANNEL, SIGNATURE_HEADER};
use tokio::sync::{mpsc, oneshot};

use super::{Mode, SECRET};

/// The same limits as the host's writer.
const QUEUE: usize = 8192;
const BATCH: usize = 512;

#[derive(Deserialize)]
struct Envelope {
    object: String,
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    messaging: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    sender: Party,
    recipient: Party,
    timestamp: i64,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Party {
    id: String,
}

#[derive(Deserialize)]
struct Message {
    mid: String,
    text: Option<String>,
}

struct Job {
    body: Bytes,
    envelope: Envelope,
    done: oneshot::Sender<bool>,
}

/// Serves until it is killed. Prints its address.
pub(crate) async fn run(mode: Mode, folder: &Path) -> Result<()> {
    let connection = open(&folder.join("bare.sqlite"))?;
    let (queue, jobs) = mpsc::channel(QUEUE);
    thread::Builder::new().name("writer".into()).spawn(move || write(connection, jobs, mode))?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let router = Router::new().route(&format!("/webhooks/{CHANNEL}"), post(deliver)).with_state(queue);
    axum::serve(listener, router).await.context("serving")
}

fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    connection.execute_batch(
        "CREATE TABLE delivery (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
         CREATE TABLE message (id INTEGER PRIMARY KEY, mid TEXT NOT NULL UNIQUE, sender TEXT NOT NULL,
             recipient TEXT NOT NULL, at INTEGER NOT NULL, text TEXT, delivery_id INTEGER NOT NULL) STRICT;",
    )?;
    Ok(connection)
}

async fn deliver(State(queue): State<mpsc::Sender<Job>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !genuine(&headers, &body) {
        return StatusCode::FORBIDDEN;
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&body) else { return StatusCode::BAD_REQUEST };
    if envelope.object != CHANNEL {
        return StatusCode::BAD_REQUEST;
    }
    let (done, durable) = oneshot::channel();
    if queue.try_send(Job { body, envelope, done }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match durable.await {
        Ok(true) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn genuine(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(given) = headers.get(SIGNATURE_HEADER).and_then(|value| value.as_bytes().strip_prefix(b"sha256=")) else {
        return false;
    };
    let (Ok(given), Ok(mut mac)) = (hex::decode(given), Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// Commits all waiting jobs in one transaction.
fn write(mut connection: Connection, mut jobs: mpsc::Receiver<Job>, mode: Mode) {
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        let committed = commit(&mut connection, &mut jobs, &mut batch, mode).is_ok();
        for job in batch {
            let _ = job.done.send(committed);
        }
    }
}

fn commit(
    connection: &mut Connection,
    jobs: &mut mpsc::Receiver<Job>,
    batch: &mut Vec<Job>,
    mode: Mode,
) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    let mut next = 0;
    while let Some(job) = batch.get(next) {
        tx.prepare_cached("INSERT INTO delivery (body) VALUES (?1)")?.execute(params![job.body.as_ref()])?;
        let delivery = tx.last_insert_rowid();
        if mode == Mode::Message {
            for item in job.envelope.entry.iter().flat_map(|entry| &entry.messaging) {
                let Some(message) = &item.message else { continue };
                let row =
                    params![message.mid, item.sender.id, item.recipient.id, item.timestamp, message.text, delivery];
                tx.prepare_cached(
                    "INSERT INTO message (mid, sender, recipient, at, text, delivery_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                )?
                .execute(row)?;
            }
        }
        next += 1;
        if batch.len() < BATCH
            && let Ok(waiting) = jobs.try_recv()
        {
            batch.push(waiting);
        }
    }
    tx.commit()
}
