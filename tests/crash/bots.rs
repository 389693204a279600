//! The bots of `examples/bots` under `kill -9`, theirs and the host's: every message is answered, and none twice.
//! Does not own: what a host promises then (`crash`).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
    time::Duration,
};

use channel_tests::{PATIENCE, eventually, root};
use simulator::{Config, Redelivery, Simulator};
use tokio::process::{Child, Command};

use crate::{load, process::Process, random::Random};

const CUSTOMERS: usize = 3;
const MESSAGES: usize = 8;
const KILLS: usize = 6;

fn customer(number: usize) -> String {
    format!("55500002{number:02}")
}

/// A bot as a process of its own.
fn bot(program: &str, file: &str, process: &Process, position: &Path) -> Child {
    Command::new(program)
        .arg(root().join("examples/bots").join(file))
        .arg(position)
        .env("HOST", &process.address)
        .env("TOKEN", channel_tests::API_TOKEN)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: .ci/setup installs it: {error}"))
}

async fn every_message_is_answered_once(program: &str, file: &str) {
    let sim = Simulator::start(Config {
        redelivery: Redelivery::times(20_000, Duration::from_millis(25)),
        webhook_timeout: PATIENCE,
        ..Config::demo()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));
    let mut host = process.spawn();
    host.ready().await;
    // What was written before the bot began is not answered.
    sim.customer(&customer(0)).text("too early").await;
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    let position = folder.path().join("position");
    let mut running = bot(program, file, &process, &position);
    eventually("the first position", async || position.exists().then_some(())).await;

    let writing: Vec<_> = (0..CUSTOMERS)
        .map(|number| {
            let sim = sim.clone();
            tokio::spawn(async move {
                for message in 0..MESSAGES {
                    sim.customer(&customer(number)).text(&format!("question {number}.{message}")).await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            })
        })
        .collect();
    let mut random = Random::new(11);
    for turn in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(20 + random.below(400))).await;
        if turn % 2 == 0 {
            running.kill().await.unwrap();
            running = bot(program, file, &process, &position);
        } else {
            host.kill().await;
            host = process.spawn();
            host.ready().await;
        }
    }
    for one in writing {
        one.await.unwrap();
    }
    let answers = || {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..CUSTOMERS {
            let said = sim.customer(&customer(number)).transcript();
            for text in said.into_iter().filter_map(|message| message.text) {
                if let Some(answered) = text.strip_prefix("You wrote: ") {
                    *counts.entry(answered.to_owned()).or_default() += 1;
                }
            }
        }
        counts
    };
    // A kill in the middle of a request leaves it open whether the answer arrived. The host does not guess: a person decides.
    let inbox = process.inbox_file();
    let dealt_with = || {
        let file = rusqlite::Connection::open_with_flags(&inbox, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut texts = file.prepare("SELECT text FROM step WHERE state = 'ambiguous' AND text IS NOT NULL").unwrap();
        let texts = texts.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let doubtful = texts.filter_map(|text| text.unwrap().strip_prefix("You wrote: ").map(str::to_owned));
        answers().into_keys().chain(doubtful).collect::<BTreeSet<_>>()
    };
    eventually("every answer", async || (dealt_with().len() == CUSTOMERS * MESSAGES).then_some(())).await;
    // Once more from where it stopped last: it has nothing left to do.
    running.kill().await.unwrap();
    running = bot(program, file, &process, &position);
    sim.customer(&customer(0)).text("and last").await;
    eventually("the last answer", async || answers().contains_key("and last").then_some(())).await;
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    running.kill().await.unwrap();
    host.kill().await;
    let answers = answers();
    assert!(answers.values().all(|count| *count == 1), "{answers:?}\n{}", process.log());
    let dealt_with = dealt_with();
    assert_eq!(dealt_with.len(), CUSTOMERS * MESSAGES + 1, "{dealt_with:?}");
    // Each conversation sends one answer after the other: a kill of the host can leave one of each in doubt.
    assert!(dealt_with.len() - answers.len() <= KILLS / 2 * CUSTOMERS, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_in_python_misses_and_repeats_nothing_when_either_side_is_killed() {
    every_message_is_answered_once("python3", "echo.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_in_node_misses_and_repeats_nothing_when_either_side_is_killed() {
    every_message_is_answered_once("node", "echo.mjs").await;
}
