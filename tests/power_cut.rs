//! A power cut instead of a kill: what had reached the disk when a delivery was acknowledged is all that is left, and
//! whatever was written later is there in part, torn or garbage. The acknowledged deliveries are there all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking; it uses a part of what the crash test uses"
)]

#[path = "crash/random.rs"]
mod random;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use channel_tests::{World, eventually, request, signature};
use harness_inbox::{Inbox, beside, check_file};
use random::Random;
use rusqlite::{Connection, OpenFlags};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Where in a write-ahead log the last transaction ends that belongs to its present round.
fn committed(log: &[u8]) -> usize {
    if log.len() < HEADER {
        return 0;
    }
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let salts = &log[16..24];
    let mut end = HEADER;
    for (number, frame) in log[HEADER..].chunks_exact(FRAME_HEADER + page).enumerate() {
        if &frame[8..16] != salts {
            break;
        }
        // The frame that ends a transaction says how large the file is then.
        if frame[4..8] != [0; 4] {
            end = HEADER + (number + 1) * (FRAME_HEADER + page);
        }
    }
    end
}

/// What is on the disk, and how much of the log was there for certain.
struct Disk {
    arrivals: Vec<u8>,
    file: Vec<u8>,
    log: Vec<u8>,
    durable: usize,
    acknowledged: Vec<String>,
}

/// Copies the files of a working host. A reader that stands still keeps the log from beginning anew meanwhile.
async fn look(path: &Path, acknowledged: &Mutex<Vec<String>>) -> Disk {
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM delivery", [], |row| row.get::<_, i64>(0)).unwrap();
    let acknowledged = acknowledged.lock().unwrap().clone();
    let copy = |end: &str| {
        // Not opened in this process, which would take SQLite's locks away.
        let to = beside(path, ".copy");
        assert!(std::process::Command::new("cp").arg(beside(path, end)).arg(&to).status().unwrap().success());
        fs::read(to).unwrap()
    };
    // What it held when the last delivery was acknowledged it holds now, or that is in the log for certain.
    let arrivals = copy("-arrivals");
    let durable = committed(&copy("-wal"));
    let file = copy("");
    // Until something stands behind it, of which nobody knows whether it is durable.
    let log = eventually("a longer log", async || Some(copy("-wal")).filter(|log| log.len() > durable)).await;
    reader.execute_batch("COMMIT").unwrap();
    Disk { arrivals, file, log, durable, acknowledged }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_log_that_ends_anywhere_behind_it() {
    let world = World::new().await;
    let path = world.inbox_file();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let url = format!("{}/webhooks/instagram", world.address);
    let now = world.clock.now();
    let mut load = tokio::task::JoinSet::new();
    for connection in 0..8 {
        let (acknowledged, url) = (Arc::clone(&acknowledged), url.clone());
        load.spawn(async move {
            for number in 0.. {
                let mid = format!("cut-{connection}-{number}");
                let customer = format!("55512300000008{connection:02}");
                let body = format!(
                    r#"{{"object":"instagram","entry":[{{"id":"17841400000000001","messaging":[{{"sender":{{"id":"{customer}"}},"recipient":{{"id":"17841400000000001"}},"timestamp":{},"message":{{"mid":"{mid}","text":"{}"}}}}]}}]}}"#,
                    now + number,
                    "x".repeat(number as usize % 900),
                );
                let proof = signature("demo-meta-app-secret", body.as_bytes());
                if request("POST", &url, &[("x-hub-signature-256", &proof)], body.into()).await.status == 200 {
                    acknowledged.lock().unwrap().push(mid);
                }
            }
        });
    }
    let mut disks = Vec::new();
    for round in 1..=12 {
        eventually("more deliveries", async || (acknowledged.lock().unwrap().len() > round * 40).then_some(())).await;
        disks.push(look(&path, &acknowledged).await);
    }
    load.abort_all();
    let mut source = Random::new(20);
    let mut below = |bound: usize| usize::try_from(source.below(bound as u64)).unwrap();
    let (mut cuts, mut lengths) = (0, Vec::new());
    for (number, disk) in disks.iter().enumerate() {
        assert!(disk.durable <= disk.log.len() && disk.acknowledged.len() > 20);
        for cut in 0..8 {
            // Everything, nothing, or anything of what was written after the last fsync that counts.
            let unsure = disk.log.len() - disk.durable;
            let end = disk.durable + [0, unsure, below(unsure)][cut.min(2)];
            let mut log = disk.log[..end].to_vec();
            match cut % 4 {
                // A block that was never written, and one that was written over.
                2 if end > disk.durable => log[disk.durable + below(end - disk.durable)..].fill(0),
                3 => log.extend((0..below(9_000)).map(|_| below(256) as u8)),
                _ => {}
            }
            let folder = world.folder.path().join(format!("{number}-{cut}"));
            fs::create_dir(&folder).unwrap();
            let file = folder.join("inbox.sqlite");
            fs::write(&file, &disk.file).unwrap();
            fs::write(beside(&file, "-wal"), log).unwrap();
            let mut arrivals = disk.arrivals.clone();
            arrivals.extend((0..below(900)).map(|_| below(256) as u8));
            fs::write(beside(&file, "-arrivals"), arrivals).unwrap();
            let inbox = Inbox::open(&file).unwrap_or_else(|error| panic!("{number} {cut}: {error}"));
            drop(inbox);
            assert_eq!(check_file(&file).unwrap(), Vec::<String>::new(), "{number} {cut}");
            let bodies = bodies(&file);
            for mid in &disk.acknowledged {
                assert_eq!(bodies.get(mid), Some(&1), "{number} {cut}: {mid} was acknowledged");
            }
            cuts += 1;
        }
        lengths.push((disk.acknowledged.len(), disk.log.len() - disk.durable));
    }
    // And the comparison can tell: a log that ends before the last fsync has lost something.
    let disk = disks.last().unwrap();
    let file = world.folder.path().join("too-short.sqlite");
    fs::write(&file, &disk.file).unwrap();
    fs::write(beside(&file, "-wal"), &disk.log[..HEADER]).unwrap();
    drop(Inbox::open(&file).map_err(|error| error.to_string()));
    let sound = check_file(&file).is_ok_and(|findings| findings.is_empty());
    let left = if sound { bodies(&file) } else { BTreeMap::new() };
    assert!(disk.acknowledged.iter().any(|mid| !left.contains_key(mid)), "nothing of it was in the log");
    println!("{cuts} cuts; acknowledged and bytes behind the last sure one: {lengths:?}");
}

/// How often each message is in the journal, by its id.
fn bodies(file: &Path) -> BTreeMap<String, usize> {
    let sql = Connection::open(file).unwrap();
    let mut statement = sql.prepare("SELECT CAST(body AS TEXT) FROM delivery").unwrap();
    let mut found = BTreeMap::new();
    for body in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        let body = body.unwrap();
        let (_, rest) = body.split_once(r#""mid":""#).unwrap();
        *found.entry(rest.split('"').next().unwrap().to_owned()).or_default() += 1;
    }
    found
}
