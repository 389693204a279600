//! LINE: several parts are one request, a reply has a token that dies, and a quote needs what came with its message.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use channel_tests::{
    eventually,
    hosts::{endpoints, open_with},
    line::{self, ACCOUNT, Line, SECRET, TOKEN},
    message, message_ref, outbound_media, request, sandbox_config, secrets, serve, text,
};
use harness_contract::{FileRef, MediaKind, MediaSource, OutboundMessage, OutboundPart, OutboundText};
use harness_engine::{Clock, Host, HostOptions};
use harness_inbox::{ConversationId, MediaState, ReplyState, ReplyView, StepState, TimelineEntry};
use serde_json::{Value, json};

const CUSTOMER: &str = "U0000000000000000000000000000001";
const GROUP: &str = "C0000000000000000000000000000001";

/// A shop with an official account.
struct Shop {
    line: Line,
    host: Host,
    clock: Clock,
    address: String,
    _folder: tempfile::TempDir,
}

impl Shop {
    async fn open() -> Self {
        let line = Line::start().await;
        let folder = tempfile::tempdir().unwrap();
        let options = HostOptions {
            sandbox: sandbox_config(),
            endpoints: endpoints(&["https://api.line.me", "https://api-data.line.me"], &line.url),
            ..HostOptions::in_folder(folder.path())
        };
        let clock = options.clock.clone();
        let host = open_with(options, [(&channel_tests::line().1, secrets([]))]).await;
        let own = secrets([("channel-secret", SECRET), ("channel-token", TOKEN)]);
        host.connect_account("line", ACCOUNT, "Shop", &BTreeMap::new(), own).await.unwrap();
        let (address, _) = serve(&host).await;
        Self { line, host, clock, address, _folder: folder }
    }

    /// The same, with a customer who has written a message with the id `1`.
    async fn with_customer() -> (Self, ConversationId) {
        let shop = Self::open().await;
        shop.says(Some(CUSTOMER), None, "1", json!({ "type": "text", "text": "hello" })).await;
        let conversation = shop.conversation(|_| true).await;
        (shop, conversation)
    }

    async fn says(&self, user: Option<&str>, group: Option<&str>, id: &str, content: Value) {
        let event = self.line.message(user, group, id, &content);
        assert_eq!(self.line.deliver(&self.address, &[event]).await.status, 200);
        self.settled().await;
    }

    async fn settled(&self) {
        eventually("an empty queue", async || {
            (self.host.inbox().delivery_counts().await.unwrap().received == 0).then_some(())
        })
        .await;
    }

    async fn conversation(&self, which: impl Fn(&str) -> bool) -> ConversationId {
        eventually("the conversation", async || {
            let all = self.host.inbox().conversations(9).await.unwrap();
            all.into_iter().find(|found| which(found.contact.as_deref().unwrap_or_default())).map(|found| found.id)
        })
        .await
    }

    async fn reply(&self, conversation: ConversationId, key: &str, message: OutboundMessage) -> ReplyView {
        let queued = self.host.reply(conversation, key, message).await.unwrap();
        eventually("the reply's end", async || {
            let view = self.host.inbox().reply(queued.reply).await.unwrap();
            matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
        })
        .await
    }

    /// What was sent from here.
    async fn sent(&self, conversation: ConversationId) -> Vec<TimelineEntry> {
        let timeline = self.host.inbox().timeline(conversation, 99).await.unwrap();
        timeline.into_iter().filter(|entry| entry.direction == "outbound").collect()
    }

    /// The methods that LINE was asked for, each with its answer's status.
    fn methods(&self) -> Vec<(&'static str, u16)> {
        self.line.asked().into_iter().map(|asked| (asked.method, asked.status)).collect()
    }
}

fn picture() -> OutboundPart {
    let source = MediaSource::Url("https://shop.example.com/mug.jpg".into());
    OutboundPart::Media(vec![outbound_media(MediaKind::Image, source)])
}

