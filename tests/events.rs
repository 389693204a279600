//! What a product is told of changes: over a stream, by polling, and over webhooks. Not here: that a kill loses nothing
//! (`crash`), which changes there are (the inbox's own tests).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use channel_tests::{
    API_TOKEN, Answer, api, eventually,
    follow::{EventStream, Product},
    hosts::open_with,
    sandbox_config, scripted, secret, secrets,
    team::Team,
};
use harness_engine::{Clock, Host, HostOptions};
use harness_inbox::ChangeKind;
use harness_server::{Authenticator, Limits, PageAccess};
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "the-webhook-secret";

struct World {
    host: Host,
    clock: Clock,
    address: String,
    deliveries: AtomicUsize,
    _folder: TempDir,
}

impl World {
    async fn start(limits: Limits, private_hosts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::stopped();
        let options = HostOptions {
            sandbox: sandbox_config(),
            clock: clock.clone(),
            private_hosts: private_hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..HostOptions::in_folder(folder.path())
        };
        let host = open_with(options, [(&scripted().1, secrets([("secret", SECRET)]))]).await;
        host.connect_account("scripted", "account", "A", &Default::default(), secrets([])).await.unwrap();
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let access = Authenticator::new(Some(&secret(API_TOKEN)), None);
        let router = harness_server::router_with_pages(host.clone(), access, PageAccess::Demo(None), &limits);
        tokio::spawn(
            async move { harness_server::serve_with(listener, router, &limits, std::future::pending()).await },
        );
        Self { host, clock, address, deliveries: AtomicUsize::new(0), _folder: folder }
    }

    /// As many things happen in a conversation.
    async fn happens(&self, count: usize) {
        // Events of another size are other events.
        let size = self.deliveries.fetch_add(1, Ordering::Relaxed) + 1;
        let body = json!({ "events": count, "account": "account", "size": size });
        let headers = [("x-secret".parse().unwrap(), SECRET.parse().unwrap())].into_iter().collect();
        let before = self.newest();
        self.host.deliver("scripted", &headers, body.to_string().into_bytes()).await.unwrap();
        // Changes of other things come in between.
        eventually("the events", async || {
            let found = self.host.inbox().changes_after(before, None, 100 + 10 * count).await.unwrap().changes;
            let made = found.iter().filter(|change| change.kind == ChangeKind::ActivityCreated);
            (made.count() >= count).then_some(())
        })
        .await;
    }

    fn newest(&self) -> u64 {
        *self.host.inbox().newest_change().borrow()
    }

    async fn api(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        api(method, &format!("{}/api/v1/{path}", self.address), &[("content-type", "application/json")], body).await
    }

    async fn stream(&self, query: &str, after: Option<&str>) -> Result<EventStream, String> {
        EventStream::open(&format!("{}/api/v1/events{query}", self.address), after).await
    }

    /// Everything that polling tells after this position.
    async fn changes(&self, after: u64) -> Vec<Value> {
        let answer = self.api("GET", &format!("changes?after={after}&limit=1000"), Value::Null).await.json();
        answer["data"].as_array().unwrap().clone()
    }

    async fn webhook(&self, id: &str) -> Value {
        self.api("GET", &format!("webhooks/{id}"), Value::Null).await.json()
    }
}

#[tokio::test]
async fn a_stream_tells_every_change_once_and_goes_on_where_it_stopped() {
    let world = World::start(Limits::default(), &[]).await;
    let start = world.newest();
    let mut stream = world.stream("", None).await.unwrap();
    world.happens(1).await;
    let expected = world.changes(start).await;
    let mut told = stream.take(expected.len()).await;
    assert_eq!(told.last().unwrap().kind, "activity.created");
    assert_eq!(told.last().unwrap().data["object"], "event");
    assert!(told.last().unwrap().data["activity_id"].as_str().unwrap().starts_with("act_"));
    let last = stream.last_id.clone().unwrap();
    drop(stream);
    world.happens(3).await;
    let expected = world.changes(start).await;
    let mut stream = world.stream("?after=0", Some(&last)).await.unwrap();
    told.extend(stream.take(expected.len() - told.len()).await);
    let data: Vec<_> = told.iter().map(|told| told.data.clone()).collect();
    assert_eq!(data, expected);
    let ids: Vec<_> = told.iter().map(|told| told.id).collect();
    // Up to what polling told: the host may have changed something else by now.
    assert_eq!(ids, (start + 1..).take(expected.len()).collect::<Vec<_>>());
    // Only what is asked for.
    let mut some = world.stream("?after=0&kinds=account.*", None).await.unwrap();
    assert_eq!(some.next().await.unwrap().kind, "account.updated");
    for wrong in ["?after=x", "?after=-1", "?kinds=nothing", "?cursor=1"] {
        assert!(world.stream(wrong, None).await.err().unwrap().starts_with("400"), "{wrong}");
    }
}

