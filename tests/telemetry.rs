//! Traces as a collector gets them from a running host: the numbers by which they belong together are in them,
//! and neither secrets nor what people write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use harness_inbox::{ConversationId, PublicId as _};
use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use channel_tests::{eventually, instagram, listen, process::Process, request, signature};

type Batches = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn collector() -> (String, Batches) {
    let batches = Batches::default();
    let kept = Arc::clone(&batches);
    let take = move |headers: HeaderMap, body: Bytes| async move { kept.lock().unwrap().push((headers, body)) };
    let router = Router::new().route("/v1/traces", post(take));
    (listen(router).await.origin().ascii_serialization(), batches)
}

fn hold(batches: &Batches, word: &str) -> bool {
    batches.lock().unwrap().iter().any(|(_, body)| body.windows(word.len()).any(|window| window == word.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_numbers_of_requests_and_no_secret_and_no_text() {
    let (collector, batches) = collector().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| channel_tests::write_secret(&folder.path().join(name), text);
    write("app-secret", "canary-app-secret");
    write("page-token", "canary-page-token");
    write("api-token", "canary-api-token");
    write("collector-key", "canary-collector-key");
    let component = instagram().0.display();
    write(
        "harness.toml",
        &format!(
            "listen = \"127.0.0.1:0\"\ndata-dir = \"data\"\ndevelopment = {{ unsigned-channels = true }}\n[api]\ntoken = {{ file = \"api-token\" }}\n\
             [telemetry]\notlp-endpoint = \"{collector}\"\notlp-headers = {{ x-key = {{ file = \"collector-key\" }} }}\n\
             [channels.instagram]\ncomponent = \"{component}\"\nsecrets = {{ app-secret = {{ file = \"app-secret\" }} }}\n\
             [[channels.instagram.accounts]]\nid = \"17841400000000001\"\n\
             settings = {{ login = \"facebook\", page-id = \"1\" }}\nsecrets = {{ page-token = {{ file = \"page-token\" }} }}\n"
        ),
    );
    let mut served = Process::start(
        Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["serve", "--config"])
            .arg(folder.path().join("harness.toml"))
            // Traces do not depend on what is logged.
            .env("HARNESS_LOG", "off")
            .env("OTEL_BSP_SCHEDULE_DELAY", "200"),
    );
    let address = served.address.clone();

    let body = r#"{"object":"instagram","entry":[{"id":"17841400000000001","messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"by-hand-1","text":"canary-of-a-customer"}}]}]}"#;
    let proof = signature("canary-app-secret", body.as_bytes());
    let headers = [("x-hub-signature-256", proof.as_str()), ("x-request-id", "number-of-a-webhook")];
    let url = format!("{address}/webhooks/instagram");
    assert_eq!(request("POST", &url, &headers, body.into()).await.status, 200);
    for word in ["number-of-a-webhook", "translate", "messaging-channel.parse-webhook", "harness"] {
        eventually(word, async || hold(&batches, word).then_some(())).await;
    }

    let token = ("authorization", "Bearer canary-api-token");
    let reply = r#"{"sender":{"kind": "human", "id": "kim"},"parts":[{"text":{"text":"canary-of-an-agent"}}],"try_anyway":true}"#;
    let url = format!("{address}/api/v1/conversations/{}/replies?wait=3000", ConversationId::new(1).public());
    let headers = [token, ("idempotency-key", "1"), ("x-request-id", "number-of-a-reply")];
    // The conversation is there when the message is applied.
    eventually("a reply that is taken", async || {
        let answer = request("POST", &url, &headers, reply.into()).await;
        matches!(answer.status, 200 | 201).then_some(())
    })
    .await;
    eventually("the reply", async || hold(&batches, "number-of-a-reply").then_some(())).await;

    // What is left is sent when the host stops.
    let last = [token, ("x-request-id", "number-of-the-last")];
    request("GET", &format!("{address}/api/v1/conversations"), &last, Vec::new()).await;
    assert!(Command::new("kill").arg(served.id().to_string()).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || served.ended()).await.unwrap();
    assert!(ended.success());
    assert!(hold(&batches, "number-of-the-last"));

    assert!(batches.lock().unwrap().iter().all(|(headers, _)| headers["x-key"] == "canary-collector-key"));
    assert!(!hold(&batches, "canary"), "a secret or somebody's words are in the traces");
    assert!(!hold(&batches, "5551230000000001"), "a customer's id is in the traces");
}
