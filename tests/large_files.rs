//! Large files cost the disk and no memory, in a real `harness serve`: handed in, handed out, and sent by customers. One
//! that was interrupted leaves nothing behind. What the operator sets holds.

use std::{fs, sync::Arc};

use crate::process::{Life, Process};
use channel_tests::{API_TOKEN, eventually, request};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use simulator::{AccountConfig, Config, Login, Simulator};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

const MIB: usize = 1 << 20;
const FILE: usize = 60 * MIB;
/// What a platform sends; its channel names no size, and then it is 32 MiB.
const SENT: usize = 30 * MIB;
const AT_ONCE: usize = 4;

/// The most memory that a process ever had, in bytes.
fn peak(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

/// A mebibyte of the file with this number.
fn piece(number: usize) -> Vec<u8> {
    (0..MIB).map(|index| u8::try_from((index * 31 + number * 7) % 251).unwrap()).collect()
}

fn digest(number: usize, length: usize) -> String {
    let (piece, mut digest) = (piece(number), Sha256::new());
    (0..length / MIB).for_each(|_| digest.update(&piece));
    hex::encode(digest.finalize())
}

async fn ask(address: &str, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    let head = format!("{head}host: x\r\nauthorization: Bearer {API_TOKEN}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Hands a file in; its last piece waits until those of all others are there too.
async fn hand_in(address: String, number: usize, all: Arc<Barrier>) -> Value {
    let mut stream = ask(&address, &format!("POST /api/v1/uploads HTTP/1.1\r\ncontent-length: {FILE}\r\n")).await;
    let piece = piece(number);
    for index in 0..FILE / MIB {
        if index + 1 == FILE / MIB {
            all.wait().await;
        }
        stream.write_all(&piece).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap_or_else(|_| panic!("{answer}"))
}

/// Reads a file; nobody reads on before all have begun.
async fn read_slowly(address: String, path: String, all: Arc<Barrier>) -> (usize, String) {
    let mut stream = ask(&address, &format!("GET {path} HTTP/1.1\r\n")).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    all.wait().await;
    let (mut digest, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        if read == 0 {
            return (length, hex::encode(digest.finalize()));
        }
        digest.update(&buffer[..read]);
        length += read;
    }
}

/// Serves videos; the last piece of each waits for those of the others.
async fn cdn(all: Arc<Barrier>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let all = Arc::clone(&all);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\nconnection: close\r\ncontent-length: {SENT}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                let piece = piece(0);
                for index in 0..SENT / MIB {
                    if index + 1 == SENT / MIB {
                        all.wait().await;
                    }
                    stream.write_all(&piece).await.unwrap();
                }
            });
        }
    });
    address
}

async fn api(process: &Process, path: &str) -> Value {
    let token = format!("Bearer {API_TOKEN}");
    let answer = request("GET", &format!("{}{path}", process.address), &[("authorization", &token)], Vec::new()).await;
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{path}: {} {}", answer.status, answer.body))
}

