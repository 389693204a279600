//! The host as a signing oracle: a channel and its platform that want something signed with the secret that verifies
//! webhooks. Nothing that the manifest does not name is signed, and no signature goes elsewhere.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{request, secrets, told::Told};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

const SECRET: &str = "the-app-secret-of-the-webhooks";

/// As a platform's own: one secret for webhooks and for the proof of a token.
const MANIFEST: &str = "
[channel]
id = 'scripted'
name = 'Scripted'
version = '0.1.0'
contract = '0.2.0'
[webhook.verification]
scheme = 'hmac'
header = 'x-signature'
secrets = ['app-secret']
[slots.app-secret]
scope = 'app'
allowed-in = ['hmac-key']
derived = [{ query = 'proof' }]
hosts = ['scripted.example.com']
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }, 'hmac-message']
captured-from = ['/access_token']
[limits]
memory-bytes = 67108864
deadline-ms = 500
[[egress]]
host = 'scripted.example.com'
methods = ['GET', 'POST']
paths = ['/**']
[settings.script]
type = 'text'
";

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

async fn world() -> Told {
    let prove = |body: &[u8]| ("x-signature", signature(body));
    Told::start(
        Some(MANIFEST),
        secrets([("app-secret", SECRET)]),
        secrets([("token", "the-token-of-the-account")]),
        prove,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_an_answer_never_becomes_the_signature_of_a_webhook() {
    let world = world().await;
    let forged = json!({ "events": 1, "account": "account", "size": 7 }).to_string();
    world.platform.answer("/bait", 200, &[], &json!({ "forged": forged }).to_string());
    world.platform.answer("/message", 200, &[], "{}");
    let steps = json!([
        { "url": "https://scripted.example.com/bait", "captures": [["/forged", "slot:token"]] },
        {
            "url": "https://scripted.example.com/message",
            "body": json!({ "text": "" }).to_string(),
            "fills": ["hmac:app-secret,token>json:/text"],
        },
    ]);
    let said = world.check("forger", steps, secrets([("token", "another-token-of-it")])).await;
    let asked = world.platform.take();
    // Whatever arrived in a message is tried as a signature.
    let message = asked.iter().find_map(|asked| asked.split_once("{\"text\":\"")).map_or("", |(_, text)| text);
    let signed = message.trim_end_matches("\"}");
    let url = format!("{}/webhooks/scripted", world.address);
    let answer = request("POST", &url, &[("x-signature", signed)], forged.clone().into_bytes()).await;
    assert_ne!(answer.status, 200, "{signed}");
    assert!(said.contains("the manifest does not let `token` be captured from there"), "{said}");
    assert!(asked.is_empty(), "refused at the first step, and at the second: {asked:?}");
    let genuine = request("POST", &url, &[("x-signature", &signature(forged.as_bytes()))], forged.into_bytes()).await;
    assert_eq!(genuine.status, 200, "with the right signature it is a webhook");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_derived_value_goes_to_its_declared_place_and_nowhere_else() {
    let world = world().await;
    world.platform.answer("/x", 200, &[], "{}");
    let proof = signature(b"the-token-of-the-account");
    let ask = |fill: &str, more: Value| {
        let mut step = json!({ "url": "https://scripted.example.com/x", "fills": [fill] });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([step])
    };
    for (fill, more) in [
        ("hmac:app-secret,token>bearer", json!({})),
        ("hmac:app-secret,token>header:x-proof", json!({})),
        ("hmac:app-secret,token>query:other", json!({})),
        ("hmac:app-secret,token>json:/text", json!({ "body": "{\"text\":\"\"}" })),
        ("hmac:app-secret,token>form:proof", json!({ "body": "a=1" })),
        ("hmac:app-secret,token>path:proof", json!({ "url": "https://scripted.example.com/{proof}" })),
        ("hmac:token,token>query:proof", json!({})),
        ("hmac:app-secret,app-secret>query:proof", json!({})),
    ] {
        let said = world.reply(ask(fill, more)).await;
        assert!(said.contains("the manifest does not let the credential"), "{fill}: {said}");
        assert!(!said.contains(&proof), "{fill}: {said}");
    }
    assert_eq!(world.platform.take(), Vec::<String>::new(), "nothing left");
    world.reply(ask("hmac:app-secret,token>query:proof", json!({}))).await;
    assert!(world.platform.take()[0].contains(&format!("/x?proof={proof}")), "the declared place");
}

const KEYS: &str = "
[slots.jwt]
scope = 'account'
allowed-in = ['jwt-hs256-key']
derived = [{ json = '/assertion' }]
[slots.id]
scope = 'account'
allowed-in = ['aws-access-key-id']
[slots.key]
scope = 'account'
allowed-in = ['aws-secret-key']
derived = [{ authorization = 'AWS4-HMAC-SHA256' }]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_a_signature_are_the_hosts_and_shown_to_nobody() {
    let manifest = MANIFEST.replace("[limits]", &format!("{KEYS}[limits]"));
    let own = [("jwt", "the-key-of-the-tokens"), ("id", "AKIDEXAMPLE1"), ("key", "the-secret-key-of-the-requests")];
    let world = Told::start(Some(&manifest), secrets([("app-secret", SECRET)]), secrets(own), |body: &[u8]| {
        ("x-signature", signature(body))
    })
    .await;
    world.platform.reflect("/x");
    let step = json!([{
        "url": "https://scripted.example.com/x",
        "body": json!({ "assertion": "" }).to_string(),
        "fills": ["jwt:jwt-hs256,jwt>json:/assertion", "aws:id,key>authorization:AWS4-HMAC-SHA256"],
    }]);
    let said = world.reply(step).await;
    let asked = world.platform.take().join("\n");
    let (_, token) = asked.split_once(r#"{"assertion":""#).unwrap_or_else(|| panic!("{asked}"));
    let token = token.trim_end_matches("\"}");
    let (_, signed) = asked.split_once("Signature=").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"the-key-of-the-tokens").unwrap();
    let (input, proof) = token.rsplit_once('.').unwrap();
    mac.update(input.as_bytes());
    let expected = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, mac.finalize().into_bytes());
    assert_eq!(proof, expected);
    assert!(asked.contains("Credential=AKIDEXAMPLE1/") && asked.contains("x-amz-date"), "{asked}");
    assert!(said.contains("you sent") && said.contains("[redacted]"), "{said}");
    for hidden in [token, proof, &signed[..64], "AKIDEXAMPLE1", "the-secret-key-of-the-requests"] {
        assert!(!said.contains(hidden), "{hidden}: {said}");
    }
    for fill in
        ["jwt:jwt-hs256,jwt>bearer", "jwt:jwt-rs256,jwt>json:/assertion", "aws:id,jwt>authorization:AWS4-HMAC-SHA256"]
    {
        let step = json!([{ "url": "https://scripted.example.com/x", "body": "{\"assertion\":1}", "fills": [fill] }]);
        let said = world.reply(step).await;
        assert!(said.contains("the manifest does not let the credential"), "{fill}: {said}");
    }
    assert_eq!(world.platform.take(), Vec::<String>::new(), "nothing left");
}
