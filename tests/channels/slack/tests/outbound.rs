//! What Slack is sent, and what its answers mean.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use channel_sdk::{
    blank::{self, text},
    messaging_channel::Guest as _,
};
use serde_json::{Value, json};
use slack_channel::{Slack, types::*};

fn context(thread: Option<Thread>) -> ConversationContext {
    ConversationContext { contact: Some("U1".into()), thread, ..blank::conversation("T1", 1_795_000_000_000) }
}

fn channel() -> ConversationContext {
    context(Some(Thread { id: "C1".into(), kind: ThreadKind::Channel, title: None, parent: None }))
}

fn topic() -> ConversationContext {
    let parent = Some("C1".to_owned());
    context(Some(Thread { id: "C1:1.0002".into(), kind: ThreadKind::Topic, title: None, parent }))
}

fn message(parts: Vec<OutboundPart>) -> OutboundMessage {
    blank::reply("reply-1", parts)
}

fn file(handle: &str, size: u64) -> OutboundMedia {
    OutboundMedia {
        mime: Some("image/png".into()),
        size: Some(size),
        name: Some("the mug & more.png".into()),
        ..blank::file(MediaKind::Image, MediaSource::File(FileRef { handle: handle.into(), size }))
    }
}

fn target() -> MessageRef {
    MessageRef { id: "C1:1.0001".into(), context: None }
}

fn steps(message: OutboundMessage, context: ConversationContext) -> Vec<SendStep> {
    Slack::build_send_request(message, context).unwrap()
}

fn method(step: &SendStep) -> &str {
    step.request.url.strip_prefix("https://slack.com/api/").unwrap()
}

fn body(step: &SendStep) -> Value {
    let HttpBody::Bytes(body) = &step.request.body else { panic!() };
    serde_json::from_slice(body).unwrap()
}

#[test]
fn a_text_goes_to_its_channel_its_thread_or_its_person_with_our_mark() {
    let steps_of = |context| steps(message(vec![text("a < b & c")]), context).remove(0);
    let step = steps_of(channel());
    assert_eq!((method(&step), step.repeatable, step.echoed), ("chat.postMessage", false, true));
    assert_eq!(step.correlation.as_deref(), Some("reply-1/0"));
    let body_of = body(&step);
    assert_eq!((&body_of["channel"], &body_of["text"]), (&json!("C1"), &json!("a &lt; b &amp; c")));
    assert_eq!((&body_of["mrkdwn"], body_of.get("thread_ts")), (&json!(false), None), "as it was typed");
    assert_eq!(body_of["metadata"]["event_payload"]["correlation"], "reply-1/0");
    let in_topic = body(&steps_of(topic()));
    assert_eq!((&in_topic["channel"], &in_topic["thread_ts"]), (&json!("C1"), &json!("1.0002")));
    assert_eq!(body(&steps_of(context(None)))["channel"], "U1");
    let answer = OutboundMessage { reply_to: Some(target()), ..message(vec![text("yes")]) };
    assert_eq!(body(&steps(answer, channel())[0])["thread_ts"], "1.0001");
    let markdown = OutboundText { text: "**b**".into(), format: TextFormat::Markdown, split: false };
    assert_eq!(body(&steps(message(vec![OutboundPart::Text(markdown)]), channel())[0])["markdown_text"], "**b**");
}

#[test]
fn the_writer_s_name_and_picture_go_along() {
    let mut message = message(vec![text("hi")]);
    message.sender.name = Some("Ana".into());
    message.sender.picture_url = Some("https://example.com/ana.png".into());
    let body = body(&steps(message, channel())[0]);
    assert_eq!((&body["username"], &body["icon_url"]), (&json!("Ana"), &json!("https://example.com/ana.png")));
}

