//! What a team makes of conversations, in a running host: snoozing by the host's clock, reopening, canned answers.
//! Not here: the promises of the store behind it (`host-harness/inbox/tests`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, eventually};
use harness_engine::{HostError, WrongField};
use harness_inbox::{
    CannedAnswerText, ConversationChange, ConversationId, ConversationState, NewState, Organised, WorkspaceId,
};
use simulator::Config;

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const HOUR: Duration = Duration::from_secs(3600);

async fn put(world: &World, conversation: ConversationId, state: NewState) {
    let change = ConversationChange { state: Some(state), ..ConversationChange::default() };
    assert_eq!(world.host.change_conversation(conversation, change).await.unwrap(), Organised::Changed);
}

async fn state(world: &World, conversation: ConversationId) -> ConversationState {
    world.host.inbox().conversation(conversation).await.unwrap().state
}

async fn becomes(world: &World, conversation: ConversationId, expected: ConversationState) {
    eventually("the state", async || (state(world, conversation).await == expected).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snoozed_conversation_is_opened_when_its_time_comes_or_the_customer_writes() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let in_hours = |hours| world.host.clock().now() + hours * u64::try_from(HOUR.as_millis()).unwrap();
    put(&world, conversation, NewState::Snoozed(in_hours(5))).await;
    // An earlier one wakes the worker that waits for the later one.
    put(&world, conversation, NewState::Snoozed(in_hours(2))).await;
    world.clock.advance(HOUR);
    world.settled().await;
    assert_eq!(state(&world, conversation).await, ConversationState::Snoozed);
    world.clock.advance(HOUR);
    becomes(&world, conversation, ConversationState::Open).await;
    put(&world, conversation, NewState::Snoozed(in_hours(2))).await;
    customer.text("are you there?").await;
    becomes(&world, conversation, ConversationState::Open).await;
    put(&world, conversation, NewState::Closed).await;
    customer.text("one more thing").await;
    becomes(&world, conversation, ConversationState::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canned_answer_is_filled_in_for_its_conversation_and_a_wrong_one_is_not_kept() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    eventually("the profile", async || world.host.inbox().conversation(conversation).await.unwrap().name).await;
    let name = world.host.inbox().conversation(conversation).await.unwrap().name.unwrap();
    let answer = |shortcut: &str, text: &str| CannedAnswerText {
        shortcut: shortcut.into(),
        title: "Hello".into(),
        text: text.into(),
    };
    let team = WorkspaceId::FIRST;
    let hi = answer("hi", "Hi {{contact.name}}, {{agent.name | we}} can help");
    let id = world.host.add_canned_answer(team, &hi).await.unwrap();
    let filled = world.host.fill_canned_answer(id, conversation, Some("Grace")).await.unwrap();
    assert_eq!(filled.text, format!("Hi {name}, Grace can help"));
    let filled = world.host.fill_canned_answer(id, conversation, None).await.unwrap();
    assert_eq!(filled.text, format!("Hi {name}, we can help"));
    for (wrong, field) in [
        (answer("hi there", "x"), "shortcut"),
        (answer("hi", " "), "text"),
        (answer("hi", "{{contact.age}}"), "text"),
        (answer("hi", &"x".repeat(20_000)), "text"),
        (CannedAnswerText { title: "a\nb".into(), ..answer("hi", "x") }, "title"),
    ] {
        match world.host.add_canned_answer(team, &wrong).await {
            Err(HostError::WrongField(error)) => assert_eq!(error.field(), field),
            other => panic!("{wrong:?}: {other:?}"),
        }
    }
    let color = world.host.add_label(team, "Late", "#f00").await;
    assert!(matches!(color, Err(HostError::WrongField(WrongField::Color))));
}
