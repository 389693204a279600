//! Echoes against outcomes: an echo before the answer, after it or never; a send that is accepted, refused or never
//! answered; echoes that name the send and echoes that do not. And what comes before its message.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, eventually, message, signature, text};
use harness_contract::{ButtonAction, MediaKind, MediaSource, OutboundMessage, OutboundPart, QuickReply, SendResult};
use harness_inbox::{ReplyState, ReplyView, StepState};
use serde_json::json;
use simulator::{Config, EchoTiming, Fault, Login, Release};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

/// What becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Send {
    Accepted,
    Refused,
    /// It is accepted, and no answer comes in time.
    TimedOut,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_echo_with_every_outcome_is_one_message_and_the_truth() {
    let after = EchoTiming::After(Duration::from_millis(20));
    for bare in [false, true] {
        let config = || {
            let mut config = Config::demo();
            config.app.bare_echoes = bare;
            config
        };
        let world = World::with(config(), Login::Facebook).await;
        let mut number = 0;
        for echo in [EchoTiming::BeforeResponse, after, EchoTiming::Never] {
            for send in [Send::Accepted, Send::Refused, Send::TimedOut] {
                let case = format!("{echo:?}, {send:?}, bare: {bare}");
                number += 1;
                let igsid = format!("55512300000002{number:02}");
                let customer = world.sim.customer(&igsid);
                customer.text("hello").await;
                let conversation = world.conversation(&igsid).await;
                world.sim.set_echo(echo);
                match send {
                    Send::Accepted => {}
                    Send::Refused => world.sim.inject(Fault::graph_error(100, 2_534_015)),
                    // The answer is cut off: what waits longer would hold the echo after it back, too.
                    Send::TimedOut => world.sim.inject(Fault::cut_off()),
                }
                let view = world.reply(conversation, &case, message(vec![text(&case)])).await;
                let echoed = echo != EchoTiming::Never && send != Send::Refused;
                if echoed {
                    world.echoed(&case).await;
                }
                world.settled().await;
                let expected = match send {
                    Send::Accepted => StepState::Sent,
                    Send::Refused => StepState::Rejected,
                    // Only an echo that names the send can tell.
                    Send::TimedOut if echoed && !bare => StepState::Sent,
                    Send::TimedOut => StepState::Ambiguous,
                };
                let view = world.host.inbox().reply(view.id).await.unwrap();
                assert_eq!(states(&view), [expected], "{case}: {view:?}");
                let timeline = world.timeline(&igsid).await;
                let own: Vec<_> = timeline.iter().filter(|entry| entry.direction == "outbound").collect();
                // An echo that names nothing, of a send that nobody answered, may be anybody's message: it is shown,
                // beside the reply of which it is said that it may have arrived.
                let strangers = usize::from(expected == StepState::Ambiguous && echoed);
                assert_eq!(own.len(), 1 + strangers, "{case}: {own:#?}");
                assert_eq!(own.iter().filter(|entry| entry.state == Some(expected)).count(), 1, "{case}");
                let requests = world.sends().iter().filter(|sent| sent.body.to_string().contains(&case)).count();
                assert_eq!(requests, 1, "{case}: it is sent once");
                let received = customer.transcript().iter().filter(|entry| entry.text.as_ref() == Some(&case)).count();
                assert_eq!(received, usize::from(send != Send::Refused), "{case}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_text_three_images_and_quick_replies_the_second_is_refused_and_each_says_what_became_of_it() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let image = |number: usize| {
        let source = MediaSource::Url(format!("https://shop.example.com/mug-{number}.jpg"));
        OutboundPart::Media(vec![channel_tests::outbound_media(MediaKind::Image, source)])
    };
    let offer = QuickReply { title: "Yes".into(), action: ButtonAction::Postback("YES".into()), image_url: None };
    let reply = || OutboundMessage {
        quick_replies: vec![offer.clone()],
        fallback: harness_contract::FallbackPolicy::Allow,
        ..message(vec![text("three mugs"), image(1), image(2), image(3)])
    };
    world.sim.inject(Fault::delay(Duration::ZERO));
    world.sim.inject(Fault::graph_error(100, 2_018_008));
    let view = world.reply(conversation, "mugs", reply()).await;
    let cancelled = StepState::Cancelled;
    assert_eq!(states(&view), [StepState::Sent, StepState::Rejected, cancelled, cancelled], "{view:?}");
    let told = view.steps[1].outcome.as_ref().unwrap().get();
    let SendResult::Rejected(failure) = serde_json::from_str(told).unwrap() else { panic!("{told}") };
    assert_eq!(failure.category.name(), "media_fetch_failed");
    assert!(failure.message.len() > 20, "{failure:?}");
    assert_eq!(world.sends().len(), 2, "what stands behind it is not sent");
    assert_eq!(customer.transcript().len(), 2, "hello, and the text");
    world.settled().await;
    let shown: Vec<_> = world.timeline(CUSTOMER).await.into_iter().skip(1).map(|entry| entry.state).collect();
    assert_eq!(shown, view.steps.iter().map(|step| Some(step.state)).collect::<Vec<_>>(), "the agent sees each");

    let whole = world.reply(conversation, "again", reply()).await;
    assert_eq!(states(&whole), [StepState::Sent; 4], "{whole:?}");
    let last = customer.last_reply().unwrap();
    assert_eq!((last.attachments.len(), last.quick_replies.len()), (1, 1), "they hang under the last one");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_reactions_and_what_is_taken_back_wait_for_their_message_in_any_order() {
    for order in [Release::Reversed, Release::Concurrently, Release::OneBatch, Release::Repeated(5)] {
        let world = World::new().await;
        let customer = world.sim.customer(CUSTOMER);
        customer.text("first").await;
        world.sim.hold_webhooks();
        let edited = customer.text("teh mug").await;
        let gone = customer.text("taken back").await;
        world.sim.clock().advance(Duration::from_secs(1));
        customer.edit(edited.mid(), "the mugg").await;
        customer.react(edited.mid(), "🔥").await;
        world.sim.clock().advance(Duration::from_secs(1));
        customer.edit(edited.mid(), "the mug").await;
        customer.react(edited.mid(), "❤").await;
        customer.edit(gone.mid(), "changed, then taken back").await;
        customer.unsend(gone.mid()).await;
        world.sim.release_webhooks(order).await;
        world.settled().await;
        let timeline = world.timeline(CUSTOMER).await;
        assert_eq!(timeline.len(), 3, "{order:?}: {timeline:#?}");
        let find = |mid| timeline.iter().find(|entry| entry.platform_id.as_deref() == Some(mid)).unwrap();
        let (kept, lost) = (find(edited.mid()), find(gone.mid()));
        assert_eq!(kept.text.as_deref(), Some("the mug"), "{order:?}: the newest edit stands");
        let emoji: Vec<_> = kept.reactions.iter().map(|reaction| reaction.emoji.as_deref()).collect();
        assert_eq!(emoji, [Some("❤")], "{order:?}: the newest reaction stands");
        assert!(lost.deleted_at.is_some() && lost.text.is_none() && lost.body.is_none(), "{order:?}: {lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_the_business_takes_back_elsewhere_is_purged_here() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let view = world.reply(conversation, "one", message(vec![text("a wrong price")])).await;
    assert_eq!((view.state, states(&view)), (ReplyState::Done, vec![StepState::Sent]));
    customer.business_unsends_in_app(&customer.last_reply().unwrap().mid).await;
    let entry = eventually("the purge", async || {
        let entry = world.timeline(CUSTOMER).await.pop()?;
        entry.deleted_at.is_some().then_some(entry)
    })
    .await;
    assert_eq!((entry.direction.as_str(), entry.text), ("outbound", None));
    assert_eq!(world.timeline(CUSTOMER).await.len(), 2, "the fact stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_reply_stand_in_their_order_also_while_only_the_first_has_its_echo() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    world.sim.set_echo(EchoTiming::Never);
    world.reply(conversation, "two", message(vec![text("first"), text("second")])).await;
    let of_reply = async || {
        let timeline = world.timeline(CUSTOMER).await;
        let ours = timeline.into_iter().filter(|entry| entry.direction.as_str() == "outbound");
        ours.map(|entry| (entry.text.unwrap_or_default(), entry.platform_id.unwrap(), entry.at)).collect::<Vec<_>>()
    };
    let sent = of_reply().await;
    // The platform's clock is a little ahead of this one.
    let (id, at) = (&sent[0].1, sent[1].2 + 5_000);
    let account = "17841400000000001";
    let echo = json!({ "object": "instagram", "entry": [{ "id": account, "time": at, "messaging": [{
        "sender": { "id": account }, "recipient": { "id": CUSTOMER }, "timestamp": at,
        "message": { "mid": id, "text": "first", "is_echo": true },
    }]}]});
    let body = serde_json::to_vec(&echo).unwrap();
    let proof = signature("demo-meta-app-secret", &body);
    let mut headers = http::HeaderMap::new();
    headers.insert("x-hub-signature-256", proof.parse().unwrap());
    world.host.deliver("instagram", &headers, body).await.unwrap();
    world.settled().await;
    let echoed = of_reply().await;
    assert_eq!(echoed[0].2, at, "it has the platform's time");
    let texts: Vec<_> = echoed.iter().map(|(text, _, _)| text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
}
