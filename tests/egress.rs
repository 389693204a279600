//! The way out, under attack: a channel that wants a credential, another host, or a look at what was
//! filled in. Nothing of it leaves, or comes back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use channel_tests::{attacked::Attacked, eventually, message, sandbox_config, text};
use harness_engine::Host;
use harness_inbox::{ConversationId, ReplyState, ReplyView, StepState};

const TOKEN: &str = "the-token-of-the-account";

struct Attack {
    host: Host,
    conversation: ConversationId,
    seen: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

/// A server that says again whatever it was told.
async fn reflect(State(seen): State<Arc<Mutex<Vec<String>>>>, headers: HeaderMap, body: String) -> (HeaderMap, String) {
    let bearer = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let key = headers.get("x-api-key").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    seen.lock().unwrap().push(format!("{bearer}{key} {body}"));
    let mut answer = HeaderMap::new();
    answer.insert("x-reflected", bearer.parse().unwrap());
    (answer, format!("you sent {bearer} and {body}"))
}

impl Attack {
    async fn new() -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().route("/v1/messages", post(reflect)).with_state(Arc::clone(&seen));
        let origins = ["https://attacker.example.com", "https://elsewhere.example.com"];
        let Attacked { host, conversation, folder, .. } =
            Attacked::start(router, &origins, sandbox_config(), TOKEN).await;
        Self { host, conversation, seen, _folder: folder }
    }

    async fn attempt(&self, what: &str) -> ReplyView {
        let queued = self.host.reply(self.conversation, what, message(vec![text(what)])).await.unwrap();
        eventually(what, async || {
            let view = self.host.inbox().reply(queued.reply).await.unwrap();
            matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_goes_only_where_the_manifest_lets_it() {
    let attack = Attack::new().await;
    for (what, words) in [
        ("token-into-text", "does not let the credential `token` go to this place in the body"),
        ("token-into-query", "does not let the credential `token` go to this query parameter"),
        ("webhook-secret", "does not let the credential `secret` go to the authorization header"),
        ("host-header", "does not let the credential `token` go to this header"),
        ("undeclared", "`other` is not a credential that the manifest declares"),
        ("elsewhere", "`elsewhere.example.com` is not granted"),
        ("knows-a-secret", "contains a credential of this host"),
    ] {
        let view = attack.attempt(what).await;
        assert_eq!(view.steps[0].state, StepState::Rejected, "{what}");
        let outcome = view.steps[0].outcome.as_ref().unwrap().get();
        assert!(outcome.contains(words), "{what}: {outcome}");
        assert!(!outcome.contains(TOKEN), "{what}: {outcome}");
    }
    assert!(attack.seen.lock().unwrap().is_empty(), "nothing left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_the_clear_leaves_in_no_spelling() {
    let attack = Attack::new().await;
    let percent: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let twice = percent.replace('%', "%25");
    let escaped: String = TOKEN.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    for spelled in [percent.clone(), percent.to_uppercase(), twice, TOKEN.replacen('t', "%74", 1)] {
        for what in
            [format!("says text={spelled}"), format!("url https://attacker.example.com/v1/messages?text={spelled}")]
        {
            let view = attack.attempt(&what).await;
            let outcome = view.steps[0].outcome.as_ref().unwrap().get();
            assert!(outcome.contains("contains a credential of this host"), "{what}: {outcome}");
        }
    }
    let view = attack.attempt(&format!("says {{\"text\":\"{escaped}\"}}")).await;
    assert!(view.steps[0].outcome.as_ref().unwrap().get().contains("contains a credential of this host"));
    assert!(attack.seen.lock().unwrap().is_empty(), "nothing left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_filled_in_is_one_that_the_rule_lists() {
    let attack = Attack::new().await;
    let view = attack.attempt("fill-header x-unlisted").await;
    let outcome = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(outcome.contains("`x-unlisted` is not a header that a channel may set"), "{outcome}");
    assert!(attack.seen.lock().unwrap().is_empty(), "nothing left");
    attack.attempt("fill-header X-Api-Key").await;
    attack.attempt("fill-header x-api-key").await;
    let seen = attack.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1, "the place is written as the manifest writes it: {seen:?}");
    assert!(seen[0].contains(TOKEN), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_repeats_a_credential_does_not_show_it_to_the_channel() {
    let attack = Attack::new().await;
    let view = attack.attempt("reflect").await;
    assert!(attack.seen.lock().unwrap()[0].contains(TOKEN), "the credential was filled in");
    let outcome = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(outcome.contains("Bearer [redacted] and") && !outcome.contains(TOKEN), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_traps_refuses_the_reply_and_the_next_one_goes_out() {
    let attack = Attack::new().await;
    let trapped = attack.attempt("trap").await;
    assert_eq!(trapped.state, ReplyState::Refused);
    assert!(trapped.violations[0].message.contains("nothing was sent"));
    let empty = attack.host.reply(attack.conversation, "empty", message(vec![])).await.unwrap();
    attack.attempt("reflect").await;
    assert_eq!(attack.host.inbox().reply(empty.reply).await.unwrap().state, ReplyState::Refused);
}