fn ids(entries: &[TimelineEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.platform_id.as_deref().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_three_parts_is_one_request_and_each_part_has_its_own_id_and_outcome() {
    let (shop, conversation) = Shop::with_customer().await;
    let view = shop.reply(conversation, "three", message(vec![text("look"), picture(), text("nice?")])).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.methods(), [("reply", 200)], "one request, which costs nothing");
    let delivered = shop.line.delivered();
    let kinds: Vec<_> = delivered.iter().map(|message| message.message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "image", "text"]);
    let sent = shop.sent(conversation).await;
    assert_eq!(ids(&sent), delivered.iter().map(|message| message.id.as_str()).collect::<Vec<_>>());
    assert!(sent.iter().all(|entry| entry.state == Some(StepState::Sent)), "{sent:#?}");
    assert_eq!(sent[0].text.as_deref(), Some("look"), "each part shows its own words");
    assert_eq!(sent[2].text.as_deref(), Some("nice?"));
    assert!(sent.iter().all(|entry| entry.outcome.as_ref().is_some_and(|outcome| outcome.get().contains("sent"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_one_request_that_line_refuses_are_refused_each() {
    let (shop, conversation) = Shop::with_customer().await;
    let mut parts = message(vec![text("yes"), picture()]);
    // A word that LINE keeps to itself.
    parts.sender.name = Some("LINE Support".into());
    let view = shop.reply(conversation, "refused", parts).await;
    assert_eq!(shop.methods(), [("reply", 400)], "a message that is wrong is not sent another way: {view:?}");
    let sent = shop.sent(conversation).await;
    assert_eq!(sent.len(), 2, "{sent:#?}");
    for entry in sent {
        assert_eq!(entry.state, Some(StepState::Rejected), "{entry:#?}");
        let told = entry.outcome.unwrap();
        assert!(told.get().contains("messages[0].sender.name"), "{}", told.get());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_reply_token_does_not_lose_a_reply_which_goes_by_push_and_once() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.line.spend_tokens();
    let view = shop.reply(conversation, "late", message(vec![text("here"), picture()])).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.methods(), [("reply", 400), ("push", 200)]);
    let delivered = shop.line.delivered();
    assert_eq!(delivered.len(), 2, "each part once: {delivered:?}");
    assert_eq!(delivered[0].to, CUSTOMER);
    let sent = shop.sent(conversation).await;
    assert_eq!(ids(&sent), [&delivered[0].id, &delivered[1].id]);
    assert!(sent.iter().all(|entry| entry.state == Some(StepState::Sent)), "{sent:#?}");
    // What is known to be dead is not tried again.
    shop.reply(conversation, "again", message(vec![text("and more")])).await;
    assert_eq!(shop.methods()[2..], [("push", 200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn seven_parts_whose_token_is_dead_are_two_pushes_and_arrive_once_each() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.line.spend_tokens();
    let parts = (1..=7).map(|number| text(&number.to_string())).collect();
    let view = shop.reply(conversation, "seven", message(parts)).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.methods(), [("reply", 400), ("push", 200), ("push", 200)]);
    let delivered = shop.line.delivered();
    let words: Vec<_> = delivered.iter().map(|message| message.message["text"].as_str().unwrap()).collect();
    assert_eq!(words, ["1", "2", "3", "4", "5", "6", "7"]);
    let sent = shop.sent(conversation).await;
    assert_eq!(ids(&sent), delivered.iter().map(|message| message.id.as_str()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_several_messages_shares_a_request_with_the_others_and_each_message_can_be_quoted() {
    let (shop, conversation) = Shop::with_customer().await;
    let long = OutboundText { text: "word ".repeat(1_500), split: true, ..OutboundText::default() };
    let view = shop.reply(conversation, "long", message(vec![OutboundPart::Text(long), picture()])).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.methods(), [("reply", 200)]);
    let delivered = shop.line.delivered();
    assert_eq!(delivered.len(), 3, "two pieces and a picture");
    for (key, message_of) in [("first", &delivered[0]), ("second", &delivered[1]), ("picture", &delivered[2])] {
        let answer = OutboundMessage { reply_to: Some(message_ref(&message_of.id)), ..message(vec![text("this one")]) };
        let view = shop.reply(conversation, key, answer).await;
        assert_eq!(view.state, ReplyState::Done, "{view:?}");
        let quoted = shop.line.delivered().pop().unwrap();
        assert_eq!(quoted.message["quoteToken"], message_of.quote.as_str(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_used_once_and_only_within_its_minute() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.reply(conversation, "first", message(vec![text("free")])).await;
    shop.reply(conversation, "second", message(vec![text("paid")])).await;
    assert_eq!(shop.methods(), [("reply", 200), ("push", 200)]);
    shop.says(Some(CUSTOMER), None, "2", json!({ "type": "text", "text": "and?" })).await;
    shop.clock.advance(Duration::from_secs(61));
    shop.reply(conversation, "third", message(vec![text("late")])).await;
    assert_eq!(shop.methods()[2..], [("push", 200)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_whose_answer_was_lost_is_asked_for_again_under_its_key_and_arrives_once() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.clock.advance(Duration::from_secs(61));
    shop.line.fail_after_the_next();
    let view = shop.reply(conversation, "lost", message(vec![text("one"), text("two")])).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.methods(), [("push", 500), ("push", 409)]);
    let asked = shop.line.asked();
    assert!(asked[0].key.is_some() && asked[0].key == asked[1].key, "{asked:?}");
    let delivered = shop.line.delivered();
    assert_eq!(ids(&shop.sent(conversation).await), [&delivered[0].id, &delivered[1].id]);
    assert_eq!(delivered.len(), 2, "{delivered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_quotes_its_message_by_the_context_that_was_stored() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.says(Some(CUSTOMER), None, "2", json!({ "type": "text", "text": "or the blue one?" })).await;
    let to_the_first = OutboundMessage { reply_to: Some(message_ref("1")), ..message(vec![text("hello!")]) };
    shop.reply(conversation, "quote", to_the_first).await;
    let first = shop.line.delivered().remove(0);
    assert_eq!(first.message["quoteToken"], "inbound-quote-1");
    // What was sent from here can be quoted as well, by what its answer brought.
    let to_our_own = OutboundMessage { reply_to: Some(message_ref(&first.id)), ..message(vec![text("as I said")]) };
    let view = shop.reply(conversation, "own", to_our_own).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    assert_eq!(shop.line.delivered()[1].message["quoteToken"], first.quote.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_a_customer_s_is_downloaded_with_the_account_s_token() {
    let (shop, conversation) = Shop::with_customer().await;
    let photo = simulator::CdnFile::demo_photo().bytes;
    shop.line.hold("77", "image/png", photo.clone());
    let content = json!({ "type": "image", "contentProvider": { "type": "line" } });
    shop.says(Some(CUSTOMER), None, "77", content).await;
    let media = eventually("the picture", async || {
        let entry = shop.host.inbox().timeline(conversation, 9).await.unwrap().pop()?;
        entry.media.into_iter().find(|media| media.state != MediaState::Remote)
    })
    .await;
    assert_eq!((media.state, media.mime.as_deref()), (MediaState::Stored, Some("image/png")), "{media:?}");
    assert_eq!(media.size, Some(photo.len() as i64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_a_conversation_of_its_own_whoever_writes_in_it() {
    let (shop, alone) = Shop::with_customer().await;
    let hello = |words: &str| json!({ "type": "text", "text": words });
    shop.says(Some(CUSTOMER), Some(GROUP), "2", hello("we are two")).await;
    shop.says(Some("U0000000000000000000000000000002"), Some(GROUP), "3", hello("so we are")).await;
    let group = eventually("the group's conversation", async || {
        let all = shop.host.inbox().conversations(9).await.unwrap();
        assert!(all.len() <= 2, "{all:#?}");
        all.into_iter().find(|conversation| conversation.id != alone).map(|found| found.id)
    })
    .await;
    let said = shop.host.inbox().timeline(group, 9).await.unwrap();
    let words: Vec<_> = said.iter().filter_map(|entry| entry.text.as_deref()).collect();
    assert_eq!(words, ["we are two", "so we are"]);
    shop.reply(group, "all", message(vec![text("hello both")])).await;
    shop.clock.advance(Duration::from_secs(61));
    shop.reply(group, "later", message(vec![text("still there?")])).await;
    assert_eq!(shop.methods(), [("reply", 200), ("push", 200)]);
    assert!(shop.line.delivered().iter().all(|message| message.to == GROUP), "{:?}", shop.line.delivered());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_whom_line_does_not_name_is_heard_in_the_group() {
    let shop = Shop::open().await;
    let hello = json!({ "type": "text", "text": "who I am is my own affair" });
    shop.says(None, Some(GROUP), "1", hello).await;
    let all = shop.host.inbox().conversations(9).await.unwrap();
    assert_eq!(all.len(), 1, "a conversation needs no person");
    shop.reply(all[0].id, "all", message(vec![text("hello")])).await;
    assert_eq!(shop.line.delivered()[0].to, GROUP);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_unsent_is_gone_and_a_delivery_that_line_did_not_sign_is_refused() {
    let (shop, conversation) = Shop::with_customer().await;
    let unsent = shop.line.event(Some(CUSTOMER), None, &json!({ "type": "unsend", "unsend": { "messageId": "1" } }));
    let body = json!({ "destination": ACCOUNT, "events": [unsent.clone()] }).to_string();
    let forged = line::sign("another secret", body.as_bytes());
    let url = format!("{}/webhooks/line", shop.address);
    for headers in [&[][..], &[("x-line-signature", forged.as_str())][..]] {
        assert_eq!(request("POST", &url, headers, body.clone().into_bytes()).await.status, 403);
    }
    shop.settled().await;
    assert!(shop.host.inbox().timeline(conversation, 9).await.unwrap()[0].text.is_some());
    assert_eq!(shop.line.deliver(&shop.address, &[unsent]).await.status, 200);
    let entry = eventually("the purge", async || {
        let entry = shop.host.inbox().timeline(conversation, 9).await.unwrap().pop()?;
        entry.deleted_at.is_some().then_some(entry)
    })
    .await;
    assert_eq!(entry.text, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_was_handed_in_lies_at_an_address_from_which_line_fetches_it() {
    let (shop, conversation) = Shop::with_customer().await;
    shop.host.set_public_url("https://inbox.example.com".parse().unwrap());
    let photo = simulator::CdnFile::demo_photo().bytes;
    let held = shop.host.store_upload(photo.clone().into(), Some("mug.png".into()), None).await.unwrap();
    let source = MediaSource::File(FileRef { handle: held.handle, size: 0 });
    let part = OutboundPart::Media(vec![outbound_media(MediaKind::Image, source)]);
    let view = shop.reply(conversation, "picture", message(vec![part])).await;
    assert_eq!(view.state, ReplyState::Done, "{view:?}");
    let delivered = shop.line.delivered().remove(0);
    let address = delivered.message["originalContentUrl"].as_str().unwrap().to_owned();
    let path = address.strip_prefix("https://inbox.example.com").unwrap();
    let fetched = request("GET", &format!("{}{path}", shop.address), &[], vec![]).await;
    assert_eq!((fetched.status, fetched.headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(fetched.headers["content-length"].to_str().unwrap(), photo.len().to_string());
}
