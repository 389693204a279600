//! The messaging window to the second, by the platform's clock, however late a webhook comes; and who may still
//! write when it has closed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, eventually, message, sender, text};
use harness_contract::{OutboundMessage, SenderKind, WindowState, names};
use harness_inbox::{ReplyState, ReplyView, StepState};
use simulator::{CdnFile, Config, Release};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn of_a_bot(words: &str) -> OutboundMessage {
    OutboundMessage { sender: sender(SenderKind::Bot, "bot"), ..message(vec![text(words)]) }
}

/// Moves both clocks to this time.
fn at(world: &World, time: u64) {
    world.advance(Duration::from_millis(time.saturating_sub(world.clock.now())));
}

fn refused(view: &ReplyView, code: &str) {
    assert_eq!(view.state, ReplyState::Refused, "{view:?}");
    assert_eq!(view.violations[0].code, code, "{view:?}");
    assert!(view.violations[0].message.len() > 20, "{:?}", view.violations);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_that_comes_three_hours_late_closes_the_window_by_its_own_time_to_the_second() {
    // The clocks go on. Where a slow machine needs more than the last second, it is tried again.
    for attempt in 0..20 {
        let world = World::new().await;
        let customer = world.sim.customer(CUSTOMER);
        world.sim.hold_webhooks();
        let story = world.sim.host_file(CdnFile::demo_photo());
        let opened = u64::try_from(customer.story_mention(&story).await.at_ms).unwrap();
        at(&world, opened + 3 * HOUR_MS);
        assert!(world.sim.release_webhooks(Release::InOrder).await.iter().all(simulator::Delivery::accepted));
        let conversation = world.conversation(CUSTOMER).await;
        world.settled().await;
        let window = async || world.host.context(conversation).await.unwrap().window;
        assert_eq!((window().await.opened_at, window().await.closes_at), (Some(opened), Some(opened + DAY_MS)));

        at(&world, opened + DAY_MS - SECOND_MS);
        let state = window().await.state;
        let last = world.reply(conversation, "last", of_a_bot("in the last second")).await;
        if world.clock.now() >= opened + DAY_MS {
            assert!(attempt < 19, "this machine does not send a reply within a second");
            continue;
        }
        assert_eq!(state, WindowState::Open);
        assert_eq!(last.steps[0].state, StepState::Sent, "{last:?}");
        assert_eq!(customer.last_reply().unwrap().tag, None, "within the window nothing is tagged");

        at(&world, opened + DAY_MS + SECOND_MS);
        assert_eq!(window().await.state, WindowState::HumanOnly);
        let sends = world.sends().len();
        refused(
            &world.reply(conversation, "late", of_a_bot("too late")).await,
            names::violation_code::WINDOW_NEEDS_HUMAN,
        );
        assert_eq!(world.sends().len(), sends, "it is refused here, without a request");
        let human = world.reply(conversation, "human", message(vec![text("a person")])).await;
        assert_eq!(human.steps[0].state, StepState::Sent, "{human:?}");
        assert_eq!(customer.last_reply().unwrap().tag.as_deref(), Some("HUMAN_AGENT"));
        return;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_bot_is_refused_and_after_seven_a_person_too() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let opened = u64::try_from(customer.text("hello").await.at_ms).unwrap();
    let conversation = world.conversation(CUSTOMER).await;

    at(&world, opened + 25 * HOUR_MS);
    refused(&world.reply(conversation, "bot", of_a_bot("beep")).await, names::violation_code::WINDOW_NEEDS_HUMAN);
    assert!(world.sends().is_empty(), "it is refused here, without a request");
    let human = world.reply(conversation, "human", message(vec![text("a person")])).await;
    assert_eq!(human.steps[0].state, StepState::Sent, "{human:?}");
    assert_eq!(customer.last_reply().unwrap().tag.as_deref(), Some("HUMAN_AGENT"));

    at(&world, opened + 7 * DAY_MS + SECOND_MS);
    let sends = world.sends().len();
    refused(
        &world.reply(conversation, "late", message(vec![text("late")])).await,
        names::violation_code::WINDOW_CLOSED,
    );
    assert_eq!(world.sends().len(), sends);

    customer.text("are you still there?").await;
    eventually("an open window", async || {
        (world.host.context(conversation).await.unwrap().window.state == WindowState::Open).then_some(())
    })
    .await;
    let again = world.reply(conversation, "again", of_a_bot("yes")).await;
    assert_eq!(again.steps[0].state, StepState::Sent, "{again:?}");
}
