//! Every message becomes the requests that Meta's pages print, byte for byte.
//! What belongs here is rendering; refusals are in `outbound_limits.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::{feature, violation_code};
use common::*;
use instagram_channel::types::*;

const TO: &str = r#"{"recipient":{"id":"6512345678901234"},"#;

/// The body of a message with one part, without what surrounds `message`.
fn content(part: OutboundPart) -> String {
    let body = only_body(&message(vec![part]), &facebook());
    let start = format!(r#"{TO}"messaging_type":"RESPONSE","message":{{"#);
    let inner = body.strip_prefix(&start).expect("the frame");
    inner.strip_suffix(r#","metadata":"outbox-42"}}"#).expect("the metadata").to_string()
}

#[test]
fn a_text_becomes_the_documented_body() {
    assert_eq!(
        only_body(&message(vec![text("a \"b\"\n")]), &context()),
        r#"{"recipient":{"id":"6512345678901234"},"messaging_type":"RESPONSE","message":{"text":"a \"b\"\n","metadata":"outbox-42"}}"#
    );
}

#[test]
fn each_kind_of_part_becomes_the_documented_body() {
    let item = |kind, source| OutboundPart::Media(vec![media(kind, source)]);
    let handle = || MediaSource::Handle("900".into());
    let full = Card {
        title: "One".into(),
        subtitle: Some("first".into()),
        image_url: Some("https://example.com/1.jpg".into()),
        url: Some("https://example.com".into()),
        buttons: vec![
            button("Buy"),
            Button { title: "See".into(), action: ButtonAction::Url("https://example.com/1".into()) },
        ],
    };
    let question = ButtonMessage { text: "Which?".into(), header: None, footer: None, buttons: vec![button("A")] };
    for (part, expected) in [
        (
            item(MediaKind::Image, url("https://e.com/a.png")),
            r#""attachment":{"type":"image","payload":{"url":"https://e.com/a.png"}}"#,
        ),
        (
            item(MediaKind::Animation, url("https://e.com/a.gif")),
            r#""attachment":{"type":"image","payload":{"url":"https://e.com/a.gif"}}"#,
        ),
        (item(MediaKind::Video, handle()), r#""attachment":{"type":"video","payload":{"attachment_id":"900"}}"#),
        (item(MediaKind::Audio, handle()), r#""attachment":{"type":"audio","payload":{"attachment_id":"900"}}"#),
        (item(MediaKind::File, handle()), r#""attachment":{"type":"file","payload":{"attachment_id":"900"}}"#),
        (
            OutboundPart::Media(vec![
                media(MediaKind::Image, url("https://e.com/a.png")),
                media(MediaKind::Image, handle()),
            ]),
            r#""attachments":[{"type":"image","payload":{"url":"https://e.com/a.png"}},{"type":"image","payload":{"attachment_id":"900"}}]"#,
        ),
        (OutboundPart::Sticker("like_heart".into()), r#""attachment":{"type":"like_heart"}"#),
        (OutboundPart::Share("1800".into()), r#""attachment":{"type":"MEDIA_SHARE","payload":{"id":"1800"}}"#),
        (
            OutboundPart::Cards(vec![full]),
            r#""attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"One","subtitle":"first","image_url":"https://example.com/1.jpg","default_action":{"type":"web_url","url":"https://example.com"},"buttons":[{"type":"postback","title":"Buy","payload":"P"},{"type":"web_url","url":"https://example.com/1","title":"See"}]}]}}"#,
        ),
        (
            OutboundPart::Buttons(question),
            r#""attachment":{"type":"template","payload":{"template_type":"button","text":"Which?","buttons":[{"type":"postback","title":"A","payload":"P"}]}}"#,
        ),
        (
            OutboundPart::Products(vec!["1".into(), "2".into()]),
            r#""attachment":{"type":"template","payload":{"template_type":"product","elements":[{"id":"1"},{"id":"2"}]}}"#,
        ),
    ] {
        assert_eq!(content(part), expected);
    }
}

#[test]
fn a_signal_has_nothing_else_in_its_body() {
    let react = |action, emoji: Option<&str>| {
        OutboundPart::Reaction(OutboundReaction {
            target: message_ref("m"),
            action,
            emoji: emoji.map(String::from),
            name: None,
        })
    };
    for (part, expected) in [
        (OutboundPart::Typing(true), r#""sender_action":"typing_on"}"#),
        (OutboundPart::Typing(false), r#""sender_action":"typing_off"}"#),
        (OutboundPart::MarkSeen(None), r#""sender_action":"mark_seen"}"#),
        (
            react(ReactionAction::Added, Some("❤️")),
            r#""sender_action":"react","payload":{"message_id":"m","reaction":"love"}}"#,
        ),
        (
            react(ReactionAction::Added, Some("👍")),
            r#""sender_action":"react","payload":{"message_id":"m","reaction":"👍"}}"#,
        ),
        (react(ReactionAction::Removed, None), r#""sender_action":"unreact","payload":{"message_id":"m"}}"#),
    ] {
        let steps = steps(&message(vec![part]), &context());
        assert_eq!(body(&steps[0]), format!("{TO}{expected}"));
        assert_eq!((steps[0].kind, steps[0].rate_class.as_str()), (StepKind::Action, "action"));
        assert!(steps[0].repeatable && !steps[0].echoed && steps[0].correlation.is_none());
    }
}

#[test]
fn quick_replies_hang_under_the_last_message_and_reply_to_stands_on_the_first() {
    let mut message = message(vec![text("one"), text("two")]);
    message.quick_replies = vec![quick_reply("Yes")];
    message.reply_to = Some(message_ref("mid1"));
    let steps = steps(&message, &context());
    assert!(body(&steps[0]).ends_with(r#","metadata":"outbox-42"},"reply_to":{"mid":"mid1"}}"#));
    assert!(body(&steps[1]).contains(
        r#""text":"two","quick_replies":[{"content_type":"text","title":"Yes","payload":"P"}],"metadata":"outbox-42#1""#
    ));
}

#[test]
fn a_heart_cannot_quote_a_message() {
    let mut message = message(vec![OutboundPart::Sticker("like_heart".into())]);
    message.reply_to = Some(message_ref("mid1"));
    let verdict = instagram_channel::validate(&message, &context());
    assert_eq!(verdict.degradations[0].feature, feature::REPLY_TO);
    assert!(!only_body(&message, &context()).contains("reply_to"));
    message.fallback = FallbackPolicy::Strict;
    assert_eq!(errors(&message, &context()), [violation_code::UNSUPPORTED_FEATURE]);
}

#[test]
fn every_message_step_carries_its_own_correlation() {
    let steps = steps(&message(vec![text("a"), OutboundPart::Typing(true), text("b"), text("c")]), &context());
    let correlations: Vec<_> = steps.iter().map(|step| step.correlation.as_deref()).collect();
    assert_eq!(correlations, [Some("outbox-42"), None, Some("outbox-42#1"), Some("outbox-42#2")]);
    assert_eq!(steps.iter().map(|step| step.parts.as_slice()).collect::<Vec<_>>(), [[0], [1], [2], [3]]);
    let mut long = message(vec![text("a")]);
    long.id = "x".repeat(1001);
    assert!(!only_body(&long, &context()).contains("metadata"));
}

#[test]
fn both_logins_have_their_host_their_node_and_their_credential() {
    let hello = message(vec![text("hi")]);
    let request = |context: &ConversationContext| steps(&hello, context).remove(0).request;
    let direct = request(&context());
    assert_eq!(direct.url, "https://graph.instagram.com/v25.0/17841400000000001/messages");
    let slot =
        |name: &str| Fill { source: FillSource::Slot(name.into()), place: FillPlace::Authorization("Bearer".into()) };
    assert_eq!(direct.fills, [slot("instagram-token")]);
    assert_eq!(direct.headers, [Header { name: "content-type".into(), value: "application/json".into() }]);
    let mut page = facebook();
    page.account.settings.push(setting("api-version", SettingValue::Text("v26.0".into())));
    page.account.settings.push(setting("appsecret-proof", SettingValue::Flag(true)));
    let over_page = request(&page);
    assert_eq!(over_page.url, "https://graph.facebook.com/v26.0/102030405060708/messages");
    let hmac = Derivation {
        scheme: "hmac-sha256-hex".into(),
        slots: vec!["app-secret".into(), "page-token".into()],
        parameters: Vec::new(),
    };
    let proof = Fill { source: FillSource::Derived(hmac), place: FillPlace::Query("appsecret_proof".into()) };
    assert_eq!(over_page.fills, [slot("page-token"), proof]);
    page.account.settings = vec![login("facebook")];
    assert_eq!(request(&page).url, "https://graph.facebook.com/v25.0/me/messages");
}

#[test]
fn a_file_of_the_hosts_is_uploaded_first_and_its_id_put_into_the_message() {
    let image = |name: &str| OutboundMedia { name: Some(name.into()), ..media(MediaKind::Image, file(5)) };
    let steps = steps(&message(vec![OutboundPart::Media(vec![image("a.png")])]), &facebook());
    assert_eq!(steps.len(), 2);
    let upload = &steps[0];
    assert_eq!((upload.kind, upload.rate_class.as_str(), upload.repeatable), (StepKind::Upload, "upload", true));
    assert_eq!(upload.request.url, "https://graph.facebook.com/v25.0/102030405060708/message_attachments");
    let HttpBody::Multipart(fields) = &upload.request.body else { panic!() };
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["platform", "message", "filedata"]);
    assert_eq!(
        fields[1].value,
        FieldValue::Text(r#"{"attachment":{"type":"image","payload":{"is_reusable":true}}}"#.into())
    );
    assert_eq!(fields[2].file_name.as_deref(), Some("a.png"));
    assert_eq!(fields[2].content_type.as_deref(), Some("image/png"));
    assert_eq!(
        upload.request.captures,
        [Capture {
            pointer: "/attachment_id".into(),
            target: CaptureTarget::Value("attachment-0-0".into()),
            key: None
        }]
    );
    let fill = |name: &str, pointer: &str| Fill {
        source: FillSource::Captured(name.into()),
        place: FillPlace::Json(pointer.into()),
    };
    assert_eq!(steps[1].request.fills[1], fill("attachment-0-0", "/message/attachment/payload/attachment_id"));
    assert!(body(&steps[1]).contains(r#""payload":{"attachment_id":""}"#));

    let album = vec![media(MediaKind::Image, url("https://e.com/a.png")), image("b.png"), image("c.png")];
    let steps = common::steps(&message(vec![text("look"), OutboundPart::Media(album)]), &context());
    assert_eq!(steps.len(), 4);
    let HttpBody::Multipart(fields) = &steps[1].request.body else { panic!() };
    assert_eq!(fields[0].name, "message", "no platform on Instagram's own login");
    assert_eq!(
        steps[3].request.fills[1..],
        [
            fill("attachment-1-1", "/message/attachments/1/payload/attachment_id"),
            fill("attachment-1-2", "/message/attachments/2/payload/attachment_id"),
        ]
    );
}

#[test]
fn a_file_name_that_meta_refuses_is_replaced_and_the_agent_told() {
    let pdf = OutboundMedia { name: Some("Überblick.pdf".into()), ..media(MediaKind::File, file(5)) };
    let message = message(vec![OutboundPart::Media(vec![pdf])]);
    assert_eq!(warnings(&message, &context()), [violation_code::INVALID_FIELD]);
    let HttpBody::Multipart(fields) = &steps(&message, &context())[0].request.body else { panic!() };
    assert_eq!(fields.last().unwrap().file_name.as_deref(), Some("attachment.pdf"));
}

#[test]
fn a_caption_is_sent_as_a_text_and_reported() {
    let image =
        OutboundMedia { caption: Some("our shop".into()), ..media(MediaKind::Image, url("https://e.com/a.png")) };
    let mut message = message(vec![OutboundPart::Media(vec![image])]);
    let steps = steps(&message, &context());
    assert_eq!(steps[1].text.as_deref(), Some("our shop"));
    assert_eq!((steps[0].degradations.len(), steps[1].degradations.len()), (0, 1));
    message.fallback = FallbackPolicy::Strict;
    assert_eq!(errors(&message, &context()), [violation_code::UNSUPPORTED_FEATURE]);
}

#[test]
fn a_private_reply_names_the_comment_and_has_its_own_pace() {
    let mut message = message(vec![text("hi")]);
    message.private_reply_to = Some("17900000000000001".into());
    let steps = steps(&message, &context());
    assert_eq!(
        body(&steps[0]),
        r#"{"recipient":{"comment_id":"17900000000000001"},"message":{"text":"hi","metadata":"outbox-42"}}"#
    );
    assert_eq!(steps[0].rate_class, "private-reply");
}

#[test]
fn native_is_merged_into_the_last_message_by_rfc_7396() {
    let image = OutboundPart::Media(vec![media(MediaKind::Image, url("https://example.com/a.png"))]);
    let mut message = message(vec![text("one"), image, OutboundPart::Typing(false)]);
    message.native =
        Some(r#"{"messaging_type":"UPDATE","message":{"attachment":{"payload":{"is_reusable":true}}}}"#.into());
    let steps = steps(&message, &context());
    assert!(!body(&steps[0]).contains("UPDATE"));
    assert_eq!(
        body(&steps[1]),
        r#"{"recipient":{"id":"6512345678901234"},"messaging_type":"UPDATE","message":{"metadata":"outbox-42#1","attachment":{"type":"image","payload":{"url":"https://example.com/a.png","is_reusable":true}}}}"#
    );
    assert!(!body(&steps[2]).contains("UPDATE"));
}

#[test]
fn the_footer_of_buttons_becomes_the_last_line_and_the_header_is_left_out() {
    let part = ButtonMessage {
        text: "Which?".into(),
        header: Some(media(MediaKind::Image, url("https://e.com/a.png"))),
        footer: Some("until Friday".into()),
        buttons: vec![button("A")],
    };
    let message = message(vec![OutboundPart::Buttons(part)]);
    assert!(only_body(&message, &context()).contains(r#""text":"Which?\nuntil Friday""#));
    assert_eq!(instagram_channel::validate(&message, &context()).degradations.len(), 3);
}
