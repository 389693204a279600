//! Conversations from before anything was connected, read page by page and at the API's pace.
//! What belongs here: seeding, paging, what old messages tell, the rate of the Conversations API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::time::Duration;

use common::login::get;
use common::{ANA, Graph, IG, open, pair, request};
use http::Method;
use serde_json::{Value, json};
use simulator::webhook::attachment::Attachment;
use simulator::{Author, Config, PastMessage, Simulator};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_seeded_conversation_has_its_dates_and_causes_no_webhook() {
    let (sim, receiver) = pair().await;
    let photo = PastMessage::customer(HOUR * 29, "look").with(Attachment::image("https://cdn.example.com/a.jpg"));
    let past = [PastMessage::business(HOUR * 28, "nice"), photo, PastMessage::customer(HOUR * 27, "thanks")];
    let mids = sim.seed_conversation(IG, ANA, &past).unwrap();
    assert!(receiver.arrived().is_empty() && sim.deliveries().is_empty());
    let thread = sim.transcript(IG, ANA);
    let order: Vec<(Author, &str)> =
        thread.iter().map(|message| (message.from, message.text.as_deref().unwrap())).collect();
    assert_eq!(order, [(Author::Customer, "look"), (Author::Business, "nice"), (Author::Customer, "thanks")]);
    assert_eq!(thread[1].mid, mids[0]);
    let [graph, _] = Graph::both(&sim);
    let read = graph.get(&format!("/{}?fields=message,attachments,created_time", mids[1])).await.json();
    assert_eq!(read["attachments"]["data"][0]["image_data"]["url"], "https://cdn.example.com/a.jpg");
    let now = sim.clock().now_ms();
    assert!((now - thread[2].at_ms - 27 * 3_600_000).abs() < 60_000);
    // More than a day ago: the customer may be read, and answered by people only.
    assert_eq!(graph.get(&format!("/{ANA}?fields=name")).await.status, 200);
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (10, Some(2_534_022)));
    assert!(sim.seed_conversation("1", ANA, &past).is_err());
}

#[tokio::test]
async fn conversations_come_page_by_page_newest_first() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    for number in 0..5_u32 {
        let customer = format!("555123000000001{number}");
        let past = [PastMessage::customer(HOUR * (number + 1), format!("number {number}"))];
        sim.seed_conversation(IG, &customer, &past).unwrap();
    }
    for graph in Graph::both(&sim) {
        let path = "/me/conversations?platform=instagram&fields=participants,updated_time&limit=2";
        let mut answer = graph.get(path).await.json();
        let mut customers = Vec::new();
        loop {
            for conversation in answer["data"].as_array().unwrap() {
                customers.push(conversation["participants"]["data"][1]["id"].as_str().unwrap().to_owned());
            }
            let Some(next) = answer["paging"]["next"].as_str() else { break };
            answer = get(next).await.json();
        }
        let expected: Vec<String> = (0..5).map(|number| format!("555123000000001{number}")).collect();
        assert_eq!(customers, expected);
    }
    let graph = Graph::facebook(&sim);
    assert_eq!(graph.get("/me/conversations?platform=instagram&limit=-1").await.error(), (100, None));
    assert_eq!(graph.get("/me/conversations?platform=instagram&after=x").await.error(), (100, None));
}

#[tokio::test]
async fn messages_come_page_by_page_and_only_the_newest_twenty_in_detail() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let past: Vec<PastMessage> =
        (0..45_u32).map(|number| PastMessage::customer(HOUR * (45 - number), number.to_string())).collect();
    sim.seed_conversation(IG, ANA, &past).unwrap();
    let graph = Graph::instagram(&sim);
    let list = graph.get("/me/conversations?platform=instagram").await.json();
    let id = list["data"][0]["id"].as_str().unwrap();
    let path = format!("/{id}?fields=messages.limit(18)%7Bid,message,created_time%7D");
    let mut page = graph.get(&path).await.json()["messages"].clone();
    let mut messages: Vec<Value> = Vec::new();
    loop {
        messages.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["paging"]["next"].as_str() else { break };
        page = get(next).await.json();
    }
    assert_eq!(messages.len(), 45);
    assert_eq!((&messages[0]["message"], &messages[19]["message"]), (&json!("44"), &json!("25")));
    assert!(messages[20].get("message").is_none() && messages[20]["created_time"].is_string());
    let plain = graph.get(&format!("/{id}?fields=messages")).await.json();
    assert_eq!(plain["messages"]["data"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn the_conversations_api_takes_two_calls_a_second_when_it_counts() {
    let sim = open().await;
    let [facebook, instagram] = Graph::both(&sim);
    let path = "/me/conversations?platform=instagram";
    for _ in 0..5 {
        assert_eq!(facebook.get(path).await.status, 200);
    }
    sim.clock().stop();
    sim.update_app(|app| app.conversations_rate_limit = true);
    assert_eq!(facebook.get(path).await.status, 200);
    assert_eq!(instagram.get(path).await.status, 200);
    assert_eq!(facebook.get(path).await.error(), (613, Some(2_534_040)));
    let mid = sim.transcript(IG, ANA)[0].mid.clone();
    assert_eq!(facebook.get(&format!("/{mid}")).await.error(), (613, Some(2_534_040)));
    // Sends are not counted.
    assert_eq!(facebook.message(json!({"text": "x"})).await.status, 200);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(facebook.get(path).await.status, 200);
}

#[tokio::test]
async fn the_past_can_be_told_over_json() {
    let (sim, receiver) = pair().await;
    let body = json!({"messages": [
        {"from": "customer", "ago_seconds": 7200, "text": "hi"},
        {"from": "business", "ago_seconds": 3600, "text": "hello", "photo": "https://cdn.example.com/a.jpg"},
    ]});
    let url = format!("{}/sim/customers/{ANA}/history", sim.base_url());
    let headers = [("content-type", "application/json")];
    let answer = request(Method::POST, &url, &headers, body.to_string()).await.unwrap().json();
    let thread = sim.transcript(IG, ANA);
    assert_eq!(answer["mids"], json!([thread[0].mid, thread[1].mid]));
    assert_eq!(thread[1].attachments.len(), 1);
    assert!(receiver.arrived().is_empty());
}
