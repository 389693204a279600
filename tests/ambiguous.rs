//! What may have been delivered: it is never sent again blindly, it is looked for, and what cannot be proved is a
//! person's to decide. And how a reply ended, in one word.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, api, eventually, message, sender, text};
use harness_contract::{SendResult, SenderKind};
use harness_inbox::{ConversationId, PublicId as _, ReplyId, ReplyVerdict, ReplyView, StepState};
use serde_json::{Value, json};
use simulator::{Config, EchoTiming, Fault, Login, Scope};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
/// After this the archive is asked.
const LOOK: Duration = Duration::from_secs(61);

async fn silent() -> (World, ConversationId) {
    let world = World::with(Config { echo: EchoTiming::Never, ..Config::demo() }, Login::Facebook).await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    (world, conversation)
}

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

async fn until(world: &World, reply: ReplyId, verdict: ReplyVerdict) -> ReplyView {
    eventually(&format!("{verdict:?}"), async || {
        let view = world.host.inbox().reply(reply).await.unwrap();
        (view.verdict == verdict).then_some(view)
    })
    .await
}

fn said(world: &World, words: &str) -> (usize, usize) {
    let sent = world.sends().iter().filter(|sent| sent.body["message"]["text"] == words).count();
    let received = world.sim.customer(CUSTOMER).transcript();
    (sent, received.iter().filter(|entry| entry.text.as_deref() == Some(words)).count())
}

/// Waits until the archive was asked once more than before.
async fn looked(world: &World, before: usize) {
    eventually("a look into the archive", async || (looks(world) > before).then_some(())).await;
}

fn looks(world: &World) -> usize {
    let of_customer = |path: &str| path.ends_with("/conversations");
    world.sim.requests().iter().filter(|request| of_customer(&request.path) && request.query_has_user()).count()
}

trait QueryHasUser {
    fn query_has_user(&self) -> bool;
}

