//! A backup of a real `harness serve` that works meanwhile, and what it is worth in another place: nothing that
//! was acknowledged before is missing, and nothing is sent twice. And a second host, which is turned away.

use harness_inbox::{ConversationId, PublicId as _};
use std::{collections::BTreeMap, process::Output, time::Duration};

use crate::{
    judge::{self, Asked, Platform, Stored},
    load::{self, Load},
    process::Process,
    random::Random,
    records,
};
use channel_tests::{PATIENCE, eventually};
use serde_json::{Value, json};
use simulator::{AccountConfig, Config, Fault, Login, Redelivery, Simulator};

fn succeeded(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words}{}", String::from_utf8_lossy(&output.stderr));
    words
}

/// How often the platform took each text of a reply.
fn taken(sim: &Simulator) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for record in sim.requests().into_iter().filter(|record| record.path.ends_with("/messages")) {
        if let Some(text) = record.body["message"]["text"].as_str().filter(|_| record.verdict.accepted) {
            *taken.entry(text.to_owned()).or_default() += 1;
        }
    }
    taken
}

async fn api(address: &str, path: &str) -> Value {
    let answer = channel_tests::api("GET", &format!("{address}/api/v1{path}"), &[], vec![]).await;
    channel_tests::entries(answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_before_a_backup_under_load_is_in_it_once() {
    let second = AccountConfig { webhook_login: Login::Instagram, ..AccountConfig::demo(2) };
    let sim = Simulator::start(Config {
        accounts: vec![AccountConfig::demo(1), second],
        redelivery: Redelivery::times(20_000, Duration::from_millis(25)),
        webhook_timeout: PATIENCE,
        ..Config::demo()
    })
    .await
    .unwrap();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = Process::prepare(here.path(), &sim);
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));
    let mut host = process.spawn();
    host.ready().await;
    let load = Load::start(&sim, &process.address, &mut Random::new(7), load::Platform::Works);
    eventually("a load", async || (sim.delivery_count() > 1_500).then_some(())).await;

    let before: Vec<_> = sim.deliveries().into_iter().filter(simulator::Delivery::accepted).collect();
    // Something must come in while it is made, so on a quick machine it is made again.
    let backup = eventually("a backup during which something came in", async || {
        let backup = here.path().join(format!("backup-{}", sim.deliveries().len()));
        let before = sim.deliveries().len();
        succeeded(&process.command(&["backup", backup.to_str().unwrap()]).await);
        (sim.deliveries().len() > before).then_some(backup)
    })
    .await;
    load.finish(&sim).await;
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    host.kill().await;
    let sent = taken(&sim);

    let other = Process::prepare(there.path(), &sim);
    succeeded(&other.command(&["restore", backup.to_str().unwrap()]).await);
    let mut host = other.spawn();
    host.ready().await;
    eventually("an empty queue", async || {
        (api(&other.address, "/health").await["deliveries"]["received"] == 0).then_some(())
    })
    .await;
    // Whatever the restored host would send of its own goes out before a new reply.
    let next = json!({"sender": {"kind": "human", "id": "kim"}, "parts": [{"text": {"text": "after the restore"}}], "try_anyway": true});
    let url = format!("{}/api/v1/conversations/{}/replies", other.address, ConversationId::new(1).public());
    let answer = channel_tests::api("POST", &url, &[("idempotency-key", "next")], next.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let mut sent = sent;
    sent.insert("after the restore".into(), 1);
    let open = || {
        let sql = rusqlite::Connection::open(other.inbox_file()).unwrap();
        let open = "SELECT count(*) FROM reply WHERE state IN ('queued', 'sending')";
        sql.query_row(open, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    eventually("the new reply's end", async || (open() == 0).then_some(())).await;
    host.kill().await;
    let verdict = judge::compare(
        &Platform { deliveries: records::delivered(before), ..Platform::default() },
        &Stored {
            conversations: Vec::new(),
            parts: Vec::new(),
            strangers: 0,
            ..records::of_file(&other.inbox_file()).await
        },
        &Asked::default(),
    );
    println!("{verdict}");
    assert!(verdict.clean(), "{verdict:#?}\n{}", other.log());
    assert_eq!(taken(&sim), sent, "the restored host sent something");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_to_be_sent_is_unknown_after_a_restore_and_never_sent_again() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let process = Process::prepare(here.path(), &sim);
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));
    let mut host = process.spawn();
    host.ready().await;
    sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    eventually("a conversation", async || {
        (!api(&process.address, "/conversations").await.as_array()?.is_empty()).then_some(())
    })
    .await;
    let reply = async |address: &str, key: &str, parts: usize| {
        let parts: Vec<_> = (0..parts).map(|part| json!({"text": {"text": format!("{key} {part}")}})).collect();
        let body = json!({"sender": {"kind": "human", "id": "kim"}, "parts": parts}).to_string();
        let url = format!("{address}/api/v1/conversations/{}/replies", ConversationId::new(1).public());
        let answer = channel_tests::api("POST", &url, &[("idempotency-key", key)], body).await;
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    // The first part is on its way during the backup, the others wait behind it.
    sim.inject(Fault::held());
    let under_way = reply(&process.address, "under way", 2).await["id"].clone();
    let behind = reply(&process.address, "behind", 2).await["id"].clone();
    sim.wait_for_held_answers(1, PATIENCE).await.unwrap();
    let backup = here.path().join("backup");
    let words = succeeded(&process.command(&["backup", backup.to_str().unwrap()]).await);
    assert!(words.contains("ambiguous after a restore: 4"), "{words}");
    assert_eq!(sim.release_answers(), 1);
    eventually("the end of both", async || (taken(&sim).len() == 4).then_some(())).await;
    host.kill().await;

    let other = Process::prepare(there.path(), &sim);
    succeeded(&other.command(&["restore", backup.to_str().unwrap()]).await);
    let mut host = other.spawn();
    host.ready().await;
    for id in [&under_way, &behind] {
        let view = api(&other.address, &format!("/replies/{}", id.as_str().unwrap())).await;
        assert_eq!((&view["state"], view["steps"].as_array().unwrap().len()), (&json!("ambiguous"), 2), "{view}");
        for step in view["steps"].as_array().unwrap() {
            assert_eq!(step["state"], "ambiguous", "{view}");
            assert!(step["outcome"].to_string().contains("comes from a backup"), "{view}");
        }
    }
    let timeline = api(&other.address, &format!("/conversations/{}/messages", ConversationId::new(1).public())).await;
    let shown: Vec<_> = timeline.as_array().unwrap().iter().filter(|entry| entry["state"] == "ambiguous").collect();
    assert_eq!(shown.len(), 4, "agents see each of them: {timeline}");
    assert_eq!(shown[3]["text"], "behind 1");
    // Whoever asks again under the same key is told the same.
    assert_eq!(reply(&other.address, "behind", 2).await["id"], behind);
    // It goes on working, and what waited is not sent before what is new.
    reply(&other.address, "new", 1).await;
    eventually("a new reply", async || taken(&sim).contains_key("new 0").then_some(())).await;
    assert!(taken(&sim).values().all(|times| *times == 1) && taken(&sim).len() == 5, "{:?}", taken(&sim));
    host.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_refuse_what_would_lose_something_and_say_what_to_do() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    let mut host = process.spawn();
    host.ready().await;
    let path = folder.path().join("backup");
    let path = path.to_str().unwrap();
    let words = succeeded(&process.command(&["backup", path]).await);
    assert!(words.contains("is not in it: keep"), "{words}");
    let refused = async |arguments: &[&str], words: &str| {
        let output = process.command(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(words), "{arguments:?}: {said}");
    };
    refused(&["backup", path], "name a folder that is not").await;
    refused(&["restore", path], "in use by another process").await;
    assert!(succeeded(&process.command(&["check-inbox"]).await).contains("nothing is wrong"));
    host.kill().await;
    refused(&["restore", path], "Move it away first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_host_on_the_same_inbox_is_turned_away_in_words_and_the_first_goes_on() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Process::prepare(here.path(), &sim);
    sim.set_webhook_url(format!("{}/webhooks/instagram", first.address));
    let mut host = first.spawn();
    host.ready().await;
    let second = Process::prepare(there.path(), &sim);
    let config = there.path().join("harness.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let same_data = format!("data-dir = {:?}", here.path().join("data"));
    std::fs::write(&config, text.replace("data-dir = \"data\"", &same_data)).unwrap();
    for _ in 0..3 {
        let refused = second.command(&["serve"]).await;
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{words}");
        assert!(words.contains("in use by another process: one host at a time"), "{words}");
    }
    assert!(sim.customer(Config::DEMO_CUSTOMER).text("still there?").await.delivery.accepted());
    host.kill().await;
    // After its end the next one takes over.
    let mut host = second.spawn();
    host.ready().await;
    eventually("the message", async || {
        (api(&second.address, "/conversations").await.as_array()?.len() == 1).then_some(())
    })
    .await;
    host.kill().await;
}
