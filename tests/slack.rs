//! Slack: signed times, a challenge, edits, reactions by name, files over three steps, and errors that come with 200.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use channel_tests::{
    eventually,
    hosts::{endpoints, open_with},
    message, message_ref, outbound_media, request, sandbox_config, secrets, serve,
    slack::{self, APP, CHANNEL, SECRET, Slack, TEAM, TOKEN},
    text,
};
use harness_contract::{
    Acknowledgement, Button, ButtonAction, ButtonMessage, FileRef, MediaKind, MediaSource, OutboundEdit,
    OutboundMessage, OutboundPart, OutboundReaction, OutboundText, ReactionAction, SendResult,
};
use harness_engine::{Clock, Host, HostOptions};
use harness_inbox::{ConversationId, MediaState, PublicId as _, ReplyState, ReplyView, StepState, TimelineEntry};
use serde_json::{Value, json};

/// The first message of the customer's.
const TS: &str = "1795000000.000100";

/// A workspace in which the app was installed.
struct Workspace {
    slack: Slack,
    host: Host,
    clock: Clock,
    address: String,
    _folder: tempfile::TempDir,
}

impl Workspace {
    async fn open() -> Self {
        let slack = Slack::start().await;
        let folder = tempfile::tempdir().unwrap();
        let origins = ["https://slack.com", "https://files.slack.com", "https://hooks.slack.com"];
        let options = HostOptions {
            sandbox: sandbox_config(),
            endpoints: endpoints(&origins, &slack.url),
            ..HostOptions::in_folder(folder.path())
        };
        let clock = options.clock.clone();
        let host = open_with(options, [(&channel_tests::slack().1, secrets([("signing-secret", SECRET)]))]).await;
        let own = secrets([("bot-token", TOKEN)]);
        host.connect_account("slack", TEAM, "Workspace", &BTreeMap::new(), own).await.unwrap();
        let (address, _) = serve(&host).await;
        Self { slack, host, clock, address, _folder: folder }
    }

    /// The same, with a channel in which somebody has written.
    async fn with_channel() -> (Self, ConversationId) {
        let workspace = Self::open().await;
        workspace.tell("Ev1", said(TS, json!({ "text": "hello" }))).await;
        let conversation = workspace.newest().await;
        (workspace, conversation)
    }

    /// The present, in seconds.
    fn now(&self) -> u64 {
        self.clock.now() / 1000
    }

    /// An event, which is taken.
    async fn tell(&self, id: &str, event: Value) {
        let body = self.slack.envelope(id, event);
        assert_eq!(self.slack.deliver(&self.address, self.now(), &[], &body).await.status, 200);
        self.settled().await;
    }

    async fn settled(&self) {
        eventually("an empty queue", async || {
            (self.host.inbox().delivery_counts().await.unwrap().received == 0).then_some(())
        })
        .await;
    }

    async fn newest(&self) -> ConversationId {
        channel_tests::hosts::newest_conversation(&self.host).await
    }

    async fn timeline(&self, conversation: ConversationId) -> Vec<TimelineEntry> {
        self.host.inbox().timeline(conversation, 99).await.unwrap()
    }

    async fn reply(&self, conversation: ConversationId, key: &str, message: OutboundMessage) -> ReplyView {
        let queued = self.host.reply(conversation, key, message).await.unwrap();
        eventually("the reply's end", async || {
            let view = self.host.inbox().reply(queued.reply).await.unwrap();
            matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
        })
        .await
    }

    /// The methods of the Web API that were called.
    fn methods(&self) -> Vec<String> {
        self.slack.asked().into_iter().map(|(method, _)| method).collect()
    }
}

