//! The simulator as a program: its life, its JSON surface, and files on loopback.
//! What belongs here: what is neither a webhook nor a Graph answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use common::{ANA, Graph, IG, SOON, eventually, pair, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{AccountConfig, CdnFile, Config, MediaPolicy, Simulator, SimulatorError};

const HOUR: Duration = Duration::from_secs(3600);

async fn call(sim: &Simulator, method: Method, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers: &[(&str, &str)] = if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
    let answer = request(method, &format!("{}/sim{path}", sim.base_url()), headers, body).await.unwrap();
    (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::String(answer.body)))
}

#[tokio::test]
async fn it_stops_when_the_last_handle_is_dropped() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let url = format!("{}/sim/clock", sim.base_url());
    let second = sim.clone();
    drop(sim);
    assert_eq!(request(Method::GET, &url, &[], "").await.unwrap().status, 200);
    drop(second);
    eventually(async || request(Method::GET, &url, &[], "").await.is_err()).await;
}

#[tokio::test]
async fn shutdown_stops_it_and_leaves_the_records() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    Graph::facebook(&sim).get("/me").await;
    sim.shutdown();
    eventually(async || request(Method::GET, sim.base_url(), &[], "").await.is_err()).await;
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn configurations_that_cannot_be_played_are_refused() {
    let none = Config { accounts: vec![], ..Config::demo() };
    let twice = Config { accounts: vec![AccountConfig::demo(1), AccountConfig::demo(1)], ..Config::demo() };
    for config in [none, twice] {
        assert!(matches!(Simulator::start(config).await, Err(SimulatorError::Config(_))));
    }
    let first = Simulator::start(Config::demo()).await.unwrap();
    let port = first.base_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let second = Simulator::start(Config { port, ..Config::demo() }).await;
    assert!(matches!(second, Err(SimulatorError::Listen { .. })));
}

#[tokio::test]
async fn the_demo_can_be_played_over_json_alone() {
    let (sim, receiver) = pair().await;
    let (status, sent) = call(&sim, Method::POST, &format!("/customers/{ANA}/text"), json!({"text": "hi"})).await;
    assert_eq!((status, &sent["delivery"]["attempts"][0]["status"]), (200, &json!(200)));
    let mid = sent["id"].clone();
    for (action, body) in [
        ("photo", json!({"url": "https://cdn.example.com/a.jpg"})),
        ("quick_reply", json!({"title": "Yes", "payload": "YES"})),
        ("postback", json!({"title": "Menu", "payload": "MENU"})),
        ("react", json!({"mid": mid, "emoji": "❤️"})),
        ("edit", json!({"mid": mid, "text": "hi!"})),
        ("seen", json!({"mid": mid})),
        ("share_reel", json!({"media_id": "17", "url": "https://r"})),
        ("story_reply", json!({"media_id": "17", "url": "https://s", "text": "wow"})),
        ("comment", json!({"media_id": "18", "text": "price?"})),
        ("unsend", json!({"mid": mid})),
    ] {
        let (status, sent) = call(&sim, Method::POST, &format!("/customers/{ANA}/{action}"), body).await;
        assert_eq!((status, &sent["delivery"]["attempts"][0]["status"]), (200, &json!(200)), "{action} {sent}");
    }
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 11);
    assert!(arrived.iter().all(|one| one.signed_by == Some("facebook")));

    call(&sim, Method::POST, "/faults", json!({"kind": "graph_error", "code": 2})).await;
    let graph = Graph::facebook(&sim);
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (2, None));
    graph.message(json!({"text": "Hello"})).await;
    sim.wait_for_deliveries(12, SOON).await.unwrap();
    let (_, transcript) = call(&sim, Method::GET, &format!("/customers/{ANA}/transcript"), Value::Null).await;
    let last = transcript["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["from"], &last["text"]), (&json!("business"), &json!("Hello")));
    let (_, log) = call(&sim, Method::GET, "/requests?from=1", Value::Null).await;
    assert_eq!((&log["next"], &log["requests"][0]["verdict"]["accepted"]), (&json!(2), &json!(true)));

    call(&sim, Method::POST, "/clock", json!({"advance_seconds": 90_000})).await;
    assert_eq!(graph.message(json!({"text": "late"})).await.error(), (10, Some(2_534_022)));
    let (status, verified) = call(&sim, Method::POST, "/webhook/verify", Value::Null).await;
    assert_eq!((status, &verified["accepted"]), (200, &json!(true)));
}

#[tokio::test]
async fn scripts_over_json_reach_webhooks_and_accounts() {
    let (sim, receiver) = pair().await;
    call(&sim, Method::POST, "/webhook/hold", Value::Null).await;
    for text in ["one", "two"] {
        call(&sim, Method::POST, &format!("/customers/{ANA}/text"), json!({ "text": text })).await;
    }
    assert!(receiver.arrived().is_empty());
    let (_, deliveries) = call(&sim, Method::POST, "/webhook/release", json!({"order": "one_batch"})).await;
    assert_eq!(deliveries.as_array().unwrap().len(), 1);
    call(&sim, Method::POST, "/webhook/redeliver", json!({"delivery": 0, "copies": 2})).await;
    assert_eq!(receiver.arrived().len(), 3);
    let raw = json!({"login": "instagram", "signing": "sha1_only", "body": "not even JSON"});
    call(&sim, Method::POST, "/webhook/raw", raw).await;
    assert_eq!(receiver.last().text(), "not even JSON");

    let change = json!({"webhook_login": "instagram", "kill_token": "facebook", "locale": "german"});
    let (status, accounts) = call(&sim, Method::PATCH, &format!("/accounts/{IG}"), change).await;
    assert_eq!((status, &accounts[0]["webhook_login"]), (200, &json!("instagram")));
    call(&sim, Method::POST, &format!("/customers/{ANA}/text"), json!({"text": "hi"})).await;
    assert_eq!(receiver.last().signed_by, Some("instagram"));
    assert_eq!(Graph::facebook(&sim).message(json!({"text": "x"})).await.error(), (190, Some(463)));
}

