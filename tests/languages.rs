//! Channels in JavaScript and Python, written from the contract alone, on an unchanged host.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use channel_tests::{
    PATIENCE, eventually,
    hosts::{endpoints, newest_conversation, open_with},
    languages::{javascript, python},
    listen, message, request, sandbox_config, secrets, serve, signature, text,
};
use harness_contract::{OutboundPart, WindowState};
use harness_engine::{Host, HostOptions};
use harness_inbox::{ConversationId, ReplyState, ReplyView, StepState};
use harness_sandbox::{ComponentBounds, LoadError, Sandbox, SandboxConfig, ShapeError, inspect};
use serde_json::{Value, json};

/// CPython is linked of so many core modules, which is more than hosts usually take.
const PYTHON_MODULES: u64 = 38;

fn roomy() -> SandboxConfig {
    let bounds = ComponentBounds { core_instances: PYTHON_MODULES, ..ComponentBounds::default() };
    SandboxConfig { bounds, ..sandbox_config() }
}

type Received = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// The platform's server: takes every text but one.
async fn pelican() -> (url::Url, Received) {
    let received = Received::default();
    let take = |State(received): State<Received>, headers: HeaderMap, Json(body): Json<Value>| async move {
        let refused = body["text"] == "are you there?";
        received.lock().unwrap().push((headers, body));
        if refused {
            return (StatusCode::FORBIDDEN, Json(json!({ "error": { "code": "blocked" } })));
        }
        (StatusCode::OK, Json(json!({ "message": { "id": "out-1" } })))
    };
    let router = Router::new().route("/v1/messages", post(take)).with_state(Arc::clone(&received));
    (listen(router).await, received)
}

const HELLO: &str = r#"{"messages":[
    {"id":"in-1","from":{"id":"p-1","name":"Kim"},"text":"hello","sent_at":"2026-11-27T12:00:00Z"},
    {"broken":true}
]}"#;

async fn ended(host: &Host, conversation: ConversationId, key: &str, part: OutboundPart) -> ReplyView {
    let queued = host.reply(conversation, key, message(vec![part])).await.unwrap();
    eventually("the reply's end", async || {
        let view = host.inbox().reply(queued.reply).await.unwrap();
        matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
    })
    .await
}

