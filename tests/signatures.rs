//! What a manifest says of webhooks, over real HTTP: whose signature is taken, which challenge is echoed, what is answered.
//! The channel is the web chat with another `[webhook]`; what its manifest may say is tried in the contract's own tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use channel_tests::{
    Answer, eventually, hosts::load_granted, manifest::with_manifest, request, sandbox_config, secrets, serve, web_chat,
};
use harness_contract::CheckLevel;
use harness_engine::{Addressed, Clock, Host, HostError, HostOptions, RecordedCall, Refusal};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

const SECRET: &str = "the-secret-of-the-shop";
const HELLO: &str = r#"{"messages":[{"id":"in-1","visitor":"v-1","name":"Kim","text":"hello","at":1795000000000}]}"#;
/// Of the form below, and of its fields as they are signed: sorted by name and value, each pair once.
const FORM: &str = "To=%2B15550002&From=%2B15550001&Body=good+day&Num=2&Num=1&Num=2";
const SORTED: &str = "Bodygood dayFrom+15550001Num1Num2To+15550002";
const FORM_TYPE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

/// The base64 of a MAC over the body.
const OF_BODY: &str = "scheme = 'hmac'\nheader = 'x-signature'\nencoding = 'base64'\n";
/// The time of signing is part of what is signed.
const TIMED: &str = "scheme = 'hmac'\nalgorithm = 'sha256'\nheader = 'x-signature'\nprefix = 'v0='\n\
    signs = 'v0:{header:x-timestamp}:{body}'\ntimestamp = { header = 'x-timestamp', tolerance = 300 }\n";
/// The address and a form.
const OF_FORM: &str =
    "scheme = 'hmac'\nalgorithm = 'sha1'\nheader = 'x-signature'\nencoding = 'base64'\nsigns = '{url}{form}'\n";
const ED25519: &str = "scheme = 'ed25519'\nheader = 'x-signature'\nsigns = '{header:x-timestamp}{body}'\n";

struct Chat {
    host: Host,
    clock: Clock,
    /// `http://127.0.0.1:…`
    address: String,
    folder: tempfile::TempDir,
}

/// A host whose web chat verifies in this way; `rest` follows in its manifest.
async fn chat(verification: &str, rest: &str) -> Chat {
    chat_with(verification, rest, SECRET).await
}

async fn chat_with(verification: &str, rest: &str, secret: &str) -> Chat {
    let (host, clock, folder) = unserved(&verifying(verification, rest), secret).await;
    let (address, _) = serve(&host).await;
    Chat { host, clock, address, folder }
}

fn manifest_of_the_web_chat() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/channels/web-chat/channel.toml")).unwrap()
}

/// The web chat's manifest with another verification; `rest` follows it.
fn verifying(verification: &str, rest: &str) -> String {
    manifest_of_the_web_chat().replace(
        "scheme = \"shared-secret-header\"\nheader = \"x-webchat-secret\"\nsecrets = [\"site-secret\"]\n",
        &format!("secrets = ['site-secret']\n{verification}{rest}"),
    )
}

async fn unserved(manifest: &str, secret: &str) -> (Host, Clock, tempfile::TempDir) {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::stopped());
    let options = HostOptions {
        sandbox: sandbox_config(),
        clock: clock.clone(),
        record: Some(folder.path().join("calls")),
        ..HostOptions::in_folder(folder.path())
    };
    let host = Host::open(options).await.unwrap();
    load_granted(&host, &with_manifest(&web_chat().1, manifest), secrets([])).await;
    for (site, secret) in [("shop", secret), ("other", "another-secret-of-the-other")] {
        host.connect_account("web-chat", site, site, &BTreeMap::new(), secrets([("site-secret", secret)]))
            .await
            .unwrap();
    }
    (host, clock, folder)
}

