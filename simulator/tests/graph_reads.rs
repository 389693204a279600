//! What can be read and set up over the Graph API: profiles, threads, accounts, subscriptions.
//! What belongs here: every endpoint besides the Send API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use common::{ANA, Graph, IG, PAGE, pair};
use serde_json::json;
use simulator::{Config, Login, Simulator, conversation_id};

#[tokio::test]
async fn a_profile_needs_consent_and_known_fields() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let [facebook, instagram] = Graph::both(&sim);
    let path = format!("/{ANA}?fields=name,username,profile_pic,is_user_follow_business");
    assert_eq!(facebook.get(&path).await.error(), (100, Some(33)));
    let ana = sim.customer(ANA);
    ana.comment("18000000000000001", "only a comment").await;
    assert_eq!(facebook.get(&path).await.error(), (230, None));
    ana.text("hi").await;
    ana.set_profile(|profile| profile.name = None);
    let body = instagram.get(&path).await.json();
    assert_eq!(body["id"], ANA);
    assert_eq!(body["name"], json!(null));
    assert_eq!(body["username"], "customer_0001");
    assert_eq!(body["is_user_follow_business"], false);
    assert_eq!(facebook.get(&format!("/{ANA}?fields=profile_picture_url")).await.error(), (100, None));
    ana.block();
    assert_eq!(facebook.get(&path).await.error(), (230, None));
}

#[tokio::test]
async fn threads_and_messages_can_be_read_back() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let ana = sim.customer(ANA);
    let mid = ana.text("first").await.id;
    ana.photo("https://cdn.example.com/a.jpg").await;
    let graph = Graph::facebook(&sim);
    graph.message(json!({"text": "answer"})).await;
    assert_eq!(graph.get("/me/conversations").await.error(), (100, None));
    let list = graph.get(&format!("/{PAGE}/conversations?platform=instagram&user_id={ANA}")).await.json();
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    assert!(list["data"][0]["updated_time"].as_str().unwrap().ends_with("+0000"));
    assert_ne!(id, conversation_id(IG, "1"));

    let thread =
        graph.get(&format!("/{id}?fields=participants,messages%7Bid,from,message,attachments%7D")).await.json();
    let messages = thread["messages"]["data"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!((&messages[0]["message"], &messages[0]["from"]["id"]), (&json!("answer"), &json!(IG)));
    assert_eq!(messages[1]["attachments"]["data"][0]["image_data"]["url"], "https://cdn.example.com/a.jpg");
    assert_eq!(messages[2]["id"], mid);
    // Known to pages only, and not played there.
    assert_eq!(graph.get(&format!("/{id}?fields=unread_count")).await.status, 501);
    let instagram = Graph::instagram(&sim);
    assert_eq!(instagram.get(&format!("/{id}?fields=unread_count")).await.error(), (100, None));

    let message = graph.get(&format!("/{mid}?fields=message,from,created_time")).await.json();
    assert_eq!((&message["message"], &message["from"]["id"]), (&json!("first"), &json!(ANA)));
    ana.unsend(&mid).await;
    assert_eq!(graph.get(&format!("/{mid}")).await.error(), (100, Some(9_000_001)));
}

#[tokio::test]
async fn only_the_twenty_newest_messages_can_be_read_in_detail() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let ana = sim.customer(ANA);
    let first = ana.text("0").await.id;
    let graph = Graph::instagram(&sim);
    for number in 1..20 {
        ana.text(&number.to_string()).await;
    }
    assert_eq!(graph.get(&format!("/{first}")).await.status, 200);
    ana.text("20").await;
    assert_eq!(graph.get(&format!("/{first}")).await.error(), (100, Some(9_000_001)));
}

#[tokio::test]
async fn me_is_the_page_or_the_account_with_two_different_ids() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let [facebook, instagram] = Graph::both(&sim);
    let page = facebook.get("/me?fields=name,instagram_business_account%7Bid%7D").await.json();
    assert_eq!((&page["id"], &page["instagram_business_account"]["id"]), (&json!(PAGE), &json!(IG)));
    let account = instagram.get("/me?fields=user_id,username,account_type").await.json();
    assert_eq!((&account["user_id"], &account["username"]), (&json!(IG), &json!("demo.shop.1")));
    assert_ne!(account["id"], IG);
    assert_eq!(instagram.get("/me?fields=shoe_size").await.error(), (100, None));
}