#[tokio::test]
async fn a_reader_that_was_away_too_long_is_told_that_it_missed_some() {
    let world = World::start(Limits::default(), &[]).await;
    world.happens(1).await;
    let newest = world.newest();
    world.host.whole_inbox().expire_changes(u64::MAX, 999).await.unwrap();
    let mut stream = world.stream("?after=1", None).await.unwrap();
    let told = stream.next().await.unwrap();
    assert_eq!((told.kind.as_str(), told.id), ("feed.missed", newest));
    let page = world.api("GET", "changes?after=1", Value::Null).await.json();
    assert_eq!(page, json!({ "data": [], "has_more": false, "missed": true, "position": newest.to_string() }));
    world.happens(1).await;
    assert_eq!(stream.next().await.unwrap().id, newest + 1, "it goes on after that");
}

#[tokio::test]
async fn a_page_of_changes_waits_for_the_next_one() {
    let world = World::start(Limits::default(), &[]).await;
    let now = world.api("GET", "changes", Value::Null).await.json();
    assert_eq!(now["data"], json!([]));
    let path = format!("changes?after={}&wait=60000&kinds=activity.*", now["position"].as_str().unwrap());
    let (page, ()) = tokio::join!(world.api("GET", &path, Value::Null), world.happens(1));
    assert_eq!(page.json()["data"][0]["type"], "activity.created");
}

#[tokio::test]
async fn streams_take_no_place_of_another_request() {
    let limits = Limits { max_connections: 2, max_connections_per_address: 2, max_streams: 3, ..Limits::default() };
    let world = World::start(limits, &[]).await;
    // Those of open pages are counted too.
    let page = EventStream::open(&format!("{}/inbox/events", world.address), None).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(world.stream("", None).await.unwrap());
    }
    let refused = world.stream("", None).await.err().unwrap();
    assert!(refused.starts_with("503") && refused.contains("too_many_streams"), "{refused}");
    // Three streams are open where two connections may be, and webhooks and requests are answered.
    world.happens(1).await;
    assert_eq!(world.api("GET", "changes", Value::Null).await.status, 200);
    for stream in &mut streams {
        assert!(stream.next().await.is_some());
    }
    drop(page);
    eventually("a place", async || world.stream("", None).await.ok()).await;
}