/// A webhook comes in, is verified and translated; answers go out with the account's credentials, and are read.
async fn talks(channel: &str, component: &[u8], sandbox: SandboxConfig) {
    let (platform, received) = pelican().await;
    let folder = tempfile::tempdir().unwrap();
    let endpoints = endpoints(&["https://api.pelican.example"], &platform);
    let options = HostOptions { sandbox, endpoints, ..HostOptions::in_folder(folder.path()) };
    let host = open_with(options, [(component, secrets([]))]).await;
    let own = secrets([("webhook-secret", "secret-of-the-shop"), ("api-token", "token-of-the-shop")]);
    host.connect_account(channel, "shop", "Shop", &BTreeMap::new(), own).await.unwrap();
    let (address, _server) = serve(&host).await;

    let url = format!("{address}/webhooks/{channel}");
    let says =
        async |proof: String| request("POST", &url, &[("x-pelican-signature", &proof)], HELLO.into()).await.status;
    let proof = |secret| signature(secret, HELLO.as_bytes()).trim_start_matches("sha256=").to_owned();
    assert_eq!(says(proof("another secret")).await, 403);
    assert_eq!(says(proof("secret-of-the-shop")).await, 200);

    let conversation = newest_conversation(&host).await;
    let kim = host.inbox().conversations(9).await.unwrap().remove(0);
    assert_eq!((kim.account.as_str(), kim.contact.as_deref(), kim.name.as_deref()), ("shop", Some("p-1"), Some("Kim")));
    let context = host.context(conversation).await.unwrap();
    assert_eq!(context.window.opened_at, Some(1_795_780_800_000), "the platform's time opens the window");

    let view = ended(&host, conversation, "sticker", OutboundPart::Sticker("heart".into())).await;
    assert_eq!(view.state, ReplyState::Refused);
    assert!(view.violations.iter().any(|violation| violation.message.contains("texts only")), "{:?}", view.violations);
    // What the account's clock says: the answer may come on another day.
    if context.window.state != WindowState::Open {
        let refused = ended(&host, conversation, "late", text("hi Kim")).await;
        assert!(refused.violations.iter().any(|violation| violation.code == "window_closed"), "{refused:?}");
    }
    let sends = async |key: &str, words: &str| {
        let forced = harness_contract::OutboundMessage { try_anyway: true, ..message(vec![text(words)]) };
        let queued = host.reply(conversation, key, forced).await.unwrap();
        eventually("the reply's end", async || {
            let view = host.inbox().reply(queued.reply).await.unwrap();
            (view.state == ReplyState::Done).then_some(view)
        })
        .await
    };
    let view = sends("answer", "hi Kim").await;
    assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    let view = sends("blocked", "are you there?").await;
    assert_eq!(view.steps[0].state, StepState::Rejected, "{view:?}");
    assert!(view.steps[0].outcome.as_ref().unwrap().get().contains("opted_out"));

    let received = received.lock().unwrap();
    assert_eq!(received.len(), 2);
    let (headers, body) = &received[0];
    assert_eq!(headers["authorization"], "Bearer token-of-the-shop");
    assert_eq!((&body["to"], &body["text"]), (&json!("p-1"), &json!("hi Kim")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_in_javascript_takes_a_webhook_and_answers() {
    talks("text-only-js", javascript(), sandbox_config()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_in_python_takes_a_webhook_and_answers() {
    talks("text-only-py", python(), roomy()).await;
}

#[test]
fn translators_of_other_languages_import_no_function() {
    for component in [javascript(), python()] {
        let inspection = inspect(component, component.len()).unwrap();
        let types = ["types", "events", "messages", "requests", "capabilities"];
        let others = inspection
            .imports
            .iter()
            .filter(|import| !types.iter().any(|name| import.starts_with(&format!("inbox:channel/{name}@"))));
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(inspection.manifest().unwrap().channel.id.starts_with("text-only-"));
    }
}

#[test]
fn a_component_of_more_core_modules_than_the_host_takes_is_refused_with_the_number_to_allow() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let Err(error) = sandbox.load(python()) else { panic!("it was taken") };
    assert!(matches!(error, LoadError::Shape(ShapeError::TooManyCoreInstances { .. })), "{error}");
    assert!(error.to_string().contains(&format!("`core-instances = {PYTHON_MODULES}` under `[limits]`")), "{error}");
}

/// What both channels are asked.
fn questions() -> Vec<(&'static str, Value)> {
    let delivery = |body: &str| json!({ "body": body, "query": "", "received_at": 0, "account": { "id": "shop" } });
    let item = r#"{"id":"1","from":{"id":"p-1","name":"Kim"},"text":"a\ud83d!","sent_at":"yesterday"}"#;
    let asked = |parts: Value, more: Value| {
        let mut message = json!({ "id": "r-1", "sender": { "kind": "bot", "id": "b" }, "parts": parts });
        let mut context =
            json!({ "account": { "id": "shop" }, "contact": "p-1", "window": { "state": "open" }, "now": 0 });
        for (key, value) in more.as_object().unwrap() {
            let place = if context.get(key).is_some() { &mut context } else { &mut message };
            place[key] = value.clone();
        }
        json!({ "message": message, "context": context })
    };
    let long = "word ".repeat(300);
    let answer = |status: u16, headers: Value, body: &str| {
        let step = json!({ "parts": [3], "kind": "message", "method": "post", "url": "https://x.example/" });
        json!({ "step": step, "response": { "status": status, "headers": headers, "body": body } })
    };
    let after = json!([{ "name": "retry-after", "value": "7" }]);
    let date = json!([
        { "name": "date", "value": "Fri, 27 Nov 2026 12:00:00 GMT" },
        { "name": "retry-after", "value": "Fri, 27 Nov 2026 12:00:10 GMT" },
    ]);
    let mut all = vec![
        ("capabilities", json!(null)),
        ("parse-webhook", delivery(&format!(r#"{{"messages":[{item},{{"ä":true}}]}}"#))),
        ("parse-webhook", delivery(r#"{"messages":[]}"#)),
        ("parse-webhook", delivery(r#"{"messages":{"of":"another kind"}}"#)),
        ("parse-webhook", delivery(r#"{"other":1}"#)),
        ("parse-webhook", delivery("{\"ü\": 1,\n \"messages\": [oops")),
        (
            "outbound",
            asked(
                json!([{ "text": { "text": "hi {to} \"ü\"" } }, { "text": { "text": long, "split": true } }]),
                json!({}),
            ),
        ),
        (
            "outbound",
            asked(json!([{ "text": { "text": long } }, { "text": { "text": " " } }, { "sticker": "x" }]), json!({})),
        ),
        ("outbound", asked(json!([{ "text": { "text": "é".repeat(1001), "split": true } }]), json!({}))),
        ("outbound", asked(json!([]), json!({ "native": "{}", "private_reply_to": "c-1", "contact": null }))),
    ];
    for state in ["human_only", "closed", "never_opened", "unknown"] {
        for anyway in [false, true] {
            let more = json!({ "window": { "state": state }, "try_anyway": anyway });
            all.push(("outbound", asked(json!([{ "text": { "text": "hi" } }]), more)));
        }
    }
    for fallback in ["usual", "strict", "allow"] {
        let quick = json!([{ "title": "Yes", "action": { "postback": "y" } }]);
        let more = json!({ "fallback": fallback, "quick_replies": quick, "reply_to": { "id": "m-1" } });
        all.push(("outbound", asked(json!([{ "text": { "text": "**hi**", "format": "markdown" } }]), more)));
    }
    for status in [200, 204, 302, 401, 403, 404, 408, 422, 429, 500, 503] {
        let body = r#"{"message":{"id":"o-1"},"error":{"code":"blocked"}}"#;
        all.push(("answer", answer(status, after.clone(), body)));
    }
    all.push(("answer", answer(429, date, "<html>")));
    all.push(("answer", answer(200, json!([]), "")));
    all.push(("answer", answer(200, json!([]), r#"{"message":{"id":7}}"#)));
    all
}

/// The contract's JSON form of an answer, without the words that a language finds for what it could not read.
fn asked_of(channel: &harness_sandbox::Channel, what: &str, input: Value) -> Value {
    let of = |input: &Value, key: &str| input[key].clone();
    let mut said = match what {
        "capabilities" => serde_json::to_value(channel.capabilities(None).unwrap()).unwrap(),
        "parse-webhook" => {
            serde_json::to_value(channel.parse_webhook(&serde_json::from_value(input).unwrap()).unwrap()).unwrap()
        }
        "outbound" => {
            let message = serde_json::from_value(of(&input, "message")).unwrap();
            let context = serde_json::from_value(of(&input, "context")).unwrap();
            let validation = channel.validate_outbound(&message, &context).unwrap();
            json!([validation, channel.build_send_request(&message, &context).unwrap()])
        }
        _ => {
            let step = serde_json::from_value::<harness_contract::SentStep>(of(&input, "step")).unwrap();
            let response = serde_json::from_value(of(&input, "response")).unwrap();
            serde_json::to_value(channel.parse_send_response(&step, &response).unwrap()).unwrap()
        }
    };
    without_reasons(&mut said);
    said
}

fn without_reasons(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("reason");
            fields.values_mut().for_each(without_reasons);
        }
        Value::Array(all) => all.iter_mut().for_each(without_reasons),
        _ => {}
    }
}

#[test]
fn the_same_channel_in_two_languages_gives_the_same_answers() {
    let sandbox = Sandbox::new(SandboxConfig { pure_deadline: PATIENCE, ..roomy() }).unwrap();
    let (javascript, python) = (sandbox.load(javascript()).unwrap(), sandbox.load(python()).unwrap());
    for (what, input) in questions() {
        let said = asked_of(&javascript, what, input.clone());
        assert_eq!(said, asked_of(&python, what, input.clone()), "{what}: {input}");
        assert!(what == "capabilities" || said != json!(null));
    }
}
