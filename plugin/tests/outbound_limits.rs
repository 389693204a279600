//! Every limit holds at its exact boundary, and a refusal says what to do.
//! What belongs here is validation; the requests themselves are in `outbound_requests.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::violation_code::*;
use common::*;
use instagram_channel::types::*;

#[test]
fn a_text_may_have_1000_bytes_and_not_one_more() {
    assert_eq!(of(text("a".repeat(1000))), NONE);
    assert_eq!(of(text("a".repeat(1001))), [TEXT_TOO_LONG]);
    assert_eq!(of(text("ж".repeat(500))), NONE);
    let violation = found(text("ж".repeat(501)), TEXT_TOO_LONG);
    assert_eq!(violation.path, "parts[0].text.text");
    assert_eq!(violation.limit, Some(Bound { max: 1000, unit: Unit::Bytes }));
    assert_eq!((violation.actual, violation.split_at), (Some(1002), Some(1000)));
    assert!(violation.message.contains("2 bytes over"), "{}", violation.message);
}

#[test]
fn an_empty_text_is_refused() {
    for empty in ["", " ", "\n\t", &" ".repeat(2000)] {
        assert_eq!(of(text(empty)), [TEXT_EMPTY]);
    }
    assert_eq!(errors(&message(vec![]), &context()), [EMPTY_MESSAGE]);
}

#[test]
fn a_long_text_is_cut_between_words_where_that_is_allowed() {
    let long = format!("{} {}", "a".repeat(600), "b".repeat(600));
    assert_eq!(found(text(long.clone()), TEXT_TOO_LONG).split_at, Some(600));
    let sent: Vec<_> =
        steps(&message(vec![split_text(long)]), &context()).into_iter().map(|step| step.text.unwrap()).collect();
    assert_eq!(sent, ["a".repeat(600), "b".repeat(600)]);
}

#[test]
fn a_cut_never_goes_through_an_emoji_or_a_letter_with_its_accents() {
    for cluster in ["👩‍👩‍👧‍👦", "🇩🇪", "e\u{301}\u{323}", "👍🏽", "각", "नि", "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}"]
    {
        for shift in 0..cluster.len() {
            let long = "x".repeat(shift) + &cluster.repeat(2000 / cluster.len());
            let sent = steps(&message(vec![split_text(long.clone())]), &context());
            let sent: Vec<_> = sent.into_iter().map(|step| step.text.unwrap()).collect();
            assert_eq!(sent.concat(), long);
            for text in sent {
                assert!(text.len() <= 1000);
                assert!(text.trim_start_matches('x').replace(cluster, "").is_empty(), "{cluster} was cut");
            }
        }
    }
}

#[test]
fn one_character_longer_than_a_message_cannot_be_split() {
    let zalgo = "e".to_string() + &"\u{301}".repeat(600);
    assert_eq!(of(split_text(zalgo)), [TEXT_TOO_LONG]);
}

#[test]
fn markup_is_flagged_because_it_is_shown_as_typed() {
    let part = |format, text: &str| OutboundPart::Text(OutboundText { text: text.into(), format, split: false });
    for (format, text, flagged) in [
        (TextFormat::Html, "<b>hi</b>", true),
        (TextFormat::Html, "hi", false),
        (TextFormat::Markdown, "**hi**", true),
        (TextFormat::Markdown, "hi", false),
        (TextFormat::Plain, "<b> **hi**", false),
    ] {
        let mut message = message(vec![part(format, text)]);
        assert_eq!(warnings(&message, &context()).contains(&MARKUP_SHOWN_AS_TYPED), flagged);
        for refusing in [FallbackPolicy::Usual, FallbackPolicy::Strict] {
            message.fallback = refusing;
            assert_eq!(errors(&message, &context()).contains(&MARKUP_SHOWN_AS_TYPED), flagged);
        }
    }
}

const MIB: u64 = 1024 * 1024;