#[tokio::test]
async fn a_product_is_told_each_change_in_order_and_signed() {
    let world = World::start(Limits::default(), &["127.0.0.1"]).await;
    let product = Product::start().await;
    let made = world.api("POST", "webhooks", json!({ "url": product.url, "kinds": ["activity.*"] })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, key) =
        (made.json()["id"].as_str().unwrap().to_owned(), made.json()["secret"].as_str().unwrap().to_owned());
    assert!(id.starts_with("whk_") && key.starts_with("whsec_"));
    assert!(!world.api("GET", "webhooks", Value::Null).await.body.contains("whsec_"), "the secret is shown once");
    let start = world.newest();
    world.happens(5).await;
    let expected: Vec<_> =
        world.changes(start).await.into_iter().filter(|event| event["type"] == "activity.created").collect();
    let told =
        eventually("the events", async || Some(product.events()).filter(|told| told.len() == expected.len())).await;
    assert_eq!(told.iter().map(|(_, event)| event.clone()).collect::<Vec<_>>(), expected);
    for (name, event) in &told {
        assert_eq!(*name, format!("{id}-{}", event["id"].as_str().unwrap()));
    }
    verify(&key, &product);
    let view = eventually("its position", async || {
        Some(world.webhook(&id).await)
            .filter(|view| view["position"].as_str() == Some(world.newest().to_string().as_str()))
    })
    .await;
    assert_eq!((&view["state"], &view["problem"]), (&json!("active"), &Value::Null));
    // Again from a position: the same events under the same ids.
    let again = json!({ "position": start.to_string() });
    assert_eq!(world.api("PATCH", &format!("webhooks/{id}"), again).await.status, 200);
    let twice =
        eventually("the same again", async || Some(product.events()).filter(|all| all.len() == 2 * told.len())).await;
    assert_eq!(twice[told.len()..], told[..]);
    // A test is an event of its own, and paused is paused.
    assert_eq!(
        world.api("PATCH", &format!("webhooks/{id}"), json!({ "paused": true })).await.json()["state"],
        "paused"
    );
    world.happens(1).await;
    let tested = world.api("POST", &format!("webhooks/{id}/test"), Value::Null).await.json();
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(204)));
    assert_eq!(product.events().last().unwrap().1["type"], "webhook.test");
    assert_eq!(product.events().len(), twice.len() + 1);
    let attempts = world.api("GET", &format!("webhooks/{id}/attempts"), Value::Null).await.json();
    assert_eq!(attempts["data"].as_array().unwrap().len(), twice.len() + 1);
    assert_eq!(world.api("DELETE", &format!("webhooks/{id}"), Value::Null).await.status, 204);
    assert_eq!(world.api("GET", &format!("webhooks/{id}"), Value::Null).await.status, 404);
}

/// Checks the signatures with the library of the specification's authors.
fn verify(key: &str, product: &Product) {
    const PROGRAM: &str = "
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
asked = json.load(sys.stdin)
hook = Webhook(asked['key'])
for message in asked['messages']:
    hook.verify(message['body'], message['headers'])
    try:
        hook.verify(message['body'] + ' ', message['headers'])
        sys.exit('another body was taken')
    except WebhookVerificationError:
        pass
print(len(asked['messages']))
";
    let came = product.came.lock().unwrap();
    let messages: Vec<_> = came
        .iter()
        .map(|(headers, body)| {
            let header = |name: &str| headers[name].to_str().unwrap().to_owned();
            let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
            let headers: serde_json::Map<_, _> =
                names.map(|name| (name.to_owned(), header(name).into())).into_iter().collect();
            json!({ "headers": headers, "body": String::from_utf8_lossy(body) })
        })
        .collect();
    let python = channel_tests::root().join("target/webhooks/bin/python");
    let mut child = std::process::Command::new(&python)
        .args(["-c", PROGRAM])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `.ci/setup` installs it", python.display()));
    let asked = json!({ "key": key, "messages": messages }).to_string();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), asked.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), messages.len().to_string(), "{said:?}");
}

