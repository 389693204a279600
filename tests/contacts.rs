//! People as the API shows them, single messages and activities, and accounts with all that is known of them.
//! Not here: lists of conversations and their pages (`reading`), other workspaces (`workspaces`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, eventually, message, text};
use harness_inbox::PublicId as _;
use serde_json::{Value, json};
use simulator::Config;

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const JSON: (&str, &str) = ("content-type", "application/json");

async fn get(world: &World, path: &str) -> Value {
    let answer = world.api("GET", &format!("/api/v1{path}"), &[], "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_shown_with_its_id_its_conversations_and_when_it_was_seen() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("first").await;
    let conversation = world.conversation(CUSTOMER).await.public();
    world.sim.customer("55588800000001").text("somebody else").await;
    world.conversation("55588800000001").await;
    let label =
        world.api("POST", "/api/v1/labels", &[JSON], json!({ "name": "VIP", "color": "blue" }).to_string()).await;
    let label = label.json()["id"].clone();
    let body = json!({ "label_ids": [label] }).to_string();
    world.api("PUT", &format!("/api/v1/conversations/{conversation}/labels"), &[JSON], body).await;

    let list = get(&world, "/contacts?limit=1").await;
    assert_eq!((ids(&list).len(), &list["has_more"]), (1, &json!(true)), "{list}");
    assert_eq!(list["data"][0]["identifiers"], json!({ "instagram_id": "55588800000001" }), "the newest comes first");
    let rest = get(&world, &format!("/contacts?limit=1&cursor={}", list["cursor"].as_str().unwrap())).await;
    assert_eq!(rest["has_more"], false);
    let account = rest["data"][0]["account_id"].as_str().unwrap();
    assert_eq!(ids(&get(&world, &format!("/contacts?account_id={account}&channel=instagram")).await).len(), 2);
    assert_eq!(ids(&get(&world, "/contacts?channel=web-chat").await), Vec::<&str>::new());

    let id = rest["data"][0]["id"].as_str().unwrap();
    // The profile is asked for after the message is there.
    let shown = eventually("the profile", async || {
        let shown = get(&world, &format!("/contacts/{id}")).await;
        shown["picture_url"].is_string().then_some(shown)
    })
    .await;
    assert_eq!((&shown["object"], &shown["identifiers"]), (&json!("contact"), &json!({ "instagram_id": CUSTOMER })));
    assert!(shown["name"].is_string() && shown["username"].is_string(), "{shown}");
    assert_eq!((&shown["label_ids"], &shown["conversations"][0]["id"]), (&json!([label]), &json!(conversation)));
    let timeline = get(&world, &format!("/conversations/{conversation}/messages")).await;
    let written = &timeline["data"][0]["created_at"];
    assert_eq!((&shown["first_seen_at"], &shown["last_seen_at"]), (written, written));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_event_names_can_be_read() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let timeline = get(&world, &format!("/conversations/{}/messages", conversation.public())).await;
    let listed = &timeline["data"][0];
    assert_eq!(&get(&world, &format!("/messages/{}", listed["id"].as_str().unwrap())).await, listed);

    customer.comment("17900000000000001", "how much?").await;
    customer.comment("17900000000000001", "and this one?").await;
    let all = eventually("both comments", async || {
        let all = get(&world, "/activities?kind=comment").await;
        (ids(&all).len() == 2).then_some(all)
    })
    .await;
    let newest = &all["data"][0];
    assert_eq!(&get(&world, &format!("/activities/{}", newest["id"].as_str().unwrap())).await, newest);
    let (account, at) = (newest["account_id"].as_str().unwrap(), newest["created_at"].as_str().unwrap());
    for (query, count) in [
        (format!("account_id={account}"), 2),
        ("from=2999-01-01T00:00:00Z".to_owned(), 0),
        ("to=2001-01-01T00:00:00Z".to_owned(), 0),
        ("from=2001-01-01T00:00:00Z&to=2999-01-01T00:00:00Z".to_owned(), 2),
    ] {
        assert_eq!(ids(&get(&world, &format!("/activities?kind=comment&{query}")).await).len(), count, "{query}");
    }
    let before = get(&world, &format!("/activities?kind=comment&to={at}")).await;
    assert!(!ids(&before).contains(&newest["id"].as_str().unwrap()), "{before}");
    let from = get(&world, &format!("/activities?kind=comment&from={at}")).await;
    assert!(ids(&from).contains(&newest["id"].as_str().unwrap()), "{from}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_shows_its_settings_and_the_entry_points_that_were_set() {
    let world = World::new().await;
    let account = get(&world, "/accounts").await["data"][0].clone();
    let setting = |key: &str| {
        let all = account["settings"].as_array().unwrap().iter();
        all.clone().find(|one| one["key"] == key).map(|one| one["value"].clone())
    };
    assert_eq!(setting("login"), Some(json!({ "text": "facebook" })), "{account}");
    assert_eq!((&account["entry_points"], &account["login"]), (&Value::Null, &Value::Null));
    let path = format!("/accounts/{}", account["id"].as_str().unwrap());
    let wanted = json!({ "ice_breakers": [{ "title": "Hours?", "action": { "postback": "HOURS" } }] }).to_string();
    let set = world.api("PUT", &format!("/api/v1{path}/entry-points"), &[JSON], wanted).await;
    assert_eq!(set.status, 204, "{}", set.body);
    assert_eq!(get(&world, &path).await["entry_points"]["ice_breakers"][0]["title"], "Hours?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_waits_is_in_the_conversation_at_its_time() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    // Nothing is sent while its channel is not loaded.
    world.host.unload_channel("instagram");
    let queued = world.host.whole_inbox().queue_reply(harness_inbox::NewReply {
        conversation,
        key: "waits".into(),
        message: message(vec![text("one moment")]),
        user: None,
        remarks: harness_inbox::Remarks::default(),
        now: world.clock.now(),
    });
    let reply = queued.await.unwrap().reply;
    let timeline = get(&world, &format!("/conversations/{}/timeline", conversation.public())).await;
    let waits = timeline["data"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&waits["text"], &waits["state"], &waits["direction"]),
        (&json!("one moment"), &json!("queued"), &json!("outbound"))
    );
    let shown = get(&world, &format!("/replies/{}", reply.public())).await;
    assert_eq!((&shown["state"], &shown["created_at"]), (&json!("queued"), &waits["created_at"]));
    channel_tests::load(&world.host, &world.sim).await;
    world.ended(reply).await;
    let timeline = get(&world, &format!("/conversations/{}/messages", conversation.public())).await;
    let sent: Vec<_> =
        timeline["data"].as_array().unwrap().iter().filter(|one| one["direction"] == "outbound").collect();
    assert_eq!((sent.len(), &sent[0]["id"], &sent[0]["state"]), (1, &waits["id"], &json!("sent")));
}
