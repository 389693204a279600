//! What a channel is shown of answers, and what stands in errors, in the log and in the inbox: nothing that the host
//! knows for the channel, however a platform says it again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use harness_inbox::PublicId as _;
use std::sync::OnceLock;

use channel_tests::{
    instagram,
    log::Captured,
    scripted, secrets,
    told::{Told, WEBHOOK_SECRET},
};
use harness_contract::{egress::admit, settings::RawSetting};
use harness_engine::ChannelOptions;
use serde_json::json;

const OWN: &str = "the-token-of-the-account";
const NEIGHBOUR: &str = "the-token-of-a-neighbour";

async fn world() -> Told {
    let world = Told::usual(secrets([("token", OWN)])).await;
    let neighbour = secrets([("token", NEIGHBOUR)]);
    world.host.connect_account("scripted", "neighbour", "N", &Default::default(), neighbour).await.unwrap();
    world
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What this process logs: the tests share it.
fn log() -> &'static Captured {
    static LOG: OnceLock<Captured> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Captured::default();
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(log.clone()).init();
        log
    })
}

/// Everything that rests in the folder of the host.
fn rests(world: &Told, word: &str) -> bool {
    let files = std::fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).any(|path| {
        let content = std::fs::read(path).unwrap();
        content.windows(word.len()).any(|window| window == word.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_a_coding_or_a_repeated_header_is_in_no_error_no_answer_no_log_and_no_inbox() {
    let log = log();
    let world = world().await;
    let ask = || json!([{ "url": "https://scripted.example.com/x", "fills": ["bearer"] }]);
    let echo = format!("Bearer {OWN}");
    for (headers, encoded) in [
        (vec![("content-encoding", OWN)], true),
        (vec![("content-encoding", echo.as_str())], true),
        (vec![("content-encoding", "identity"), ("content-encoding", "gzip")], true),
        (vec![("content-encoding", "identity"), ("content-encoding", OWN)], true),
        (vec![("content-encoding", "identity, gzip")], true),
        (vec![("content-encoding", "IDENTITY"), ("content-encoding", "identity")], false),
        (vec![("x-a", "1"), ("x-a", OWN), ("x-a", "2")], false),
        (vec![("content-type", "text/plain"), ("content-type", OWN)], false),
        (vec![("location", "/"), ("location", &echo)], false),
        (vec![("retry-after", OWN), ("date", OWN)], false),
    ] {
        world.platform.answer("/x", 200, &headers, "said");
        let said = world.reply(ask()).await;
        let checked = world.check("account", ask(), secrets([("token", OWN)])).await;
        for said in [said, checked] {
            assert_eq!(said.contains("the answer is encoded"), encoded, "{headers:?}: {said}");
            assert!(encoded || said.contains("said"), "{headers:?}: {said}");
            assert!(!said.contains(OWN), "{headers:?}: {said}");
        }
    }
    let path = format!("{}/api/v1/conversations/{}/messages", world.address, world.conversation.public());
    let answer = channel_tests::api("GET", &path, &[], "").await;
    assert!(answer.status == 200 && !answer.body.contains(OWN), "{}", answer.body);
    assert!(!log.text().contains(OWN), "the log");
    assert!(!rests(&world, OWN), "the inbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_shows_what_the_host_knows_for_the_channel() {
    let world = world().await;
    // The secret of the webhooks is exchanged; so is a token.
    let before = vec![("secret".to_owned(), channel_tests::secret("a-secret-that-still-proves"), u64::MAX)];
    let setup = ChannelOptions {
        grant: channel_tests::granted(&scripted().1),
        secrets: secrets([("secret", "the-new-secret-of-webhooks")]),
        previous_secrets: before,
        ..ChannelOptions::default()
    };
    world.host.load_channel(scripted().1.clone(), setup).await.unwrap();
    let renewed = secrets([("token", "the-renewed-token-of-it")]);
    world.host.connect_account("scripted", "neighbour", "N", &Default::default(), renewed).await.unwrap();
    for secret in [
        OWN,
        NEIGHBOUR,
        "the-renewed-token-of-it",
        WEBHOOK_SECRET,
        "a-secret-that-still-proves",
        "the-new-secret-of-webhooks",
    ] {
        let next = format!("https://x.example.com/?after={}", percent(secret));
        let body = json!({ "said": format!("<{secret}>"), "next": next, secret: 1 }).to_string();
        world.platform.answer("/x", 403, &[("x-next", &next), ("x-said", secret), ("x-said", secret)], &body);
        // It goes without any credential.
        let said = world.reply(json!([{ "url": "https://scripted.example.com/x" }])).await;
        assert!(said.contains("403") && said.contains("[redacted]"), "{said}");
        assert!(!said.contains(secret) && !said.contains(&percent(secret)), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_credential_is_no_value_that_may_go_anywhere_and_stands_in_no_error() {
    let world = world().await;
    world.platform.answer("/x", 200, &[], &json!({ "id": NEIGHBOUR }).to_string());
    world.platform.answer("/y", 200, &[], "{}");
    let steps = json!([
        { "url": "https://scripted.example.com/x", "captures": [["/id", "value:v"]] },
        { "url": "https://scripted.example.com/y", "body": "{\"text\":\"\"}", "fills": ["captured:v>json:/text"] },
    ]);
    let said = world.check("account", steps, secrets([("token", OWN)])).await;
    assert!(said.contains("value that is no credential"), "{said}");
    assert!(world.platform.take().iter().all(|asked| !asked.contains(NEIGHBOUR)), "{said}");
    for url in [
        format!("https://scripted.example.com/x?y={NEIGHBOUR}"),
        format!("https://{NEIGHBOUR}.example.com/"),
        format!("https://scripted.example.com/{}//", percent(NEIGHBOUR)),
    ] {
        let said = world.reply(json!([{ "url": url }])).await;
        assert!(said.contains("the request contains a credential"), "{said}");
        assert!(!said.contains(NEIGHBOUR) && !said.contains(&percent(NEIGHBOUR)), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_says_went_wrong_shows_nothing_that_the_host_knows() {
    let log = log();
    let world = world().await;
    // The channel's error repeats a name that it found in a webhook, and in a setting.
    let webhook = json!({ NEIGHBOUR: 1 }).to_string();
    let url = format!("{}/webhooks/scripted", world.address);
    let sent = channel_tests::request("POST", &url, &[("x-secret", WEBHOOK_SECRET)], webhook.into_bytes()).await;
    assert_eq!(sent.status, 200);
    let problem = channel_tests::eventually("the delivery that failed", async || {
        let file = rusqlite::Connection::open(world.folder.path().join("inbox.sqlite")).unwrap();
        file.query_row("SELECT problem FROM delivery WHERE state = 'failed'", [], |row| row.get::<_, String>(0)).ok()
    })
    .await;
    assert!(problem.contains("[redacted]") && !problem.contains(NEIGHBOUR), "{problem}");
    channel_tests::eventually("the line in the log", async || {
        log.text().contains("a delivery cannot be translated").then_some(())
    })
    .await;
    let setting = [("script".to_owned(), RawSetting::Text(json!({ NEIGHBOUR: 1 }).to_string()))];
    let own = secrets([("token", OWN)]);
    let row = world.host.connect_account("scripted", "account", "A", &setting.into(), own).await.unwrap();
    let health = world.host.check(row, false).await.unwrap();
    let said = serde_json::to_string(&health.checks).unwrap();
    assert!(said.contains("[redacted]") && !said.contains(NEIGHBOUR), "{said}");
    assert!(!log.text().contains(NEIGHBOUR), "the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_hands_out_credentials_shows_what_is_declared_and_nothing_else() {
    const MANIFEST: &str = "
[channel]
id = 'scripted'
name = 'Scripted'
version = '0.1.0'
contract = '0.2.0'
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['secret']
[slots.secret]
scope = 'app'
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }]
[[egress]]
host = 'scripted.example.com'
methods = ['GET']
paths = ['/**']
[[egress]]
host = 'scripted.example.com'
methods = ['GET']
paths = ['/v1/keys']
shown = ['/expires_in', '/error', '/data/*/id']
[settings.script]
type = 'text'
";
    let app = secrets([("secret", WEBHOOK_SECRET)]);
    let own = || secrets([("token", OWN)]);
    let world = Told::start(Some(MANIFEST), app, own(), |_| ("x-secret", WEBHOOK_SECRET.to_owned())).await;
    let answer = json!({
        "session": "fresh-secret-1", "expires_in": 3600, "key": { "value": "fresh-secret-2" }, "kept": "fresh-secret-3",
        "data": [{ "id": "page-1", "grant": "fresh-secret-4" }]
    })
    .to_string();
    let headers = [("x-session", "fresh-secret-5"), ("date", "Thu, 26 Nov 2026 10:00:00 GMT")];
    let ask = json!([{ "url": "https://scripted.example.com/v1/keys", "captures": [["/kept", "slot:token"]] }]);
    world.platform.answer("/v1/keys", 200, &headers, &answer);
    let said = world.check("account", ask.clone(), own()).await;
    assert!(said.contains("3600") && said.contains("page-1") && said.contains("date=Thu"), "{said}");
    assert!(!said.contains("fresh-secret"), "{said}");
    let refused = json!({ "error": { "message": "wrong-code" }, "session": "fresh-secret-6" }).to_string();
    for (status, body) in [(400, refused.as_str()), (200, "session=fresh-secret-7"), (200, "\"fresh-secret-8\"")] {
        world.platform.answer("/v1/keys", status, &headers, body);
        let said = world.check("account", ask.clone(), own()).await;
        assert_eq!(said.contains("wrong-code"), status == 400, "{said}");
        assert!(!said.contains("fresh-secret"), "{said}");
    }
    // Elsewhere a platform is shown, but for the names of credentials.
    world.platform.answer("/v1/keys/more", 200, &[], "token=fresh-secret-9&expires=1");
    let elsewhere = json!([{ "url": "https://scripted.example.com/v1/keys/more" }]);
    let said = world.check("account", elsewhere, own()).await;
    assert!(said.contains("200") && !said.contains("fresh-secret"), "{said}");
}

#[test]
fn every_token_endpoint_of_the_instagram_channel_says_what_it_shows() {
    let bytes = &instagram().1;
    let manifest = harness_sandbox::inspect(bytes, bytes.len()).unwrap().manifest().unwrap();
    for (method, url) in [
        ("GET", "https://graph.facebook.com/v25.0/oauth/access_token"),
        ("GET", "https://graph.facebook.com/oauth/access_token"),
        ("GET", "https://graph.instagram.com/access_token"),
        ("GET", "https://graph.instagram.com/refresh_access_token"),
        ("GET", "https://graph.instagram.com/v25.0/access_token"),
        ("GET", "https://graph.instagram.com/v25.0/refresh_access_token"),
        ("POST", "https://api.instagram.com/oauth/access_token"),
    ] {
        let rule = admit(&manifest.egress, method, &url.parse().unwrap(), 0).unwrap();
        assert!(rule.shown.is_some(), "{method} {url}");
    }
}
