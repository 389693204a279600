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

use std::collections::BTreeMap;

use channel_tests::{World, eventually, message, secrets};
use harness_contract::{MediaKind, MediaSource, OutboundMedia, OutboundPart, settings::RawSetting};
use harness_inbox::{ReplyState, StepState};
use simulator::{AccountConfig, Config, Login};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
/// What the Instagram channel declares for messages with files, for each account and second.
const MEDIA_PER_SECOND: usize = 10;

fn photo(name: &str) -> OutboundPart {
    OutboundPart::Media(vec![OutboundMedia {
        kind: MediaKind::Image,
        source: MediaSource::Url(format!("https://shop.example.com/{name}.jpg")),
        mime: None,
        size: None,
        name: None,
        caption: None,
    }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_spread_and_nothing_is_lost_or_reordered() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("photos, please").await;
    let conversation = world.conversation(CUSTOMER).await;
    let name = |reply: usize, part: usize| format!("{reply}-{part}");
    let mut replies = Vec::new();
    for reply in 0..4 {
        let parts = (0..6).map(|part| photo(&name(reply, part))).collect();
        replies.push(world.host.reply(conversation, &format!("reply-{reply}"), message(parts)).await.unwrap().reply);
    }
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
    for first in &sends {
        let within = sends.iter().filter(|send| (0..1000).contains(&(send.at_ms - first.at_ms))).count();
        // One more, since the way to the platform takes now more, now less of a moment.
        assert!(within <= MEDIA_PER_SECOND + 1, "{within} within a second");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_account_does_not_keep_another_one_waiting() {
    let second = AccountConfig::demo(2);
    let config = Config { accounts: vec![AccountConfig::demo(1), second.clone()], ..Config::demo() };
    let world = World::with(config, Login::Facebook).await;
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
        busy.push(world.host.reply(conversation, &format!("{customer}"), message(vec![photo("mug")])).await.unwrap());
    }
    let other = world.conversation("5551230000002000").await;
    for reply in 0..3 {
        let view = world.reply(other, &format!("other-{reply}"), message(vec![photo("mug")])).await;
        assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    }
    let mut waiting = 0;
    for queued in &busy {
        waiting += usize::from(world.host.inbox().reply(queued.reply).await.unwrap().state != ReplyState::Done);
    }
    assert!(waiting >= 10, "the busy account still has {waiting} to send when the other one is done");
    for queued in &busy {
        let view = world.ended(queued.reply).await;
        assert_eq!((view.steps[0].state, view.steps[0].attempts), (StepState::Sent, 1), "{view:?}");
    }
    let sends = eventually("all", async || Some(world.sends())).await;
    assert_eq!(sends.len(), 43);
}
