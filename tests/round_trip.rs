//! Through all parts on real HTTP: what a customer does arrives in the inbox, what an agent does
//! arrives at the customer, and every end of a request has its name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, eventually, message, message_ref, sender, text};
use harness_contract::{
    ButtonAction, MediaKind, MediaSource, OutboundMessage, OutboundPart, OutboundReaction, QuickReply, ReactionAction,
    SendResult, SenderKind, WindowState, names,
};
use harness_inbox::{ConversationId, PublicId as _, ReplyState, ReplyView, StepState};
use simulator::{Config, EchoTiming, Fault, Login};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world in which the customer has written.
async fn open_world(config: Config, login: Login) -> (World, ConversationId) {
    let world = World::with(config, login).await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    (world, conversation)
}

fn outcome(view: &ReplyView, step: usize) -> SendResult {
    serde_json::from_str(view.steps[step].outcome.as_ref().unwrap().get()).unwrap()
}

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

fn media(url: &str) -> OutboundPart {
    OutboundPart::Media(vec![channel_tests::outbound_media(MediaKind::Image, MediaSource::Url(url.into()))])
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_a_customer_does_is_in_the_inbox() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let words = customer.text("hello").await;
    let photo = customer.photo("https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1").await;
    customer.quick_reply("Yes", "YES_PAYLOAD").await;
    customer.postback("Opening hours", "HOURS").await;
    customer.react(words.mid(), "❤️").await;
    customer.unsend(photo.mid()).await;
    world.settled().await;
    let timeline = eventually("the reaction", async || {
        let timeline = world.timeline(CUSTOMER).await;
        (timeline.len() == 4 && !timeline[0].reactions.is_empty()).then_some(timeline)
    })
    .await;
    assert_eq!(timeline[0].text.as_deref(), Some("hello"));
    assert_eq!(timeline[0].reactions[0].emoji.as_deref(), Some("❤️"));
    assert!(timeline[1].deleted_at.is_some() && timeline[1].body.is_none(), "what was unsent is gone");
    assert!(timeline[2].body.as_ref().unwrap().get().contains("YES_PAYLOAD"));
    assert!(timeline[3].body.as_ref().unwrap().get().contains("HOURS"));
    customer.unreact(words.mid()).await;
    eventually("no reaction", async || world.timeline(CUSTOMER).await[0].reactions.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logins_send_every_kind_to_their_own_host() {
    for (login, host) in [(Login::Facebook, "graph.facebook.com"), (Login::Instagram, "graph.instagram.com")] {
        let (world, conversation) = open_world(Config::demo(), login).await;
        let customer = world.sim.customer(CUSTOMER);
        let mid = customer.transcript()[0].mid.clone();
        let offer = QuickReply { title: "Yes".into(), action: ButtonAction::Postback("YES".into()), image_url: None };
        let replies = [
            message(vec![OutboundPart::MarkSeen(None), OutboundPart::Typing(true)]),
            OutboundMessage { reply_to: Some(message_ref(&mid)), ..message(vec![text("an answer")]) },
            message(vec![media("https://shop.example.com/mug.jpg")]),
            OutboundMessage {
                quick_replies: vec![offer],
                fallback: harness_contract::FallbackPolicy::Allow,
                ..message(vec![text("Shall we?")])
            },
            message(vec![OutboundPart::Reaction(OutboundReaction {
                target: message_ref(&mid),
                action: ReactionAction::Added,
                emoji: Some("👍".into()),
                name: None,
            })]),
        ];
        for (index, reply) in replies.into_iter().enumerate() {
            let view = world.reply(conversation, &format!("reply-{index}"), reply).await;
            assert!(view.steps.iter().all(|step| step.state == StepState::Sent), "{login:?} {index}: {view:?}");
            if index == 0 {
                assert!(customer.sees_typing() && customer.seen_by_business_at().is_some());
            }
        }
        assert!(world.sends().iter().all(|request| request.host == host && request.verdict.accepted));
        let transcript = customer.transcript();
        assert_eq!(transcript[1].reply_to.as_deref(), Some(mid.as_str()));
        assert_eq!(transcript[2].attachments.len(), 1);
        assert_eq!(transcript[3].quick_replies.len(), 1);
        assert_eq!(transcript[0].reactions.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_before_after_and_without_the_answer_is_one_message() {
    for echo in [EchoTiming::BeforeResponse, EchoTiming::After(Duration::from_millis(5)), EchoTiming::Never] {
        let (world, conversation) = open_world(Config { echo, ..Config::demo() }, Login::Facebook).await;
        let view = world.reply(conversation, "one", message(vec![text("once")])).await;
        assert_eq!(states(&view), [StepState::Sent], "{echo:?}");
        if echo != EchoTiming::Never {
            world.echoed("once").await;
        }
        world.settled().await;
        let timeline = world.timeline(CUSTOMER).await;
        assert_eq!(timeline.len(), 2, "{echo:?}");
        assert_eq!(timeline[1].state, Some(StepState::Sent));
        assert!(timeline[1].platform_id.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_business_writes_elsewhere_is_shown_once_as_its_own() {
    let (world, _) = open_world(Config::demo(), Login::Facebook).await;
    world.sim.customer(CUSTOMER).business_writes_in_app("from the phone").await;
    let timeline = eventually("the echo", async || {
        let timeline = world.timeline(CUSTOMER).await;
        (timeline.len() == 2).then_some(timeline)
    })
    .await;
    assert_eq!((timeline[1].direction.as_str(), timeline[1].text.as_deref()), ("outbound", Some("from the phone")));
    assert_eq!(world.host.inbox().conversations(9).await.unwrap().len(), 1, "an echo opens no second conversation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passing_refusal_is_tried_again_and_ends_as_sent() {
    for (fault, dropped) in [
        (Fault::graph_error(424_242, None).with_status(400).transient(true), false),
        (Fault::rate_limited(0), false),
        (Fault::drop_before_accepting(), true),
    ] {
        let (world, conversation) = open_world(Config::demo(), Login::Facebook).await;
        world.sim.inject(fault);
        let queued = world.host.reply(conversation, "again", message(vec![text("again")])).await.unwrap();
        if dropped {
            // The connection broke after the request had left: nobody knows, so nobody sends again.
            assert_eq!(states(&world.ended(queued.reply).await), [StepState::Ambiguous]);
            continue;
        }
        let view = eventually("the retry", async || {
            world.clock.advance(Duration::from_secs(30));
            let view = world.host.inbox().reply(queued.reply).await.unwrap();
            (view.state == ReplyState::Done).then_some(view)
        })
        .await;
        assert_eq!(states(&view), [StepState::Sent]);
        assert!(view.steps[0].attempts >= 2);
        assert_eq!(world.sim.customer(CUSTOMER).transcript().len(), 2, "sent once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_may_have_arrived_is_never_sent_again() {
    let config = Config { echo: EchoTiming::Never, ..Config::demo() };
    let (world, conversation) = open_world(config, Login::Facebook).await;
    for (key, fault) in [
        ("dropped", Fault::drop_after_accepting()),
        ("invalid-reply", Fault::graph_error(1, 1357046)),
        ("html", Fault::html(502)),
        ("empty", Fault::empty_body(200)),
    ] {
        world.sim.inject(fault);
        let before = world.sends().len();
        let view = world.reply(conversation, key, message(vec![text(key), text("behind it")])).await;
        assert_eq!(states(&view), [StepState::Ambiguous, StepState::Cancelled], "{key}");
        assert!(matches!(outcome(&view, 0), SendResult::Ambiguous(_)), "{key}");
        world.clock.advance(Duration::from_secs(3600));
        assert_eq!(world.sends().len(), before + 1, "{key}: one request");
        world.nothing_more_is_sent(before + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_settles_an_unknown_outcome() {
    let (world, conversation) = open_world(Config::demo(), Login::Facebook).await;
    world.sim.inject(Fault::drop_after_accepting());
    let view = world.reply(conversation, "dropped", message(vec![text("did it arrive?")])).await;
    let settled = eventually("the echo", async || {
        let view = world.host.inbox().reply(view.id).await.unwrap();
        (view.steps[0].state == StepState::Sent).then_some(view)
    })
    .await;
    assert_eq!(settled.steps[0].attempts, 1);
    assert_eq!(world.timeline(CUSTOMER).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_category_and_a_sentence() {
    let cases = [
        (Fault::graph_error(10, 2534022), "window_closed"),
        (Fault::graph_error(551, 1545041), "recipient_unavailable"),
        (Fault::graph_error(100, 2534015), "content_invalid"),
        (Fault::graph_error(100, 2018008), "media_fetch_failed"),
        (Fault::graph_error(100, 2534037), "thread_owned_elsewhere"),
        (Fault::graph_error(200, 2534041), "permission_missing"),
        (Fault::error_in_200(10, 2534022), "window_closed"),
    ];
    for login in [Login::Facebook, Login::Instagram] {
        for (fault, category) in cases.clone() {
            let (world, conversation) = open_world(Config::demo(), login).await;
            world.sim.inject(fault.clone());
            // The platform may ask to try once more; the second refusal is the end.
            world.sim.inject(fault);
            let queued = world.host.reply(conversation, "refused", message(vec![text("hello")])).await.unwrap();
            let view = eventually(category, async || {
                world.clock.advance(Duration::from_secs(60));
                let view = world.host.inbox().reply(queued.reply).await.unwrap();
                (view.state == ReplyState::Done).then_some(view)
            })
            .await;
            assert_eq!(states(&view), [StepState::Rejected], "{login:?} {category}");
            let (SendResult::Rejected(failure) | SendResult::Unauthorized(failure) | SendResult::Transient(failure)) =
                outcome(&view, 0)
            else {
                panic!("{login:?} {category}: {view:?}")
            };
            assert_eq!(failure.category.name(), category, "{login:?}");
            assert!(failure.message.len() > 20, "{failure:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_kept_by_platform_time_and_the_platforms_refusal_counts_more() {
    let (world, conversation) = open_world(Config::demo(), Login::Facebook).await;
    let state = async || world.host.context(conversation).await.unwrap().window.state;
    assert_eq!(state().await, WindowState::Open);
    world.sim.inject(Fault::graph_error(10, 2534022));
    world.reply(conversation, "refused", message(vec![text("hello")])).await;
    assert_eq!(state().await, WindowState::HumanOnly, "a refusal overrides the estimate");
    world.sim.customer(CUSTOMER).text("me again").await;
    eventually("an open window", async || (state().await == WindowState::Open).then_some(())).await;

    world.advance(DAY + Duration::from_secs(60));
    assert_eq!(state().await, WindowState::HumanOnly);
    let view = world.reply(conversation, "human", message(vec![text("a person answers")])).await;
    assert_eq!(states(&view), [StepState::Sent], "{view:?}");
    let tag = world.sim.customer(CUSTOMER).last_reply().unwrap().tag;
    assert_eq!(tag.as_deref(), Some("HUMAN_AGENT"));

    let bot = OutboundMessage { sender: sender(SenderKind::Bot, "bot"), ..message(vec![text("beep")]) };
    let view = world.reply(conversation, "bot", bot).await;
    assert_eq!(view.state, ReplyState::Refused);
    assert_eq!(view.violations[0].code, names::violation_code::WINDOW_NEEDS_HUMAN);

    world.advance(7 * DAY);
    let view = world.reply(conversation, "late", message(vec![text("too late")])).await;
    assert_eq!(
        (view.state, view.violations[0].code.as_str()),
        (ReplyState::Refused, names::violation_code::WINDOW_CLOSED)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_limit_is_refused_before_anything_is_sent() {
    let (world, conversation) = open_world(Config::demo(), Login::Facebook).await;
    let exact = world.reply(conversation, "exact", message(vec![text(&"я".repeat(500))])).await;
    assert_eq!(states(&exact), [StepState::Sent]);
    let before = world.sends().len();
    let over = world.reply(conversation, "over", message(vec![text(&"я".repeat(501))])).await;
    assert_eq!(over.state, ReplyState::Refused);
    let violation = &over.violations[0];
    assert_eq!((violation.code.as_str(), violation.actual), (names::violation_code::TEXT_TOO_LONG, Some(1002)));
    assert_eq!(world.sends().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ice_breakers_and_the_menu_are_written_by_either_login_and_removed_again() {
    for login in [Login::Facebook, Login::Instagram] {
        let world = World::with(Config::demo(), login).await;
        let account = world.host.inbox().accounts().await.unwrap()[0].id;
        let url = format!("{}/api/v1/accounts/{}/entry-points", world.address, account.public());
        let put = async |body: &str| channel_tests::api("PUT", &url, &[], body).await;
        let wanted = r#"{"ice_breakers": [{"title": "Are you open?", "action": {"postback": "HOURS"}}],
                         "menu": [{"title": "Shop", "action": {"url": "https://shop.example.com"}}]}"#;
        let answer = put(wanted).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        let bodies: Vec<_> = world.sim.requests().iter().map(|request| request.body.to_string()).collect();
        assert!(bodies[0].contains("Are you open?") && bodies[1].contains("persistent_menu"), "{bodies:?}");
        let answer = put(r#"{"ice_breakers": [], "menu": []}"#).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        let removed = world.sim.requests().iter().filter(|request| request.method == "DELETE").count();
        assert_eq!(removed, 2);
        let many = r#"{"title": "a", "action": {"postback": "b"}}"#;
        let answer = put(&format!(r#"{{"ice_breakers": [{}]}}"#, [many; 5].join(","))).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains("at most 4 ice breakers"), "{}", answer.body);
        assert_eq!(put("{}").await.status, 204, "nothing is asked for, and nothing is done");
    }
}
