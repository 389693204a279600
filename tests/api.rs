//! The API as a whole: what describes it is what it does, and what it shows is of one shape.
//! Not here: single endpoints' mistakes (`problems`), pages of lists (`reading`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, fs, process::Command};

use channel_tests::{API_TOKEN, World, message, request, root, text};
use harness_inbox::PublicId as _;
use serde_json::{Value, json};
use simulator::{CdnFile, Config};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const JSON: (&str, &str) = ("content-type", "application/json");

async fn document(world: &World) -> Value {
    let url = format!("{}/api/v1/openapi.json", world.address);
    request("GET", &url, &[], Vec::new()).await.json()
}

/// Method, path, operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let all = item.as_object().unwrap().iter();
        all.map(|(method, one)| (method.to_uppercase(), path.clone(), one.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_the_one_that_is_checked_in() {
    let world = World::new().await;
    let url = format!("{}/api/v1/openapi.json", world.address);
    let served = request("GET", &url, &[], Vec::new()).await.body;
    let path = root().join("docs/openapi.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &served).unwrap();
    }
    let how = "if that is meant: UPDATE_DOCS=1 cargo test -p channel-tests --test host the_description_is";
    assert!(fs::read_to_string(&path).unwrap_or_default() == served, "docs/openapi.json is another one; {how}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_described_is_there_and_asks_for_the_scope_that_it_names() {
    let world = World::new().await;
    let document = document(&world).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let shown = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{shown}: two of one name");
        assert!(operation["summary"].as_str().is_some_and(|words| !words.is_empty()), "{shown}");
        assert!(operation["responses"]["401"].is_object(), "{shown}");
        let url = format!("{}/api/v1{}", world.address, path.replace(['{', '}'], ""));
        // Signing in and accepting an invitation ask for nothing.
        if operation["security"] != json!([]) {
            assert!(operation["security"][0]["token"].is_array(), "{shown}");
            let answer = request(&method, &url, &[], Vec::new()).await;
            assert_eq!(answer.status, 401, "{shown}: {}", answer.body);
        }
        // A stream has no end; its own tests read it.
        if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
            continue;
        }
        let answer = channel_tests::api(&method, &url, &[], Vec::new()).await;
        assert!(![401, 403, 405].contains(&answer.status), "{shown}: {}", answer.body);
        assert!(!answer.body.contains("no_such_address"), "{shown}: {}", answer.body);
        assert!(operation["responses"][answer.status.to_string()].is_object(), "{shown}: {}", answer.status);
    }
    // What is referred to exists.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_shows_every_operation_and_runs_nothing() {
    let world = World::new().await;
    let page = request("GET", &format!("{}/api/reference", world.address), &[], Vec::new()).await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    assert!(!["<script", "href=\"http", "src="].iter().any(|one| page.body.contains(one)), "nothing from elsewhere");
    for (method, path, _) in operations(&document(&world).await) {
        assert!(page.body.contains(&format!("{method} {path}")), "{method} {path}");
    }
    let style = request("GET", &format!("{}/api/reference.css", world.address), &[], Vec::new()).await;
    assert_eq!(style.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_has_messages_and_activities_in_their_order_over_all_pages() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let post = world.sim.accounts()[0].own_posts[0].clone();
    for number in 0..4 {
        customer.text(&format!("text {number}")).await;
        world.advance(std::time::Duration::from_secs(60));
        customer.comment(&post, &format!("comment {number}")).await;
        world.advance(std::time::Duration::from_secs(60));
    }
    world.settled().await;
    let id = world.conversation(CUSTOMER).await;
    world.reply(id, "answer", message(vec![text("an answer")])).await;
    let (mut pages, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let path = format!("/api/v1/conversations/{}/timeline{query}", id.public());
        let page = world.api("GET", &path, &[], vec![]).await.json();
        pages.push(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    pages.reverse();
    let entries = pages.concat();
    let said: Vec<_> = entries
        .iter()
        .map(|entry| match entry["object"].as_str().unwrap() {
            "message" => entry["text"].as_str().unwrap().to_owned(),
            _ => entry["body"]["comment"]["text"].as_str().unwrap().to_owned(),
        })
        .collect();
    let expected: Vec<_> = (0..4).flat_map(|number| [format!("text {number}"), format!("comment {number}")]).collect();
    assert_eq!(said, [expected, vec!["an answer".to_owned()]].concat());
    let times: Vec<_> = entries.iter().map(|entry| entry["created_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && times.iter().all(|time| time.len() == 24 && time.ends_with('Z')), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_tried_before_it_is_sent_and_nothing_is_queued() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let id = world.conversation(CUSTOMER).await;
    let path = format!("/api/v1/conversations/{}/validate", id.public());
    let validate = async |body: Value| {
        let answer = world.api("POST", &path, &[JSON], body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let sender = json!({ "kind": "human", "id": "kim" });
    let long = "One sentence after the other. ".repeat(60);
    let parts = json!([{ "text": { "text": long, "split": true } }, { "text": { "text": "the end" } }]);
    let shown = validate(json!({ "sender": sender, "parts": parts })).await;
    assert_eq!((&shown["sendable"], &shown["violations"]), (&json!(true), &json!([])), "{shown}");
    let preview = shown["preview"].as_array().unwrap();
    let first: String =
        preview.iter().filter(|step| step["parts"] == json!([0])).map(|step| step["text"].as_str().unwrap()).collect();
    assert!(preview.len() > 2 && first.starts_with("One sentence"), "{shown}");
    assert_eq!(preview.last().unwrap()["text"], "the end");

    let parts = json!([{ "text": { "text": "x".repeat(2000) } }, { "text": { "text": "" } }]);
    let shown = validate(json!({ "sender": sender, "parts": parts })).await;
    let paths: Vec<_> = shown["violations"].as_array().unwrap().iter().map(|one| &one["path"]).collect();
    assert_eq!((&shown["sendable"], &shown["preview"]), (&json!(false), &json!([])), "{shown}");
    assert_eq!(paths, ["parts[0].text.text", "parts[1].text.text"], "{shown}");

    world.advance(std::time::Duration::from_secs(40 * 24 * 3600));
    let shown = validate(json!({ "sender": sender, "parts": [{ "text": { "text": "late" } }] })).await;
    assert!(shown["violations"][0]["path"].as_str().unwrap().starts_with("context.window"), "{shown}");
    world.host.disconnect(world.host.inbox().accounts().await.unwrap()[0].id, false).await.unwrap();
    let shown = validate(json!({ "sender": sender, "parts": [{ "text": { "text": "gone" } }] })).await;
    assert_eq!(shown["sendable"], false, "{shown}");
    assert!(world.sends().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_one_reply_also_where_its_file_was_uploaded_again() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let id = world.conversation(CUSTOMER).await;
    let upload = async |content: Vec<u8>| {
        let answer = world.api("POST", "/api/v1/uploads?name=photo.png", &[], content).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["source"].clone()
    };
    let replies = format!("/api/v1/conversations/{}/replies?wait=60000", id.public());
    let post = async |source: &Value| {
        let parts = json!([{ "media": [{ "kind": "image", "source": source }] }]);
        let body = json!({ "sender": { "kind": "human", "id": "kim" }, "parts": parts }).to_string();
        let answer = world.api("POST", &replies, &[JSON, ("idempotency-key", "photo")], body).await;
        (answer.status, answer.json())
    };
    let photo = CdnFile::demo_photo().bytes;
    let first = post(&upload(photo.clone()).await).await;
    assert_eq!((first.0, &first.1["state"]), (201, &json!("sent")), "{}", first.1);
    // A day and more later, by a client that lost the answer.
    world.advance(std::time::Duration::from_secs(25 * 3600));
    let again = post(&upload(photo.clone()).await).await;
    assert_eq!((again.0, &again.1), (200, &first.1));
    let mut other = photo.to_vec();
    other.extend(b"another one");
    let other = post(&upload(other).await).await;
    assert_eq!((other.0, &other.1["code"]), (409, &json!("idempotency_key_reused")), "{}", other.1);
    assert_eq!(world.sim.customer(CUSTOMER).transcript().len(), 2, "hello, and the photo");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exchange_that_the_page_shows_works_as_it_is_written() {
    let page = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let section = page.split("## An exchange").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks: Vec<_> = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4, "{section}");
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("Do you have a picture of it?").await;
    world.conversation(CUSTOMER).await;
    let folder = tempfile::tempdir().unwrap();
    let script = format!("set -euo pipefail\n{}", blocks.concat());
    let (api, here) = (format!("{}/api/v1", world.address), folder.path().to_owned());
    let output = tokio::task::spawn_blocking(move || {
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).env("API", api).env("TOKEN", API_TOKEN).current_dir(here).output().unwrap()
    })
    .await
    .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("\"state\": \"open\"") && said.contains("Do you have a picture of it?"), "{said}");
    let sent = world.sends();
    assert!(sent.iter().any(|request| request.body.to_string().contains("Here it is.")), "{sent:#?}");
    assert_eq!(world.sim.customer(CUSTOMER).transcript().len(), 3, "the question, the text, the picture");
}
