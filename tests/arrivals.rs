//! The arrivals file, from outside: it stays small, it is taken over after a stop at any moment, and it keeps nothing
//! longer than it has to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path};

use channel_tests::eventually;
use harness_contract::{Delivery, DeliverySource};
use harness_inbox::{Inbox, InboxError, NewDelivery, Proof, beside};
use rusqlite::Connection;

fn delivery(number: usize, bytes: usize) -> NewDelivery {
    let body = format!("delivery {number} {}", "x".repeat(bytes)).into_bytes();
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body,
        headers: Vec::new(),
        query: String::new(),
        received_at: 1,
        account: None,
    };
    NewDelivery { channel: "web-chat".into(), delivery, proof: Proof::Channel { slot: "s".into() } }
}

fn length(path: &Path) -> u64 {
    fs::metadata(beside(path, "-arrivals")).map_or(0, |file| file.len())
}

/// The numbers of the deliveries in the journal, in the order of their ids.
fn journal(path: &Path) -> Vec<usize> {
    let sql = Connection::open(path).unwrap();
    let mut statement = sql.prepare("SELECT CAST(body AS TEXT) FROM delivery ORDER BY id").unwrap();
    let bodies = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    bodies.map(|body| body.unwrap().split(' ').nth(1).unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_does_not_grow_for_as_long_as_more_comes_in_than_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = Inbox::open(&path).unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..16 {
        let (inbox, path) = (inbox.clone(), path.clone());
        senders.spawn(async move {
            for number in 0..40 {
                // As a platform does that is asked to come again.
                while let Err(error) = inbox.record(delivery(sender * 40 + number, 250_000)).await {
                    assert!(matches!(error, InboxError::Busy(_)), "{error}");
                    tokio::task::yield_now().await;
                }
                // The bound, and one batch beyond it.
                assert!(length(&path) < (64 + 8) << 20, "{}", length(&path));
            }
        });
    }
    senders.join_all().await;
    inbox.all_arrived().await.unwrap();
    let mut found = journal(&path);
    found.sort_unstable();
    assert_eq!(found, (0..640).collect::<Vec<_>>(), "160 MB came, each delivery once");
    eventually("an empty file", async || (length(&path) == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_row_when_the_host_dies_gets_it_at_the_next_start_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = Inbox::open(&path).unwrap();
    // While another program has the file, nothing gets a row.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 0..50 {
        inbox.record(delivery(number, 100)).await.unwrap();
    }
    assert_eq!(journal(&path), Vec::<usize>::new());
    let killed = folder.path().join("killed.sqlite");
    for end in ["-arrivals", "", "-wal"] {
        fs::copy(beside(&path, end), beside(&killed, end)).unwrap();
    }
    for start in 0..3 {
        let again = Inbox::open(&killed).unwrap();
        assert_eq!(journal(&killed), (0..50 + start).collect::<Vec<_>>(), "start {start}");
        assert_eq!(length(&killed), 0, "it is taken over");
        again.record(delivery(50 + start, 100)).await.unwrap();
    }
    other.execute_batch("ROLLBACK").unwrap();
    inbox.all_arrived().await.unwrap();
    assert_eq!(journal(&path), (0..50).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_its_row_is_gone_from_the_file_within_seconds_also_while_more_comes_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = Inbox::open(&path).unwrap();
    inbox.record(delivery(0, 100)).await.unwrap();
    let holds = || {
        let bytes = fs::read(beside(&path, "-arrivals")).unwrap();
        bytes.windows(11).any(|window| window == b"delivery 0 ")
    };
    assert!(holds());
    let number = std::cell::Cell::new(0);
    eventually("a file without it", async || {
        number.set(number.get() + 1);
        inbox.record(delivery(number.get(), 100)).await.unwrap();
        (!holds()).then_some(())
    })
    .await;
}
