//! A channel that fails again and again is left alone, nothing of what came meanwhile is lost, and no
//! other channel notices.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use channel_tests::{
    api, counted, eventually, hostile,
    hosts::{connect_shop, load_granted, open_with},
    message, request, sandbox_config, secrets, serve, text, web_chat,
};
use harness_engine::{BreakerState, Clock, Host, HostOptions, Part};
use harness_inbox::{ReplyId, ReplyState};

struct Two {
    host: Host,
    clock: Clock,
    address: String,
    _folder: tempfile::TempDir,
}

/// The channel that attacks, and one that works.
async fn two() -> Two {
    let folder = tempfile::tempdir().unwrap();
    // A pause does not end by itself.
    let clock = Clock::stopped();
    let endpoints = [("https://attacker.example.com".to_owned(), "http://127.0.0.1:9".parse().unwrap())].into();
    let options = HostOptions {
        sandbox: sandbox_config(),
        clock: clock.clone(),
        endpoints,
        ..HostOptions::in_folder(folder.path())
    };
    let host = open_with(options, [(&hostile().1, secrets([("secret", "the-webhook-secret")]))]).await;
    host.connect_account("hostile", "account", "A", &BTreeMap::new(), secrets([("token", "the-token-of-it")]))
        .await
        .unwrap();
    load_granted(&host, &web_chat().1, secrets([])).await;
    connect_shop(&host).await;
    let (address, _) = serve(&host).await;
    Two { host, clock, address, _folder: folder }
}

impl Two {
    async fn attack(&self, body: &str) {
        let url = format!("{}/webhooks/hostile", self.address);
        let answer = request("POST", &url, &[("x-secret", "the-webhook-secret")], body.into()).await;
        assert_eq!(answer.status, 200, "{body}");
    }

    async fn visit(&self, id: usize) {
        let url = format!("{}/webhooks/web-chat", self.address);
        let body = format!(
            r#"{{"messages":[{{"id":"in-{id}","visitor":"v-{id}","name":"Kim","text":"hello","at":1795000000000}}]}}"#
        );
        let answer = request("POST", &url, &[("x-webchat-secret", "secret-of-the-shop")], body.into_bytes()).await;
        assert_eq!(answer.status, 200);
    }

    async fn of_channel(&self, channel: &str) -> usize {
        let all = self.host.inbox().conversations(100).await.unwrap();
        all.iter().filter(|conversation| conversation.channel == channel).count()
    }

    fn state(&self, part: Part) -> BreakerState {
        self.host.breakers("hostile").into_iter().find(|view| view.part == part).unwrap().state
    }

    async fn opened(&self) {
        eventually("an open breaker", async || (self.state(Part::Incoming) == BreakerState::Open).then_some(())).await;
    }

    async fn health(&self) -> serde_json::Value {
        let answer = api("GET", &format!("{}/api/v1/health", self.address), &[], vec![]).await;
        let health: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let of_it = |channel: &&serde_json::Value| channel["channel"] == "hostile";
        health["channels"].as_array().unwrap().iter().find(of_it).unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_channel_hangs_in_every_call_another_goes_on() {
    let two = two().await;
    for n in 0..30 {
        two.attack("loop").await;
        two.visit(n).await;
    }
    eventually("every message of the other channel", async || (two.of_channel("web-chat").await == 30).then_some(()))
        .await;
    counted(&two.host, |counts| counts.received == 30).await;
    let counts = two.host.inbox().delivery_counts().await.unwrap();
    assert_eq!((counts.applied, counts.failed), (30, 0), "what hangs waits, and is not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_wait_while_a_channel_is_left_alone_and_are_read_when_it_works_again() {
    let two = two().await;
    for n in 0..5 {
        two.attack(&format!("poison-{n}")).await;
    }
    two.opened().await;
    for n in 0..4 {
        two.attack(&format!("sound-{n}")).await;
    }
    counted(&two.host, |counts| (counts.received, counts.failed, counts.applied) == (9, 0, 0)).await;
    let health = two.health().await;
    let health = &health["parts"][0];
    assert_eq!((&health["state"], &health["part"]), (&"open".into(), &"incoming".into()), "{health}");
    assert!(health["reason"].as_str().unwrap().contains("parse-webhook"), "{health}");
    assert!(health["next_trial_at"].as_str() > health["opened_at"].as_str(), "{health}");

    two.clock.advance(Duration::from_secs(6));
    eventually("the end of the pause", async || (two.state(Part::Incoming) == BreakerState::Closed).then_some(()))
        .await;
    eventually("every delivery's end", async || {
        let counts = two.host.inbox().delivery_counts().await.unwrap();
        (counts.received == 0).then_some(())
    })
    .await;
    let counts = two.host.inbox().delivery_counts().await.unwrap();
    assert_eq!((counts.applied, counts.failed), (4, 5), "poison is marked as such, after some attempts");
    assert_eq!(two.state(Part::Incoming), BreakerState::Closed, "what failed before does not count again");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_poisonous_delivery_fails_alone() {
    let two = two().await;
    for n in 0..8 {
        two.attack("poison-again").await;
        two.attack(&format!("sound-{n}")).await;
        eventually("an empty queue", async || {
            (two.host.inbox().delivery_counts().await.unwrap().received == 0).then_some(())
        })
        .await;
    }
    let counts = two.host.inbox().delivery_counts().await.unwrap();
    assert_eq!((counts.applied, counts.failed), (8, 8));
    assert_eq!(two.health().await["parts"][0]["state"], "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_used_again_by_hand() {
    let two = two().await;
    for n in 0..5 {
        two.attack(&format!("poison-{n}")).await;
    }
    two.opened().await;
    two.attack("sound-1").await;
    let reset = |id: &str| format!("{}/api/v1/channels/{id}/reset", two.address);
    assert_eq!(api("POST", &reset("hostile"), &[], vec![]).await.status, 200);
    assert_eq!(api("POST", &reset("nobody"), &[], vec![]).await.status, 404);
    eventually("the delivery that waited", async || (two.of_channel("hostile").await == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_wait_while_a_channel_cannot_prepare_them_and_webhooks_go_on() {
    let two = two().await;
    two.attack("hello").await;
    let conversation = eventually("the conversation", async || {
        two.host.inbox().conversations(9).await.unwrap().into_iter().next().map(|found| found.id)
    })
    .await;
    let reply =
        async |key: &str, what: &str| two.host.reply(conversation, key, message(vec![text(what)])).await.unwrap();
    let state = async |reply: ReplyId| two.host.inbox().reply(reply).await.unwrap().state;
    for n in 0..5 {
        let queued = reply(&n.to_string(), "trap").await;
        eventually("a refusal", async || (state(queued.reply).await == ReplyState::Refused).then_some(())).await;
    }
    assert_eq!(two.state(Part::Outgoing), BreakerState::Open);
    let waits = reply("waits", "url https://elsewhere.example.com/").await;
    two.attack("sound-2").await;
    eventually("a delivery", async || (two.host.inbox().delivery_counts().await.unwrap().applied == 2).then_some(()))
        .await;
    assert_eq!(state(waits.reply).await, ReplyState::Queued);
    two.clock.advance(Duration::from_secs(6));
    eventually("its end", async || (state(waits.reply).await == ReplyState::Done).then_some(())).await;
    assert_eq!(
        two.state(Part::Outgoing),
        BreakerState::Closed,
        "the channel did its part; the host refused the request"
    );
}
