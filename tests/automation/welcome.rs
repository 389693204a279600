//! Owns: who is greeted, once, and who is not.
//! Does not own: rules and the assistant.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{eventually, message, text};
use harness_automation::{Choice, Consumer, Outcome, Reason, Settings, Welcome};
use harness_inbox::{ConversationChange, NewState, WhenClosed, WorkspaceId};
use serde_json::json;
use simulator::Config;

use crate::automation_stage::{CUSTOMER, Stage};

const GREETING: &str = "Welcome! What can we do for you?";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn greeting() -> Settings {
    let quick_replies = vec![Choice { title: "Order".into(), payload: "ORDER".into() }];
    let welcome = Welcome { on: true, text: GREETING.into(), quick_replies, ..Welcome::default() };
    Settings { on: true, welcome, ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_conversation_is_greeted_once_and_stays_unread() {
    let mut stage = Stage::new(&greeting()).await;
    let customer = stage.world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let decision = stage.decided(Consumer::Welcome, 1).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Sent, None));
    stage.has_said(1).await;
    stage.world.echoed(GREETING).await;
    customer.text("anybody there?").await;
    let second = stage.decided(Consumer::Welcome, 2).await;
    assert_eq!((second.outcome, second.reason), (Outcome::Skipped, Some(Reason::NotNew)));
    stage.caught_up().await;
    assert_eq!(stage.said(), [GREETING]);
    let sent = &stage.world.sends()[0].body;
    assert_eq!(sent["message"]["quick_replies"][0]["payload"], "ORDER", "{sent}");
    assert_eq!(sent["tag"], serde_json::Value::Null, "no tag of a person's: {sent}");
    let conversation = stage.world.conversation(CUSTOMER).await;
    assert_eq!(stage.unread(conversation).await, 2, "a greeting reads nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_can_greet() {
    let card = json!({"title": "Candles", "subtitle": "Made by hand", "buttons": [
        {"title": "Shop", "action": {"url": "https://shop.example/"}}]});
    let mut settings = greeting();
    settings.welcome = Welcome { on: true, card: Some(serde_json::from_value(card).unwrap()), ..Welcome::default() };
    let stage = Stage::new(&settings).await;
    stage.world.sim.customer(CUSTOMER).text("hello").await;
    assert_eq!(stage.decided(Consumer::Welcome, 1).await.outcome, Outcome::Sent);
    eventually("the card", async || (!stage.world.sends().is_empty()).then_some(())).await;
    assert!(stage.world.sends()[0].body.to_string().contains("Made by hand"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_greeted_who_did_not_begin_a_conversation_here() {
    let mut stage = Stage::new(&greeting()).await;
    let post = stage.world.sim.accounts()[0].own_posts[0].clone();
    // A comment; somebody to whom the shop wrote first in the platform's app; somebody who is answered by a person.
    stage.world.sim.customer("5550001").comment(&post, "Nice!").await;
    stage.world.sim.customer("5550002").business_writes_in_app("Your order is ready").await;
    stage.world.sim.customer("5550002").text("thanks").await;
    let decision = stage.decided(Consumer::Welcome, 1).await;
    assert_eq!(decision.reason, Some(Reason::NotNew));
    // Another application has the conversation at the moment.
    let other = stage.world.sim.customer("5550003");
    other.set_thread_owner(Some("99999"));
    other.text("to the other application").await;
    stage.caught_up().await;
    assert!(stage.said().is_empty(), "{:?}", stage.said());
    assert_eq!(stage.decisions(Consumer::Welcome).await.len(), 1, "nothing else was even considered");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_greeted_after_a_person_wrote_or_when_the_window_is_closed() {
    let mut stage = Stage::idle(|options| options).await;
    stage.told(&greeting()).await;
    stage.world.sim.customer("5550001").text("hello").await;
    let first = stage.world.conversation("5550001").await;
    stage.world.reply(first, "person", message(vec![text("I am here already")])).await;
    stage.world.sim.customer("5550002").text("hello").await;
    stage.world.conversation("5550002").await;
    stage.world.advance(DAY);
    stage.start();
    let reasons = [stage.decided(Consumer::Welcome, 1).await.reason, stage.decided(Consumer::Welcome, 2).await.reason];
    assert_eq!(reasons, [Some(Reason::Person), Some(Reason::Window)]);
    assert_eq!(stage.said(), ["I am here already"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_new_again_after_as_many_days_as_the_settings_say() {
    let mut settings = greeting();
    settings.welcome.again_after_days = Some(3);
    let stage = Stage::new(&settings).await;
    let customer = stage.world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    stage.has_said(1).await;
    stage.world.echoed(GREETING).await;
    stage.world.advance(2 * DAY);
    customer.text("two days later").await;
    assert_eq!(stage.decided(Consumer::Welcome, 2).await.reason, Some(Reason::NotNew));
    stage.world.advance(3 * DAY);
    customer.text("five days later").await;
    assert_eq!(stage.decided(Consumer::Welcome, 3).await.outcome, Outcome::Sent);
    assert_eq!(stage.has_said(2).await, [GREETING, GREETING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_new_is_a_matter_of_the_person_and_not_of_the_conversation() {
    let mut settings = greeting();
    settings.welcome.again_after_days = Some(3);
    let stage = Stage::new(&settings).await;
    let host = &stage.world.host;
    host.choose_when_closed(stage.account, WhenClosed::New).await.unwrap();
    let customer = stage.world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    stage.has_said(1).await;
    stage.world.echoed(GREETING).await;
    // Closed, and begun anew, each time.
    let anew = async |wait, text: &str| {
        let all = host.inbox().conversations(9).await.unwrap();
        let current = all.iter().find(|one| one.continued_in.is_none()).unwrap().id;
        let change = ConversationChange { state: Some(NewState::Closed), ..ConversationChange::default() };
        host.change_conversation(current, change).await.unwrap();
        stage.world.advance(wait);
        customer.text(text).await;
        eventually("the new conversation", async || host.inbox().conversation(current).await.unwrap().continued_in)
            .await;
    };
    anew(2 * DAY, "two days later").await;
    assert_eq!(stage.decided(Consumer::Welcome, 2).await.reason, Some(Reason::NotNew));
    anew(3 * DAY, "five days later").await;
    assert_eq!(stage.decided(Consumer::Welcome, 3).await.outcome, Outcome::Sent);
    assert_eq!(stage.has_said(2).await, [GREETING, GREETING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_turns_off_an_account_or_everything_and_nothing_is_made_up_for_later() {
    let mut stage = Stage::new(&greeting()).await;
    let store = stage.world.host.automations();
    let now = || stage.world.host.clock().now();
    store.set_automation_off(WorkspaceId::FIRST, true, now()).await.unwrap();
    stage.world.sim.customer("5550001").text("hello").await;
    stage.caught_up().await;
    let store = stage.world.host.automations();
    store.set_automation_off(WorkspaceId::FIRST, false, stage.world.host.clock().now()).await.unwrap();
    let off = Settings { on: false, ..greeting() };
    stage.told(&off).await;
    stage.world.sim.customer("5550002").text("hello").await;
    stage.caught_up().await;
    stage.told(&greeting()).await;
    stage.world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    stage.has_said(1).await;
    stage.caught_up().await;
    assert_eq!(stage.said().len(), 1, "only who wrote while it was on");
    assert_eq!(stage.log().await.len(), 1);
}
