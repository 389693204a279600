//! The pace that a channel declares: a burst is spread, nothing of it is lost or overtaken, and a busy
//! account does not keep another one waiting.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use channel_tests::{World, eventually, message, secrets};
use harness_contract::{MediaKind, MediaSource, OutboundPart, settings::RawSetting};
use harness_engine::{Clock, HostOptions};
use harness_inbox::{ReplyId, ReplyState, StepState};
use simulator::{AccountConfig, Config, Login};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
/// The Instagram channel declares ten messages with files a second for each account: one at once, and one more
/// after each of these.
const INTERVAL: Duration = Duration::from_millis(100);

fn photo(name: &str) -> OutboundPart {
    OutboundPart::Media(vec![channel_tests::outbound_media(
        MediaKind::Image,
        MediaSource::Url(format!("https://shop.example.com/{name}.jpg")),
    )])
}

/// A world in which time passes only when the test says so.
async fn world(config: Config) -> World {
    World::with_options(config, Login::Facebook, |options| HostOptions { clock: Clock::stopped(), ..options }).await
}

/// Lets one interval after the other pass until all replies have their end, each time until what became due is
/// sent. `passed` intervals have passed since the first was queued; never is more sent than one and one for each.
async fn drain(world: &World, mut passed: usize, replies: &[ReplyId]) {
    while still_open(world, replies).await > 0 {
        let before = world.sends().len();
        assert!(before <= passed + 1, "{before} were sent after {passed} intervals");
        world.clock.advance(INTERVAL);
        passed += 1;
        eventually("the next one", async || {
            (world.sends().len() > before || still_open(world, replies).await == 0).then_some(())
        })
        .await;
    }
    assert!(world.sends().len() <= passed + 1, "{} were sent after {passed} intervals", world.sends().len());
}

async fn still_open(world: &World, replies: &[ReplyId]) -> usize {
    let mut open = 0;
    for reply in replies {
        open += usize::from(world.host.inbox().reply(*reply).await.unwrap().state != ReplyState::Done);
    }
    open
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_spread_and_nothing_is_lost_or_reordered() {
    let world = world(Config::demo()).await;
    world.sim.customer(CUSTOMER).text("photos, please").await;
    let conversation = world.conversation(CUSTOMER).await;
    let name = |reply: usize, part: usize| format!("{reply}-{part}");
    let mut replies = Vec::new();
    for reply in 0..4 {
        let parts = (0..6).map(|part| photo(&name(reply, part))).collect();
        replies.push(world.host.reply(conversation, &format!("reply-{reply}"), message(parts)).await.unwrap().reply);
    }
    drain(&world, 0, &replies).await;
    for reply in replies {
        let view = world.ended(reply).await;
        assert!(view.steps.iter().all(|step| step.state == StepState::Sent && step.attempts == 1), "{view:?}");
    }
    let sends = world.sends();
    let expected: Vec<_> = (0..4).flat_map(|reply| (0..6).map(move |part| name(reply, part))).collect();
    assert_eq!(sends.len(), expected.len(), "each once");
    for (send, name) in sends.iter().zip(&expected) {
        assert!(send.body.to_string().contains(&format!("/{name}.jpg")), "{name}: {}", send.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pace_is_about_time_that_passes_and_not_about_what_the_clock_is_set_to() {
    let world = world(Config::demo()).await;
    world.sim.customer(CUSTOMER).text("photos, please").await;
    let conversation = world.conversation(CUSTOMER).await;
    let mut replies = Vec::new();
    for number in 0..3 {
        let parts = (0..4).map(|part| photo(&format!("{number}-{part}"))).collect();
        replies.push(world.host.reply(conversation, &format!("{number}"), message(parts)).await.unwrap().reply);
    }
    for hours in [10, -11, 12, -14] {
        world.clock.set_by(hours * 3_600_000);
        world.clock.advance(INTERVAL);
    }
    drain(&world, 4, &replies).await;
    for reply in replies {
        let view = world.ended(reply).await;
        assert!(view.steps.iter().all(|step| step.state == StepState::Sent), "{view:?}");
    }
    assert_eq!(world.sends().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_account_does_not_keep_another_one_waiting() {
    let second = AccountConfig::demo(2);
    let config = Config { accounts: vec![AccountConfig::demo(1), second.clone()], ..Config::demo() };
    let world = world(config).await;
    let settings = BTreeMap::from([("login".to_owned(), RawSetting::Text("instagram".into()))]);
    let token = second.token(Login::Instagram).unwrap().expose().to_owned();
    let slots = secrets([("instagram-token", &token)]);
    world.host.connect_account("instagram", &second.ig_id, "Second", &settings, slots).await.unwrap();

    let mut busy = Vec::new();
    for customer in 0..40 {
        world.sim.customer(&format!("55512300000010{customer:02}")).text("photo, please").await;
    }
    world.sim.customer_of(&second.ig_id, "5551230000002000").unwrap().text("me too").await;
    world.settled().await;
    for customer in 0..40 {
        let conversation = world.conversation(&format!("55512300000010{customer:02}")).await;
        let queued = world.host.reply(conversation, &format!("{customer}"), message(vec![photo("mug")])).await.unwrap();
        busy.push(queued.reply);
    }
    let other = world.conversation("5551230000002000").await;
    for reply in 0..3 {
        if reply > 0 {
            world.clock.advance(INTERVAL);
        }
        let view = world.reply(other, &format!("other-{reply}"), message(vec![photo("mug")])).await;
        assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    }
    let waiting = still_open(&world, &busy).await;
    assert!(waiting >= 37, "in two intervals the busy account sent {}", 40 - waiting);
    while still_open(&world, &busy).await > 0 {
        world.clock.advance(INTERVAL);
        tokio::task::yield_now().await;
    }
    for reply in busy {
        let view = world.ended(reply).await;
        assert_eq!((view.steps[0].state, view.steps[0].attempts), (StepState::Sent, 1), "{view:?}");
    }
    assert_eq!(world.sends().len(), 43);
}
