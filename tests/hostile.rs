//! A channel that takes more than its share, or wants more than it was granted: addresses, headers, slots,
//! storage, requests, and the terminal of whoever looks at it.

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
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::post};
use channel_tests::{attacked::Attacked, eventually, message, sandbox_config, secrets, text};
use harness_contract::{StorageError, settings::RawSetting, text::misleads};
use harness_engine::Host;
use harness_inbox::{AccountId, ActivityFilter, ReplyState, ReplyView};
use harness_sandbox::SandboxConfig;

/// A deadline that no call reaches but one that never ends.
const SHORT: Duration = Duration::from_millis(250);

struct Attack {
    on: Attacked,
    asked: Arc<AtomicU32>,
}

impl Attack {
    async fn new() -> Self {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let take = move || {
            count.fetch_add(1, Ordering::Relaxed);
            async { r#"{"id":"1","access_token":"a-token-of-the-platform"}"# }
        };
        let slow = || async { std::future::pending::<()>().await };
        let squeezed = || async { ([("content-encoding", "gzip")], "x") };
        let router = Router::new()
            .route("/v1/messages", post(take))
            .route("/v1/slow", post(slow))
            .route("/v1/squeezed/messages", post(squeezed));
        let origins = ["https://attacker.example.com"];
        let on = Attacked::start(router, &origins, sandbox_config(), "the-token-of-it").await;
        Self { on, asked }
    }

    fn host(&self) -> &Host {
        &self.on.host
    }

    async fn reply(&self, what: &str) -> ReplyView {
        let queued = self.host().reply(self.on.conversation, what, message(vec![text(what)])).await.unwrap();
        eventually(what, async || {
            let view = self.host().inbox().reply(queued.reply).await.unwrap();
            let tried = view.steps.first().is_some_and(|step| step.outcome.is_some());
            (tried || matches!(view.state, ReplyState::Done | ReplyState::Refused)).then_some(view)
        })
        .await
    }

    async fn refused(&self, what: &str, words: &str) {
        let view = self.reply(what).await;
        let outcome = view.steps[0].outcome.as_ref().unwrap().get();
        assert!(outcome.contains(words), "{what}: {outcome}");
        assert!(!outcome.contains("the-token-of-it"), "{what}: {outcome}");
    }

    async fn connect(&self, attack: &str) -> AccountId {
        let settings = BTreeMap::from([("attack".to_owned(), RawSetting::Text(attack.into()))]);
        let token = secrets([("token", "another-token-of-it")]);
        self.host().connect_account("hostile", attack, attack, &settings, token).await.unwrap()
    }

    /// What the channel's own lines of a health check say, on an account of its own.
    async fn check(&self, attack: &str) -> String {
        self.lines(self.connect(attack).await).await
    }

    async fn lines(&self, account: AccountId) -> String {
        let health = self.host().check(account, false).await.unwrap();
        serde_json::to_string(&health.checks).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_an_address_leads_where_nothing_was_granted() {
    let attack = Attack::new().await;
    for url in [
        "https://elsewhere.example.com/v1/messages",
        "https://attacker.example.com./v1/messages",
        "https://attacker.example.com.evil.test/v1/messages",
        "https://xn--attacker-.example.com/v1/messages",
        "https://127.0.0.1/v1/messages",
        "https://2130706433/v1/messages",
        "https://0177.0.0.1/v1/messages",
        "https://0x7f.1/v1/messages",
        "https://127.1/v1/messages",
        "https://169.254.169.254/v1/messages",
        "https://[::1]/v1/messages",
        "https://[::ffff:10.0.0.1]/v1/messages",
        "https://[64:ff9b::a00:1]/v1/messages",
        "https://[2002:a00:1::]/v1/messages",
        "https://[fe80::1]/v1/messages",
        "https://１２７.0.0.1/v1/messages",
    ] {
        attack.refused(&format!("url {url}"), "not").await;
    }
    for url in [
        "http://attacker.example.com/v1/messages",
        "https://attacker.example.com:8443/v1/messages",
        "https://user@attacker.example.com/v1/messages",
        "https://:word@attacker.example.com/v1/messages",
        "ftp://attacker.example.com/v1/messages",
    ] {
        attack.refused(&format!("url {url}"), "requests leave over https").await;
    }
    attack.refused("url file:///etc/passwd", "not").await;
    attack.refused("url /v1/messages", "not an absolute URL").await;
    // Granted by name, and the name leads inside: only the look-up tells.
    attack.refused("url https://localhost/v1/messages", "resolves to no public address").await;
    assert_eq!(attack.asked.load(Ordering::Relaxed), 0, "nothing left");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_means_one_thing_here_and_another_at_the_server() {
    let attack = Attack::new().await;
    for path in [
        "/v1/x/../../admin",
        "/v1/%2e%2e/messages",
        "/v1/%2E./messages",
        "/v1//messages",
        "/v1/a%2fb/messages",
        "/v1/a%5Cb/messages",
        "/v1/a\\..\\..\\admin",
        "/v1/a;b/messages",
        "/v1/a%00/messages",
        "/v1/%252e%252e/messages",
        "/v2/messages",
        "/v1/messages/",
    ] {
        let view = attack.reply(&format!("url https://attacker.example.com{path}")).await;
        let outcome = view.steps[0].outcome.as_ref().unwrap().get();
        assert!(outcome.contains("is ambiguous") || outcome.contains("is not granted"), "{path}: {outcome}");
    }
    for (what, words) in [
        ("path token https://attacker.example.com/v1/{token}{token}/messages", "or several"),
        ("path token https://attacker.example.com/v1/x/messages", "has no place"),
        ("path other https://attacker.example.com/v1/{other}/messages", "does not let the credential"),
        ("url https://attacker.example.com/v1/squeezed/messages", "encoded"),
    ] {
        attack.refused(what, words).await;
    }
    assert_eq!(attack.asked.load(Ordering::Relaxed), 0, "nothing left");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_slots_and_captures_are_the_hosts() {
    let attack = Attack::new().await;
    for name in [
        "x-http-method-override",
        "x-original-url",
        "x-forwarded-for",
        "forwarded",
        "via",
        "cookie",
        "a-im",
        "Host",
        "Content-Length",
        "transfer-encoding",
        "authorization",
        "Accept-Encoding",
        "Range",
        "expect",
    ] {
        attack.refused(&format!("header {name} x"), "is not a header that a channel may set").await;
    }
    for header in ["x-a a\r\nx-b: c", "x-a\r\nx-b c", "x:a b", "x-a a\0b"] {
        attack.refused(&format!("header {header}"), "is not a header that a channel may set").await;
    }
    for (what, words) in [
        ("token-into-form", "the body is said to be none"),
        ("slot other", "not a credential that the manifest declares"),
        ("slot token:\u{1b}[31m", "the name of a credential"),
        ("capture-slot token", "not credentials"),
        ("capture-value /access_token", "captured into a slot"),
        // The last one: an account whose credential is missing waits for a person.
        ("slot token:of-another-account", "is not there"),
    ] {
        attack.refused(what, words).await;
    }
    assert_eq!(attack.asked.load(Ordering::Relaxed), 0, "nothing left");
    let odd = attack.check("odd-slot").await;
    assert!(odd.contains("InvalidRequest") && odd.contains("the name of a credential"), "{odd}");
    let app = attack.check("app-slot").await;
    assert!(app.contains("is not a slot that an account's credential may go to"), "{app}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_storage_and_time_of_a_call_are_bounded() {
    let attack = Attack::new().await;
    let requests = attack.check("requests").await;
    assert!(requests.contains("64 requests"), "{requests}");
    assert_eq!(attack.asked.load(Ordering::Relaxed), 64);
    let big = attack.check("big-values").await;
    assert!(big.contains("26 values"), "256 KiB in values of 10 kB: {big}");
    let empty = attack.check("empty-values").await;
    assert!(empty.contains("1000 values"), "every use counts: {empty}");
    assert!(attack.check("trap").await.contains("it trapped"));
    // What never ends is stopped at its deadline, which is short from here on.
    let short = SandboxConfig { effect_deadline: SHORT, ..sandbox_config() };
    let (endless, slow) = (attack.connect("loop").await, attack.connect("slow").await);
    let attack = Attack { on: attack.on.again(short).await, ..attack };
    let endless = attack.lines(endless).await;
    assert!(endless.contains("it was stopped after 250ms, its deadline"), "{endless}");
    // Waiting counts: the request ends with the call, whose next step is over its deadline.
    let slow = attack.lines(slow).await;
    assert!(slow.contains("true") || slow.contains("it was stopped after 250ms, its deadline"), "{slow}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_take_room_in_an_accounts_storage_even_where_values_are_empty() {
    let attack = Attack::new().await;
    let account = attack.host().inbox().accounts().await.unwrap().remove(0);
    let (account, connection) = (account.id, account.connection);
    let set = async |key: &str, size: usize| {
        attack.host().whole_inbox().storage_set(account, connection, key, vec![0; size]).await
    };
    set("most", (256 << 10) - 600).await.unwrap();
    set(&"a".repeat(250), 0).await.unwrap();
    set(&"b".repeat(250), 0).await.unwrap();
    assert_eq!(set(&"c".repeat(250), 0).await, Err(StorageError::QuotaExceeded(256 << 10)));
    assert_eq!(set("", 1).await, Err(StorageError::InvalidKey));
    assert_eq!(set(&"d".repeat(257), 1).await, Err(StorageError::InvalidKey));
    set("most", 1).await.unwrap();
    set(&"c".repeat(250), 0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_never_sees_what_was_kept_for_another() {
    let attack = Attack::new().await;
    assert!(attack.check("remember").await.contains("Ok"));
    let peek = attack.check("peek").await;
    assert!(peek.contains("Ok([]) Ok(None)"), "{peek}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_a_channel_moves_the_cursor_of_whoever_reads_what_went_wrong() {
    let attack = Attack::new().await;
    let headers = [("x-secret".parse().unwrap(), "the-webhook-secret".parse().unwrap())].into_iter().collect();
    attack.host().deliver("hostile", &headers, b"escape".to_vec()).await.unwrap();
    let problem = eventually("the problem", async || {
        attack.host().inbox().problems(9).await.unwrap().into_iter().next().map(|(_, problem)| problem)
    })
    .await;
    assert!(problem.contains("red") && !problem.chars().any(misleads), "{problem:?}");
    let settings = BTreeMap::from([("attack".to_owned(), RawSetting::Text("escape".into()))]);
    let row = attack.host().connect_account("hostile", "e", "E", &settings, secrets([("token", "x")])).await.unwrap();
    let health = attack.host().check(row, false).await.unwrap();
    assert!(health.checks.iter().all(|check| !check.finding.chars().any(misleads)), "{:?}", health.checks);
    let view = attack.reply("slot token:\u{1b}[31m").await;
    assert!(!view.steps[0].outcome.as_ref().unwrap().get().contains("u001b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_an_id_is_refused_and_shown_and_costs_nothing_else_of_its_delivery() {
    let attacked = Attacked::start(Router::new(), &[], sandbox_config(), "token").await;
    let inbox = attacked.host.inbox();
    let conversation = inbox.conversations(1).await.unwrap().remove(0);
    let (before, unread) = (inbox.timeline(conversation.id, 99).await.unwrap().len(), conversation.unread);
    let headers = [("x-secret".parse().unwrap(), "the-webhook-secret".parse().unwrap())].into_iter().collect();
    let body = "as account message first\nas account message \nas account message \nas account message last";
    attacked.host.deliver("hostile", &headers, body.into()).await.unwrap();
    eventually("an empty queue", async || (inbox.delivery_counts().await.unwrap().received == 0).then_some(())).await;
    assert_eq!(inbox.delivery_counts().await.unwrap().failed, 0);
    assert_eq!(inbox.timeline(conversation.id, 99).await.unwrap().len(), before + 2, "what stands beside them is kept");
    assert_eq!(inbox.conversations(1).await.unwrap()[0].unread, unread + 2, "unread counts what is there");
    let refused = inbox
        .activities_before(ActivityFilter { kind: Some("refused_event".into()), ..ActivityFilter::default() }, None, 9)
        .await
        .unwrap()
        .entries;
    assert_eq!(refused.len(), 2, "each is shown");
    let shown = serde_json::to_string(&refused).unwrap();
    assert!(shown.contains("gave this event no id"), "{shown}");
}
