//! What LINE is sent, and what its answers mean.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use channel_sdk::{
    blank::{self, text},
    messaging_channel::Guest as _,
};
use line_channel::{Line, types::*};
use serde_json::{Value, json};

const NOW: u64 = 1_795_000_000_000;

fn context(reply_context: Option<&str>) -> ConversationContext {
    ConversationContext {
        contact: Some("Ucustomer".into()),
        reply_context: reply_context.map(|text| text.as_bytes().to_vec()),
        ..blank::conversation("Ubot", NOW)
    }
}

/// A conversation whose newest event came so long ago, in milliseconds.
fn after(age: u64) -> ConversationContext {
    context(Some(&json!({ "token": "r1", "at": NOW - age }).to_string()))
}

fn message(parts: Vec<OutboundPart>) -> OutboundMessage {
    blank::reply("reply-1", parts)
}

fn file(kind: MediaKind) -> OutboundMedia {
    blank::file(kind, MediaSource::Url("https://shop.example.com/mug.jpg".into()))
}

fn image() -> OutboundPart {
    OutboundPart::Media(vec![file(MediaKind::Image)])
}

fn steps(message: OutboundMessage, context: ConversationContext) -> Vec<SendStep> {
    Line::build_send_request(message, context).unwrap()
}

fn method(step: &SendStep) -> &str {
    step.request.url.strip_prefix("https://api.line.me/v2/bot/message/").unwrap()
}

fn body(step: &SendStep) -> Value {
    let HttpBody::Bytes(body) = &step.request.body else { panic!() };
    serde_json::from_slice(body).unwrap()
}

fn key(step: &SendStep) -> Option<&str> {
    let key = step.request.headers.iter().find(|header| header.name == "x-line-retry-key");
    key.map(|header| header.value.as_str())
}

#[test]
fn three_parts_are_one_request_that_answers_by_the_token() {
    let steps = steps(message(vec![text("look"), image(), text("nice?")]), after(1_000));
    assert_eq!(steps.len(), 1);
    assert_eq!((method(&steps[0]), steps[0].parts.as_slice()), ("reply", [0, 1, 2].as_slice()));
    assert_eq!((steps[0].repeatable, key(&steps[0]), steps[0].text.as_deref()), (false, None, None));
    let body = body(&steps[0]);
    assert_eq!(body["replyToken"], "r1");
    let kinds: Vec<_> = body["messages"].as_array().unwrap().iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, ["text", "image", "text"]);
    assert_eq!(body["messages"][1]["previewImageUrl"], "https://shop.example.com/mug.jpg");
}

#[test]
fn a_token_that_is_old_or_was_used_is_left_alone_and_the_message_is_pushed() {
    for context in [after(60_000), context(None), context(Some("")), context(Some("{}"))] {
        let steps = steps(message(vec![text("hi")]), context);
        assert_eq!((method(&steps[0]), steps[0].repeatable), ("push", true));
        assert_eq!(body(&steps[0])["to"], "Ucustomer");
    }
    let group = Thread { id: "C1".into(), kind: ThreadKind::Group, title: None, parent: None };
    let steps = steps(message(vec![text("hi")]), ConversationContext { thread: Some(group), ..after(60_000) });
    assert_eq!(body(&steps[0])["to"], "C1", "whoever wrote last");
}