async fn start(process: &Process) -> Life {
    let mut host = process.spawn();
    host.ready().await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn four_slow_files_of_60_mib_at_once_cost_no_memory() {
    let second = AccountConfig { webhook_login: Login::Instagram, ..AccountConfig::demo(2) };
    let config = Config { accounts: vec![AccountConfig::demo(1), second], ..Config::demo() };
    let accounts: Vec<String> = config.accounts.iter().map(|account| account.ig_id.clone()).collect();
    let sim = Simulator::start(config).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    // Of one channel so many are fetched at once: two of one account, one of the other.
    let cdn = cdn(Arc::new(Barrier::new(3))).await;
    process.configure(|text| {
        let stands_in = format!("[development.endpoints]\n\"https://lookaside.fbsbx.com\" = {cdn:?}\n");
        text.replace("[development.endpoints]\n", &stands_in)
    });
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));
    let host = start(&process).await;
    // What one conversation takes is there before it is measured.
    sim.customer_of(&accounts[0], "5551230000000009").unwrap().text("hello").await;
    let before = peak(host.id());

    let all = Arc::new(Barrier::new(AT_ONCE));
    let handed: Vec<_> =
        (0..AT_ONCE).map(|number| tokio::spawn(hand_in(process.address.clone(), number, Arc::clone(&all)))).collect();
    let mut read = Vec::new();
    for (number, handed) in handed.into_iter().enumerate() {
        let handed = handed.await.unwrap();
        assert_eq!(handed["sha256"], digest(number, FILE), "{handed}");
        let path = format!("/api/v1/uploads/{}", handed["id"].as_str().unwrap());
        read.push(tokio::spawn(read_slowly(process.address.clone(), path, Arc::clone(&all))));
    }
    for (number, read) in read.into_iter().enumerate() {
        assert_eq!(read.await.unwrap(), (FILE, digest(number, FILE)));
    }
    let handed_in_and_out = peak(host.id());

    for (account, customer) in [(0, "5551230000000001"), (0, "5551230000000002"), (1, "5551230000000003")] {
        let url = format!("https://lookaside.fbsbx.com/{customer}.mp4");
        sim.customer_of(&accounts[account], customer).unwrap().video(&url).await;
    }
    eventually("the videos", async || {
        let metrics = request(
            "GET",
            &format!("{}/metrics", process.address),
            &[("authorization", &format!("Bearer {API_TOKEN}"))],
            Vec::new(),
        )
        .await;
        metrics.body.contains("harness_media{state=\"stored\"} 3").then_some(())
    })
    .await;
    let stored = fs::read_dir(process.media().join("inbound")).unwrap().map(|entry| entry.unwrap().path());
    for path in stored {
        assert_eq!(hex::encode(Sha256::digest(fs::read(path).unwrap())), digest(0, SENT));
    }
    let fetched = peak(host.id());
    let mib = |bytes: usize| bytes >> 20;
    assert!(
        fetched < before + 48 * MIB,
        "{} MiB at first, {} after {AT_ONCE} files of 60 MiB both ways, {} after three of 30 MiB",
        mib(before),
        mib(handed_in_and_out),
        mib(fetched)
    );
    host.kill().await;
}

/// The files of the store that are not whole.
fn unfinished(process: &Process) -> Vec<u64> {
    let entries = fs::read_dir(process.media()).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".incoming-"));
    ours.map(|entry| entry.metadata().map_or(0, |found| found.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_file_leaves_nothing_behind_and_what_the_operator_sets_holds() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    let host = start(&process).await;
    let begin = format!("POST /api/v1/uploads HTTP/1.1\r\ncontent-length: {FILE}\r\n");
    let begun = async || {
        let mut stream = ask(&process.address, &begin).await;
        for _ in 0..3 {
            stream.write_all(&piece(1)).await.unwrap();
        }
        eventually("half of it", async || unfinished(&process).iter().any(|size| *size > 2 << 20).then_some(())).await;
        stream
    };
    // Its client goes.
    drop(begun().await);
    eventually("nothing of it", async || unfinished(&process).is_empty().then_some(())).await;
    // The host goes.
    let stream = begun().await;
    host.kill().await;
    drop(stream);
    assert_eq!(unfinished(&process).len(), 1);
    process.configure(|text| format!("{text}\n[limits]\nfile-mib = 1\n"));
    let host = start(&process).await;
    assert!(unfinished(&process).is_empty());

    let limit = "the body is larger than the 1 MiB that this address takes";
    let mut announced = ask(&process.address, &begin).await;
    let mut chunked = ask(&process.address, "POST /api/v1/uploads HTTP/1.1\r\ntransfer-encoding: chunked\r\n").await;
    for _ in 0..2 {
        // It may have been answered already.
        let _ = chunked.write_all(format!("{MIB:x}\r\n").as_bytes()).await;
        let _ = chunked.write_all(&piece(2)).await;
        let _ = chunked.write_all(b"\r\n").await;
    }
    for stream in [&mut announced, &mut chunked] {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains(limit), "{answer}");
    }
    assert!(unfinished(&process).is_empty());
    let health = api(&process, "/api/v1/health").await;
    assert!(health["channels"].is_array(), "{health}");
    host.kill().await;
}
