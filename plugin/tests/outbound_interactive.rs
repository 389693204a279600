//! What customers tap, react to and comment on keeps its limits and its place.
//! What belongs here is validation of everything but texts and files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::violation_code::*;
use common::*;
use instagram_channel::types::*;

/// The errors of a message with one part.
fn of(part: OutboundPart) -> Vec<&'static str> {
    errors(&message(vec![part]), &context())
}

fn buttons(text: &str, buttons: Vec<Button>) -> OutboundPart {
    OutboundPart::Buttons(ButtonMessage { text: text.into(), header: None, footer: None, buttons })
}

#[test]
fn quick_replies_keep_their_limits() {
    let with = |replies: Vec<QuickReply>| {
        let mut message = message(vec![text("?")]);
        message.quick_replies = replies;
        errors(&message, &context())
    };
    assert_eq!(with(vec![quick_reply("ok"); 13]), NONE);
    assert_eq!(with(vec![quick_reply("ok"); 14]), [TOO_MANY]);
    assert_eq!(with(vec![quick_reply(&"ж".repeat(20))]), NONE);
    assert_eq!(with(vec![quick_reply(&"ж".repeat(21))]), [TITLE_TOO_LONG]);
    assert_eq!(with(vec![quick_reply("")]), [MISSING_FIELD]);
    let payload = |n| QuickReply { action: ButtonAction::Postback("p".repeat(n)), ..quick_reply("ok") };
    assert_eq!(with(vec![payload(1000)]), NONE);
    assert_eq!(with(vec![payload(1001)]), [PAYLOAD_TOO_LONG]);
    assert_eq!(with(vec![payload(0)]), [MISSING_FIELD]);
}

#[test]
fn a_quick_reply_that_sends_no_answer_is_refused() {
    let somewhere = || "https://example.com".to_owned();
    for action in [
        ButtonAction::Url(somewhere()),
        ButtonAction::Call("+49".into()),
        ButtonAction::Ask(Question { what: "location".into(), payload: None }),
        ButtonAction::Copy("code".into()),
        ButtonAction::App(somewhere()),
        ButtonAction::Other("x".into()),
    ] {
        let mut message = message(vec![text("?")]);
        message.quick_replies = vec![quick_reply("ok"), QuickReply { action, ..quick_reply("no") }];
        assert_eq!(errors(&message, &context()), [UNSUPPORTED_FEATURE]);
        let found = validate(&message, &context()).remove(0);
        assert_eq!(found.path, "quick_replies[1].action");
        assert!(found.message.contains("postback"), "{}", found.message);
    }
}

#[test]
fn quick_replies_hang_under_a_text_or_files() {
    let image = OutboundPart::Media(vec![media(MediaKind::Image, url("https://example.com/a.png"))]);
    for (last, expected) in [
        (text("?"), vec![]),
        (image, vec![]),
        (OutboundPart::Sticker("like_heart".into()), vec![UNSUPPORTED_COMBINATION]),
        (OutboundPart::Cards(vec![card("a")]), vec![UNSUPPORTED_COMBINATION]),
        (OutboundPart::Typing(true), vec![UNSUPPORTED_COMBINATION]),
    ] {
        let mut message = message(vec![text("first"), last]);
        message.quick_replies = vec![quick_reply("ok")];
        assert_eq!(errors(&message, &context()), expected);
    }
}

#[test]
fn cards_keep_their_limits() {
    let one = |card: Card| of(OutboundPart::Cards(vec![card]));
    assert_eq!(of(OutboundPart::Cards(vec![card("a"); 10])), NONE);
    assert_eq!(of(OutboundPart::Cards(vec![card("a"); 11])), [TOO_MANY]);
    assert_eq!(of(OutboundPart::Cards(vec![])), [TOO_FEW]);
    assert_eq!(one(card(&"a".repeat(80))), NONE);
    assert_eq!(one(card(&"a".repeat(81))), [TITLE_TOO_LONG]);
    assert_eq!(one(card("")), [MISSING_FIELD]);
    assert_eq!(one(Card { subtitle: Some("a".repeat(80)), ..card("a") }), NONE);
    assert_eq!(one(Card { subtitle: Some("a".repeat(81)), ..card("a") }), [TITLE_TOO_LONG]);
    assert_eq!(one(Card { subtitle: None, ..card("a") }), [MISSING_FIELD]);
    assert_eq!(one(Card { buttons: vec![button("b"); 3], ..card("a") }), NONE);
    assert_eq!(one(Card { buttons: vec![button("b"); 4], ..card("a") }), [TOO_MANY]);
    assert_eq!(one(Card { image_url: Some("http://example.com/a.png".into()), ..card("a") }), [INVALID_URL]);
    assert_eq!(one(Card { url: Some("http://example.com".into()), ..card("a") }), NONE);
}