#[test]
fn more_than_five_parts_are_several_requests_and_only_the_first_has_the_token() {
    let parts = (0..12).map(|number| text(&number.to_string())).collect();
    let steps = steps(message(parts), after(1));
    let methods: Vec<_> = steps.iter().map(method).collect();
    assert_eq!(methods, ["reply", "push", "push"]);
    assert_eq!(steps[1].parts, [5, 6, 7, 8, 9]);
    assert_eq!(steps[2].parts, [10, 11]);
    let keys: Vec<_> = steps.iter().filter_map(key).collect();
    assert_ne!(keys[0], keys[1], "each push is one of its own");
    for key in keys {
        let lengths: Vec<_> = key.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{key}");
        assert!(key.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{key}");
    }
}

#[test]
fn a_push_keeps_its_key_at_every_attempt_and_no_other_message_has_it() {
    let first = steps(message(vec![text("hi")]), context(None));
    let again = steps(message(vec![text("hi")]), after(70_000));
    assert_eq!(key(&first[0]), key(&again[0]));
    let other = OutboundMessage { id: "reply-2".into(), ..message(vec![text("hi")]) };
    assert_ne!(key(&first[0]), key(&steps(other, context(None))[0]));
}

#[test]
fn a_part_that_is_several_messages_shares_its_requests_with_the_others() {
    let album = OutboundPart::Media(vec![file(MediaKind::Image), file(MediaKind::Image)]);
    let long = OutboundText { text: "word ".repeat(2_500), format: TextFormat::Plain, split: true };
    let steps = steps(message(vec![text("a"), album, OutboundPart::Text(long), text("b")]), after(1));
    let shapes: Vec<_> = steps
        .iter()
        .map(|step| (method(step), step.parts.as_slice(), body(step)["messages"].as_array().unwrap().len()))
        .collect();
    assert_eq!(shapes, [("reply", [0, 1, 2].as_slice(), 5), ("push", [2, 3].as_slice(), 2)]);
    let answer = json!({ "sentMessages": (1..=5).map(|id| json!({ "id": id.to_string() })).collect::<Vec<_>>() });
    let response = HttpResponse { status: 200, headers: Vec::new(), body: answer.to_string().into_bytes() };
    let outcome = Line::parse_send_response(SentStep::from(&steps[0]), response);
    let SendResult::Sent(receipt) = outcome.verdict else { panic!() };
    assert_eq!(receipt.messages.iter().map(|sent| sent.part).collect::<Vec<_>>(), [0, 1, 1, 2, 2]);
}

#[test]
fn a_quote_names_the_message_by_the_token_that_came_with_it() {
    let target = |context: Option<&[u8]>| MessageRef { id: "444".into(), context: context.map(<[u8]>::to_vec) };
    let quoting = |context| OutboundMessage { reply_to: Some(target(context)), ..message(vec![image(), text("yes")]) };
    let steps = steps(quoting(Some(br#"{"quote":"q1"}"#)), after(1));
    let messages = &body(&steps[0])["messages"];
    assert_eq!(messages[1]["quoteToken"], "q1", "only a text can quote");
    assert!(messages[0].get("quoteToken").is_none());
    let refused = Line::build_send_request(quoting(None), after(1)).unwrap_err();
    assert_eq!((refused[0].path.as_str(), refused[0].code.as_str()), ("reply_to", "unsupported_feature"));
    let allowed = OutboundMessage { fallback: FallbackPolicy::Allow, ..quoting(None) };
    assert_eq!(Line::validate_outbound(allowed, after(1)).degradations[0].path, "reply_to");
}

#[test]
fn buttons_quick_replies_and_the_writer_stand_where_line_wants_them() {
    let button = |title: &str, action| Button { title: title.into(), action };
    let ask = Question { what: "date_time".into(), payload: Some("when".into()) };
    let buttons = ButtonMessage {
        text: "Which one?".into(),
        header: None,
        footer: None,
        buttons: vec![
            button("Red", ButtonAction::Postback("red".into())),
            button("When", ButtonAction::Ask(ask)),
            button("Site", ButtonAction::Url("https://shop.example.com".into())),
        ],
    };
    let offered = QuickReply { title: "Yes".into(), action: ButtonAction::Postback("y".into()), image_url: None };
    let mut message = message(vec![text("hi"), OutboundPart::Buttons(buttons)]);
    message.quick_replies = vec![offered];
    message.sender.name = Some("Ana".into());
    let messages = body(&steps(message, after(1))[0])["messages"].clone();
    let actions = &messages[1]["template"]["actions"];
    assert_eq!((&actions[0]["data"], &actions[1]["mode"]), (&json!("red"), &json!("datetime")));
    assert_eq!(messages[1]["quickReply"]["items"][0]["action"]["data"], "y", "under the last one");
    assert!(messages[0].get("quickReply").is_none());
    assert_eq!((&messages[0]["sender"]["name"], &messages[1]["sender"]["name"]), (&json!("Ana"), &json!("Ana")));
}

#[test]
fn everything_that_stands_in_the_way_is_said_at_once() {
    let file_of_ours =
        OutboundMedia { source: MediaSource::File(FileRef { handle: "f".into(), size: 1 }), ..file(MediaKind::Image) };
    let parts = vec![
        text(&"x".repeat(5_001)),
        OutboundPart::Media(vec![file_of_ours, file(MediaKind::Video), file(MediaKind::Audio), file(MediaKind::File)]),
        OutboundPart::Sticker("1988".into()),
        OutboundPart::Typing(true),
    ];
    let found = Line::validate_outbound(message(parts), context(None)).violations;
    let found: Vec<_> = found.iter().map(|found| (found.path.as_str(), found.code.as_str())).collect();
    assert_eq!(
        found,
        [
            ("parts[0].text.text", "text_too_long"),
            ("parts[1].media[0].source", "unsupported_feature"),
            ("parts[1].media[1].preview", "missing_field"),
            ("parts[1].media[2].duration", "missing_field"),
            ("parts[1].media[3].kind", "unsupported_media_type"),
            ("parts[2].sticker", "unknown_sticker"),
            ("parts[3]", "unsupported_feature"),
        ]
    );
}

#[test]
fn who_never_wrote_is_written_to_only_by_who_wants_to_try() {
    let mut unopened = context(None);
    unopened.window.state = WindowState::NeverOpened;
    let refused = Line::build_send_request(message(vec![text("hi")]), unopened.clone()).unwrap_err();
    assert_eq!((refused[0].code.as_str(), refused[0].path.as_str()), ("window_never_opened", "context.window"));
    let anyway = OutboundMessage { try_anyway: true, ..message(vec![text("hi")]) };
    assert_eq!(Line::validate_outbound(anyway.clone(), unopened.clone()).violations[0].severity, Severity::Warning);
    assert_eq!(steps(anyway, unopened).len(), 1);
}

fn sent(method: &str, parts: &[u32]) -> SentStep {
    SentStep {
        parts: parts.to_vec(),
        kind: StepKind::Message,
        repeatable: method == "push",
        correlation: None,
        context: Some(json!({ "parts": parts }).to_string().into_bytes()),
        method: HttpMethod::Post,
        url: format!("https://api.line.me/v2/bot/message/{method}"),
        captured: Vec::new(),
    }
}

fn read(method: &str, parts: &[u32], status: u16, body: Value) -> SendOutcome {
    let headers = vec![Header { name: "x-line-request-id".into(), value: "trace".into() }];
    let response = HttpResponse { status, headers, body: body.to_string().into_bytes() };
    Line::parse_send_response(sent(method, parts), response)
}

#[test]
fn every_part_has_its_own_message_and_the_token_is_spent() {
    let answer = json!({ "sentMessages": [
        { "id": "1", "quoteToken": "q1" }, { "id": "2" }, { "id": "3", "quoteToken": "q3" },
    ]});
    let outcome = read("reply", &[0, 1, 4], 200, answer.clone());
    assert_eq!(outcome.reply_context, Some(Vec::new()));
    let SendResult::Sent(receipt) = outcome.verdict else { panic!() };
    let messages: Vec<_> = receipt.messages.iter().map(|sent| (sent.part, sent.message.id.as_str())).collect();
    assert_eq!(messages, [(0, "1"), (1, "2"), (4, "3")]);
    assert_eq!(receipt.messages[2].message.context.as_deref(), Some(br#"{"quote":"q3"}"#.as_slice()));
    assert_eq!(receipt.messages[1].message.context, None);
    assert_eq!(read("push", &[0, 1, 4], 200, answer).reply_context, None, "a token that came meanwhile stays");
}

#[test]
fn a_token_that_line_does_not_take_is_rendered_again_without_it() {
    let outcome = read("reply", &[0, 1], 400, json!({ "message": "Invalid reply token" }));
    assert!(matches!(outcome.verdict, SendResult::Rebuild(_)), "{outcome:?}");
    assert_eq!(outcome.reply_context, Some(Vec::new()));
    let details = json!({ "message": "The request body has 1 error(s)",
        "details": [{ "message": "May not be empty", "property": "messages[0].text" }] });
    let outcome = read("reply", &[0], 400, details);
    let SendResult::Rejected(failure) = outcome.verdict else { panic!() };
    assert!(failure.message.contains("messages[0].text"), "{}", failure.message);
    assert_eq!((outcome.reply_context, failure.trace_id.as_deref()), (None, Some("trace")));
}

#[test]
fn a_push_that_was_taken_before_is_sent_and_other_statuses_mean_what_they_mean() {
    let before = json!({ "message": "The retry key is already accepted", "sentMessages": [{ "id": "1" }] });
    let SendResult::Sent(receipt) = read("push", &[0], 409, before).verdict else { panic!() };
    assert_eq!(receipt.messages[0].message.id, "1");
    let verdict = |method: &str, status| read(method, &[0], status, json!({ "message": "no" })).verdict;
    assert!(matches!(verdict("push", 401), SendResult::Unauthorized(_)));
    assert!(matches!(verdict("push", 400), SendResult::Rejected(_)));
    assert!(matches!(verdict("push", 429), SendResult::RateLimited(_)));
    assert!(matches!(verdict("push", 500), SendResult::Transient(_)), "its key makes it harmless");
    assert!(matches!(verdict("reply", 500), SendResult::Ambiguous(_)));
}