#[test]
fn every_type_of_file_that_is_promised_is_taken_by_type_by_name_and_by_address() {
    for (kind, mime, name, max) in [
        (MediaKind::Image, "image/jpeg", "a.JPG", 8 * MIB),
        (MediaKind::Image, "image/png", "a.png", 8 * MIB),
        (MediaKind::Image, "image/gif", "a.gif", 8 * MIB),
        (MediaKind::Animation, "image/gif", "a.gif", 8 * MIB),
        (MediaKind::Video, "video/mp4", "a.mp4", 25 * MIB),
        (MediaKind::Audio, "audio/aac", "a.aac", 25 * MIB),
        (MediaKind::Audio, "audio/x-m4a", "a.m4a", 25 * MIB),
        (MediaKind::Audio, "audio/wav; rate=8000", "a.wav", 25 * MIB),
        (MediaKind::Audio, "audio/MPEG", "a.mp3", 25 * MIB),
        (MediaKind::File, "application/pdf", "a.pdf", 25 * MIB),
    ] {
        let by_mime = OutboundMedia { mime: Some(mime.into()), ..media(kind, file(max)) };
        let by_name = OutboundMedia { name: Some(name.into()), ..media(kind, file(max)) };
        let address = format!("https://example.com/dir.x/{name}?v=1.exe#a.b");
        let by_url = OutboundMedia { size: Some(max), ..media(kind, url(&address)) };
        for item in [by_mime.clone(), by_name, by_url.clone()] {
            assert_eq!(of(OutboundPart::Media(vec![item])), NONE, "{mime} {name}");
        }
        let larger = OutboundMedia { source: file(max + 1), ..by_mime };
        assert_eq!(of(OutboundPart::Media(vec![larger])), [MEDIA_TOO_LARGE]);
        let larger = OutboundMedia { size: Some(max + 1), ..by_url };
        let violation = found(OutboundPart::Media(vec![larger]), MEDIA_TOO_LARGE);
        assert_eq!(violation.limit, Some(Bound { max, unit: Unit::Bytes }));
        assert_eq!(violation.actual, Some(max + 1));
    }
}

#[test]
fn a_wrong_type_is_refused_with_what_would_be_taken() {
    for (kind, mime) in [
        (MediaKind::Image, "image/webp"),
        (MediaKind::File, "application/msword"),
        (MediaKind::Audio, "audio/ogg"),
        (MediaKind::Video, "image/png"),
    ] {
        let item = OutboundMedia { mime: Some(mime.into()), ..media(kind, url("https://example.com/a")) };
        let violation = found(OutboundPart::Media(vec![item]), UNSUPPORTED_MEDIA_TYPE);
        assert!(violation.message.contains(mime), "{}", violation.message);
        for accepted in &violation.accepted {
            assert!(violation.message.contains(accepted.as_str()));
        }
        assert!(!violation.accepted.is_empty());
    }
}

#[test]
fn where_we_promise_other_than_metas_pages_a_warning_says_so() {
    let mp3 = OutboundMedia { mime: Some("audio/mpeg".into()), ..media(MediaKind::Audio, file(10)) };
    let message_with = |item| message(vec![OutboundPart::Media(vec![item])]);
    assert_eq!(warnings(&message_with(mp3), &context()), [DOCUMENTED_OTHERWISE]);
    let mov = OutboundMedia { name: Some("a.mov".into()), ..media(MediaKind::Video, file(10)) };
    assert_eq!(errors(&message_with(mov.clone()), &context()), [UNSUPPORTED_MEDIA_TYPE]);
    assert_eq!(warnings(&message_with(mov), &context()), [DOCUMENTED_OTHERWISE]);
}

#[test]
fn what_is_not_known_about_a_file_is_a_warning_by_address_and_an_error_for_an_upload() {
    let by_url = OutboundMedia { size: None, ..media(MediaKind::Image, url("https://example.com/picture")) };
    assert_eq!(
        warnings(&message(vec![OutboundPart::Media(vec![by_url])]), &context()),
        [UNKNOWN_MEDIA_TYPE, UNKNOWN_MEDIA_SIZE]
    );
    assert_eq!(of(OutboundPart::Media(vec![media(MediaKind::Image, file(5))])), [UNKNOWN_MEDIA_TYPE]);
    let empty = OutboundMedia { name: Some("a.png".into()), ..media(MediaKind::Image, file(0)) };
    assert_eq!(of(OutboundPart::Media(vec![empty])), [INVALID_FIELD]);
}

