//! Calls of a platform that are no webhooks: they pass the same bounds, count once, at one address, and for what is
//! connected when they were issued.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{Answer, World, eventually, log::Captured, request};
use harness_engine::Host;
use harness_inbox::{AccountState, FromDialog, NewAccount};
use harness_server::{Authenticator, Limits};
use serde_json::{Value, json};
use simulator::{Config, Login, signed_request};

const DAY: Duration = Duration::from_secs(24 * 3600);
const PERSON: &str = "9001";

/// A world whose account was permitted by a person, and has a conversation.
async fn world() -> World {
    let world = World::with(Config::demo(), Login::Facebook).await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    world.conversation(Config::DEMO_CUSTOMER).await;
    permitted(&world).await;
    world
}

/// The person permits the account now.
async fn permitted(world: &World) {
    let row = world.host.inbox().accounts().await.unwrap().remove(0);
    let (_, account) = world.host.inbox().account(row.id).await.unwrap();
    let new = NewAccount {
        workspace: None,
        channel: row.channel,
        platform_id: row.platform_id,
        name: row.name,
        settings: account.settings,
        dialog: Some(FromDialog { authorized_by: Some(PERSON.into()), ..FromDialog::default() }),
        now: world.clock.now(),
    };
    world.host.whole_inbox().connect_account(new).await.unwrap();
}

fn signed(world: &World, issued: u64) -> String {
    let payload = json!({ "algorithm": "HMAC-SHA256", "issued_at": issued / 1000, "user_id": PERSON });
    signed_request(&world.sim.config().app_secret, &payload)
}

async fn call(address: &str, name: &str, signed: &str) -> Answer {
    let form = format!("signed_request={signed}");
    let url = format!("{address}/callbacks/instagram/{name}");
    request("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], form.into_bytes()).await
}

async fn state(world: &World) -> AccountState {
    world.host.inbox().accounts().await.unwrap()[0].state
}

async fn conversations(world: &World) -> usize {
    world.host.inbox().conversations(9).await.unwrap().len()
}

async fn finished(world: &World, answer: &Answer) {
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let code = answer["confirmation_code"].as_str().unwrap().to_owned();
    eventually("the end of the request", async || {
        world.host.callback_state(&code).await.unwrap().finished_at.map(drop)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_comes_again_is_answered_the_same_and_changes_nothing() {
    let world = world().await;
    let demand = signed(&world, world.clock.now());
    let first = call(&world.address, "data-deletion", &demand).await;
    assert_eq!(first.status, 200, "{}", first.body);
    finished(&world, &first).await;
    assert_eq!((state(&world).await, conversations(&world).await), (AccountState::Disconnected, 0));
    // Connected again, and written to again.
    channel_tests::connect(&world.host, &world.sim, Login::Facebook).await;
    permitted(&world).await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello again").await;
    world.conversation(Config::DEMO_CUSTOMER).await;
    let before = world.host.whole_inbox().last_delivery();
    for _ in 0..3 {
        let again = call(&world.address, "data-deletion", &demand).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
    }
    world.settled().await;
    assert_eq!((state(&world).await, conversations(&world).await), (AccountState::Connected, 1));
    let counts = world.host.inbox().delivery_counts().await.unwrap();
    assert!(counts.failed == 0 && counts.unrouted == 0, "{counts:?}, {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_that_was_issued_before_an_account_was_connected_does_not_empty_it() {
    let world = world().await;
    // Issued while an earlier connection of the same person stood.
    let issued = world.clock.now() - 3_600_000;
    let answer = call(&world.address, "data-deletion", &signed(&world, issued)).await;
    assert_eq!(answer.status, 200);
    finished(&world, &answer).await;
    assert_eq!((state(&world).await, conversations(&world).await), (AccountState::Connected, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_of_long_ago_or_of_the_future_is_refused() {
    let world = world().await;
    let (now, days) = (world.clock.now(), u64::try_from(DAY.as_millis()).unwrap());
    for issued in [1_000_000_000_000, now - 8 * days, now + days] {
        for name in ["data-deletion", "deauthorize"] {
            assert_eq!(call(&world.address, name, &signed(&world, issued)).await.status, 403, "{issued} {name}");
        }
    }
    let undated = signed_request(&world.sim.config().app_secret, &json!({ "user_id": PERSON }));
    assert_eq!(call(&world.address, "data-deletion", &undated).await.status, 403);
    world.settled().await;
    assert_eq!((state(&world).await, conversations(&world).await), (AccountState::Connected, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_callback_took_no_other_takes() {
    let world = world().await;
    let gone = signed(&world, world.clock.now());
    assert_eq!(call(&world.address, "deauthorize", &gone).await.status, 200);
    eventually("what it says", async || (state(&world).await == AccountState::NeedsReconnect).then_some(())).await;
    assert_eq!(call(&world.address, "data-deletion", &gone).await.status, 403);
    world.settled().await;
    assert_eq!(conversations(&world).await, 1, "nothing was deleted");
    assert!(world.host.metrics().await.unwrap().contains(r#"answer="taken_elsewhere"} 1"#));
}

/// Serves a host that takes three forged webhooks a minute.
async fn serve_with_bound(host: &Host) -> String {
    let limits = Limits { refused_webhooks_per_minute: 3, ..Limits::default() };
    let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = harness_server::router_with(host.clone(), Authenticator::default(), &limits);
    tokio::spawn(async move { harness_server::serve_with(listener, router, &limits, std::future::pending()).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_callbacks_meet_the_bound_of_forged_webhooks() {
    let world = world().await;
    let address = serve_with_bound(&world.host).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(call(&address, "data-deletion", "Zm9yZ2Vk.e30").await.status);
    }
    assert_eq!(statuses, [403, 403, 403, 429, 429, 429]);
    assert_eq!(call(&address, "unknown", "Zm9yZ2Vk.e30").await.status, 429);
    let large = "x".repeat(65 << 10);
    assert_eq!(call(&world.address, "data-deletion", &large).await.status, 413);
    let genuine = call(&address, "data-deletion", &signed(&world, world.clock.now())).await;
    assert_eq!(genuine.status, 200, "a genuine one is never refused for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_callback_costs_one_line_and_beyond_the_bound_none() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = world().await;
    let address = serve_with_bound(&world.host).await;
    let lines = |id: &str| log.text().lines().filter(|line| line.contains(&format!("\"{id}\""))).count();
    for number in 0..8 {
        let id = format!("forged-{number}");
        let url = format!("{address}/callbacks/instagram/data-deletion");
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("x-request-id", id.as_str())];
        let answer = request("POST", &url, &headers, b"signed_request=Zm9yZ2Vk.e30".to_vec()).await;
        let expected = if number < 3 { (403, 1) } else { (429, 0) };
        assert_eq!((answer.status, lines(&id)), expected, "{id}: {}", log.text());
    }
    let refused = r#"harness_callbacks_total{channel="instagram",answer="#;
    let metrics = world.host.metrics().await.unwrap();
    let counted = metrics.lines().filter(|line| line.starts_with(refused)).filter_map(|line| line.rsplit(' ').next());
    assert_eq!(counted.filter_map(|count| count.parse::<u64>().ok()).sum::<u64>(), 8, "all are counted: {metrics}");
}
