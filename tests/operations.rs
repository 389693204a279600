//! A host that somebody runs: its counters, whether it is ready, and what it does when too much waits or the
//! disk is full.

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
    Answer, World, counted, eventually, hostile, message, request, sandbox_config, secret, secrets, serve, signature,
    text,
};
use harness_engine::{Budget, ChannelOptions, Clock, Host, HostOptions};
use harness_sandbox::SandboxConfig;
use simulator::Config;

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

async fn get(address: &str, path: &str) -> Answer {
    request("GET", &format!("{address}{path}"), &[], Vec::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_tell_what_happened_and_name_nobody() {
    let world = World::new().await;
    let sent = world.sim.customer(CUSTOMER).text("words-of-a-customer").await;
    world.sim.redeliver_concurrently(&sent.delivery, 2).await;
    let conversation = world.conversation(CUSTOMER).await;
    world.reply(conversation, "one", message(vec![text("words-of-an-agent")])).await;
    let hook = format!("{}/webhooks/instagram", world.address);
    request("POST", &hook, &[("x-hub-signature-256", &signature("wrong", b"{}"))], b"{}".to_vec()).await;
    request("POST", &format!("{}/webhooks/invented-by-anybody", world.address), &[], Vec::new()).await;
    world.settled().await;
    let counters = async || world.api("GET", "/metrics", &[], vec![]).await.body;
    for line in [
        r#"harness_webhooks_total{channel="instagram",answer="wrong_proof"} 1"#,
        r#"harness_webhooks_total{channel="",answer="unknown_channel"} 1"#,
        r#"harness_steps_total{channel="instagram",account="1",end="sent"} 1"#,
        r#"harness_events_total{channel="instagram",end="repeated"} 2"#,
        r#"harness_guest_calls_total{channel="instagram",function="messaging-channel.build-send-request",end="returned"} 1"#,
        r#"harness_http_requests_total{channel="instagram",outcome="2xx"}"#,
        r#"harness_guest_call_seconds_bucket{le="0.01",channel="instagram",function="messaging-channel.parse-webhook"}"#,
        r#"harness_deliveries_total{channel="instagram",end="applied"}"#,
        "harness_backlog 0",
    ] {
        // Gauges are counted now and then, and an echo may still be on its way.
        eventually(line, async || counters().await.contains(line).then_some(())).await;
    }
    let text = counters().await;
    for word in ["words-of", CUSTOMER, "invented-by-anybody", "Token"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_behind_the_lock_of_the_api_and_health_is_not() {
    let world = World::new().await;
    let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = harness_server::router(world.host.clone(), Some(&secret("the-token")));
    tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
    assert_eq!(get(&address, "/metrics").await.status, 401);
    let url = format!("{address}/metrics");
    assert_eq!(request("GET", &url, &[("authorization", "Bearer the-token")], Vec::new()).await.status, 200);
    assert_eq!(get(&address, "/health/live").await.status, 200);
    assert_eq!(get(&address, "/health/ready").await.status, 200);
    // The platform has no token: its deliveries are proved by their signature.
    world.sim.set_webhook_url(format!("{address}/webhooks/instagram"));
    assert_eq!(world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await.status(), Some(200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_a_channel_is_not_ready_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    let (address, _) = serve(&host).await;
    let answer = get(&address, "/health/ready").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("no channel is loaded"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_backlog_webhooks_come_later_and_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::stopped();
    let options = HostOptions {
        sandbox: SandboxConfig { pure_deadline: Duration::from_millis(100), ..sandbox_config() },
        clock: clock.clone(),
        budget: Budget { deliveries: 2, ..Budget::default() },
        ..HostOptions::in_folder(folder.path())
    };
    let host = Host::open(options).await.unwrap();
    let setup = ChannelOptions { secrets: secrets([("secret", "proof")]), ..ChannelOptions::default() };
    host.load_channel(hostile().1.clone(), setup).await.unwrap();
    host.connect_account("hostile", "account", "Account", &BTreeMap::new(), secrets([])).await.unwrap();
    let (address, _) = serve(&host).await;
    let url = format!("{address}/webhooks/hostile");
    let post = |body: &'static str| {
        let url = url.clone();
        async move { request("POST", &url, &[("x-secret", "proof")], body.into()).await }
    };
    // The channel takes its whole deadline for each of them, until it is left alone for a while, which does not pass.
    let accepted = std::cell::Cell::new(0);
    let later = eventually("one that is put off", async || {
        let answer = post("loop").await;
        accepted.set(accepted.get() + u64::from(answer.status == 200));
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!((later.status, later.headers["retry-after"].to_str().unwrap()), (503, "10"));
    let ready = get(&address, "/health/ready").await;
    assert!(ready.status == 503 && ready.body.contains("wait to be translated"), "{}", ready.body);
    // What was put off is not in the journal.
    counted(&host, |counts| counts.received + counts.failed == accepted.get()).await;
    eventually("room", async || {
        clock.advance(Duration::from_secs(60));
        (post("hello").await.status == 200).then_some(())
    })
    .await;
    eventually("readiness", async || {
        clock.advance(Duration::from_secs(60));
        (get(&address, "/health/ready").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_acknowledges_nothing_and_ends_by_itself() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("before").await;
    world.settled().await;
    let url = format!("{}/webhooks/instagram", world.address);
    let post = async |index: usize| {
        let body = format!(
            r#"{{"object":"instagram","entry":[{{"id":"17841400000000001","messaging":[{{"sender":{{"id":"{CUSTOMER}"}},"recipient":{{"id":"17841400000000001"}},"timestamp":1795000000123,"message":{{"mid":"full-{index}","text":"{index} {}"}}}}]}}]}}"#,
            "x".repeat(900)
        );
        let proof = signature("demo-meta-app-secret", body.as_bytes());
        request("POST", &url, &[("x-hub-signature-256", &proof)], body.into_bytes()).await.status
    };
    // No more than there is.
    world.host.whole_inbox().limit_size(1).await.unwrap();
    let mut accepted = Vec::new();
    let mut index = 0;
    let status = loop {
        index += 1;
        match post(index).await {
            200 => accepted.push(format!("full-{index}")),
            status => break status,
        }
        assert!(index < 5000, "the file never became full");
    };
    assert_eq!(status, 503);
    eventually("a reason", async || {
        let ready = get(&world.address, "/health/ready").await;
        (ready.status == 503 && ready.body.contains("full")).then_some(())
    })
    .await;
    world.host.whole_inbox().limit_size(1 << 40).await.unwrap();
    index += 1;
    eventually("room", async || (post(index).await == 200).then_some(())).await;
    accepted.push(format!("full-{index}"));
    eventually("readiness", async || (get(&world.address, "/health/ready").await.status == 200).then_some(())).await;
    world.settled().await;
    let conversation = world.conversation(CUSTOMER).await;
    let timeline = world.host.inbox().timeline(conversation, 10_000).await.unwrap();
    let found: Vec<_> = timeline.iter().filter_map(|entry| entry.platform_id.clone()).collect();
    assert!(accepted.iter().all(|mid| found.iter().filter(|id| *id == mid).count() == 1), "{accepted:?} {found:?}");
}