#[test]
fn files_come_from_https_only() {
    for bad in [
        "http://example.com/a.png",
        "ftp://example.com/a.png",
        "https://",
        "https:///a.png",
        "example.com/a.png",
        "https://exa mple.com/a.png",
        "javascript:alert(1)",
        "",
    ] {
        assert_eq!(
            of(OutboundPart::Media(vec![media(MediaKind::Image, url(bad))])).first(),
            Some(&INVALID_URL),
            "{bad}"
        );
    }
    assert_eq!(of(OutboundPart::Media(vec![media(MediaKind::Image, url("HTTPS://exämple.com/a.png"))])), NONE);
}

#[test]
fn up_to_ten_images_fit_into_one_message_and_nothing_else_together() {
    let images = |n| OutboundPart::Media(vec![media(MediaKind::Image, url("https://example.com/a.png")); n]);
    assert_eq!(of(images(10)), NONE);
    assert_eq!(of(images(11)), [TOO_MANY]);
    assert_eq!(of(images(0)), [TOO_FEW]);
    let mixed = vec![
        media(MediaKind::Image, url("https://example.com/a.png")),
        media(MediaKind::Video, url("https://example.com/a.mp4")),
    ];
    assert_eq!(of(OutboundPart::Media(mixed)), [UNSUPPORTED_COMBINATION]);
}

#[test]
fn what_instagram_does_not_have_is_refused_with_a_reason() {
    let place = Location { latitude: 0.0, longitude: 0.0, name: None, address: None };
    let plain = OutboundText { text: "x".into(), format: TextFormat::Plain, split: false };
    for part in [
        OutboundPart::Location(place),
        OutboundPart::ContactCards(vec![]),
        OutboundPart::Edit(OutboundEdit { target: message_ref("m"), text: Some(plain), buttons: None }),
        OutboundPart::Delete(message_ref("m")),
        OutboundPart::Template(TemplateMessage { name: "t".into(), language: "en".into(), parameters: vec![] }),
        OutboundPart::Media(vec![media(MediaKind::Voice, file(5))]),
        OutboundPart::Media(vec![media(MediaKind::Sticker, file(5))]),
        OutboundPart::Acknowledge(Acknowledgement { token: "t".into(), notice: None }),
        OutboundPart::Choices(ChoiceList { text: "t".into(), button: None, sections: vec![] }),
    ] {
        let violation = found(part, UNSUPPORTED_FEATURE);
        assert!(violation.message.len() > 20);
    }
    assert_eq!(found(OutboundPart::Sticker("wave".into()), UNKNOWN_STICKER).accepted, ["like_heart"]);
}

#[test]
fn a_part_that_the_contract_has_no_type_for_is_refused_whatever_it_is_called() {
    for kind in ["poll", "order", "x", ""] {
        let price = Detail { key: "price".into(), label: "Price".into(), value: "EUR 5".into() };
        let part =
            OutboundPart::Other(Extra { kind: kind.into(), text: "Tea or coffee?".into(), details: vec![price] });
        assert_eq!(of(part.clone()), [UNSUPPORTED_FEATURE], "{kind}");
        assert_eq!(found(part.clone(), UNSUPPORTED_FEATURE).path, "parts[0].other");
        assert!(instagram_channel::build(&message(vec![text("hi"), part]), &context()).is_err());
    }
}

#[test]
fn everything_is_said_at_once() {
    let mut message = message(vec![
        text("a".repeat(1001)),
        OutboundPart::Sticker("x".into()),
        OutboundPart::Delete(message_ref("m")),
    ]);
    message.quick_replies = vec![quick_reply("")];
    message.native = Some("[".into());
    let mut context = context();
    context.window = window(WindowState::Closed);
    context.account.settings = vec![login("myspace")];
    let codes = errors(&message, &context);
    for code in [
        TEXT_TOO_LONG,
        UNKNOWN_STICKER,
        UNSUPPORTED_FEATURE,
        MISSING_FIELD,
        NATIVE_INVALID,
        WINDOW_CLOSED,
        INVALID_SETTINGS,
    ] {
        assert!(codes.contains(&code), "{code:?}");
    }
    let refused = instagram_channel::build(&message, &context).expect_err("errors");
    assert_eq!(refused.iter().map(|violation| violation.code.as_str()).collect::<Vec<_>>(), codes);
}