#[tokio::test]
async fn an_address_that_fails_is_tried_for_three_days_holds_up_no_other_and_says_why_it_ended() {
    let world = World::start(Limits::default(), &["127.0.0.1"]).await;
    let (broken, works) = (Product::start().await, Product::start().await);
    broken.answers(500);
    let mut ids = Vec::new();
    for product in [&broken, &works] {
        let new = json!({ "url": product.url, "kinds": ["activity.created"] });
        ids.push(world.api("POST", "webhooks", new).await.json()["id"].as_str().unwrap().to_owned());
    }
    let begun = world.clock.now();
    world.happens(2).await;
    eventually("the other is told", async || (works.events().len() == 2).then_some(())).await;
    let mut tries = 0;
    let view = loop {
        let view = eventually("the attempt", async || {
            let view = world.webhook(&ids[0]).await;
            (view["failed_attempts"].as_u64() > Some(tries)).then_some(view)
        })
        .await;
        tries = view["failed_attempts"].as_u64().unwrap();
        if view["state"] != "active" {
            break view;
        }
        assert!(view["problem"].as_str().unwrap().contains("500"), "{view}");
        // The next attempt comes with its time, not sooner.
        assert_eq!(broken.events().len() as u64, tries);
        let row = world.host.webhooks(harness_inbox::WorkspaceId::FIRST).await.unwrap().remove(0);
        world.clock.advance(Duration::from_millis(row.next_attempt_at - world.clock.now()));
    };
    let lasted = Duration::from_millis(world.clock.now() - begun);
    assert!(lasted >= Duration::from_secs(72 * 3600) && lasted < Duration::from_secs(73 * 3600), "{lasted:?}");
    assert!((9..20).contains(&tries), "{tries} attempts");
    assert_eq!(view["state"], "failed");
    assert!(view["problem"].as_str().unwrap().contains("three days"), "{view}");
    let all = broken.events();
    assert!(all.iter().all(|event| *event == all[0]), "the first event holds the second up, under one id");
    // Mended and resumed, it is told what it was not told yet.
    broken.answers(200);
    world.api("PATCH", &format!("webhooks/{}", ids[0]), json!({ "paused": false })).await;
    eventually("everything", async || (broken.events().len() == all.len() + 2).then_some(())).await;
    assert_eq!(world.webhook(&ids[0]).await["state"], "active");
    // Gone is gone at once.
    broken.answers(410);
    world.happens(1).await;
    let view =
        eventually("the end", async || Some(world.webhook(&ids[0]).await).filter(|view| view["state"] == "failed"))
            .await;
    assert!(view["problem"].as_str().unwrap().contains("410"), "{view}");
}

#[tokio::test]
async fn no_address_in_a_private_network_is_called_unless_the_operator_lists_it() {
    let world = World::start(Limits::default(), &[]).await;
    for url in [
        "http://127.0.0.1:9/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "ftp://a.example/",
        "https://a:b@a.example/",
        "x",
    ] {
        let refused = world.api("POST", "webhooks", json!({ "url": url })).await;
        assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("bad_address")), "{url}: {}", refused.body);
        assert_eq!(refused.json()["path"], "url");
    }
    let refused = world.api("POST", "webhooks", json!({ "url": "https://a.example/", "kinds": ["x"] })).await;
    assert_eq!((refused.status, &refused.json()["path"]), (400, &json!("kinds")));
}

#[tokio::test]
async fn a_stream_ends_for_somebody_who_has_signed_out() {
    let team = Team::new().await;
    let kim = team.join("kim@shop.example", "admin").await;
    let cookies = kim.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let mut streams = Vec::new();
    for path in ["/api/v1/events", "/inbox/events"] {
        let request = reqwest::Client::new().get(format!("{}{path}", team.address)).header("cookie", &cookies);
        let mut stream = request.send().await.unwrap();
        assert_eq!(stream.status(), 200, "{path}");
        assert!(stream.chunk().await.unwrap().unwrap().starts_with(b"retry: "), "{path}");
        streams.push((path, stream));
    }
    assert!(kim.ask("DELETE", "/api/v1/session", &Value::Null).await.status < 300);
    // What happens next is not for them.
    let made = team.operator("POST", "/api/v1/labels", &json!({ "name": "Late", "color": "red" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    for (path, mut stream) in streams {
        let more = tokio::time::timeout(channel_tests::PATIENCE, stream.chunk()).await.expect("it ends").unwrap();
        assert_eq!(more, None, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_stream_loses_it() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let limits = Limits { max_streams: 1, stall_time: Duration::ZERO, ..Limits::default() };
    let world = World::start(limits, &[]).await;
    let mut idle = tokio::net::TcpStream::connect(world.address.trim_start_matches("http://")).await.unwrap();
    let head = format!("GET /api/v1/events?after=0 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {API_TOKEN}\r\n\r\n");
    idle.write_all(head.as_bytes()).await.unwrap();
    idle.read_exact(&mut [0; 15]).await.unwrap();
    // More and more, until the buffers in between are full.
    eventually("its place", async || {
        world.happens(2000).await;
        world.stream("", None).await.ok()
    })
    .await;
}
