//! What whoever reads the inbox through the API is shown: everything, page by page; what is unread; and no words that
//! are no longer there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeSet, time::Duration};

use channel_tests::{World, dialog::Person, entries, eventually, files_with, message, sender, text};
use harness_contract::{AccountSettings, Delivery, DeliverySource, OutboundMessage, OutboundPart, SenderKind};
use harness_inbox::{AccountId, ConversationId, HistoryMark, NewDelivery, Proof, PublicId as _};
use serde_json::{Value, json};
use simulator::{Config, Login, PastMessage};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const MANY: usize = 620;

async fn get(world: &World, path: &str) -> Value {
    let answer = world.api("GET", path, &[], vec![]).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    entries(answer.json())
}

/// Follows the pages of a list to its end.
async fn pages(world: &World, path: &str) -> Vec<Vec<Value>> {
    let (mut query, mut pages) = ("?limit=100".to_owned(), Vec::new());
    loop {
        let answer = world.api("GET", &format!("{path}{query}"), &[], vec![]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let page = answer.json();
        pages.push(page["data"].as_array().unwrap().clone());
        assert_eq!(page["has_more"], !page["cursor"].is_null(), "{page}");
        let Some(cursor) = page["cursor"].as_str() else { return pages };
        query = format!("?limit=100&cursor={cursor}");
        assert!(pages.len() < 50, "the pages have no end");
    }
}

fn item(world: &World, from: &str, at: u64, message: Value) -> Value {
    let account = &world.sim.accounts()[0].ig_id;
    json!({ "sender": { "id": from }, "recipient": { "id": account }, "timestamp": at, "message": message })
}

async fn deliver(world: &World, items: &[Value]) {
    for items in items.chunks(100) {
        let account = &world.sim.accounts()[0].ig_id;
        let entry = json!({ "id": account, "time": world.clock.now(), "messaging": items });
        let body = json!({ "object": "instagram", "entry": [entry] });
        assert!(world.sim.deliver(Login::Facebook, &body).await.accepted());
    }
    world.settled().await;
}

async fn unread(world: &World) -> i64 {
    get(world, "/api/v1/conversations").await[0]["unread"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conversation_and_every_message_is_reached_through_pages() {
    let world = World::new().await;
    let now = world.clock.now();
    // Many of one time, so that pages end between them.
    let conversations = (0..MANY).map(|number| {
        let words = json!({ "mid": format!("c-{number}"), "text": "hello" });
        item(&world, &format!("55590000000{number:05}"), now - 10_000_000 + number as u64 / 7 * 1000, words)
    });
    deliver(&world, &conversations.collect::<Vec<_>>()).await;
    let messages = (0..MANY).map(|number| {
        let words = json!({ "mid": format!("m-{number}"), "text": number.to_string() });
        item(&world, CUSTOMER, now - 5_000_000 + number as u64 / 7 * 1000, words)
    });
    deliver(&world, &messages.collect::<Vec<_>>()).await;
    let listed = pages(&world, "/api/v1/conversations").await.concat();
    let contacts: BTreeSet<_> = listed.iter().map(|one| one["contact"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((listed.len(), contacts.len()), (MANY + 1, MANY + 1), "each once");
    let id = world.conversation(CUSTOMER).await;
    let mut pages = pages(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    pages.reverse();
    let texts: Vec<_> = pages.concat().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, (0..MANY).map(|number| number.to_string()).collect::<Vec<_>>(), "each once, in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_does_nothing_is_refused() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.conversation(CUSTOMER).await;
    for path in [
        "conversations?offset=5",
        "conversations?page=2",
        "conversations?limit=1&limit=2",
        "conversations?limit=0",
        "conversations?cursor=yesterday",
        &format!("conversations/{}/messages?after=3", ConversationId::new(1).public()),
        "activities?kinds=comment",
        "activities?conversation_id=mine",
        "accounts?limit=5",
        &format!("accounts/{}?verbose=1", AccountId::new(1).public()),
        "health?full=1",
        "channels?limit=1",
    ] {
        let answer = world.api("GET", &format!("/api/v1/{path}"), &[], vec![]).await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(answer.status == 400 && body["detail"].is_string(), "{path}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_has_the_ids_by_which_it_is_answered_and_the_name_where_the_platform_hides_the_id() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let post = world.sim.accounts()[0].own_posts[0].clone();
    let comment = customer.comment(&post, "Is this in stock?").await;
    world.settled().await;
    // A mention, and a comment whose writer has a user name alone.
    customer.mention(&post, Some("17900000000000009")).await;
    let account = &world.sim.accounts()[0].ig_id;
    let value = json!({ "id": "17900000000000008", "text": "who am I?", "from": { "username": "nobody.knows" },
        "media": { "id": post, "media_product_type": "FEED" } });
    let change = json!({ "field": "comments", "value": value });
    let entry = json!({ "id": account, "time": world.clock.now() / 1000, "changes": [change] });
    world.sim.deliver(Login::Facebook, &json!({ "object": "instagram", "entry": [entry] })).await;
    world.settled().await;
    let comments = get(&world, "/api/v1/activities?kind=comment").await;
    let found = |id: &str| {
        let all = comments.as_array().unwrap().iter();
        all.clone().find(|one| one["body"]["comment"]["id"] == *id).unwrap_or_else(|| panic!("{id} in {comments:#}"))
    };
    let known = found(comment.mid());
    let row = world.host.inbox().accounts().await.unwrap().remove(0).id.public();
    assert_eq!(
        (&known["identifiers"], &known["account_id"]),
        (&json!({ "instagram_id": CUSTOMER }), &json!(row)),
        "{known:#}"
    );
    let hidden = found("17900000000000008");
    assert!(hidden.to_string().contains("nobody.knows"), "{hidden:#}");
    assert!(get(&world, "/api/v1/activities?kind=mention").await.to_string().contains("17900000000000009"));
    // With what the list says, it is answered in private.
    let (conversation, id) =
        (ConversationId::from_public(known["conversation_id"].as_str().unwrap()).unwrap(), comment.mid());
    let answer = OutboundMessage { private_reply_to: Some(id.into()), ..message(vec![text("Yes, in private.")]) };
    let view = world.reply(conversation, id, answer).await;
    let sent = world.sends().pop().unwrap_or_else(|| panic!("nothing was sent: {view:?}"));
    assert!(sent.body.to_string().contains(id), "{sent:?}, {view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_falls_through_a_persons_answer_and_the_read_operation_and_through_nothing_else() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("one").await;
    let last = customer.text("two").await;
    let id = world.conversation(CUSTOMER).await;
    world.settled().await;
    assert_eq!(unread(&world).await, 2);
    let of_a_bot = OutboundMessage { sender: sender(SenderKind::Bot, "bot"), ..message(vec![text("a robot")]) };
    world.reply(id, "bot", of_a_bot).await;
    world.reply(id, "signal", message(vec![OutboundPart::MarkSeen(None)])).await;
    world.reply(id, "refused", message(vec![text(&"x".repeat(50)), text("")])).await;
    customer.react(last.mid(), "🔥").await;
    let check = format!("/api/v1/accounts/{}/check", AccountId::new(1).public());
    assert_eq!(world.api("POST", &check, &[], vec![]).await.status, 200);
    get(&world, &check).await;
    get(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    world.settled().await;
    assert_eq!(unread(&world).await, 2);
    world.reply(id, "person", message(vec![text("a person")])).await;
    assert_eq!(unread(&world).await, 0);
    let third = customer.text("three").await;
    customer.text("four").await;
    world.settled().await;
    assert_eq!(unread(&world).await, 2);
    customer.unsend(third.mid()).await;
    world.settled().await;
    assert_eq!(unread(&world).await, 1, "what is counted is there");
    let read = world.api("POST", &format!("/api/v1/conversations/{}/read", id.public()), &[], vec![]).await;
    assert_eq!((read.status, read.body.as_str()), (200, r#"{"read":1}"#));
    assert_eq!(unread(&world).await, 0);
    assert_eq!(
        world
            .api("POST", &format!("/api/v1/conversations/{}/read", ConversationId::new(999).public()), &[], vec![])
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_edit_nothing_shows_the_old_words() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let sent = customer.text("canary-old-words").await;
    customer.edit(sent.mid(), "canary-between").await;
    world.settled().await;
    // It comes once more, and an edit that was made before comes after.
    world.sim.redeliver(&sent.delivery).await;
    world.sim.hold_webhooks();
    customer.edit(sent.mid(), "canary-late").await;
    customer.edit(sent.mid(), "the-new-words").await;
    world.sim.release_webhooks(simulator::Release::Reversed).await;
    // The edit before its message.
    world.sim.hold_webhooks();
    let second = customer.text("canary-second").await;
    customer.edit(second.mid(), "second-new-words").await;
    world.sim.release_webhooks(simulator::Release::Reversed).await;
    world.settled().await;
    let id = world.conversation(CUSTOMER).await;
    assert_eq!(get(&world, "/api/v1/conversations").await[0]["preview"], "second-new-words");
    let messages = get(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    assert_eq!((&messages[0]["text"], messages[0]["revision"].is_null()), (&json!("the-new-words"), false));
    assert!(!messages.to_string().contains("canary"), "{messages:#}");
    for canary in ["canary-old", "canary-between", "canary-late", "canary-second"] {
        eventually(canary, async || files_with(world.folder.path(), canary).is_empty().then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_messages_of_one_id_in_one_delivery_are_both_kept_and_counted() {
    let world = World::new().await;
    let now = world.clock.now();
    let one = |words: &str| item(&world, CUSTOMER, now, json!({ "mid": "same", "text": words }));
    let items = [one("first"), one("second")];
    for _ in 0..2 {
        deliver(&world, &items).await;
    }
    let id = world.conversation(CUSTOMER).await;
    let messages = get(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    let texts: Vec<_> = messages.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!((texts, unread(&world).await), (vec!["first", "second"], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_an_empty_id_is_not_lost_without_a_word() {
    let world = World::new().await;
    let now = world.clock.now();
    let empty = item(&world, CUSTOMER, now, json!({ "mid": "", "text": "without-an-id" }));
    deliver(&world, &[empty, item(&world, CUSTOMER, now, json!({ "mid": "m-1", "text": "with one" }))]).await;
    let id = world.conversation(CUSTOMER).await;
    let messages = get(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    let activities = get(&world, "/api/v1/activities").await;
    let shown = format!("{messages}{activities}");
    assert!(shown.contains("without-an-id"), "{shown}");
    let counted = messages.as_array().unwrap().iter().filter(|one| one["direction"] == "inbound").count();
    assert_eq!(unread(&world).await, i64::try_from(counted).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_far_in_the_future_pins_nothing_to_the_top_and_makes_nothing_late() {
    let world = World::new().await;
    let now = world.clock.now();
    let future = now + 400 * 24 * 3_600_000;
    deliver(&world, &[item(&world, CUSTOMER, future, json!({ "mid": "f", "text": "from the future" }))]).await;
    world.advance(Duration::from_secs(60));
    deliver(&world, &[item(&world, CUSTOMER, now + 60_000, json!({ "mid": "n", "text": "of now" }))]).await;
    world.advance(Duration::from_secs(60));
    let other = "5551230000000002";
    deliver(&world, &[item(&world, other, now + 120_000, json!({ "mid": "o", "text": "of another" }))]).await;
    let all = get(&world, "/api/v1/conversations").await;
    assert_eq!(
        (&all[0]["contact"]["identifiers"]["instagram_id"], &all[1]["preview"]),
        (&json!(other), &json!("of now")),
        "{all:#}"
    );
    let id = world.conversation(CUSTOMER).await;
    let messages = get(&world, &format!("/api/v1/conversations/{}/messages", id.public())).await;
    assert!(messages.as_array().unwrap().iter().all(|one| one["late"] == false), "{messages:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archives_messages_of_one_second_come_in_their_order_and_none_is_late() {
    let world = World::unconnected(Config::demo()).await;
    let ig_id = world.sim.accounts()[0].ig_id.clone();
    let words = ["first", "second", "third", "fourth", "fifth"];
    let hour = Duration::from_secs(3600);
    world.sim.seed_conversation(&ig_id, CUSTOMER, &words.map(|words| PastMessage::customer(hour, words))).unwrap();
    Person::new(&world).await.connects("facebook").await;
    let messages = eventually("the past", async || {
        let all = get(&world, "/api/v1/conversations").await;
        let messages = get(&world, &format!("/api/v1/conversations/{}/messages", all[0]["id"].as_str()?)).await;
        (messages.as_array()?.len() == words.len()).then_some(messages)
    })
    .await;
    let messages = messages.as_array().unwrap();
    assert_eq!(messages.iter().map(|one| one["text"].as_str().unwrap()).collect::<Vec<_>>(), words);
    assert!(messages.iter().all(|one| one["late"] == false), "{messages:#?}");
    assert_eq!(get(&world, "/api/v1/conversations").await[0]["preview"], "fifth");
}

/// A page of the archive, as the channel hands it on: messages of one second, newest first, with ids that tell no time.
fn archived(world: &World, newest_first: &[&str]) -> NewDelivery {
    let account = world.sim.accounts()[0].ig_id.clone();
    let person = |id: &str| json!({ "id": id, "username": id });
    let message = |words: &&str| {
        json!({
            "id": format!("plain-{words}"), "created_time": "2026-01-02T03:04:05+0000", "message": words,
            "from": person(CUSTOMER), "to": { "data": [person(&account)] },
        })
    };
    let messages: Vec<_> = newest_first.iter().map(message).collect();
    let people = json!({ "data": [person(&account), person(CUSTOMER)] });
    let conversation = json!({ "id": "c", "participants": people, "messages": { "data": messages } });
    let body = json!({ "account": account, "since": 0, "conversation": conversation }).to_string().into_bytes();
    let proof = Proof::Archive { account: account.clone() };
    let (source, received_at) = (DeliverySource::History, world.clock.now());
    let account = Some(AccountSettings { id: account, settings: vec![], webhook_url: None });
    let delivery = Delivery { source, body, headers: vec![], query: String::new(), received_at, account };
    NewDelivery { channel: "instagram".into(), delivery, proof }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archives_messages_of_one_second_stand_in_their_order_over_several_pages() {
    let world = World::new().await;
    let row = world.host.inbox().accounts().await.unwrap().remove(0);
    let hands_on = async |pages: Vec<NewDelivery>| {
        let mark = HistoryMark { cursor: None, from: 0, next: None };
        world.host.whole_inbox().note_history(row.id, row.connection, pages, mark).await.unwrap();
        // Written past the host: whoever waits for its clock looks again.
        world.clock.advance(Duration::ZERO);
        world.settled().await;
    };
    // The newest page comes first; the second and the third in one go.
    hands_on(vec![archived(&world, &["9", "8", "7"])]).await;
    hands_on(vec![archived(&world, &["6", "5", "4"]), archived(&world, &["3", "2", "1"])]).await;
    let shown = async || {
        let all = get(&world, "/api/v1/conversations").await;
        let messages = get(&world, &format!("/api/v1/conversations/{}/messages", all[0]["id"].as_str().unwrap())).await;
        let all = messages.as_array().unwrap();
        assert!(all.iter().all(|one| one["late"] == false), "{messages:#}");
        all.iter().map(|one| one["text"].as_str().unwrap()).collect::<String>()
    };
    assert_eq!(shown().await, "123456789");
    assert_eq!(get(&world, "/api/v1/conversations").await[0]["preview"], "9");
    // A later look brings what came after it in the same second, behind what it brings again.
    hands_on(vec![archived(&world, &["B", "A", "9", "8"])]).await;
    assert_eq!(shown().await, "123456789AB");
    assert_eq!(get(&world, "/api/v1/conversations").await[0]["preview"], "B");
    hands_on(vec![archived(&world, &["B", "A", "m", "9", "8"])]).await;
    assert_eq!(shown().await, "123456789mAB");
}