#[test]
fn files_take_three_steps_and_are_one_message() {
    let first = OutboundMedia { caption: Some("our mugs".into()), ..file("f1", 12) };
    let second = OutboundMedia { description: Some("a red mug".into()), ..file("f2", 34) };
    let steps = steps(message(vec![text("look"), OutboundPart::Media(vec![first, second])]), topic());
    let kinds: Vec<_> = steps.iter().map(|step| (step.kind, step.parts.as_slice())).collect();
    let upload = (StepKind::Upload, [1].as_slice());
    let expected =
        [(StepKind::Message, [0].as_slice()), upload, upload, upload, upload, (StepKind::Message, [1].as_slice())];
    assert_eq!(kinds, expected);
    let HttpBody::Bytes(form) = &steps[3].request.body else { panic!() };
    let form = String::from_utf8_lossy(form);
    assert_eq!(form, "length=34&filename=the%20mug%20%26%20more.png&alt_txt=a%20red%20mug");
    let kept: Vec<_> = steps[1].request.captures.iter().map(|capture| capture.pointer.as_str()).collect();
    assert_eq!(kept, ["/upload_url", "/file_id"]);
    let bytes = &steps[4].request;
    assert_eq!(bytes.body, HttpBody::File(FileRef { handle: "f2".into(), size: 34 }));
    let [Fill { source: FillSource::Captured(address), place: FillPlace::Url }] = bytes.fills.as_slice() else {
        panic!("the address is all the credential that there is: {:?}", bytes.fills)
    };
    assert_eq!(steps[3].request.captures[0].target, CaptureTarget::Value(address.clone()));
    let last = &steps[5];
    assert_eq!((method(last), last.correlation.as_deref()), ("files.completeUploadExternal", None));
    let places: Vec<_> = last.request.fills.iter().skip(1).map(|fill| &fill.place).collect();
    assert_eq!(places, [&FillPlace::Json("/files/0/id".into()), &FillPlace::Json("/files/1/id".into())]);
    let body = body(last);
    assert_eq!((&body["channel_id"], &body["thread_ts"]), (&json!("C1"), &json!("1.0002")));
    assert_eq!((&body["initial_comment"], &body["files"][1]["id"]), (&json!("our mugs"), &json!("")));
}

#[test]
fn what_is_there_is_changed_taken_back_and_reacted_to_by_channel_and_time() {
    let reaction = |emoji: Option<&str>, name: Option<&str>, action| {
        let [emoji, name] = [emoji, name].map(|text| text.map(str::to_owned));
        OutboundPart::Reaction(OutboundReaction { target: target(), action, emoji, name })
    };
    let better = OutboundText { text: "better".into(), format: TextFormat::Plain, split: false };
    let edit = OutboundEdit { target: target(), text: Some(better), buttons: Some(Vec::new()) };
    let parts = vec![
        reaction(Some("❤"), None, ReactionAction::Added),
        reaction(None, Some("party_parrot"), ReactionAction::Removed),
        OutboundPart::Edit(edit),
        OutboundPart::Delete(target()),
    ];
    let steps = steps(message(parts), channel());
    let methods: Vec<_> = steps.iter().map(method).collect();
    assert_eq!(methods, ["reactions.add", "reactions.remove", "chat.update", "chat.delete"]);
    assert!(steps.iter().all(|step| step.repeatable && step.kind != StepKind::Message));
    let expected = json!({ "channel": "C1", "timestamp": "1.0001", "name": "heart" });
    assert_eq!(body(&steps[0]), expected);
    assert_eq!((&body(&steps[2])["ts"], &body(&steps[2])["blocks"]), (&json!("1.0001"), &json!([])));
    assert_eq!(body(&steps[3]), json!({ "channel": "C1", "ts": "1.0001" }));
    let odd = message(vec![reaction(Some("🦜"), None, ReactionAction::Added)]);
    let refused = Slack::build_send_request(odd, channel()).unwrap_err();
    assert_eq!(refused[0].code, "unknown_reaction");
}

#[test]
fn a_tap_is_answered_at_the_address_that_came_with_it_and_without_the_token() {
    let tap = |token: &str, notice: Option<&str>| {
        OutboundPart::Acknowledge(Acknowledgement { token: token.into(), notice: notice.map(str::to_owned) })
    };
    let address = "https://hooks.slack.com/actions/T1/1/abc";
    let steps = steps(message(vec![tap(address, Some("noted"))]), channel());
    assert_eq!((steps[0].request.url.as_str(), steps[0].request.fills.len()), (address, 0));
    for wrong in [tap("https://evil.example/actions/", Some("noted")), tap(address, None)] {
        assert!(Slack::build_send_request(message(vec![wrong]), channel()).is_err());
    }
}

#[test]
fn everything_that_stands_in_the_way_is_said_at_once() {
    let long = ButtonMessage {
        text: "x".repeat(3_001),
        header: None,
        footer: None,
        buttons: vec![Button { title: "y".repeat(76), action: ButtonAction::Call("+1".into()) }],
    };
    let address = OutboundMedia { source: MediaSource::Url("https://example.com/a.png".into()), ..file("f", 1) };
    let html = OutboundText { text: "<b>".into(), format: TextFormat::Html, split: false };
    let parts = vec![
        OutboundPart::Buttons(long),
        OutboundPart::Media(vec![address, file("f", 101 << 20)]),
        OutboundPart::Text(html),
        OutboundPart::Sticker("1".into()),
        OutboundPart::Delete(MessageRef { id: "no time".into(), context: None }),
    ];
    let found = Slack::validate_outbound(message(parts), channel()).violations;
    let found: Vec<_> = found.iter().map(|found| (found.path.as_str(), found.code.as_str())).collect();
    assert_eq!(
        found,
        [
            ("parts[0].buttons.text", "text_too_long"),
            ("parts[0].buttons.buttons[0].title", "title_too_long"),
            ("parts[0].buttons.buttons[0].action", "unsupported_feature"),
            ("parts[1].media[0].source", "unsupported_feature"),
            ("parts[1].media[1]", "media_too_large"),
            ("parts[2].text.format", "unsupported_feature"),
            ("parts[3]", "unsupported_feature"),
            ("parts[4].delete", "invalid_field"),
        ]
    );
}