#[tokio::test]
async fn mistakes_in_control_requests_are_named() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let (status, body) = call(&sim, Method::POST, &format!("/customers/{ANA}/dance"), json!({})).await;
    assert_eq!((status, body), (400, json!({"error": "customers have no action \"dance\""})));
    let (status, body) = call(&sim, Method::POST, &format!("/customers/{ANA}/photo"), json!({})).await;
    assert_eq!((status, body), (400, json!({"error": "the parameter \"url\" is needed"})));
    let (status, _) =
        call(&sim, Method::POST, &format!("/customers/{ANA}/text"), json!({"text": "x", "account": "1"})).await;
    assert_eq!(status, 404);
    let (status, _) = call(&sim, Method::POST, "/webhook/verify", Value::Null).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn the_readme_shows_the_secrets_and_tokens_of_the_demo_world() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let readme = include_str!("../README.md");
    let config = sim.config();
    let secrets = sim.secrets();
    let secrets = secrets.iter().map(simulator::Secret::expose);
    let ids = [config.app_id.as_str(), &config.instagram_app_id, &config.person.id, IG, common::PAGE, ANA];
    for value in secrets.chain(ids) {
        assert!(readme.contains(&format!("`{value}`")), "{value} is not in the table");
    }
}

#[tokio::test]
async fn no_document_of_the_surface_holds_a_secret() {
    let (sim, _receiver) = pair().await;
    sim.customer(ANA).text("hi").await;
    Graph::facebook(&sim).message(json!({"text": "x"})).await;
    let mut all = format!("{:?}", sim.config());
    for path in ["/", "/accounts", "/requests", "/deliveries", "/faults", "/clock"] {
        all.push_str(&call(&sim, Method::GET, path, Value::Null).await.1.to_string());
    }
    for secret in ["demo-meta-app-secret", "demo-instagram-app-secret", "demo-verify-token", "EAADemo", "IGAADemo"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn files_on_loopback_are_fetched_and_judged_when_allowed() {
    let png = get(|| async { ([("content-type", "image/png")], vec![0_u8; 100]) });
    let html = get(|| async { ([("content-type", "text/html")], "<html>") });
    let files = Router::new().route("/a.png", png).route("/page", html);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, files).await });
    let send = async |sim: &Simulator, path: &str| {
        let payload = json!({"url": format!("{base}{path}")});
        Graph::facebook(sim).message(json!({"attachment": {"type": "image", "payload": payload}})).await
    };
    let strict = Simulator::start(Config::demo()).await.unwrap();
    strict.customer(ANA).text("hi").await;
    assert_eq!(send(&strict, "/a.png").await.error(), (100, Some(2_018_008)));
    let sim = Simulator::start(Config { media: MediaPolicy::FetchLoopback, ..Config::demo() }).await.unwrap();
    sim.customer(ANA).text("hi").await;
    assert_eq!(send(&sim, "/a.png").await.status, 200);
    assert_eq!(send(&sim, "/page").await.error(), (100, Some(2_018_047)));
    assert_eq!(send(&sim, "/missing.png").await.error(), (100, Some(2_018_008)));
}

#[tokio::test]
async fn customers_media_can_be_fetched_or_not_as_scripted() {
    let (sim, receiver) = pair().await;
    let get = async |url: &str| request_bytes(url).await;
    let url = sim.host_file(CdnFile::demo_photo());
    sim.customer(ANA).photo(&url).await;
    let sent = receiver.last().item()["message"]["attachments"][0]["payload"]["url"].clone();
    assert_eq!(sent, url.as_str());
    let (status, content_type, bytes) = get(&url).await;
    assert_eq!((status, content_type.as_str()), (200, "image/png"));
    assert!(bytes.starts_with(b"\x89PNG"));
    assert_eq!(get(&sim.host_file(CdnFile::failing(403))).await.0, 403);
    assert_eq!(get(&sim.host_file(CdnFile::redirecting("http://10.0.0.1/"))).await.0, 302);
    // Both wait: one for a time, by the simulator's clock, one until it is let go.
    let late = sim.host_file(CdnFile::new("video/mp4", "<html>").after(HOUR));
    let held = sim.host_file(CdnFile::demo_photo().held());
    let (late, held, ()) = tokio::join!(get(&late), get(&held), async {
        sim.wait_for_held_answers(1, SOON).await.unwrap();
        sim.clock().advance(HOUR);
        eventually(async || {
            sim.release_answers();
            sim.clock().advance(HOUR);
            sim.wait_for_held_answers(1, Duration::ZERO).await.is_err()
        })
        .await;
    });
    assert_eq!((late.0, held.0), (200, 200));
    let (_, hosted) = call(&sim, Method::POST, "/media", json!({})).await;
    assert_eq!(get(hosted["url"].as_str().unwrap()).await.2, bytes);
    let (_, hosted) = call(&sim, Method::POST, "/media", json!({"content_type": "text/plain", "base64": "aGk="})).await;
    assert_eq!(get(hosted["url"].as_str().unwrap()).await.2, b"hi");
}

async fn request_bytes(url: &str) -> (u16, String, Vec<u8>) {
    use http_body_util::BodyExt;
    let client: hyper_util::client::legacy::Client<_, axum::body::Body> =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let response = client.get(url.parse().unwrap()).await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    (status, content_type, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}
