//! The way in over real HTTP: what is genuine is recorded byte for byte, everything else gets one
//! constant answer and leaves no trace.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, instagram, request, secret, secrets, signature};
use harness_engine::ChannelOptions;
use simulator::{Config, Login, RawWebhook, Signing};

const BODY: &str = r#"{"object":"instagram","entry":[{"id":"17841400000000001","time":1795000000456,"messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"by-hand-1","text":"hello"}}]}]}"#;

async fn post(world: &World, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let url = format!("{}/webhooks/instagram", world.address);
    let answer = request("POST", &url, headers, body.to_vec()).await;
    (answer.status, answer.body)
}

async fn recorded(world: &World) -> u64 {
    let counts = world.host.inbox().delivery_counts().await.unwrap();
    counts.received + counts.applied + counts.unrouted + counts.failed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_echoed_as_plain_text_and_only_for_the_right_token() {
    let world = World::new().await;
    let answer = world.sim.verify_webhook().await.unwrap();
    assert_eq!(answer.status, 200);

    let ask =
        async |query: &str| request("GET", &format!("{}/webhooks/instagram?{query}", world.address), &[], vec![]).await;
    let right = ask("hub.mode=subscribe&hub.verify_token=demo-verify-token&hub.challenge=%3Cb%3Ehi%3C%2Fb%3E").await;
    assert_eq!((right.status, right.body.as_str()), (200, "<b>hi</b>"));
    assert_eq!(right.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(right.headers["x-content-type-options"], "nosniff");
    for wrong in [
        "",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1",
        "hub.mode=unsubscribe&hub.verify_token=demo-verify-token&hub.challenge=1",
        "hub.mode=subscribe&hub.verify_token=demo-verify-token",
        "hub.mode=subscribe&hub.verify_token=wrong&hub.verify_token=demo-verify-token&hub.challenge=1",
    ] {
        let refused = ask(wrong).await;
        assert_eq!((refused.status, refused.body.as_str()), (403, "forbidden\n"), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn either_app_secret_proves_a_delivery_and_its_bytes_are_kept() {
    let world = World::new().await;
    for secret in ["demo-meta-app-secret", "demo-instagram-app-secret"] {
        let signature = signature(secret, BODY.as_bytes());
        assert_eq!(post(&world, &[("x-hub-signature-256", &signature)], BODY.as_bytes()).await.0, 200);
    }
    world.settled().await;
    assert_eq!(recorded(&world).await, 2);
    assert_eq!(world.timeline("5551230000000001").await.len(), 1, "the same message twice is one message");
    let file = rusqlite::Connection::open(world.inbox_file()).unwrap();
    let kept: Vec<u8> = file.query_row("SELECT body FROM delivery LIMIT 1", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, BODY.as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_looks_alike_and_leaves_nothing_behind() {
    let world = World::new().await;
    let good = signature("demo-meta-app-secret", BODY.as_bytes());
    let wrong = signature("another-secret", BODY.as_bytes());
    let upper = format!("SHA256={}", good.trim_start_matches("sha256="));
    let bare = good.trim_start_matches("sha256=").to_owned();
    let short = good[..good.len() - 2].to_owned();
    let altered = BODY.replace("hello", "hello ");
    let name = "x-hub-signature-256";
    type Attempt<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a [u8]);
    let attempts: Vec<Attempt<'_>> = vec![
        ("no header", vec![], BODY.as_bytes()),
        ("SHA-1 only", vec![("x-hub-signature", "sha1=0123456789012345678901234567890123456789")], BODY.as_bytes()),
        ("another secret", vec![(name, &wrong)], BODY.as_bytes()),
        ("altered body", vec![(name, &good)], altered.as_bytes()),
        ("prefix in capitals", vec![(name, &upper)], BODY.as_bytes()),
        ("no prefix", vec![(name, &bare)], BODY.as_bytes()),
        ("too short", vec![(name, &short)], BODY.as_bytes()),
        ("empty", vec![(name, "")], BODY.as_bytes()),
        ("two headers", vec![(name, &wrong), (name, &good)], BODY.as_bytes()),
    ];
    for (what, headers, body) in &attempts {
        let (status, answer) = post(&world, headers, body).await;
        assert_eq!((status, answer.as_str()), (403, "forbidden\n"), "{what}");
    }
    let url = format!("{}/webhooks/telegram", world.address);
    let unknown = request("POST", &url, &[(name, &good)], BODY.into()).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (403, "forbidden\n"));
    assert_eq!(recorded(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_at_the_bound_is_taken_and_one_beyond_it_is_413_counted_and_shown() {
    let world = World::new().await;
    let mut body = BODY.as_bytes().to_vec();
    body.resize(8 << 20, b' ');
    let proof = signature("demo-meta-app-secret", &body);
    assert_eq!(post(&world, &[("x-hub-signature-256", &proof)], &body).await.0, 200);
    body.push(b' ');
    let proof = signature("demo-meta-app-secret", &body);
    assert_eq!(post(&world, &[("x-hub-signature-256", &proof)], &body).await.0, 413, "one byte more is named as such");
    let metrics = world.host.metrics().await.unwrap();
    assert!(metrics.contains(r#"answer="too_large"} 1"#), "{metrics}");
    let row = world.host.inbox().accounts().await.unwrap().remove(0).id;
    let checks = world.host.check(row, false).await.unwrap().checks;
    let line = checks.iter().find(|line| line.name == "webhook-size").unwrap();
    assert!(line.finding.starts_with("1 webhook was refused"), "{}", line.finding);
    assert_eq!(world.timeline("5551230000000001").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_own_escaping_is_signed_and_read() {
    let world = World::new().await;
    let words = "Grüße / 你好 / 👩‍👩‍👧 <b>\\";
    let sent = world.sim.customer(Config::DEMO_CUSTOMER).text(words).await;
    assert!(sent.body().is_ascii(), "the simulator escapes as Meta does");
    assert_eq!(sent.status(), Some(200));
    assert_eq!(world.timeline(Config::DEMO_CUSTOMER).await[0].text.as_deref(), Some(words));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulators_forgeries_are_refused() {
    let world = World::new().await;
    for signing in [Signing::Sha1Only, Signing::WrongSecret, Signing::OtherBody, Signing::Missing] {
        let raw = RawWebhook { login: Login::Facebook, signing, body: BODY.to_owned() };
        assert_eq!(world.sim.deliver_raw(raw).await.status(), Some(403), "{signing:?}");
    }
    assert_eq!(recorded(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_app_secret_and_verify_token_are_accepted_for_a_time_and_no_longer() {
    let world = World::new().await;
    let until = world.clock.now() + 3_600_000;
    let setup = ChannelOptions {
        secrets: secrets([("app-secret", "the-new-app-secret"), ("verify-token", "the-new-token")]),
        previous_secrets: vec![
            ("app-secret".into(), secret("demo-meta-app-secret"), until),
            ("verify-token".into(), secret("demo-verify-token"), until),
        ],
        ..ChannelOptions::default()
    };
    world.host.load_channel(instagram().1.clone(), setup).await.unwrap();
    let status = async |secret: &str, mid: &str| {
        let body = BODY.replace("by-hand-1", mid);
        let signature = signature(secret, body.as_bytes());
        post(&world, &[("x-hub-signature-256", &signature)], body.as_bytes()).await.0
    };
    let challenge = async |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=7");
        request("GET", &format!("{}/webhooks/instagram?{query}", world.address), &[], vec![]).await.status
    };
    assert_eq!(status("the-new-app-secret", "a").await, 200);
    assert_eq!(status("demo-meta-app-secret", "b").await, 200);
    assert_eq!((challenge("the-new-token").await, challenge("demo-verify-token").await), (200, 200));
    world.clock.advance(std::time::Duration::from_secs(3601));
    assert_eq!(status("the-new-app-secret", "c").await, 200);
    assert_eq!(status("demo-meta-app-secret", "d").await, 403);
    assert_eq!((challenge("the-new-token").await, challenge("demo-verify-token").await), (200, 403));
}