fn read(step: &SendStep, status: u16, headers: &[(&str, &str)], body: &str) -> SendOutcome {
    let headers = headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() });
    let response = HttpResponse { status, headers: headers.collect(), body: body.as_bytes().to_vec() };
    Slack::parse_send_response(SentStep::from(step), response)
}

#[test]
fn an_answer_names_the_message_and_where_it_stands() {
    let post = steps(message(vec![text("hi")]), context(None)).remove(0);
    let answer = json!({ "ok": true, "channel": "D9", "ts": "1.0005", "message": { "text": "hi" } }).to_string();
    let SendResult::Sent(receipt) = read(&post, 200, &[], &answer).verdict else { panic!() };
    assert_eq!((receipt.messages[0].part, receipt.messages[0].message.id.as_str()), (0, "D9:1.0005"));
    let thread = receipt.thread.unwrap();
    assert_eq!((thread.id.as_str(), thread.kind), ("D9", ThreadKind::Direct), "the conversation that it began");
    let steps = steps(message(vec![OutboundPart::Media(vec![file("f", 1)])]), channel());
    let SendResult::Sent(_) = read(&steps[1], 200, &[], "OK - 1").verdict else { panic!() };
    let shared = json!({ "ok": true, "files": [{ "id": "F1", "title": "mug" }] }).to_string();
    let SendResult::Sent(receipt) = read(&steps[2], 200, &[], &shared).verdict else { panic!() };
    assert_eq!((receipt.messages.len(), receipt.correlation.as_deref()), (0, Some("F1")));
}

#[test]
fn an_error_that_comes_with_200_is_an_error() {
    let post = steps(message(vec![text("hi")]), channel()).remove(0);
    let verdict = |error: &str| {
        let outcome = read(&post, 200, &[], &json!({ "ok": false, "error": error }).to_string());
        (outcome.verdict.clone(), outcome.pause)
    };
    let category = |error: &str| match verdict(error).0 {
        SendResult::Rejected(failure) | SendResult::Unauthorized(failure) => (failure.category, failure.code),
        other => panic!("{error}: {other:?}"),
    };
    assert_eq!(category("invalid_auth"), (FailureCategory::AuthExpired, Some("invalid_auth".into())));
    assert_eq!(category("channel_not_found").0, FailureCategory::RecipientUnavailable);
    assert_eq!(category("msg_too_long").0, FailureCategory::ContentInvalid);
    assert_eq!(category("something_new"), (FailureCategory::Other, Some("something_new".into())));
    assert!(matches!(verdict("fatal_error").0, SendResult::Ambiguous(_)), "some of it may have been done");
    let limited = read(&post, 429, &[("retry-after", "7")], r#"{"ok":false,"error":"ratelimited"}"#);
    assert_eq!(limited.pause.unwrap().duration, 7_000);
    let SendResult::RateLimited(failure) = limited.verdict else { panic!() };
    assert_eq!(failure.retry_after, Some(7_000));
    let scope = r#"{"ok":false,"error":"missing_scope","needed":"chat:write"}"#;
    let SendResult::Rejected(failure) = read(&post, 200, &[], scope).verdict else { panic!() };
    assert_eq!(failure.category, FailureCategory::PermissionMissing);
    assert!(failure.fix.unwrap().contains("chat:write"));
    assert!(matches!(read(&post, 200, &[], "<html>").verdict, SendResult::Ambiguous(_)));
    assert!(matches!(read(&post, 503, &[], "").verdict, SendResult::Ambiguous(_)));
}

#[test]
fn what_is_asked_for_twice_is_as_it_was_asked_for() {
    let reaction =
        OutboundReaction { target: target(), action: ReactionAction::Added, emoji: Some("👍".into()), name: None };
    let step = steps(message(vec![OutboundPart::Reaction(reaction)]), channel()).remove(0);
    assert!(matches!(read(&step, 200, &[], r#"{"ok":false,"error":"already_reacted"}"#).verdict, SendResult::Sent(_)));
    assert!(matches!(read(&step, 500, &[], "").verdict, SendResult::Transient(_)));
}
