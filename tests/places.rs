//! What a channel hands in takes nobody else's place: as many requests as it likes, with as many parts as it likes, to a
//! platform that never answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use channel_tests::{eventually, message, neighbours::Neighbours, secrets, text};
use harness_contract::{SendResult, settings::RawSetting};
use harness_engine::HostOptions;
use harness_inbox::{ReplyId, ReplyVerdict, ReplyView};
use serde_json::json;
use tokio::sync::Semaphore;

/// More than the outbox has places for all channels together.
const MANY: usize = 300;
const ACCOUNTS: usize = 18;
const OF_EACH: usize = 16;

async fn ended(world: &Neighbours, reply: ReplyId) -> ReplyView {
    eventually("its end", async || {
        let view = world.host.inbox().reply(reply).await.unwrap();
        (!matches!(view.verdict, ReplyVerdict::Queued | ReplyVerdict::Sending)).then_some(view)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_too_many_parts_are_refused_and_take_no_place() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let platform = Router::new().fallback(move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { "{}" }
    });
    let world = Neighbours::start(platform, ["token-0123456789", "token-9876543210"], |options| options).await;
    let conversation = world.conversation().await;
    let url = "https://scripted.example.com/send";
    for (what, request) in [
        ("25,000 headers", json!({ "url": url, "headers": [["x-h", "v"]], "header_times": 25_000 })),
        ("a header of 100 kB", json!({ "url": url, "headers": [["accept", "v".repeat(100_000)]] })),
        ("an address of 100 kB", json!({ "url": format!("{url}?q={}", "q".repeat(100_000)) })),
        ("5,000 parts", json!({ "url": url, "multipart": [["name", "value"]], "multipart_times": 5_000 })),
        ("a file name of 100 kB", json!({ "url": url, "multipart": [["n".repeat(100_000), "value"]] })),
        ("a token in 5,000 places", json!({ "url": url, "fills": ["bearer"], "fill_times": 5_000 })),
    ] {
        let script = json!({ "requests": [request] }).to_string();
        let queued = world.host.reply(conversation, what, message(vec![text(&script)])).await.unwrap();
        let view = ended(&world, queued.reply).await;
        assert_eq!((view.verdict, seen.load(Ordering::SeqCst)), (ReplyVerdict::Failed, 0), "{what}: {view:?}");
        let outcome = view.steps[0].outcome.as_ref().unwrap().get();
        let SendResult::Rejected(failure) = serde_json::from_str(outcome).unwrap() else { panic!("{what}: {outcome}") };
        assert!(failure.message.len() < 500, "{what}: {failure:?}");
    }
    let many = json!({ "requests": [{ "url": url, "headers": [["x-h", "v"]], "header_times": 25_000 }] }).to_string();
    let mut replies = Vec::new();
    for number in 0..MANY {
        let queued = world.host.reply(conversation, &format!("m-{number}"), message(vec![text(&many)])).await.unwrap();
        replies.push(queued.reply);
    }
    for reply in replies {
        assert_eq!(ended(&world, reply).await.verdict, ReplyVerdict::Failed);
    }
    world.visit(1).await;
    assert_eq!(world.host.panics(), []);
    let good = json!({ "requests": [{ "url": url }] }).to_string();
    let queued = world.host.reply(conversation, "good", message(vec![text(&good)])).await.unwrap();
    ended(&world, queued.reply).await;
    assert_eq!(seen.load(Ordering::SeqCst), 1, "what is as it should be leaves");
}

/// Two channels of which the first one's platform answers nothing until the gate is closed. With the number of requests that
/// wait there, and the gate.
async fn beside_one_that_never_answers() -> (Neighbours, Arc<AtomicUsize>, Arc<Semaphore>) {
    let (under_way, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (count, gate) = (Arc::clone(&under_way), Arc::clone(&go_on));
    let platform = Router::new().fallback(move || {
        let gate = Arc::clone(&gate);
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let _ = gate.acquire().await;
            "{}"
        }
    });
    let patient = |options| HostOptions { exchange: Duration::from_secs(3600), ..options };
    let world = Neighbours::start(platform, ["token-0123456789", "token-9876543210"], patient).await;
    (world, under_way, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_to_a_platform_that_never_answers_hold_up_no_other_channel() {
    let (world, under_way, go_on) = beside_one_that_never_answers().await;
    // Of more accounts than the outbox has places for, each in a conversation of its own: those of one account, and of
    // one conversation, wait for each other anyway.
    for number in 0..ACCOUNTS {
        let (id, token) = (format!("account-{number}"), secrets([("token", "token-0123456789")]));
        world.host.connect_account("scripted", &id, &id, &BTreeMap::new(), token).await.unwrap();
        let script = json!({ "events": OF_EACH, "account": id, "contacts": OF_EACH });
        assert_eq!(world.deliver(&script).await, 200);
    }
    let conversations = eventually("all conversations", async || {
        let all = world.host.inbox().conversations(500).await.unwrap();
        let of_it: Vec<_> = all.into_iter().filter(|one| one.channel == "scripted").map(|one| one.id).collect();
        (of_it.len() == ACCOUNTS * OF_EACH).then_some(of_it)
    })
    .await;
    let hang = json!({ "requests": [{ "url": "https://scripted.example.com/hang" }] }).to_string();
    for conversation in conversations {
        world.host.reply(conversation, &format!("h-{conversation}"), message(vec![text(&hang)])).await.unwrap();
    }
    // As many as it gets: the host has begun all that it will begin when the neighbour's turn has come three times.
    eventually("requests under way", async || (under_way.load(Ordering::SeqCst) >= 128).then_some(())).await;
    for number in 0..3 {
        world.visit(number).await;
    }
    assert!(under_way.load(Ordering::SeqCst) < ACCOUNTS * OF_EACH, "it has no more than its share of the places");
    go_on.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_platform_never_answers_holds_up_no_other_account() {
    let (world, under_way, go_on) = beside_one_that_never_answers().await;
    // Profiles of people who write to the first never come; of the others they do at once.
    let hang = json!({ "size": 5, "requests": [{ "url": "https://scripted.example.com/hang" }] });
    for (account, script) in [("slow", hang), ("quick", json!({ "size": 5 }))] {
        let settings = BTreeMap::from([("script".to_owned(), RawSetting::Text(script.to_string()))]);
        let token = secrets([("token", "token-0123456789")]);
        world.host.connect_account("scripted", account, account, &settings, token).await.unwrap();
    }
    let named = async |account: &str| {
        let all = world.host.inbox().conversations(500).await.unwrap();
        all.into_iter().filter(|one| one.account == account && one.name.is_some()).count()
    };
    assert_eq!(world.deliver(&json!({ "events": OF_EACH, "account": "slow", "contacts": OF_EACH })).await, 200);
    eventually("a question that hangs", async || (under_way.load(Ordering::SeqCst) > 0).then_some(())).await;
    assert_eq!(world.deliver(&json!({ "events": OF_EACH, "account": "quick", "contacts": OF_EACH })).await, 200);
    eventually("everybody's profile", async || (named("quick").await == OF_EACH).then_some(())).await;
    assert_eq!(named("slow").await, 0);
    assert!(under_way.load(Ordering::SeqCst) < OF_EACH, "it has no more than its share of the places");
    go_on.close();
}