#[test]
fn settings_that_cannot_be_used_are_named_with_what_is_accepted() {
    let hello = message(vec![text("hi")]);
    let with = |settings: Vec<Setting>| {
        let mut context = context();
        context.account.settings = settings;
        validate(&hello, &context)
    };
    let text_of = |key: &str, value: &str| setting(key, SettingValue::Text(value.into()));
    for (settings, key) in [
        (vec![], "login"),
        (vec![login("x")], "login"),
        (vec![setting("login", SettingValue::Flag(true))], "login"),
        (vec![login("facebook"), text_of("page-id", "../me")], "page-id"),
        (vec![login("facebook"), text_of("api-version", "25")], "api-version"),
        (vec![login("facebook"), text_of("api-version", "v25.0/x")], "api-version"),
        (vec![login("facebook"), text_of("human-agent", "yes")], "human-agent"),
    ] {
        let found = with(settings);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code, INVALID_SETTINGS);
        assert!(found[0].path.ends_with(key) && found[0].message.contains(key));
        assert!(!found[0].accepted.is_empty());
    }
}

#[test]
fn a_recipient_is_needed_unless_a_comment_is_answered() {
    let mut context = context();
    context.contact = None;
    let mut message = message(vec![text("hi")]);
    assert_eq!(errors(&message, &context), [MISSING_FIELD]);
    message.private_reply_to = Some("17900000000000001".into());
    assert_eq!(errors(&message, &context), NONE);
}

#[test]
fn nothing_but_the_digits_of_an_id_reaches_the_wire() {
    for bad in ["me", "1 2", "12345\n", "\u{661}\u{662}\u{663}", "-1", "1\"}", "../me", &"1".repeat(33), "1_2"] {
        let mut context = context();
        context.contact = Some(bad.into());
        assert_eq!(errors(&message(vec![text("hi")]), &context), [INVALID_FIELD], "{bad}");
        assert_eq!(errors(&message(vec![OutboundPart::Typing(true)]), &context), [INVALID_FIELD], "{bad}");
        let mut answer = message(vec![text("hi")]);
        answer.private_reply_to = Some(bad.into());
        assert_eq!(errors(&answer, &common::context()), [INVALID_FIELD], "{bad}");
    }
    let react = |target: &str| {
        of(OutboundPart::Reaction(OutboundReaction {
            target: message_ref(target),
            action: ReactionAction::Removed,
            emoji: None,
            name: None,
        }))
    };
    assert_eq!(react(&"m".repeat(1024)), NONE);
    for bad in [&"m".repeat(1025), "a b", "a\u{0}", "\u{fc}"] {
        assert_eq!(react(bad), [INVALID_FIELD], "{bad}");
    }
}

#[test]
fn a_link_is_never_torn() {
    let link = |n: usize| format!("https://shop.example/{}", "x".repeat(n - 21));
    for split in [true, false] {
        for (before, behind) in [("Here: ", ""), ("Here: ", " and more"), ("\u{6587}", "\u{3002}"), ("see:", "\n")] {
            let long =
                OutboundText { text: before.to_string() + &link(1001) + behind, format: TextFormat::Plain, split };
            let violation = found(OutboundPart::Text(long), TEXT_TOO_LONG);
            assert!(violation.message.contains("link") && violation.split_at.is_none(), "{}", violation.message);
        }
    }
    for at in [1, 300, 600] {
        let long = "\u{6587}".repeat(at) + &link(900) + &"\u{6587}".repeat(500);
        let sent = steps(&message(vec![split_text(long.clone())]), &context());
        let sent: Vec<_> = sent.into_iter().map(|step| step.text.unwrap()).collect();
        assert_eq!(sent.concat(), long);
        assert_eq!(sent.iter().filter(|text| text.contains(&link(900))).count(), 1, "{sent:?}");
    }
}
