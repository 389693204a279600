//! An inbox file that is not what it was: refused in words that say what to do, and left as it is. And what a
//! write-ahead log that is cut or gone costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness_contract::{Delivery, DeliverySource};
use harness_inbox::{Inbox, InboxError, NewDelivery, Proof, check_file};
use tempfile::TempDir;

fn delivery(number: usize) -> NewDelivery {
    NewDelivery {
        channel: "any".into(),
        delivery: Delivery {
            source: DeliverySource::Webhook,
            body: format!("{number} {}", "x".repeat(700)).into_bytes(),
            headers: Vec::new(),
            query: String::new(),
            received_at: 1,
            account: None,
        },
        proof: Proof::Channel { slot: "s".into() },
    }
}

/// Copies an inbox as a killed host leaves it: the file and its write-ahead log.
fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-arrivals"] {
        let from = harness_inbox::beside(from, end);
        if from.exists() {
            fs::copy(from, harness_inbox::beside(to, end)).unwrap();
        }
    }
}

/// An inbox with so many deliveries, all of them in the file itself.
async fn inbox(deliveries: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let inbox = Inbox::open(&path).unwrap();
    for number in 0..deliveries {
        inbox.record(delivery(number)).await.unwrap();
    }
    drop(inbox);
    channel_tests::eventually("the end of the log", async || {
        (!harness_inbox::beside(&path, "-wal").exists()).then_some(())
    })
    .await;
    (folder, path)
}

fn refused(path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let error = match Inbox::open(path) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was opened"),
    };
    assert!(fs::read(path).unwrap() == before, "it was changed: {error}");
    error
}

/// Changes the bytes of an inbox file, in the same place.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_file_that_is_shorter_than_it_was_is_refused_and_left_as_it_is() {
    let (_folder, path) = inbox(200).await;
    let whole = fs::read(&path).unwrap();
    for length in [whole.len() - 1, whole.len() - 4096, whole.len() / 2, 4096, 100, 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let said = refused(&path);
        assert!(said.contains("damaged") && said.contains("put a backup in its place"), "{length}: {said}");
        assert!(!check_file(&path).unwrap().is_empty(), "{length}");
    }
    // Nothing at all would be taken for a new inbox.
    fs::write(&path, []).unwrap();
    let said = refused(&path);
    assert!(said.contains("it is empty or missing, although"), "{said}");
    fs::remove_file(harness_inbox::beside(&path, ".lock")).unwrap();
    assert!(Inbox::open(&path).is_ok(), "whoever begins anew can");
}

#[tokio::test]
async fn pages_that_were_overwritten_are_found() {
    let (_folder, path) = inbox(400).await;
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    let mut unnoticed = Vec::new();
    for page in 0..pages {
        fs::write(&path, &whole).unwrap();
        change(&path, |bytes| bytes[page * 4096..(page + 1) * 4096].fill(0xa5));
        if check_file(&path).is_ok_and(|findings| findings.is_empty()) {
            unnoticed.push(page);
            continue;
        }
        let said = refused(&path);
        assert!(said.contains("damaged"), "page {page}: {said}");
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?} of {pages}");
    // Two pages that changed places.
    fs::write(&path, &whole).unwrap();
    change(&path, |bytes| {
        let (left, right) = bytes.split_at_mut(30 * 4096);
        left[20 * 4096..21 * 4096].swap_with_slice(&mut right[..4096]);
    });
    assert!(refused(&path).contains("damaged"));
    fs::write(&path, &whole).unwrap();
    assert!(Inbox::open(&path).is_ok(), "the sound file is opened");
}

#[tokio::test]
async fn a_row_without_its_other_half_is_found() {
    let (_folder, path) = inbox(1).await;
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.pragma_update(None, "foreign_keys", "OFF").unwrap();
    sql.execute("INSERT INTO contact (account_id, platform_id) VALUES (77, 'x')", []).unwrap();
    drop(sql);
    assert!(refused(&path).contains("row 1 of contact names a account that is not there"));
    assert_eq!(check_file(&path).unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_inbox_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    fs::write(&path, "just a text, longer than the header of a database would be ".repeat(90)).unwrap();
    assert!(refused(&path).contains("no SQLite database"));
    fs::remove_file(&path).unwrap();

    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE customers (id INTEGER PRIMARY KEY); INSERT INTO customers VALUES (1)").unwrap();
    assert!(refused(&path).contains("another program's database"));
    other.pragma_update(None, "user_version", 2).unwrap();
    assert!(refused(&path).contains("no inbox"));
    drop(other);
    assert!(matches!(check_file(&folder.path().join("none")), Err(InboxError::NotFound { .. })));
}

/// The rows of the journal, in their order.
fn journal(path: &Path) -> Vec<i64> {
    let sql = rusqlite::Connection::open(path).unwrap();
    let mut statement = sql.prepare("SELECT id FROM delivery ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_log_that_is_garbage_cut_or_gone_costs_what_was_in_it_and_nothing_else() {
    let (folder, path) = inbox(50).await;
    let inbox = Inbox::open(&path).unwrap();
    for number in 50..80 {
        inbox.record(delivery(number)).await.unwrap();
        // Each in a transaction of its own, however fast they come: a log that is cut holds some of them.
        inbox.all_arrived().await.unwrap();
    }
    let killed = folder.path().join("killed.sqlite");
    copy(&path, &killed);
    let log = fs::read(harness_inbox::beside(&killed, "-wal")).unwrap();
    assert!(log.len() > 30 * 700, "the log holds the newest deliveries");

    let cases: [(&str, Option<Vec<u8>>); 5] = [
        ("whole", Some(log.clone())),
        ("cut", Some(log[..log.len() / 2].to_vec())),
        ("a byte in the middle", {
            let mut log = log.clone();
            let middle = log.len() / 2;
            log[middle] ^= 0x40;
            Some(log)
        }),
        ("garbage", Some(vec![0x5a; 100_000])),
        ("gone", None),
    ];
    for (name, log) in cases {
        let path = folder.path().join(name);
        fs::copy(&killed, &path).unwrap();
        if let Some(log) = log {
            fs::write(harness_inbox::beside(&path, "-wal"), log).unwrap();
        }
        let opened = Inbox::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        opened.record(delivery(1000)).await.unwrap();
        opened.all_arrived().await.unwrap();
        let rows = journal(&path);
        let expected: Vec<i64> = (1..=i64::try_from(rows.len()).unwrap()).collect();
        assert_eq!(rows, expected, "{name}: from the first on, without a gap");
        match name {
            "whole" => assert_eq!(rows.len(), 81),
            "garbage" | "gone" => assert_eq!(rows.len(), 51, "{name}"),
            _ => assert!((52..81).contains(&rows.len()), "{name}: {}", rows.len()),
        }
    }
}

#[tokio::test]
async fn a_log_without_its_file_is_not_thrown_away() {
    let (folder, path) = inbox(5).await;
    let inbox = Inbox::open(&path).unwrap();
    inbox.record(delivery(6)).await.unwrap();
    inbox.all_arrived().await.unwrap();
    let killed = folder.path().join("killed.sqlite");
    copy(&path, &killed);
    fs::write(&killed, []).unwrap();
    let log = fs::read(harness_inbox::beside(&killed, "-wal")).unwrap();
    assert!(refused(&killed).contains("it is empty or missing"));
    assert!(fs::read(harness_inbox::beside(&killed, "-wal")).unwrap() == log);
}