impl Chat {
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request("POST", &format!("{}/webhooks/web-chat{path}", self.address), headers, body.into()).await
    }

    /// The answer's status for a body at the channel's address.
    async fn status(&self, headers: &[(&str, &str)], body: &str) -> u16 {
        self.post("", headers, body).await.status
    }

    async fn recorded(&self) -> u64 {
        let counts = self.host.inbox().delivery_counts().await.unwrap();
        counts.received + counts.applied + counts.unrouted + counts.failed
    }

    /// The host's time in seconds, and so many later or earlier.
    fn seconds(&self, later: i64) -> String {
        (self.clock.now() / 1000).saturating_add_signed(later).to_string()
    }

    /// What the channel was given to read, in the contract's JSON form.
    async fn read(&self) -> Vec<serde_json::Value> {
        let path = self.folder.path().join("calls");
        eventually("a delivery that was read", async || {
            let calls = std::fs::read_to_string(&path).unwrap();
            let calls = calls.lines().map(|line| serde_json::from_str::<RecordedCall>(line).unwrap());
            let read: Vec<_> = calls
                .filter(|call| call.export == "messaging-channel.parse-webhook")
                .map(|call| call.input[0].clone())
                .collect();
            (!read.is_empty()).then_some(read)
        })
        .await
    }
}

