//! Validation, rendering and the platform agree: whatever the channel lets through, the simulator, which
//! shares no code with it, accepts. Belongs here: messages that nobody thought of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use channel_tests::{World, message, message_ref};
use harness_contract::{
    Button, ButtonAction, ButtonMessage, Card, FallbackPolicy, MediaKind, MediaSource, OutboundMessage, OutboundPart,
    OutboundReaction, OutboundText, QuickReply, ReactionAction, TextFormat,
};
use harness_inbox::{ReplyState, StepState};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use simulator::{Config, Login};

const MESSAGES: usize = 80;

fn words(max: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-zA-Z][a-z ,.!?]{0,18}",
        1 => vec(prop_oneof![Just("ж"), Just("👩‍👩‍👧 "), Just("e\u{301}"), Just("文"), Just("<b>x</b> ")], 1..max)
            .prop_map(|letters| letters.concat()),
    ]
}

fn button() -> impl Strategy<Value = Button> {
    (words(12), prop_oneof![Just(true), Just(false)]).prop_map(|(title, is_link)| Button {
        title,
        action: match is_link {
            true => ButtonAction::Url("https://shop.example.com/a?b=c".into()),
            false => ButtonAction::Postback("PAYLOAD".into()),
        },
    })
}

fn card() -> impl Strategy<Value = Card> {
    (words(60), proptest::option::of(words(60)), vec(button(), 0..4)).prop_map(|(title, subtitle, buttons)| Card {
        title,
        subtitle,
        image_url: Some("https://cdn.example.com/a.png".into()),
        url: None,
        buttons,
    })
}

fn part(target: String) -> impl Strategy<Value = OutboundPart> {
    let media = |kind, file: &str| {
        channel_tests::outbound_media(kind, MediaSource::Url(format!("https://cdn.example.com/{file}")))
    };
    let reaction = OutboundReaction {
        target: message_ref(target),
        action: ReactionAction::Added,
        emoji: Some("🎉".into()),
        name: None,
    };
    let one = [(MediaKind::Video, "a.mp4"), (MediaKind::Audio, "a.mp3"), (MediaKind::File, "a.pdf")];
    prop_oneof![
        (words(700), any::<bool>())
            .prop_map(|(text, split)| { OutboundPart::Text(OutboundText { text, format: TextFormat::Plain, split }) }),
        (1..12_usize).prop_map(move |count| OutboundPart::Media(vec![media(MediaKind::Image, "a.jpg"); count])),
        proptest::sample::select(one.to_vec())
            .prop_map(move |(kind, file)| OutboundPart::Media(vec![media(kind, file)])),
        Just(OutboundPart::Sticker("like_heart".into())),
        vec(card(), 1..4).prop_map(OutboundPart::Cards),
        (words(400), vec(button(), 1..4)).prop_map(|(text, buttons)| {
            OutboundPart::Buttons(ButtonMessage { text, header: None, footer: None, buttons })
        }),
        Just(OutboundPart::Reaction(reaction)),
        any::<bool>().prop_map(OutboundPart::Typing),
        Just(OutboundPart::MarkSeen(None)),
    ]
}

fn any_message(target: &str) -> impl Strategy<Value = OutboundMessage> {
    let reply = || {
        words(12).prop_map(|title| QuickReply { title, action: ButtonAction::Postback("P".into()), image_url: None })
    };
    let replies = prop_oneof![5 => Just(Vec::new()), 2 => vec(reply(), 1..13), 1 => vec(reply(), 13..15)];
    let reply_to = proptest::option::weighted(0.2, Just(message_ref(target)));
    (vec(part(target.to_owned()), 1..3), replies, reply_to).prop_map(|(parts, quick_replies, reply_to)| {
        OutboundMessage { quick_replies, reply_to, fallback: FallbackPolicy::Allow, ..message(parts) }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_lets_through_the_platform_accepts() {
    let mut runner = TestRunner::deterministic();
    for login in [Login::Facebook, Login::Instagram] {
        let world = World::with(Config::demo(), login).await;
        let sent = world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
        let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
        let (mut accepted, mut refused) = (0, 0);
        for number in 0..MESSAGES {
            let message = any_message(sent.mid()).new_tree(&mut runner).unwrap().current();
            let view = world.reply(conversation, &format!("{number}"), message.clone()).await;
            match view.state {
                ReplyState::Refused => refused += 1,
                _ => accepted += 1,
            }
            let unsent = view.steps.iter().find(|step| step.state != StepState::Sent);
            assert!(view.state == ReplyState::Refused || unsent.is_none(), "{message:#?}\n{unsent:#?}");
        }
        assert!(accepted > MESSAGES / 5 && refused > MESSAGES / 10, "{accepted} accepted, {refused} refused");
    }
}