/// A message of a person's in the channel, with more.
fn said(ts: &str, more: Value) -> Value {
    let mut event = json!({ "type": "message", "user": "U1", "channel": CHANNEL, "channel_type": "channel",
        "ts": ts, "event_ts": ts, "text": "" });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_signed_wrongly_or_too_long_ago_is_refused() {
    let workspace = Workspace::open().await;
    let (url, now) = (format!("{}/webhooks/slack", workspace.address), workspace.now());
    let body = workspace.slack.envelope("Ev1", said(TS, json!({ "text": "hello" })));
    let send = async |at: u64, signature: String| {
        let at = at.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-slack-request-timestamp", at.as_str()),
            ("x-slack-signature", signature.as_str()),
        ];
        request("POST", &url, &headers, body.clone().into_bytes()).await.status
    };
    assert_eq!(send(now, slack::sign("another secret", now, &body)).await, 403);
    assert_eq!(send(now, slack::sign(SECRET, now, "{}")).await, 403, "another body");
    assert_eq!(send(now, slack::sign(SECRET, now - 1, &body)).await, 403, "another time");
    let long_ago = now - 3_600;
    assert_eq!(send(long_ago, slack::sign(SECRET, long_ago, &body)).await, 403, "seen by somebody, and sent again");
    assert!(workspace.host.inbox().conversations(9).await.unwrap().is_empty());
    assert_eq!(send(now, slack::sign(SECRET, now, &body)).await, 200);
    workspace.newest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_challenge_is_answered_to_whoever_signs_it() {
    let workspace = Workspace::open().await;
    let body = json!({ "type": "url_verification", "token": "t", "challenge": "3eZbrw1aB" }).to_string();
    let answer = workspace.slack.deliver(&workspace.address, workspace.now(), &[], &body).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "3eZbrw1aB"));
    let url = format!("{}/webhooks/slack", workspace.address);
    let unsigned = request("POST", &url, &[("content-type", "application/json")], body.into_bytes()).await;
    assert!(unsigned.status == 403 && !unsigned.body.contains("3eZbrw1aB"), "{}", unsigned.body);
    workspace.settled().await;
    assert!(workspace.host.inbox().conversations(9).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_repeated_is_one_message() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let body = workspace.slack.envelope("Ev1", said(TS, json!({ "text": "hello" })));
    let retried = [("x-slack-retry-num", "1"), ("x-slack-retry-reason", "http_timeout")];
    let answer = workspace.slack.deliver(&workspace.address, workspace.now() + 1, &retried, &body).await;
    assert_eq!(answer.status, 200, "what was taken before is not asked for a third time");
    // Slack tells of a mention in an event of its own beside the message.
    workspace.tell("Ev2", said(TS, json!({ "type": "app_mention", "text": "hello" }))).await;
    workspace.settled().await;
    assert_eq!(workspace.timeline(conversation).await.len(), 1);
    assert_eq!(workspace.host.inbox().conversations(9).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_by_the_customer_changes_the_message_and_taking_it_back_removes_its_words() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let now = json!({ "type": "message", "user": "U1", "text": "hello *all*", "ts": TS,
        "edited": { "user": "U1", "ts": "1795000060.000000" } });
    let edit = json!({ "type": "message", "subtype": "message_changed", "channel": CHANNEL, "hidden": true,
        "ts": "1795000060.000200", "message": now, "previous_message": { "ts": TS, "text": "hello" } });
    workspace.tell("Ev2", edit).await;
    let timeline = workspace.timeline(conversation).await;
    assert_eq!((timeline.len(), timeline[0].text.as_deref()), (1, Some("hello all")), "{timeline:#?}");
    let gone = json!({ "type": "message", "subtype": "message_deleted", "channel": CHANNEL, "deleted_ts": TS,
        "ts": "1795000070.000200", "previous_message": { "user": "U1", "ts": TS, "text": "hello all" } });
    workspace.tell("Ev3", gone).await;
    let entry = workspace.timeline(conversation).await.remove(0);
    assert!(entry.deleted_at.is_some() && entry.text.is_none(), "{entry:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_by_name_is_shown_and_taken_away() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let reacted = |kind: &str, name: &str, at: &str| {
        let target = json!({ "type": "message", "channel": CHANNEL, "ts": TS });
        json!({ "type": kind, "user": "U1", "reaction": name, "item": target, "item_user": "U2", "event_ts": at })
    };
    workspace.tell("Ev2", reacted("reaction_added", "party_parrot", "1795000001.000000")).await;
    let shown = async || {
        let url = format!("{}/api/v1/conversations/{}/messages", workspace.address, conversation.public());
        let answer = channel_tests::api("GET", &url, &[], vec![]).await;
        answer.json()["data"][0]["reactions"].clone()
    };
    let reactions = shown().await;
    assert!(reactions.to_string().contains("party_parrot"), "{reactions}");
    workspace.tell("Ev3", reacted("reaction_removed", "party_parrot", "1795000002.000000")).await;
    workspace.tell("Ev4", reacted("reaction_added", "+1", "1795000003.000000")).await;
    let reactions = shown().await;
    assert!(reactions.to_string().contains('👍') && !reactions.to_string().contains("party_parrot"), "{reactions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_stands_in_the_thread_of_its_channel() {
    let (workspace, channel) = Workspace::with_channel().await;
    let answer = said("1795000010.000200", json!({ "text": "in the thread", "thread_ts": TS }));
    workspace.tell("Ev2", answer).await;
    let all = workspace.host.inbox().conversations(9).await.unwrap();
    let topic = all.iter().find(|conversation| conversation.id != channel).expect("a conversation of its own").id;
    workspace.reply(topic, "one", message(vec![text("here too")])).await;
    workspace.reply(channel, "two", message(vec![text("and here")])).await;
    let posted = workspace.slack.posted();
    assert_eq!((&posted[0].body["channel"], &posted[0].body["thread_ts"]), (&json!(CHANNEL), &json!(TS)));
    assert_eq!(posted[1].body.get("thread_ts"), None);
    assert_eq!(workspace.timeline(topic).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_known_again_by_its_event_and_can_be_changed_and_taken_back() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let view = workspace.reply(conversation, "one", message(vec![text("10 < 20")])).await;
    assert_eq!(states(&view), [StepState::Sent]);
    let posted = workspace.slack.posted().remove(0);
    assert_eq!(posted.text, "10 &lt; 20", "as it was typed");
    workspace.tell("Ev2", workspace.slack.event_of(&posted)).await;
    let timeline = workspace.timeline(conversation).await;
    assert_eq!(timeline.len(), 2, "the event is the message: {timeline:#?}");
    let id = timeline[1].platform_id.clone().unwrap();
    let better = OutboundText { text: "10 < 30".into(), ..OutboundText::default() };
    let heart = OutboundReaction {
        target: message_ref(&id),
        action: ReactionAction::Added,
        emoji: Some("❤️".into()),
        name: None,
    };
    let edit = OutboundEdit { target: message_ref(&id), text: Some(better), buttons: None };
    let parts = vec![OutboundPart::Reaction(heart), OutboundPart::Edit(edit)];
    let view = workspace.reply(conversation, "two", message(parts)).await;
    assert_eq!(states(&view), [StepState::Sent; 2], "{view:?}");
    let posted = workspace.slack.posted().remove(0);
    assert_eq!((posted.text.as_str(), posted.reactions.as_slice()), ("10 &lt; 30", ["heart".to_owned()].as_slice()));
    let delete = OutboundPart::Delete(message_ref(&id));
    let view = workspace.reply(conversation, "three", message(vec![delete])).await;
    assert_eq!((states(&view), workspace.slack.posted().len()), (vec![StepState::Sent], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_over_the_three_steps_and_its_bytes_arrive_as_they_were() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let held = workspace.host.store_upload(bytes.clone().into(), Some("list & prices.bin".into()), None).await.unwrap();
    let source = MediaSource::File(FileRef { handle: held.handle, size: 0 });
    let part = OutboundPart::Media(vec![outbound_media(MediaKind::File, source)]);
    let view = workspace.reply(conversation, "file", message(vec![text("our list"), part])).await;
    assert_eq!(states(&view), [StepState::Sent; 4], "{view:?}");
    let methods = workspace.methods();
    assert_eq!(methods, ["chat.postMessage", "files.getUploadURLExternal", "files.completeUploadExternal"]);
    let uploads = workspace.slack.uploads();
    let (id, file) = uploads.first_key_value().unwrap();
    assert_eq!((file.name.as_str(), file.length), ("list & prices.bin", bytes.len()));
    assert_eq!(file.bytes.as_deref(), Some(bytes.as_slice()));
    let posted = workspace.slack.posted().remove(1);
    assert_eq!(posted.files, [id.as_str()]);
    // Only the event says which message it became; until then it has no name to be edited by.
    workspace.tell("Ev2", workspace.slack.event_of(&posted)).await;
    let timeline = workspace.timeline(conversation).await;
    assert_eq!(timeline.len(), 3, "the event is the message: {timeline:#?}");
    let files = timeline.iter().find(|entry| entry.part.as_ref().is_some_and(|part| part.get().contains("media")));
    assert_eq!(files.unwrap().platform_id.as_deref(), Some(format!("{CHANNEL}:{}", posted.ts).as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_file_of_a_customer_s_is_downloaded_with_the_workspace_s_token() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let photo = simulator::CdnFile::demo_photo().bytes;
    let url = workspace.slack.hold("mug.png", "image/png", photo.clone());
    let file =
        json!({ "id": "F9", "name": "mug.png", "mimetype": "image/png", "size": photo.len(), "url_private": url });
    let with_file = json!({ "subtype": "file_share", "files": [file] });
    workspace.tell("Ev2", said("1795000010.000200", with_file)).await;
    let media = eventually("the picture", async || {
        let entry = workspace.timeline(conversation).await.pop()?;
        entry.media.into_iter().find(|media| media.state != MediaState::Remote)
    })
    .await;
    assert_eq!((media.state, media.mime.as_deref()), (MediaState::Stored, Some("image/png")), "{media:?}");
    assert_eq!(media.size, Some(photo.len() as i64));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_comes_with_200_is_an_error() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let code = |view: &ReplyView| {
        let told = view.steps[0].outcome.as_ref().unwrap().get();
        let SendResult::Rejected(failure) = serde_json::from_str(told).unwrap() else { panic!("{told}") };
        (failure.code.unwrap(), failure.category.name())
    };
    let refusals =
        [("channel_not_found", "recipient_unavailable"), ("msg_too_long", "content_invalid"), ("a_new_one", "other")];
    for (error, category) in refusals {
        workspace.slack.answer_with(json!({ "ok": false, "error": error }));
        let view = workspace.reply(conversation, error, message(vec![text("hi")])).await;
        assert_eq!(states(&view), [StepState::Rejected], "{view:?}");
        assert_eq!(code(&view), (error.to_owned(), category));
    }
    assert!(workspace.slack.posted().is_empty());
    // An account whose token is not taken any more waits for a person, and so does what was to be sent.
    workspace.slack.answer_with(json!({ "ok": false, "error": "token_revoked" }));
    workspace.host.reply(conversation, "revoked", message(vec![text("hi")])).await.unwrap();
    eventually("the account's problem", async || {
        let accounts = workspace.host.inbox().accounts().await.unwrap();
        accounts[0].problem.as_deref().filter(|problem| problem.contains("taken back")).map(|_| ())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_comes_with_200_in_place_of_an_upload_s_address_is_an_error_too() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let held = workspace.host.store_upload(b"prices".to_vec().into(), Some("list".into()), None).await.unwrap();
    let source = MediaSource::File(FileRef { handle: held.handle, size: 0 });
    let part = OutboundPart::Media(vec![outbound_media(MediaKind::File, source)]);
    workspace.slack.answer_with(json!({ "ok": false, "error": "missing_scope", "needed": "files:write" }));
    let view = workspace.reply(conversation, "file", message(vec![part])).await;
    assert_eq!(states(&view)[0], StepState::Rejected, "{view:?}");
    let told = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(told.contains("files:write"), "{told}");
    assert_eq!(workspace.methods(), ["files.getUploadURLExternal"], "once, and nothing behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_be_left_alone_is_kept_to() {
    let (workspace, conversation) = Workspace::with_channel().await;
    workspace.slack.answer_with(json!({ "ok": false, "error": "ratelimited" }));
    let queued = workspace.host.reply(conversation, "fast", message(vec![text("hi")])).await.unwrap();
    eventually("the pause", async || {
        let view = workspace.host.inbox().reply(queued.reply).await.unwrap();
        view.steps.first()?.outcome.as_ref()?.get().contains("rate_limited").then_some(())
    })
    .await;
    assert_eq!(workspace.methods().len(), 1);
    workspace.clock.advance(std::time::Duration::from_secs(31));
    eventually("the message", async || (workspace.slack.posted().len() == 1).then_some(())).await;
    assert_eq!(workspace.methods().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tap_is_an_answer_and_its_person_reads_what_is_said_to_it() {
    let (workspace, conversation) = Workspace::with_channel().await;
    let button = Button { title: "Red".into(), action: ButtonAction::Postback("red & round".into()) };
    let buttons = ButtonMessage { text: "Which one?".into(), header: None, footer: None, buttons: vec![button] };
    let view = workspace.reply(conversation, "ask", message(vec![OutboundPart::Buttons(buttons)])).await;
    assert_eq!(states(&view), [StepState::Sent], "{view:?}");
    let posted = workspace.slack.posted().remove(0);
    let element = &posted.body["blocks"][1]["elements"][0];
    let token = "https://hooks.slack.com/actions/T0000001/42/abcdef";
    let payload = json!({
        "type": "block_actions", "team": { "id": TEAM }, "user": { "id": "U1", "username": "kim" }, "api_app_id": APP,
        "channel": { "id": CHANNEL }, "trigger_id": "13.37.x", "response_url": token,
        "container": { "type": "message", "message_ts": posted.ts, "channel_id": CHANNEL },
        "actions": [{ "type": "button", "action_id": element["action_id"], "value": element["value"],
            "text": element["text"], "action_ts": "1795000200.500000" }],
    });
    let form = slack::form(&payload);
    assert_eq!(workspace.slack.deliver(&workspace.address, workspace.now(), &[], &form).await.status, 200);
    workspace.settled().await;
    let timeline = workspace.timeline(conversation).await;
    let bodies = timeline.iter().filter_map(|entry| serde_json::from_str(entry.body.as_ref()?.get()).ok());
    let body = bodies.into_iter().find(|body: &Value| body.get("answer").is_some_and(|answer| !answer.is_null()));
    let body = body.unwrap_or_else(|| panic!("{timeline:#?}"));
    assert_eq!((&body["answer"]["payload"], &body["answer"]["title"]), (&json!("red & round"), &json!("Red")));
    assert_eq!(body["reply_to"]["message"], format!("{CHANNEL}:{}", posted.ts));
    let noted = Acknowledgement { token: token.into(), notice: Some("Noted: red".into()) };
    let view = workspace.reply(conversation, "ack", message(vec![OutboundPart::Acknowledge(noted)])).await;
    assert_eq!(states(&view), [StepState::Sent], "{view:?}");
    assert_eq!(workspace.slack.notices()[0]["text"], "Noted: red");
}