impl QueryHasUser for simulator::RequestRecord {
    fn query_has_user(&self) -> bool {
        self.body.get("user_id").is_some()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_after_a_send_reaches_the_customer_once_and_the_archive_says_so() {
    for (words, fault) in [
        ("code 1", Fault::graph_error(1, None)),
        ("code 2", Fault::graph_error(2, None)),
        ("code 2, called transient", Fault::graph_error(2, None).transient(true)),
        ("a code of tomorrow", Fault::graph_error(424_242, None).with_status(500)),
        ("a page of a proxy", Fault::html(502)),
        ("no JSON", Fault::not_json()),
        ("hung up", Fault::drop_before_accepting()),
    ] {
        let (world, conversation) = silent().await;
        world.sim.inject(fault.taking_effect());
        let view = world.reply(conversation, words, message(vec![text(words)])).await;
        assert_eq!((states(&view), view.verdict), (vec![StepState::Ambiguous], ReplyVerdict::Ambiguous), "{words}");
        let told = view.steps[0].outcome.as_ref().unwrap().get();
        let SendResult::Ambiguous(failure) = serde_json::from_str(told).unwrap() else { panic!("{words}: {told}") };
        assert!(failure.message.contains("may have been delivered"), "{words}: {failure:?}");
        world.clock.advance(LOOK);
        let view = until(&world, view.id, ReplyVerdict::Sent).await;
        assert_eq!(view.steps[0].attempts, 1, "{words}");
        assert_eq!(said(&world, words), (1, 1), "{words}");
        let timeline = world.timeline(CUSTOMER).await;
        assert!(timeline.len() == 2 && timeline[1].platform_id.is_some(), "{words}: {timeline:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_that_comes_later_settles_it_before_anybody_looks() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    world.sim.inject(Fault::graph_error(1, None).taking_effect());
    let queued = world.host.reply(conversation, "key", message(vec![text("once")])).await.unwrap();
    until(&world, queued.reply, ReplyVerdict::Sent).await;
    world.settled().await;
    assert_eq!((said(&world, "once"), world.timeline(CUSTOMER).await.len(), looks(&world)), ((1, 1), 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proved_not_to_have_arrived_is_sent_again_with_what_stands_behind_it() {
    let (world, conversation) = silent().await;
    world.sim.inject(Fault::graph_error(1, None));
    let view = world.reply(conversation, "key", message(vec![text("first"), text("second")])).await;
    assert_eq!(states(&view), [StepState::Ambiguous, StepState::Cancelled], "{view:?}");
    world.clock.advance(LOOK);
    let view = until(&world, view.id, ReplyVerdict::Sent).await;
    assert_eq!(states(&view), [StepState::Sent; 2], "{view:?}");
    assert_eq!((said(&world, "first"), said(&world, "second")), ((2, 1), (1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_not_pushed_in_behind_what_was_said_since() {
    let (world, conversation) = silent().await;
    world.sim.inject(Fault::graph_error(1, None));
    let view = world.reply(conversation, "key", message(vec![text("first")])).await;
    world.reply(conversation, "another", message(vec![text("never mind")])).await;
    world.clock.advance(LOOK);
    let view = until(&world, view.id, ReplyVerdict::Failed).await;
    assert!(view.steps[0].outcome.as_ref().unwrap().get().contains("had not arrived"), "{view:?}");
    assert_eq!(said(&world, "first"), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proved_is_a_persons_to_send_again_or_to_settle() {
    let (world, conversation) = silent().await;
    // The archive shows nothing of the conversation: that proves nothing.
    world.sim.inject(Fault::graph_error(1, None).on(Scope::Conversations).times(1_000));
    let post = async |reply: ReplyId, what: &str, body: &str| {
        let url = format!("{}/api/v1/replies/{}/{what}", world.address, reply.public());
        let answer = api("POST", &url, &[("content-type", "application/json")], body).await;
        let json: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        (answer.status, json)
    };
    let mut replies = Vec::new();
    for words in ["again", "arrived", "gone"] {
        world.sim.inject(Fault::graph_error(1, None));
        replies.push(world.reply(conversation, words, message(vec![text(words)])).await.id);
    }
    for wait in [LOOK, Duration::from_secs(301), Duration::from_secs(1_801)] {
        let before = looks(&world);
        world.clock.advance(wait);
        looked(&world, before).await;
    }
    for reply in &replies {
        until(&world, *reply, ReplyVerdict::Ambiguous).await;
    }
    let (status, view) = post(replies[0], "send-again", "").await;
    assert_eq!(status, 200, "{view}");
    until(&world, replies[0], ReplyVerdict::Sent).await;
    assert_eq!(said(&world, "again"), (2, 1));
    let (status, view) = post(replies[1], "settle", r#"{"delivered":true}"#).await;
    assert_eq!((status, &view["state"]), (200, &json!("sent")), "{view}");
    let (status, view) = post(replies[2], "settle", r#"{"delivered":false}"#).await;
    assert_eq!((status, &view["state"]), (200, &json!("failed")), "{view}");
    for reply in replies {
        assert_eq!(post(reply, "send-again", "").await.0, 409, "nothing is ambiguous any more");
    }
    assert_eq!(post(ReplyId::new(4711), "send-again", "").await.0, 404);
    assert_eq!((said(&world, "arrived"), said(&world, "gone")), ((1, 0), (1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reply_answers_422_with_all_that_is_wrong_and_leaves_its_key_free() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let post = async |key: &str, words: &str| {
        let url = format!("{}/api/v1/conversations/{}/replies?wait=20000", world.address, conversation.public());
        let headers = [("idempotency-key", key), ("content-type", "application/json")];
        let body = json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "text": { "text": words } }] });
        let answer = api("POST", &url, &headers, body.to_string().into_bytes()).await;
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
    };
    let (status, body) = post("key", &"я".repeat(501)).await;
    assert_eq!((status, &body["violations"][0]["code"]), (422, &json!("text_too_long")), "{body}");
    let (status, body) = post("key", "short").await;
    assert_eq!((status, &body["state"]), (201, &json!("sent")), "{body}");
    // What was sent is answered for its key, although nothing could be sent any more.
    world.advance(Duration::from_secs(30 * 24 * 3600));
    let (status, again) = post("key", "short").await;
    assert_eq!((status, &again["id"]), (200, &body["id"]));
    assert_eq!(post("late", "short").await.0, 422);
    assert_eq!(world.sends().len(), 1);
    // One that is refused when its turn comes leaves its key free, too.
    let bot = harness_contract::OutboundMessage { sender: sender(SenderKind::Bot, "b"), ..message(vec![text("x")]) };
    let view = world.reply(conversation, "turn", bot).await;
    assert_eq!(view.verdict, ReplyVerdict::Refused);
    world.sim.customer(CUSTOMER).text("me again").await;
    world.settled().await;
    let view = world.reply(conversation, "turn", message(vec![text("an answer")])).await;
    assert_eq!(view.verdict, ReplyVerdict::Sent, "{view:?}");
}
