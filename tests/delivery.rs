//! Nothing lost, nothing doubled, in order: the journal, the inbox and the outbox across repeats,
//! late arrivals and restarts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use channel_tests::{World, connect, eventually, instagram, message, open_host, secrets, text};
use harness_contract::settings::RawSetting;
use harness_engine::{ChannelOptions, Clock};
use harness_inbox::{NewAccount, StepState};
use serde_json::{Value, json};
use simulator::{AccountConfig, Config, Fault, Login, Release, Simulator};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_delivery_at_the_same_moment_is_one_message() {
    let world = World::new().await;
    let sent = world.sim.customer(CUSTOMER).text("only once").await;
    let copies = world.sim.redeliver_concurrently(&sent.delivery, 16).await;
    assert!(copies.iter().all(simulator::Delivery::accepted));
    world.settled().await;
    assert_eq!(world.timeline(CUSTOMER).await.len(), 1);
    assert_eq!(world.host.inbox().delivery_counts().await.unwrap().applied, 17, "each delivery is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_messages_at_once_make_one_conversation() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    world.sim.hold_webhooks();
    for index in 0..12 {
        customer.text(&format!("message {index}")).await;
    }
    world.sim.release_webhooks(Release::Concurrently).await;
    world.settled().await;
    assert_eq!(world.host.inbox().conversations(9).await.unwrap().len(), 1);
    assert_eq!(world.timeline(CUSTOMER).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_stand_in_platform_order_however_they_arrive() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    world.sim.hold_webhooks();
    for index in 0..6 {
        customer.text(&index.to_string()).await;
        world.sim.clock().advance(Duration::from_secs(1));
    }
    world.sim.release_webhooks(Release::Reversed).await;
    world.settled().await;
    let timeline = world.timeline(CUSTOMER).await;
    let texts: Vec<_> = timeline.iter().map(|entry| entry.text.clone().unwrap()).collect();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5"]);
    assert!(timeline[0].late && !timeline[5].late, "late arrivals are marked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_message_waits_for_the_message() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("first").await;
    world.sim.hold_webhooks();
    let gone = customer.text("taken back").await;
    let kept = customer.text("with a heart").await;
    customer.react(kept.mid(), "🔥").await;
    customer.unsend(gone.mid()).await;
    world.sim.release_webhooks(Release::Reversed).await;
    world.settled().await;
    let timeline = world.timeline(CUSTOMER).await;
    let gone = timeline.iter().find(|entry| entry.platform_id.as_deref() == Some(gone.mid())).unwrap();
    assert!(gone.deleted_at.is_some() && gone.text.is_none() && gone.body.is_none());
    let kept = timeline.iter().find(|entry| entry.platform_id.as_deref() == Some(kept.mid())).unwrap();
    assert_eq!(kept.reactions[0].emoji.as_deref(), Some("🔥"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_everything_of_two_customers_is_applied_whole() {
    const ANOTHER: &str = "5551230000000002";
    let world = World::new().await;
    let account = &world.sim.accounts()[0].ig_id;
    let item = |from: &str, to: &str, at: u64, what: &str, value: Value| {
        let at = 1_795_000_000_000 + at;
        json!({ "sender": { "id": from }, "recipient": { "id": to }, "timestamp": at, what: value })
    };
    let heart = json!({ "mid": "mid-1", "action": "react", "reaction": "love", "emoji": "❤" });
    let items = [
        item(CUSTOMER, account, 1, "message", json!({ "mid": "mid-1", "text": "hello" })),
        item(CUSTOMER, account, 2, "read", json!({ "mid": "mid-of-ours" })),
        item(CUSTOMER, account, 3, "reaction", heart),
        item(CUSTOMER, account, 4, "something_of_next_year", json!({ "mid": 7 })),
        json!(null),
        item(account, ANOTHER, 5, "message", json!({ "mid": "mid-2", "text": "from the phone", "is_echo": true })),
        item(ANOTHER, account, 6, "message", json!({ "mid": "mid-3", "text": "and I" })),
    ];
    let entry = json!({ "id": account, "time": 1_795_000_000_009_u64, "messaging": items });
    let batch = json!({ "object": "instagram", "entry": [entry] });
    let delivery = world.sim.deliver(Login::Facebook, &batch).await;
    let copies = world.sim.redeliver_concurrently(&delivery, 5).await;
    assert!(delivery.accepted() && copies.iter().all(simulator::Delivery::accepted));
    world.settled().await;
    let first = world.timeline(CUSTOMER).await;
    assert_eq!(first.len(), 1, "{first:#?}");
    assert_eq!((first[0].text.as_deref(), first[0].reactions.len()), (Some("hello"), 1));
    let second = world.timeline(ANOTHER).await;
    let said: Vec<_> = second.iter().map(|entry| (entry.direction.as_str(), entry.text.as_deref())).collect();
    assert_eq!(said, [("outbound", Some("from the phone")), ("inbound", Some("and I"))]);
    assert_eq!(world.host.inbox().conversations(9).await.unwrap().len(), 2);
    let file = rusqlite::Connection::open(world.inbox_file()).unwrap();
    let noted: i64 =
        file.query_row("SELECT count(*) FROM activity WHERE kind = 'unknown'", [], |row| row.get(0)).unwrap();
    assert_eq!(noted, 2, "what nobody understands is kept beside, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_reply() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let asked = (0..8).map(|_| world.host.reply(conversation, "same-key", message(vec![text("once")])));
    let mut rows = Vec::new();
    for queued in asked {
        rows.push(queued.await.unwrap());
    }
    assert_eq!(rows.iter().filter(|queued| queued.new).count(), 1);
    assert!(rows.iter().all(|queued| queued.reply == rows[0].reply));
    world.ended(rows[0].reply).await;
    assert_eq!(world.sends().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_used_for_another_reply() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.sim.customer("5551230000000002").text("hello").await;
    let first = world.conversation(CUSTOMER).await;
    let second = world.conversation("5551230000000002").await;
    world.host.reply(first, "key", message(vec![text("one")])).await.unwrap();
    for (conversation, words) in [(first, "another text"), (second, "one")] {
        let error = world.host.reply(conversation, "key", message(vec![text(words)])).await.unwrap_err();
        assert!(error.to_string().contains("was used for something else"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_unsent_is_nowhere_in_the_file() {
    const WORDS: &str = "a-secret-that-was-taken-back";
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let sent = customer.text(WORDS).await;
    world.settled().await;
    customer.unsend(sent.mid()).await;
    eventually("the deletion", async || world.timeline(CUSTOMER).await[0].deleted_at.is_some().then_some(())).await;
    // The host cleans up by itself: the file, its log, and the arrivals.
    eventually("its end in every file", async || {
        channel_tests::files_with(world.folder.path(), WORDS).is_empty().then_some(())
    })
    .await;
    assert_eq!(world.host.inbox().delivery_counts().await.unwrap().purged, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_of_one_conversation_keep_their_order() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let mut last = None;
    for index in 0..10 {
        let reply = message(vec![text(&format!("{index}a")), text(&format!("{index}b"))]);
        last = Some(world.host.reply(conversation, &format!("key-{index}"), reply).await.unwrap().reply);
    }
    world.ended(last.unwrap()).await;
    let sent: Vec<_> = world.sim.customer(CUSTOMER).transcript().into_iter().skip(1).filter_map(|m| m.text).collect();
    let expected: Vec<_> = (0..10).flat_map(|index| [format!("{index}a"), format!("{index}b")]).collect();
    assert_eq!(sent, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_for_an_account_that_is_not_connected_waits_for_it() {
    let config = Config { accounts: vec![AccountConfig::demo(1), AccountConfig::demo(2)], ..Config::demo() };
    let world = World::with(config, Login::Facebook).await;
    let second = AccountConfig::demo(2);
    world.sim.customer_of(&second.ig_id, CUSTOMER).unwrap().text("is anybody there?").await;
    world.settled().await;
    assert_eq!(world.host.inbox().delivery_counts().await.unwrap().unrouted, 1);
    let settings = BTreeMap::from([("login".to_owned(), RawSetting::Text("instagram".into()))]);
    world.host.connect_account("instagram", &second.ig_id, "Second", &settings, secrets([])).await.unwrap();
    assert_eq!(world.timeline(CUSTOMER).await[0].text.as_deref(), Some("is anybody there?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_before_a_stop_is_translated_after_the_start() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let inbox = harness_inbox::Inbox::open(&folder.path().join("inbox.sqlite")).unwrap();
    let body = br#"{"object":"instagram","entry":[{"id":"17841400000000001","messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"kept","text":"before the stop"}}]}]}"#;
    let delivery = harness_contract::Delivery {
        source: harness_contract::DeliverySource::Webhook,
        body: body.to_vec(),
        headers: vec![],
        query: String::new(),
        received_at: 1_795_000_000_500,
        account: None,
    };
    inbox
        .record(harness_inbox::NewDelivery {
            channel: "instagram".into(),
            delivery,
            proof: harness_inbox::Proof::Channel { slot: "app-secret".into() },
        })
        .await
        .unwrap();
    drop(inbox);

    let host = open_host(folder.path(), &sim, Clock::default()).await;
    connect(&host, &sim, Login::Facebook).await;
    let found = eventually("the message", async || {
        let conversation = host.inbox().conversations(1).await.unwrap().into_iter().next()?;
        host.inbox().timeline(conversation.id, 10).await.unwrap().into_iter().next()
    })
    .await;
    assert_eq!(found.text.as_deref(), Some("before the stop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_when_the_host_stops_is_unknown_and_not_sent_again() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let host = open_host(folder.path(), &sim, Clock::default()).await;
    connect(&host, &sim, Login::Facebook).await;
    let sent = sim.customer(CUSTOMER).text("hello").await;
    let proof = channel_tests::signature("demo-meta-app-secret", sent.body());
    let headers = [("x-hub-signature-256".parse().unwrap(), proof.parse().unwrap())].into_iter().collect();
    host.deliver("instagram", &headers, sent.body().to_vec()).await.unwrap();
    let conversation = eventually("the conversation", async || {
        host.inbox().conversations(1).await.unwrap().into_iter().next().map(|found| found.id)
    })
    .await;
    sim.inject(Fault::held());
    let reply = host.reply(conversation, "slow", message(vec![text("slow"), text("behind")])).await.unwrap().reply;
    eventually("the request", async || {
        let view = host.inbox().reply(reply).await.unwrap();
        view.steps.first().is_some_and(|step| step.state == StepState::Sending).then_some(())
    })
    .await;

    let path = folder.path().join("inbox.sqlite");
    let second = harness_inbox::Inbox::open(&path).err().unwrap().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    drop(host);
    eventually("the end of the first host", async || harness_inbox::Inbox::open(&path).ok().map(drop)).await;
    let after = open_host(folder.path(), &sim, Clock::default()).await;
    let view = after.inbox().reply(reply).await.unwrap();
    let states: Vec<_> = view.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Ambiguous, StepState::Cancelled]);
    let outcome = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(outcome.contains("may have been delivered"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_channel_a_delivery_is_refused_and_a_host_says_which_channels_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let host = open_host(folder.path(), &sim, Clock::default()).await;
    let error = host.channel("instagram").err().unwrap().to_string();
    assert!(error.contains("no channel `instagram` is loaded; loaded are none"), "{error}");
    host.load_channel(instagram().1.clone(), ChannelOptions::default()).await.unwrap();
    assert_eq!(host.channels().len(), 1);
}

fn account(id: &str) -> NewAccount {
    NewAccount { channel: "instagram".into(), platform_id: id.into(), name: id.into(), ..NewAccount::default() }
}

#[tokio::test]
async fn what_a_channel_remembers_of_one_account_is_not_seen_by_another_and_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = harness_inbox::Inbox::open(&folder.path().join("inbox.sqlite")).unwrap();
    let one = inbox.connect_account(account("1")).await.unwrap();
    let at = inbox.account_row(one).await.unwrap().connection;
    let two = inbox.connect_account(account("2")).await.unwrap();
    inbox.storage_set(one, at, "cursor/a", b"1".to_vec()).await.unwrap();
    inbox.storage_set(one, at, "cursor/b", b"2".to_vec()).await.unwrap();
    inbox.storage_set(one, at, "cursor/b", b"3".to_vec()).await.unwrap();
    assert_eq!(inbox.storage_get(one, "cursor/b").await.unwrap().as_deref(), Some(b"3".as_slice()));
    assert_eq!(inbox.storage_keys(one, "cursor/").await.unwrap(), ["cursor/a", "cursor/b"]);
    assert_eq!(inbox.storage_get(two, "cursor/a").await.unwrap(), None);
    assert!(inbox.storage_keys(two, "").await.unwrap().is_empty());
    let quota = inbox.storage_set(one, at, "much", vec![0; 300 << 10]).await;
    assert!(matches!(quota, Err(harness_contract::StorageError::QuotaExceeded(_))), "{quota:?}");
    let key = inbox.storage_set(one, at, &"k".repeat(257), Vec::new()).await;
    assert!(matches!(key, Err(harness_contract::StorageError::InvalidKey)), "{key:?}");
    inbox.storage_delete(one, at, "cursor/a").await.unwrap();
    assert_eq!(inbox.storage_get(one, "cursor/a").await.unwrap(), None);
}