fn sha256(secret: &str, bytes: &str) -> Vec<u8> {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(bytes.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sha1(secret: &str, bytes: &str) -> Vec<u8> {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(bytes.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// As `TIMED` wants it.
fn timed(secret: &str, timestamp: &str, body: &str) -> String {
    format!("v0={}", hex::encode(sha256(secret, &format!("v0:{timestamp}:{body}"))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mac_in_base64_proves_the_body_that_it_was_made_of() {
    let chat = chat(OF_BODY, "").await;
    let right = STANDARD.encode(sha256(SECRET, HELLO));
    for (what, headers, body) in [
        ("no header", vec![], HELLO),
        ("another body", vec![("x-signature", right.as_str())], "{\"messages\":[]}"),
        ("another secret", vec![("x-signature", &STANDARD.encode(sha256("x", HELLO)))], HELLO),
        ("hexadecimal", vec![("x-signature", &hex::encode(sha256(SECRET, HELLO)))], HELLO),
        ("another hash", vec![("x-signature", &STANDARD.encode(sha1(SECRET, HELLO)))], HELLO),
        ("half of it", vec![("x-signature", &STANDARD.encode(&sha256(SECRET, HELLO)[..16]))], HELLO),
        ("nothing", vec![("x-signature", "")], HELLO),
        ("twice", vec![("x-signature", right.as_str()), ("x-signature", &right)], HELLO),
    ] {
        assert_eq!(chat.status(&headers, body).await, 403, "{what}");
    }
    assert_eq!(chat.recorded().await, 0);
    assert_eq!(chat.status(&[("x-signature", &right)], HELLO).await, 200);
    assert_eq!(chat.recorded().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_somebody_saw_cannot_be_repeated_later_or_with_another_time() {
    let chat = chat(TIMED, "").await;
    let now = chat.seconds(0);
    let right = timed(SECRET, &now, HELLO);
    let later = chat.seconds(200);
    for (what, headers) in [
        ("no time", vec![("x-signature", right.as_str())]),
        ("another time", vec![("x-signature", &right), ("x-timestamp", &later)]),
        ("two times", vec![("x-signature", &right), ("x-timestamp", &now), ("x-timestamp", &later)]),
        ("no prefix", vec![("x-signature", right.trim_start_matches("v0=")), ("x-timestamp", &now)]),
        ("no number", vec![("x-signature", &timed(SECRET, "soon", HELLO)), ("x-timestamp", "soon")]),
        ("milliseconds", {
            let millis = format!("{now}000");
            vec![("x-signature", timed(SECRET, &millis, HELLO).leak()), ("x-timestamp", millis.leak())]
        }),
        ("too large", {
            vec![
                ("x-signature", timed(SECRET, &u64::MAX.to_string(), HELLO).leak()),
                ("x-timestamp", "18446744073709551615"),
            ]
        }),
    ] {
        assert_eq!(chat.status(&headers, HELLO).await, 403, "{what}");
    }
    assert_eq!(chat.recorded().await, 0);
    let at = async |time: &str| {
        let proof = timed(SECRET, time, HELLO);
        chat.status(&[("x-signature", &proof), ("x-timestamp", time)], HELLO).await
    };
    assert_eq!((at(&now).await, at(&chat.seconds(300)).await, at(&chat.seconds(-299)).await), (200, 200, 200));
    assert_eq!((at(&chat.seconds(301)).await, at(&chat.seconds(-301)).await), (403, 403));
    chat.clock.advance(Duration::from_secs(301));
    assert_eq!(at(&now).await, 403, "the same bytes as before");
    let metrics = chat.host.metrics().await.unwrap();
    assert!(metrics.contains(r#"answer="not_of_now"} 4"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_the_address_and_a_form_holds_at_that_address_alone() {
    let chat = chat(OF_FORM, "").await;
    let sign = |path: &str, fields: &str| {
        STANDARD.encode(sha1(SECRET, &format!("{}/webhooks/web-chat{path}{fields}", chat.address)))
    };
    let right = sign("/shop?a=1&b=%2F", SORTED);
    let post = async |path: &str, proof: &str, content_type: (&str, &str), body: &str| {
        chat.post(path, &[("x-signature", proof), content_type], body).await.status
    };
    for (path, body) in [
        ("/shop", FORM),
        ("/shop?a=1&b=/", FORM),
        ("/shop?b=%2F&a=1", FORM),
        ("?a=1&b=%2F", FORM),
        ("/other?a=1&b=%2F", FORM),
        ("/shop?a=1&b=%2F", "Body=good+day"),
        ("/shop?a=1&b=%2F", ""),
    ] {
        assert_eq!(post(path, &right, FORM_TYPE, body).await, 403, "{path} {body}");
    }
    let json = ("content-type", "application/json");
    assert_eq!(post("/shop?a=1&b=%2F", &right, json, FORM).await, 403, "the channel would not read it as a form");
    let endless = "a&".repeat(5000);
    assert_eq!(post("", &sign("", "a"), FORM_TYPE, &endless).await, 403, "more fields than are sorted");
    assert_eq!(chat.recorded().await, 0);
    assert_eq!(post("/shop?a=1&b=%2F", &right, FORM_TYPE, FORM).await, 200);
    assert_eq!(post("", &sign("", SORTED), FORM_TYPE, FORM).await, 200);
    assert_eq!(post("", &sign("", ""), FORM_TYPE, "").await, 200, "a form without fields");
    let read = chat.read().await;
    assert_eq!(read[0]["query"], "a=1&b=%2F", "the channel sees the query as it came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_know_its_address_says_so_and_takes_nothing_signed_with_it() {
    let (host, _clock, _folder) = unserved(&verifying(OF_FORM, ""), SECRET).await;
    let headers: HeaderMap =
        [(http::HeaderName::from_static("x-signature"), "AAAA".parse().unwrap())].into_iter().collect();
    let refused = host.deliver_to(Addressed::channel("web-chat"), &headers, Vec::new()).await.unwrap_err();
    assert!(matches!(refused, HostError::Refused(Refusal::NoPublicUrl)), "{refused}");
    assert!(refused.to_string().contains("set `public-url`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_with_a_private_key_is_verified_with_the_public_one() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let chat = chat_with(ED25519, "", &hex::encode(pair.public_key())).await;
    let right = hex::encode(pair.sign(format!("1795000000{HELLO}").as_bytes()));
    let forged = hex::encode(
        Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap().sign(format!("1795000000{HELLO}").as_bytes()),
    );
    let status = async |proof: &str, time: &str, body: &str| {
        chat.status(&[("x-signature", proof), ("x-timestamp", time)], body).await
    };
    assert_eq!(status(&forged, "1795000000", HELLO).await, 403);
    assert_eq!(status(&right, "1795000001", HELLO).await, 403);
    assert_eq!(status(&right, "1795000000", "{\"messages\":[]}").await, 403);
    assert_eq!(status(&right[2..], "1795000000", HELLO).await, 403);
    assert_eq!(chat.status(&[("x-signature", &right)], HELLO).await, 403, "without the time");
    assert_eq!(chat.recorded().await, 0);
    assert_eq!(status(&right, "1795000000", HELLO).await, 200);
    assert_eq!(chat.read().await[0]["account"]["id"], "shop", "the key names the account");
}

const CHALLENGE: &str = "[webhook.challenge]\nscheme = 'json-echo'\n\
    where = { '/type' = 'url_verification', '/of/0' = 'me' }\nanswer = '/challenge'\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_in_a_body_is_echoed_where_it_is_signed_and_is_no_delivery() {
    let chat = chat(OF_BODY, CHALLENGE).await;
    let post = async |secret: &str, body: &str| {
        chat.post("", &[("x-signature", &STANDARD.encode(sha256(secret, body)))], body).await
    };
    let challenge = r#"{"type":"url_verification","of":["me"],"challenge":"<b>é</b>","token":"x"}"#;
    let forged = post("not-the-secret", challenge).await;
    assert_eq!((forged.status, forged.body.as_str()), (403, "forbidden\n"), "nothing is echoed to a stranger");
    let answer = post(SECRET, challenge).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "<b>é</b>"));
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(chat.recorded().await, 0);
    let long = format!(r#"{{"type":"url_verification","of":["me"],"challenge":"{}"}}"#, "x".repeat(1025));
    let deliveries = [
        HELLO,
        "{\"type\":\"url_verification\",\"of\":[\"you\"],\"challenge\":\"c\"}",
        "{\"type\":\"url_verification\",\"challenge\":\"c\"}",
        "{\"type\":\"url_verification\",\"of\":[\"me\"],\"challenge\":7}",
        "{\"type\":\"url_verification\",\"of\":[\"me\"],\"challenge\":\"\"}",
        &long,
        "not JSON",
    ];
    for body in deliveries {
        let answer = post(SECRET, body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"), "{body}");
    }
    assert_eq!(chat.recorded().await, deliveries.len() as u64);
    let metrics = chat.host.metrics().await.unwrap();
    assert!(metrics.contains(r#"answer="challenge"} 1"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_delivery_that_is_taken_is_answered_as_the_manifest_says_and_no_other_is() {
    let answer = "[webhook.answer]\nstatus = 202\ncontent-type = 'text/xml'\nbody = '<Response/>'\n";
    let chat = chat(OF_BODY, answer).await;
    let right = STANDARD.encode(sha256(SECRET, HELLO));
    for _ in 0..2 {
        let answer = chat.post("", &[("x-signature", &right)], HELLO).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "<Response/>"));
        assert_eq!(answer.headers["content-type"], "text/xml");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let refused = chat.post("", &[("x-signature", &right)], "{}").await;
    assert_eq!((refused.status, refused.body.as_str()), (403, "forbidden\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_webhooks_says_so_at_its_address_and_is_a_channel_otherwise() {
    let manifest = manifest_of_the_web_chat();
    let (before, behind) = (manifest.find("[webhook.").unwrap(), manifest.find("[slots.").unwrap());
    let (host, clock, folder) = unserved(&format!("{}{}", &manifest[..before], &manifest[behind..]), SECRET).await;
    let (address, _) = serve(&host).await;
    let chat = Chat { host, clock, address, folder };
    for path in ["", "/shop", "?hub.challenge=1"] {
        let url = format!("{}/webhooks/web-chat{path}", chat.address);
        for method in ["POST", "GET"] {
            let answer = request(method, &url, &[("x-webchat-secret", SECRET)], HELLO.into()).await;
            let sentence = "this channel has no webhooks: nothing is taken at this address\n";
            assert_eq!((answer.status, answer.body.as_str()), (404, sentence), "{method} {path}");
        }
    }
    let elsewhere = request("POST", &format!("{}/webhooks/nobody", chat.address), &[], HELLO.into()).await;
    assert_eq!((elsewhere.status, elsewhere.body.as_str()), (403, "forbidden\n"));
    assert_eq!(chat.recorded().await, 0);
    let account = chat.host.inbox().accounts().await.unwrap().remove(0);
    let checks = chat.host.check(account.id, false).await.unwrap().checks;
    let line = checks.iter().find(|line| line.name == "callback-reachable").unwrap();
    assert!(line.level == CheckLevel::Skipped && line.finding.starts_with("This channel has no webhooks"), "{line:?}");
    assert!(checks.iter().all(|line| !line.name.starts_with("webhook-s")), "{checks:?}");
}
