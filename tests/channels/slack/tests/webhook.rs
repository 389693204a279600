//! What Slack sends, as the contract says it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use channel_sdk::{files, messaging_channel::Guest as _};
use serde_json::{Value, json};
use slack_channel::{Slack, types::*};

fn parse(content_type: &str, body: String) -> Result<Vec<Event>, ParseError> {
    Slack::parse_webhook(Delivery {
        source: DeliverySource::Webhook,
        body: body.into_bytes(),
        headers: vec![Header { name: "content-type".into(), value: content_type.into() }],
        query: String::new(),
        received_at: 1_795_000_000_900,
        account: None,
    })
}

fn events(event: Value) -> Vec<Event> {
    let envelope = json!({ "type": "event_callback", "token": "t", "team_id": "T1", "api_app_id": "A1",
        "event_id": "Ev1", "event_time": 1_795_000_000, "event": event });
    parse("application/json", envelope.to_string()).unwrap()
}

fn event(event: Value) -> Event {
    let mut events = events(event);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// A message of a person's in a channel, with more.
fn said(more: Value) -> Value {
    let mut item = json!({ "type": "message", "user": "U1", "channel": "C1", "channel_type": "channel",
        "text": "hello", "ts": "1795000000.000100", "event_ts": "1795000000.000100" });
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn message(event: &Event) -> &Message {
    match &event.body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_named_by_channel_and_time_and_stands_in_its_channel() {
    let event = event(said(json!({})));
    assert_eq!((event.account.as_str(), event.id.as_str()), ("T1", "m:C1:1795000000.000100"));
    assert_eq!(event.at, Some(1_795_000_000_000));
    assert_eq!(event.contact.as_ref().unwrap().id, "U1");
    let thread = event.thread.as_ref().unwrap();
    assert_eq!((thread.id.as_str(), thread.kind, &thread.parent), ("C1", ThreadKind::Channel, &None));
    assert_eq!(message(&event).id.as_deref(), Some("C1:1795000000.000100"));
    // Slack tells of a mention twice.
    let mention = said(json!({ "type": "app_mention" }));
    assert_eq!(events(mention)[0].id, event.id);
}

#[test]
fn an_answer_stands_in_a_topic_of_its_channel_and_a_direct_message_with_its_person() {
    let answer = event(said(json!({ "thread_ts": "1794999999.000001" })));
    let thread = answer.thread.unwrap();
    assert_eq!((thread.id.as_str(), thread.kind), ("C1:1794999999.000001", ThreadKind::Topic));
    assert_eq!(thread.parent.as_deref(), Some("C1"));
    let first = event(said(json!({ "thread_ts": "1795000000.000100" })));
    assert_eq!(first.thread.unwrap().id, "C1", "the message that a thread begins with");
    let direct = event(said(json!({ "channel": "D1", "channel_type": "im" })));
    assert_eq!(direct.thread.unwrap().kind, ThreadKind::Direct);
}

#[test]
fn who_wrote_is_a_person_a_program_or_this_app() {
    let program = event(said(json!({ "subtype": "bot_message", "user": null, "bot_id": "B9", "username": "CI" })));
    assert_eq!(program.author, Author::Contact);
    assert_eq!(program.contact.as_ref().unwrap().name.as_deref(), Some("CI"));
    assert!(message(&program).automatic);
    let payload = json!({ "event_type": "inbox_message", "event_payload": { "correlation": "reply-1/0" } });
    let ours = event(said(json!({ "user": "UBOT", "bot_id": "B1", "app_id": "A1", "metadata": payload })));
    let correlation = Some("reply-1/0".to_owned());
    assert_eq!(ours.author, Author::Business(BusinessAuthor { app_id: Some("A1".into()), correlation }));
    assert_eq!((ours.contact, ours.opens), (None, None));
    let shared = said(json!({ "subtype": "file_share", "app_id": "A1", "bot_id": "B1",
        "files": [{ "id": "F1", "mimetype": "image/png" }] }));
    let Author::Business(author) = event(shared).author else { panic!() };
    assert_eq!(author.correlation.as_deref(), Some("F1"), "what the answer to the upload names");
}

#[test]
fn slack_s_own_marks_become_words_and_markdown() {
    let text = "*big* &amp; _small_ <@U2> see <https://shop.example.com/a_b|the shop> in <#C2|sales>, 2*3*4 <!here>";
    let event = event(said(json!({ "text": text })));
    let message = message(&event);
    assert_eq!(message.text.as_deref(), Some("big & small @U2 see the shop in #sales, 2*3*4 @here"));
    let formatted = message.formatted.as_ref().unwrap();
    assert_eq!(formatted.format, TextFormat::Markdown);
    let expected =
        "**big** & *small* [@U2](contact:U2) see [the shop](https://shop.example.com/a_b) in #sales, 2*3*4 @here";
    assert_eq!(formatted.text, expected);
}

#[test]
fn a_file_is_fetched_with_the_workspace_s_token_and_only_from_slack() {
    let url = "https://files.slack.com/files-pri/T1-F1/mug.png";
    let file = json!({ "id": "F1", "name": "mug.png", "mimetype": "image/png", "size": 12, "url_private": url });
    let event = event(said(json!({ "subtype": "file_share", "files": [file, { "id": "F2", "mode": "tombstone" }] })));
    let [Attachment::Media(media), Attachment::Unavailable(_)] = message(&event).attachments.as_slice() else {
        panic!()
    };
    assert_eq!((media.kind, media.handle.as_deref(), media.size), (MediaKind::Image, Some(url), Some(12)));
    let account = || AccountSettings { id: "T1".into(), settings: Vec::new(), webhook_url: None };
    let request = <Slack as files::Guest>::locate_media(account(), media.clone()).unwrap().request;
    assert_eq!((request.url.as_str(), &request.fills[0].place), (url, &FillPlace::Authorization("Bearer".into())));
    let elsewhere = Media { handle: Some("https://files.slack.com.evil.example/x".into()), ..media.clone() };
    assert!(<Slack as files::Guest>::locate_media(account(), elsewhere).is_err());
    let shared = json!({ "type": "file_shared", "file_id": "F1", "user_id": "U1", "channel_id": "C1" });
    assert!(events(shared).is_empty(), "the message says more");
}

#[test]
fn what_was_changed_or_taken_back_names_its_message() {
    let now = json!({ "type": "message", "user": "U1", "text": "better", "ts": "1795000000.000100",
        "thread_ts": "1794999999.000001", "edited": { "user": "U1", "ts": "1795000060.000000" } });
    let changed = json!({ "type": "message", "subtype": "message_changed", "channel": "C1", "hidden": true,
        "ts": "1795000060.000200", "message": now, "previous_message": { "text": "worse" } });
    let event_of_it = event(changed);
    assert_eq!(event_of_it.id, "Ev1");
    assert_eq!(event_of_it.thread.unwrap().parent.as_deref(), Some("C1"));
    let EventBody::Edited(edited) = event_of_it.body else { panic!() };
    assert_eq!((edited.target.as_str(), edited.text.as_deref()), ("C1:1795000000.000100", Some("better")));
    assert_eq!(edited.revision, Some(1_795_000_060_000));
    assert_eq!(edited.attachments, Some(Vec::new()), "a file that was removed goes");

    let before = json!({ "user": "U1", "text": "worse", "ts": "1795000000.000100" });
    let gone = json!({ "type": "message", "subtype": "message_deleted", "channel": "C1", "ts": "1795000061.0",
        "deleted_ts": "1795000000.000100", "previous_message": before });
    let gone = event(gone);
    assert_eq!(gone.body, EventBody::Deleted(Deleted { target: "C1:1795000000.000100".into() }));
    assert_eq!((gone.contact.unwrap().id.as_str(), gone.author), ("U1", Author::Contact));
}

#[test]
fn a_reaction_has_its_name_and_where_it_is_unicode_s_its_emoji() {
    let reacted = |kind: &str, name: &str| {
        let target = json!({ "type": "message", "channel": "C1", "ts": "1795000000.000100" });
        let item = json!({ "type": kind, "user": "U1", "reaction": name, "item": target, "event_ts": "1795000001.0" });
        let EventBody::Reaction(reaction) = event(item).body else { panic!() };
        reaction
    };
    let own = reacted("reaction_added", "party_parrot");
    assert_eq!((own.name.as_deref(), own.emoji, own.action), (Some("party_parrot"), None, ReactionAction::Added));
    assert_eq!(own.target, "C1:1795000000.000100");
    let usual = reacted("reaction_removed", "+1::skin-tone-3");
    assert_eq!((usual.emoji.as_deref(), usual.action), (Some("👍"), ReactionAction::Removed));
}

#[test]
fn conversations_and_the_account_change() {
    let thread_change = |item: Value| {
        let event = event(item);
        let EventBody::ThreadUpdate(change) = event.body else { panic!() };
        (event.thread.unwrap(), change)
    };
    let joined = json!({ "type": "member_joined_channel", "user": "U2", "channel": "C1", "channel_type": "C" });
    assert_eq!(thread_change(joined).1, ThreadChange::Joined(vec![Member { id: "U2".into(), name: None }]));
    let (thread, change) = thread_change(json!({ "type": "channel_rename", "channel": { "id": "C1", "name": "new" } }));
    assert_eq!((thread.id.as_str(), thread.title.as_deref(), change), ("C1", Some("new"), ThreadChange::Updated));
    assert_eq!(thread_change(json!({ "type": "channel_archive", "channel": "C1" })).1, ThreadChange::Closed);
    let moved = json!({ "type": "channel_id_changed", "old_channel_id": "G1", "new_channel_id": "C1" });
    let (thread, change) = thread_change(moved);
    assert_eq!((thread.id.as_str(), change), ("C1", ThreadChange::Moved("G1".into())));
    let EventBody::AccountUpdate(update) = event(json!({ "type": "app_uninstalled" })).body else { panic!() };
    assert_eq!(update.change, "disconnected");
    let EventBody::Unknown(unknown) = event(json!({ "type": "novelty" })).body else { panic!() };
    assert_eq!(unknown.kind.as_deref(), Some("novelty"));
}

#[test]
fn a_tap_is_an_answer_to_the_message_that_bore_the_button() {
    let payload = json!({
        "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1", "username": "kim" },
        "channel": { "id": "C1", "name": "sales" }, "trigger_id": "13.37.x", "api_app_id": "A1",
        "container": { "type": "message", "message_ts": "1795000000.000100", "channel_id": "C1" },
        "response_url": "https://hooks.slack.com/actions/T1/1/abc",
        "actions": [{ "type": "button", "action_id": "button-0", "block_id": "b", "value": "red & blue",
            "text": { "type": "plain_text", "text": "Both" }, "action_ts": "1795000002.500000" }],
    });
    let mut form = String::from("payload=");
    channel_sdk::text::push_encoded(&mut form, &payload.to_string());
    let event = parse("application/x-www-form-urlencoded", form).unwrap().remove(0);
    assert_eq!((event.account.as_str(), event.at), ("T1", Some(1_795_000_002_500)));
    assert_eq!(event.id, "tap:C1:1795000002.500000:button-0");
    assert_eq!(event.contact.as_ref().unwrap().username.as_deref(), Some("kim"));
    let message = message(&event);
    assert_eq!(message.reply_to, Some(ReplyTarget::Message("C1:1795000000.000100".into())));
    let answer = message.answer.as_ref().unwrap();
    assert_eq!((answer.source, answer.title.as_deref()), (AnswerSource::Button, Some("Both")));
    assert_eq!(answer.payload.as_deref(), Some("red & blue"));
    assert_eq!(answer.token.as_deref(), Some("https://hooks.slack.com/actions/T1/1/abc"));
}

#[test]
fn what_is_not_slack_s_is_refused_and_the_test_of_the_address_is_nothing() {
    assert!(parse("application/json", r#"{"type":"url_verification","challenge":"c"}"#.into()).unwrap().is_empty());
    assert!(matches!(parse("application/json", "{".into()), Err(ParseError::Malformed(_))));
    assert!(matches!(parse("application/json", "{}".into()), Err(ParseError::NotThisChannel(_))));
    let form = parse("application/x-www-form-urlencoded", "a=b".into());
    assert!(matches!(form, Err(ParseError::NotThisChannel(_))));
}