#[test]
fn buttons_keep_their_limits() {
    assert_eq!(of(buttons(&"a".repeat(640), vec![button("b"); 3])), NONE);
    assert_eq!(of(buttons(&"a".repeat(641), vec![button("b")])), [TEXT_TOO_LONG]);
    assert_eq!(of(buttons("a", vec![button("b"); 4])), [TOO_MANY]);
    assert_eq!(of(buttons("a", vec![])), [TOO_FEW]);
    assert_eq!(of(buttons("", vec![button("b")])), [MISSING_FIELD]);
    assert_eq!(of(buttons("a", vec![button(&"b".repeat(20))])), NONE);
    assert_eq!(of(buttons("a", vec![button(&"b".repeat(21))])), [TITLE_TOO_LONG]);
    let action = |action| of(buttons("a", vec![Button { title: "b".into(), action }]));
    assert_eq!(action(ButtonAction::Postback("p".repeat(1000))), NONE);
    assert_eq!(action(ButtonAction::Postback("p".repeat(1001))), [PAYLOAD_TOO_LONG]);
    assert_eq!(action(ButtonAction::Url("https://example.com".into())), NONE);
    assert_eq!(action(ButtonAction::Url("nowhere".into())), [INVALID_URL]);
    assert_eq!(action(ButtonAction::Call("+49".into())), [UNSUPPORTED_FEATURE]);
}

#[test]
fn products_need_the_login_with_facebook() {
    let products = |n| message(vec![OutboundPart::Products(vec!["1".into(); n])]);
    assert_eq!(errors(&products(10), &facebook()), NONE);
    assert_eq!(errors(&products(11), &facebook()), [TOO_MANY]);
    assert_eq!(errors(&products(0), &facebook()), [TOO_FEW]);
    assert_eq!(errors(&products(1), &context()), [NOT_AVAILABLE_ON_ACCOUNT]);
}

#[test]
fn what_is_not_shown_on_the_web_is_sent_and_reported_and_refused_under_strict_only() {
    let mut asked = message(vec![text("?")]);
    asked.quick_replies = vec![quick_reply("ok")];
    for mut message in
        [asked, message(vec![OutboundPart::Cards(vec![card("a")])]), message(vec![buttons("a", vec![button("b")])])]
    {
        let verdict = instagram_channel::validate(&message, &context());
        message.fallback = FallbackPolicy::Usual;
        assert_eq!(instagram_channel::validate(&message, &context()), verdict);
        assert_eq!(verdict.degradations.len(), 1);
        assert_eq!(verdict.degradations[0].surfaces, ["web"]);
        assert_eq!(verdict.violations[0].code, NOT_SHOWN_EVERYWHERE);
        assert_eq!(steps(&message, &context()).last().unwrap().degradations, verdict.degradations);
        message.fallback = FallbackPolicy::Strict;
        assert_eq!(errors(&message, &context()), [NOT_SHOWN_EVERYWHERE]);
    }
}

#[test]
fn a_reaction_is_exactly_one_emoji() {
    let react = |emoji: Option<&str>| {
        of(OutboundPart::Reaction(OutboundReaction {
            target: message_ref("m"),
            action: ReactionAction::Added,
            emoji: emoji.map(String::from),
            name: None,
        }))
    };
    for emoji in ["❤", "❤️", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "1️⃣", "☺"] {
        assert_eq!(react(Some(emoji)), NONE, "{emoji}");
    }
    for word in ["love", "a", "1", "❤❤", " ", "ж"] {
        assert_eq!(react(Some(word)), [UNKNOWN_REACTION], "{word}");
    }
    assert_eq!(react(None), [MISSING_FIELD]);
    let removed =
        OutboundReaction { target: message_ref("m"), action: ReactionAction::Removed, emoji: None, name: None };
    assert_eq!(of(OutboundPart::Reaction(removed)), NONE);
}

