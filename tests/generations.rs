//! A channel is replaced while it runs: nothing is lost or kept waiting, what is broken is not taken, what
//! crashes is taken back, and calls can be recorded and made again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use channel_tests::{
    World, counted, eventually, hostile, hosts::open_with, instagram, manifest::replaced, message, sandbox_config,
    secrets, text,
};
use harness_engine::{BreakerState, ChannelOptions, Host, HostOptions, Looked, NewerVersion, RecordedCall};
use harness_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use simulator::Config;
use wasm_encoder::{ComponentSection as _, CustomSection};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

/// The same component, with another digest.
fn build_of(component: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    CustomSection { name: "build".into(), data: name.as_bytes().into() }.append_to_component(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_flow_while_the_channel_is_replaced_twenty_times() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("first").await;
    let conversation = world.conversation(CUSTOMER).await;
    let (one, other) = (build_of(&instagram().1, "one"), build_of(&instagram().1, "other"));
    let host = world.host.clone();
    let setup = channel_tests::setup_of(&world.sim);
    let replacing = tokio::spawn(async move {
        for turn in 0..20 {
            let component = if turn % 2 == 0 { other.clone() } else { one.clone() };
            host.replace_channel("instagram", component, setup.clone()).await.unwrap();
        }
    });
    let mut sent = 1;
    while !replacing.is_finished() {
        let delivery = customer.text(&format!("message {sent}")).await.delivery;
        assert!(delivery.accepted(), "{sent}");
        sent += 1;
        eventually("the message", async || {
            (world.host.inbox().timeline(conversation, 5000).await.unwrap().len() == sent).then_some(())
        })
        .await;
    }
    replacing.await.unwrap();
    let reply = world.reply(conversation, "after", message(vec![text("still here")])).await;
    assert_eq!(reply.steps[0].state, harness_inbox::StepState::Sent);
    assert_eq!(world.host.generation("instagram"), 21);
    // The reply's echo may still be on its way.
    counted(&world.host, |counts| (counts.failed, counts.unrouted, counts.received) == (0, 0, 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_update_and_that_of_another_channel_are_not_taken() {
    let world = World::new().await;
    let before = world.host.channel("instagram").unwrap().channel.inspection().digest.clone();
    let half = instagram().1[..instagram().1.len() / 2].to_vec();
    let trapping = replaced(&instagram().1, "@0.2.0", "@0.9.0");
    for (component, words) in [(half, "component"), (trapping, "0.9.0"), (hostile().1.clone(), "channel `hostile`")] {
        let refused = world.host.replace_channel("instagram", component, ChannelOptions::default()).await;
        let error = refused.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(world.host.channel("instagram").unwrap().channel.inspection().digest, before);
        let shown = world.api("GET", "/api/v1/channels", &[], vec![]).await.body;
        assert!(shown.contains("update_problem") && shown.contains(words), "{shown}");
    }
    world.sim.customer(CUSTOMER).text("hello").await;
    world.conversation(CUSTOMER).await;
    world.host.replace_channel("instagram", instagram().1.clone(), ChannelOptions::default()).await.unwrap();
    assert_eq!(world.host.update_problem("instagram"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_where_a_channel_came_from_is_told_by_the_api() {
    let world = World::new().await;
    let digest = world.host.channel("instagram").unwrap().channel.inspection().digest.clone();
    let told = async || world.api("GET", "/api/v1/channels", &[], vec![]).await.json()["data"][0]["looked_for"].clone();
    assert_eq!(told().await, Value::Null);
    let newer = NewerVersion {
        version: "0.3.0".into(),
        publisher: Some("acme".into()),
        more: vec!["requests GET https://more.example.com/*".into()],
        less: vec![],
    };
    let shown = json!({
        "version": "0.3.0", "publisher": "acme", "asks_more": ["requests GET https://more.example.com/*"], "asks_less": [],
    });
    for (found, newer, problem) in [
        (Ok(Some(newer)), shown, Value::Null),
        (Ok(None), Value::Null, Value::Null),
        (Err("nobody answers".to_owned()), Value::Null, "nobody answers".into()),
    ] {
        world.host.note_looked("instagram", &digest, Looked { at: 1_795_000_000_000, found });
        let expected = json!({ "at": "2026-11-18T11:06:40.000Z", "newer": newer, "problem": problem });
        assert_eq!(told().await, expected);
    }
}

async fn hostile_host() -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = open_with(options, [(&hostile().1, secrets([("secret", "proof")]))]).await;
    host.connect_account("hostile", "account", "Account", &BTreeMap::new(), secrets([])).await.unwrap();
    (host, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_asks_for_more_shows_it_and_does_not_get_it() {
    let (host, _folder) = hostile_host().await;
    let more = replaced(&hostile().1, "host = \"attacker.example.com\"", "host = \"attackex.example.com\"");
    let registered = host.replace_channel("hostile", more, ChannelOptions::default()).await.unwrap();
    assert_eq!(registered.not_granted, ["attackex.example.com"]);
    let granted = registered.egress.iter().any(|rule| rule.host == "attackex.example.com");
    assert!(!granted, "nothing is granted by asking");
    assert!(
        registered.asks_more.iter().any(|line| line.contains("attackex.example.com")),
        "{:?}",
        registered.asks_more
    );
    let wider = replaced(&hostile().1, "paths = [\"/v1/messages\"]", "paths = [\"/v9/messages\"]");
    let registered = host.replace_channel("hostile", wider, ChannelOptions::default()).await.unwrap();
    assert!(registered.not_granted.is_empty());
    assert!(registered.asks_more.iter().any(|line| line.contains("/v9/messages")), "{:?}", registered.asks_more);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_crashes_again_and_again_is_taken_back() {
    let (host, _folder) = hostile_host().await;
    let digest = |host: &Host| host.channel("hostile").unwrap().channel.inspection().digest.clone();
    let before = digest(&host);
    let setup = ChannelOptions { secrets: secrets([("secret", "proof")]), ..ChannelOptions::default() };
    host.replace_channel("hostile", build_of(&hostile().1, "new"), setup).await.unwrap();
    let new = digest(&host);
    assert_ne!(before, new);
    let headers: http::HeaderMap = [("x-secret".parse().unwrap(), "proof".parse().unwrap())].into_iter().collect();
    for _ in 0..5 {
        host.deliver("hostile", &headers, b"trap".to_vec()).await.unwrap();
    }
    eventually("the way back", async || (digest(&host) == before).then_some(())).await;
    let problem = host.update_problem("hostile").unwrap();
    assert!(problem.contains(&new) && problem.contains("was taken back"), "{problem}");
    host.deliver("hostile", &headers, b"hello".to_vec()).await.unwrap();
    eventually("the message", async || (host.inbox().conversations(1).await.unwrap().len() == 1).then_some(())).await;
    // The delivery that no generation can read is kept, and tried again when somebody says so.
    eventually("the failures", async || (host.inbox().delivery_counts().await.unwrap().failed == 5).then_some(()))
        .await;
    assert_eq!(host.retry_failed(Some("another".into())).await.unwrap(), 0);
    assert_eq!(host.retry_failed(Some("hostile".into())).await.unwrap(), 5);
    // There is no generation left to return to: now the channel is left alone, and what waits is kept.
    eventually("the breaker", async || (host.breakers("hostile")[0].state == BreakerState::Open).then_some(())).await;
    assert_eq!(digest(&host), before);
    counted(&host, |counts| (counts.failed, counts.received) == (0, 5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_calls_give_the_same_again() {
    let (folder, recording) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = recording.path().join("calls.jsonl");
    let options =
        HostOptions { sandbox: sandbox_config(), record: Some(path.clone()), ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    let setup = ChannelOptions { secrets: secrets([("app-secret", "proof")]), ..ChannelOptions::default() };
    host.load_channel(instagram().1.clone(), setup).await.unwrap();
    let body = br#"{"object":"instagram","entry":[{"id":"1","messaging":[{"sender":{"id":"2"},"recipient":{"id":"1"},"timestamp":1795000000123,"message":{"mid":"3","text":"recorded"}}]}]}"#;
    for body in [body.as_slice(), b"not json"] {
        let proof = channel_tests::signature("proof", body);
        let headers = [("x-hub-signature-256".parse().unwrap(), proof.parse().unwrap())].into_iter().collect();
        host.deliver("instagram", &headers, body.to_vec()).await.unwrap();
    }
    let calls = eventually("the calls", async || {
        let text = std::fs::read_to_string(&path).unwrap();
        let calls: Vec<RecordedCall> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (calls.len() == 3).then_some(calls)
    })
    .await;
    let channel = Sandbox::new(SandboxConfig::default()).unwrap().load(&instagram().1).unwrap();
    for call in &calls {
        assert!(call.pure && call.failure.is_none() && call.digest == channel.inspection().digest);
        assert_eq!(Some(channel.replay(&call.export, &call.input).unwrap()), call.output, "{}", call.export);
    }
    assert!(calls[1].output.as_ref().unwrap().to_string().contains("recorded"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(channel.replay("account.check", &serde_json::json!([])).is_err(), "what has effects is not made again");
}
