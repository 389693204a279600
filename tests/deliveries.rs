//! Looking at a delivery, and translating it again: nothing comes twice, and no credential is shown.
//! Not here: how deliveries are taken and applied the first time (`delivery`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, sync::Arc};

use channel_tests::{
    API_TOKEN, Answer, api, eventually, hostile,
    hosts::{load_granted, open_with},
    kept::Kept,
    manifest::with_manifest,
    sandbox_config, scripted, secret, secrets, web_chat,
};
use harness_engine::{Host, HostOptions};
use harness_inbox::{DeliveryId, PublicId as _};
use harness_server::{Authenticator, Limits};
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "the-secret-of-the-webhook";
const MANIFEST: &str = include_str!("channels/scripted/channel.toml");

struct World {
    host: Host,
    address: String,
    _folder: TempDir,
}

impl World {
    /// A channel that runs, and another version of it before that, which reads what this one cannot: `hello`.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
        let own = || secrets([("secret", SECRET)]);
        let before = with_manifest(&hostile().1, &MANIFEST.replace("0.1.0", "0.0.9"));
        let host = open_with(options, [(before.as_slice(), own())]).await;
        load_granted(&host, &scripted().1, own()).await;
        host.connect_account("scripted", "account", "A", &BTreeMap::new(), secrets([])).await.unwrap();
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let access = Authenticator::new(Some(&secret(API_TOKEN)), None);
        let router = harness_server::router_with(host.clone(), access, &Limits::default());
        tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
        Self { host, address, _folder: folder }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        api(method, &format!("{}/api/v1/{path}", self.address), &[("content-type", "application/json")], body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    async fn replay(&self, id: &str, how: Value) -> Value {
        let answer = self.ask("POST", &format!("deliveries/{id}/replay"), how).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    /// A webhook, once it was translated: its id and its state.
    async fn delivered(&self, body: &str) -> (String, String) {
        let headers = [("x-secret".parse().unwrap(), SECRET.parse().unwrap())].into_iter().collect();
        self.host.deliver("scripted", &headers, body.as_bytes().to_vec()).await.unwrap();
        eventually("the translation", async || {
            let newest = &self.get("deliveries?limit=1").await["data"][0];
            let of = |field: &str| newest[field].as_str().unwrap().to_owned();
            (newest["state"] != "received").then(|| (of("id"), of("state")))
        })
        .await
    }

    async fn activities(&self) -> usize {
        self.get("activities").await["data"].as_array().unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_shown_with_what_it_became_and_without_credentials() {
    let world = World::new().await;
    let body = json!({ "events": 2, "script_from": SECRET }).to_string();
    let (id, state) = world.delivered(&body).await;
    assert_eq!(state, "applied");
    let shown = world.get(&format!("deliveries/{id}")).await;
    assert_eq!(
        (&shown["object"], &shown["channel"], &shown["source"]),
        (&json!("delivery"), &json!("scripted"), &json!("webhook"))
    );
    assert_eq!((&shown["size"], &shown["attempts"]), (&json!(body.len()), &json!(1)));
    assert_eq!(shown["translated_by"]["version"], "0.1.0");
    assert_eq!(shown["translated_by"]["digest"], shown["translation"]["digest"]);
    assert_eq!(shown["translation"]["running"], true);
    let events = shown["translation"]["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!((&events[0]["account"], &events[1]["id"]), (&json!("account"), &json!("event-1-0")));
    let made: Vec<_> =
        shown["changes"].as_array().unwrap().iter().filter(|one| one["type"] == "activity.created").collect();
    assert_eq!(made.len(), 2);
    let activity = world.get("activities").await["data"][1]["id"].clone();
    assert_eq!(made[0]["activity_id"], activity);
    assert!(shown["body"].as_str().unwrap().contains("[redacted]"), "{shown}");
    assert!(!shown.to_string().contains(SECRET));

    let (binary, _) = world.delivered("hello").await;
    assert_eq!(world.get(&format!("deliveries/{binary}")).await["body"], "hello");
    let other = DeliveryId::new(987_654_321).public();
    for path in [format!("deliveries/{other}"), "deliveries/nonsense".to_owned()] {
        assert_eq!(world.ask("GET", &path, Value::Null).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_found_by_channel_account_and_state() {
    let world = World::new().await;
    let (applied, _) = world.delivered(r#"{"events":1}"#).await;
    let (nothing, _) = world.delivered("{}").await;
    let (unrouted, state) = world.delivered(r#"{"events":1,"account":"nobody","size":1}"#).await;
    assert_eq!(state, "unrouted");
    let (failed, state) = world.delivered("hello").await;
    assert_eq!(state, "failed");
    let account = world.get("accounts").await["data"][0]["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", vec![&failed, &unrouted, &nothing, &applied]),
        ("?channel=scripted", vec![&failed, &unrouted, &nothing, &applied]),
        ("?channel=web-chat", vec![]),
        ("?state=failed", vec![&failed]),
        ("?state=applied", vec![&nothing, &applied]),
        (&format!("?account_id={account}"), vec![&applied]),
        (&format!("?account_id={account}&state=failed"), vec![]),
    ] {
        let found = world.get(&format!("deliveries{query}")).await;
        let ids: Vec<_> = found["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
    }
    let first = world.get("deliveries?limit=3").await;
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (3, &json!(true)));
    let rest = world.get(&format!("deliveries?limit=3&cursor={}", first["cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["data"][0]["id"], &rest["has_more"]), (&json!(applied), &json!(false)));
    let wrong = world.ask("GET", "deliveries?state=lost", Value::Null).await;
    assert_eq!((wrong.status, &wrong.json()["path"]), (400, &json!("state")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_translated_again_brings_nothing_twice() {
    let world = World::new().await;
    let (id, _) = world.delivered(r#"{"events":3}"#).await;
    let changes = async || world.get(&format!("deliveries/{id}")).await["changes"].clone();
    let before = (world.activities().await, changes().await);
    let dry = world.replay(&id, json!({})).await;
    assert_eq!((&dry["applied"], dry["translations"].as_array().unwrap().len()), (&Value::Null, 2));
    let (running, old) = (&dry["translations"][0], &dry["translations"][1]);
    assert_eq!((&running["version"], &running["running"]), (&json!("0.1.0"), &json!(true)));
    assert_eq!((&old["version"], &old["running"], &old["events"]), (&json!("0.0.9"), &json!(false), &json!([])));
    assert_eq!(dry["differences"].as_array().unwrap().len(), 1, "{dry}");
    for _ in 0..3 {
        let again = world.replay(&id, json!({ "apply": true })).await;
        assert_eq!(again["applied"], json!({ "new": 0, "repeated": 3, "unrouted": 0, "foreign": 0 }));
    }
    assert_eq!((world.activities().await, changes().await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_running_version_cannot_read_is_applied_by_the_one_before() {
    let world = World::new().await;
    let (id, state) = world.delivered("hello").await;
    assert_eq!((state.as_str(), world.activities().await), ("failed", 0));
    let dry = world.replay(&id, json!({ "apply": true })).await;
    assert!(dry["translations"][0]["problem"].is_string(), "{dry}");
    assert_eq!((&dry["applied"], &dry["differences"]), (&Value::Null, &json!([])));
    let old = dry["translations"][1]["digest"].as_str().unwrap();
    let applied = world.replay(&id, json!({ "apply": true, "digest": old })).await;
    assert_eq!(applied["applied"]["new"], 1);
    assert_eq!(world.activities().await, 1);
    let shown = world.get(&format!("deliveries/{id}")).await;
    assert_eq!((&shown["state"], &shown["translated_by"]["version"]), (&json!("applied"), &json!("0.0.9")));
    let again = world.replay(&id, json!({ "apply": true, "digest": old })).await;
    assert_eq!((&again["applied"]["repeated"], world.activities().await), (&json!(1), 1));

    let wrong = world.ask("POST", &format!("deliveries/{id}/replay"), json!({ "digest": "0" })).await;
    assert_eq!((wrong.status, &wrong.json()["code"]), (422, &json!("no_such_component")));
    world.host.unload_channel("scripted");
    let shown = world.get(&format!("deliveries/{id}")).await;
    assert_eq!((&shown["translation"], &shown["body"]), (&Value::Null, &json!("hello")));
    assert_eq!(world.ask("POST", &format!("deliveries/{id}/replay"), json!({})).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_translated_by_every_version_that_is_kept_and_what_is_no_version_of_the_channel_never_runs() {
    let world = World::new().await;
    let (id, _) = world.delivered(r#"{"events":3}"#).await;
    let version = |bytes: &[u8], version: &str| with_manifest(bytes, &MANIFEST.replace("0.1.0", version));
    let mut kept = Kept::of("scripted")
        .with("0.1.0", scripted().1.clone())
        .with("0.0.9", version(&hostile().1, "0.0.9"))
        .with("0.0.8", version(&scripted().1, "0.0.8"))
        .with("0.0.7", version(&scripted().1, "0.0.7"))
        .with("0.0.6", web_chat().1.clone())
        .with("0.0.5", b"no component".to_vec());
    kept.versions[3].1 = version(&scripted().1, "0.0.1");
    world.host.keep_earlier(Arc::new(kept));

    let dry = world.replay(&id, json!({})).await;
    let listed: Vec<_> =
        dry["earlier"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(
        listed,
        ["0.0.9", "0.0.8", "0.0.7", "0.0.6", "0.0.5"],
        "neither the one that runs nor any of them twice"
    );
    assert_eq!(dry["translations"][1]["version"], "0.0.9", "the newest that ran before");
    let by = async |at: usize, apply: bool| {
        world.replay(&id, json!({ "digest": dry["earlier"][at]["digest"], "apply": apply })).await
    };
    let same = by(1, false).await;
    let (chosen, running) = (&same["translations"][0], &same["translations"][1]);
    assert_eq!(
        (&chosen["version"], &chosen["running"], &running["running"]),
        (&json!("0.0.8"), &json!(false), &json!(true))
    );
    assert_eq!((chosen["events"].as_array().unwrap().len(), &same["differences"]), (3, &json!([])));
    let before = world.activities().await;
    assert_eq!(by(1, true).await["applied"], json!({ "new": 0, "repeated": 3, "unrouted": 0, "foreign": 0 }));
    for (at, problem) in [(2, "what is kept as"), (3, "of `web-chat`"), (4, "component")] {
        let none = by(at, true).await;
        let said = none["translations"][0]["problem"].as_str().unwrap();
        assert!(said.contains(problem), "{said}");
        assert_eq!((&none["applied"], &none["differences"]), (&Value::Null, &json!([])), "{none}");
        assert_eq!(none["translations"][1]["events"].as_array().unwrap().len(), 3);
    }
    assert_eq!(world.activities().await, before);
    assert_eq!(world.get(&format!("deliveries/{id}")).await["translated_by"]["version"], "0.0.8");

    // Where nobody can say what is kept, the version before the update is still at hand.
    world.host.keep_earlier(Arc::new(Kept::of("another")));
    let dry = world.replay(&id, json!({})).await;
    assert_eq!((dry["earlier"].as_array().unwrap().len(), &dry["earlier"][0]["version"]), (1, &json!("0.0.9")));
}