#[test]
fn native_touches_nothing_that_a_rule_is_about() {
    let with = |native: &str| {
        let image = OutboundPart::Media(vec![media(MediaKind::Image, url("https://example.com/a.png"))]);
        let mut message = message(vec![image]);
        message.native = Some(native.into());
        errors(&message, &context())
    };
    for good in [
        "{}",
        r#"{"messaging_type":"UPDATE"}"#,
        r#"{"message":{"attachment":{"payload":{"is_reusable":true,"sharable":false}}}}"#,
        r#"{"m\u0065ssage":{}}"#,
    ] {
        assert_eq!(with(good), NONE, "{good}");
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(20), "}".repeat(20));
    for bad in [
        "",
        "[]",
        "{",
        "7",
        &deep,
        r#"{"recipient":{"id":"1"}}"#,
        r#"{"Recipient":{"id":"1"}}"#,
        r#"{"recipient":null}"#,
        r#"{"tag":"HUMAN_AGENT"}"#,
        r#"{"t\u0061g":"HUMAN_AGENT"}"#,
        r#"{"messaging_type":"MESSAGE_TAG"}"#,
        r#"{"messaging_type":"UPDATE","messaging_type":"MESSAGE_TAG"}"#,
        r#"{"messaging_type":"MESSAGE_TAG","messaging_type":"UPDATE"}"#,
        r#"{"messaging_type":{"a":1}}"#,
        r#"{"message":{"quick_replies":[{"content_type":"user_phone_number"}]}}"#,
        r#"{"message":{"quick_replies":[{"content_type":"text","title":"A","payload":"A"}]}}"#,
        r#"{"message":{"text":"other"}}"#,
        r#"{"message":{"metadata":"other"}}"#,
        r#"{"message":{"attachments":[]}}"#,
        r#"{"message":{"attachment":null}}"#,
        r#"{"message":{"attachment":{"type":"file"}}}"#,
        r#"{"message":{"attachment":{"payload":{"url":"http://169.254.169.254/"}}}}"#,
        r#"{"message":{"attachment":{"payload":{"elements":[]}}}}"#,
        r#"{"message":{"attachment":{"payload":{"is_reusable":{"x":1}}}}}"#,
        r#"{"message":null}"#,
        r#"{"message":"x"}"#,
        r#"{"sender_action":"react"}"#,
        r#"{"thread_control":{"control_type":"pass","app_id":"1"}}"#,
        r#"{"access_token":"x"}"#,
        r#"{"reply_to":{"mid":"x"}}"#,
    ] {
        assert_eq!(with(bad), [NATIVE_INVALID], "{bad}");
    }
    let long = |n: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(n - 8));
    assert_eq!(with(&long(8193)), [NATIVE_INVALID]);
}

#[test]
fn native_makes_no_attachment_and_no_way_around_the_window() {
    let mut message = message(vec![text("hi")]);
    for native in [r#"{"message":{"attachment":{}}}"#, r#"{"message":{"attachment":{"payload":{"is_reusable":true}}}}"#]
    {
        message.native = Some(native.into());
        assert_eq!(errors(&message, &context()), [NATIVE_INVALID], "{native}");
    }
    message.native = Some(r#"{"messaging_type":"UPDATE"}"#.into());
    let mut closed = context();
    closed.window = window(WindowState::HumanOnly);
    closed.account.settings.push(setting("human-agent", SettingValue::Flag(true)));
    assert_eq!(errors(&message, &closed), [NATIVE_INVALID], "the tag for people says how it is meant");
    message.sender = sender(SenderKind::Bot);
    assert_eq!(errors(&message, &closed), [WINDOW_NEEDS_HUMAN]);
}

#[test]
fn a_comment_is_answered_privately_with_exactly_one_message() {
    let answer = |parts| {
        let mut message = message(parts);
        message.private_reply_to = Some("17900000000000001".into());
        errors(&message, &context())
    };
    assert_eq!(answer(vec![text("hi")]), NONE);
    assert_eq!(answer(vec![text("hi"), text("again")]), [TOO_MANY]);
    assert_eq!(answer(vec![split_text("a ".repeat(600))]), [TOO_MANY]);
    assert_eq!(answer(vec![OutboundPart::Typing(true)]), [UNSUPPORTED_COMBINATION]);
}
