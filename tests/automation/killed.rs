//! Owns: the automation under `kill -9`: nobody is forgotten, nobody is greeted or answered twice.
//! Does not own: everything else under `kill -9` (`crash`).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use channel_tests::{
    PATIENCE, api, eventually,
    model::{Model, Says},
};
use harness_automation::{Decision, Outcome};
use harness_inbox::{ConversationId, Inbox};
use serde_json::{Value, json};
use simulator::{Config, Redelivery, Simulator};

use crate::{load, process::Process, random::Random};

const CUSTOMERS: usize = 6;
const MESSAGES: usize = 12;
const KILLS: usize = 6;

fn customer(number: usize) -> String {
    format!("55500001{number:02}")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_forgotten_greeted_twice_or_answered_twice_when_the_host_is_killed_at_any_moment() {
    let sim = Simulator::start(Config {
        redelivery: Redelivery::times(20_000, Duration::from_millis(25)),
        webhook_timeout: PATIENCE,
        ..Config::demo()
    })
    .await
    .unwrap();
    let model = Model::start(Says::Echo).await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    process.configure(|text| format!("private-hosts = [{:?}]\n{text}", model.host));
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));

    let mut host = process.spawn();
    host.ready().await;
    let address = format!("{}/api/v1", process.address);
    let accounts: Value =
        serde_json::from_str(&api("GET", &format!("{address}/accounts"), &[], "").await.body).unwrap();
    let settings = json!({
        "on": true, "welcome": {"on": true, "text": "Welcome!"},
        "assistant": {
            "on": true, "base_url": model.base_url(), "model": "m", "pause_seconds": 0, "disclose": "never",
            "max_turns": 1000,
        },
    });
    let place = format!("{address}/automation/accounts/{}", accounts["data"][0]["id"].as_str().unwrap());
    let answer = api("PUT", &place, &[("content-type", "application/json")], settings.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    let writing: Vec<_> = (0..CUSTOMERS)
        .map(|number| {
            let sim = sim.clone();
            tokio::spawn(async move {
                for message in 0..MESSAGES {
                    sim.customer(&customer(number)).text(&format!("question {number}.{message}")).await;
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
            })
        })
        .collect();
    let mut random = Random::new(7);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(20 + random.below(300))).await;
        host.kill().await;
        host = process.spawn();
        host.ready().await;
    }
    for one in writing {
        one.await.unwrap();
    }
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    // The last turn of everybody has ended.
    eventually("the end of every turn", async || {
        let answer = api("GET", &format!("{place}/decisions?limit=200"), &[], "").await;
        let log: Value = serde_json::from_str(&answer.body).unwrap();
        let of = |consumer: &str| -> BTreeSet<String> {
            let rows = log["data"].as_array().unwrap().iter().filter(|row| row["consumer"] == consumer);
            rows.map(|row| row["conversation_id"].as_str().unwrap().to_owned()).collect()
        };
        (of("assistant").len() == CUSTOMERS && of("welcome").len() == CUSTOMERS && everything_came(&sim)).then_some(())
    })
    .await;
    eventually("no open turn", async || {
        // Read beside the host that writes it.
        let file = rusqlite::Connection::open(process.inbox_file()).ok()?;
        let open: i64 = file.query_row("SELECT count(*) FROM automation_turn", [], |row| row.get(0)).ok()?;
        (open == 0).then_some(())
    })
    .await;
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    host.kill().await;

    for number in 0..CUSTOMERS {
        let said = sim.customer(&customer(number)).transcript();
        let said: Vec<String> = said.into_iter().filter_map(|message| message.text).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in said.iter().filter(|text| !text.starts_with("question")) {
            *counts.entry(text).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count == 1), "{said:?}\n{}", process.log());
    }
    let inbox = eventually("the file", async || Inbox::open(&process.inbox_file()).ok()).await;
    let account = inbox.accounts().await.unwrap()[0].id;
    let log = inbox.store().decisions_before(account, None, None, 10_000).await.unwrap().entries;
    let mut welcomed: BTreeMap<ConversationId, usize> = BTreeMap::new();
    for row in &log {
        let decision: Decision = serde_json::from_str(&row.decision).unwrap();
        if decision.outcome == Outcome::Sent && row.consumer == "welcome" {
            let conversation = row.conversation.unwrap();
            let key = format!("automation:{}:{}", row.consumer, row.seq);
            assert!(inbox.has_reply(conversation, &key).await.unwrap(), "{row:?}: it says what was not queued");
            *welcomed.entry(conversation).or_default() += 1;
        }
    }
    assert!(welcomed.len() == CUSTOMERS && welcomed.values().all(|count| *count == 1), "{welcomed:?}");
    for conversation in inbox.conversations(100).await.unwrap() {
        let timeline = inbox.timeline(conversation.id, 500).await.unwrap();
        let questions = timeline.iter().filter(|entry| entry.direction == "inbound").count();
        assert_eq!(questions, MESSAGES, "every message is here");
        assert_eq!(conversation.unread, i64::try_from(MESSAGES).unwrap(), "and unread");
    }
}

/// Whether the platform has nothing left to deliver.
fn everything_came(sim: &Simulator) -> bool {
    sim.deliveries().iter().filter(|delivery| delivery.accepted()).count() >= CUSTOMERS * MESSAGES
}