#[tokio::test]
async fn subscriptions_are_kept_per_login() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let [facebook, instagram] = Graph::both(&sim);
    assert_eq!(instagram.post("/me/subscribed_apps", &json!({})).await.error(), (100, None));
    let answer = instagram.post("/me/subscribed_apps?subscribed_fields=messages,messaging_seen", &json!({})).await;
    assert_eq!(answer.json(), json!({"success": true}));
    let unknown = json!({"subscribed_fields": ["messages", "message_echoes"]});
    assert_eq!(instagram.post("/me/subscribed_apps", &unknown).await.error(), (100, None));
    facebook.post("/me/subscribed_apps", &json!({"subscribed_fields": ["feed"]})).await;
    let list = instagram.get(&format!("/{IG}/subscribed_apps")).await.json();
    assert_eq!(list["data"][0]["subscribed_fields"], json!(["messages", "messaging_seen"]));
    assert_eq!(sim.subscribed_fields(IG, Login::Facebook), ["feed"]);
    facebook.delete("/me/subscribed_apps").await;
    assert_eq!(facebook.get("/me/subscribed_apps").await.json(), json!({"data": []}));
}

#[tokio::test]
async fn ice_breakers_and_menu_are_kept_within_their_limits() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let graph = Graph::facebook(&sim);
    let path = "/me/messenger_profile?platform=instagram";
    let ice = |count: usize| {
        let actions = vec![json!({"question": "Open?", "payload": "OPEN"}); count];
        json!({"ice_breakers": [{"call_to_actions": actions, "locale": "default"}]})
    };
    assert_eq!(graph.post("/me/messenger_profile", &ice(1)).await.error(), (100, None));
    assert_eq!(graph.post(path, &ice(5)).await.error(), (100, None));
    assert_eq!(graph.post(path, &ice(4)).await.json(), json!({"result": "success"}));
    let menu = json!({"persistent_menu": [{"locale": "default", "call_to_actions": [
        {"type": "postback", "title": "Help", "payload": "HELP"},
        {"type": "web_url", "title": "Shop", "url": "https://shop.example.com"},
    ]}]});
    assert_eq!(graph.post(path, &menu).await.status, 200);
    let nested =
        json!({"persistent_menu": [{"locale": "default", "call_to_actions": [{"type": "nested", "title": "x"}]}]});
    assert_eq!(graph.post(path, &nested).await.error(), (100, None));
    let read = graph.get(&format!("{path}&fields=ice_breakers")).await.json();
    assert_eq!(read["data"][0]["ice_breakers"], ice(4)["ice_breakers"]);
    assert_eq!(graph.delete(&format!("{path}&fields=ice_breakers")).await.status, 200);
    assert_eq!(graph.get(&format!("{path}&fields=ice_breakers")).await.json(), json!({"data": []}));
}

#[tokio::test]
async fn thread_control_moves_the_right_to_answer() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    sim.customer(ANA).text("hi").await;
    let graph = Graph::facebook(&sim);
    let recipient = json!({"recipient": {"id": ANA}});
    let mut pass = recipient.clone();
    pass["target_app_id"] = json!("1217981644879628");
    assert_eq!(graph.post("/me/pass_thread_control", &pass).await.json(), json!({"success": true}));
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (100, Some(2_534_037)));
    assert_eq!(graph.post("/me/release_thread_control", &recipient).await.error(), (100, Some(2_534_037)));
    let owner = graph.get(&format!("/me/thread_owner?recipient={ANA}")).await.json();
    assert_eq!(owner["data"][0]["thread_owner"]["app_id"], "1217981644879628");
    graph.post("/me/take_thread_control", &recipient).await;
    assert_eq!(graph.message(json!({"text": "x"})).await.status, 200);
    let control = json!({
        "recipient": {"id": ANA}, "message": {"text": "a person will answer"},
        "thread_control": {"control_type": "pass", "app_id": "1217981644879628"},
    });
    assert_eq!(graph.send(&control).await.status, 200);
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (100, Some(2_534_037)));
}

#[tokio::test]
async fn a_public_answer_comes_back_as_the_account_s_own_comment() {
    let (sim, receiver) = pair().await;
    let comment = sim.customer(ANA).comment("18000000000000001", "price?").await.id;
    let graph = Graph::facebook(&sim);
    let answer = graph.post(&format!("/{comment}/replies?message=12"), &json!({})).await.json();
    sim.wait_for_deliveries(2, common::SOON).await.unwrap();
    let value = receiver.last().json()["entry"][0]["changes"][0]["value"].clone();
    assert_eq!((&value["id"], &value["from"]["id"]), (&answer["id"], &json!(IG)));
    assert_eq!(value["parent_id"], comment);
    assert_eq!(graph.post("/1/replies?message=x", &json!({})).await.error(), (100, Some(33)));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_as_graph_does() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let graph = Graph::facebook(&sim);
    assert_eq!(graph.get("/me/nonsense").await.error(), (2500, None));
    assert_eq!(graph.delete("/me").await.error(), (100, None));
    let unknown = graph.get("/123456789012345").await;
    assert_eq!((unknown.error(), &unknown.json()["error"]["type"]), ((100, Some(33)), &json!("GraphMethodException")));
}
