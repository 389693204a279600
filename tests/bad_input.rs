//! Genuine deliveries with odd contents: each has its documented answer, and none costs a good item
//! beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, request, signature};
use harness_inbox::DeliveryCounts;

const CUSTOMER: &str = "5551230000000001";

fn item(mid: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"{CUSTOMER}"}},"recipient":{{"id":"17841400000000001"}},"timestamp":1795000000123,"message":{{"mid":"{mid}","text":"{mid}"}}}}"#
    )
}

fn delivery(items: &[&str]) -> Vec<u8> {
    format!(
        r#"{{"object":"instagram","entry":[{{"id":"17841400000000001","time":1795000000456,"messaging":[{}]}}]}}"#,
        items.join(",")
    )
    .into()
}

async fn deliver(world: &World, body: Vec<u8>) -> DeliveryCounts {
    let signature = signature("demo-meta-app-secret", &body);
    let url = format!("{}/webhooks/instagram", world.address);
    let answer = request("POST", &url, &[("x-hub-signature-256", &signature)], body).await;
    assert_eq!(answer.status, 200, "what is genuine is acknowledged");
    world.settled().await;
    world.host.inbox().delivery_counts().await.unwrap()
}

/// The good items before and behind a bad one arrive.
async fn survives(bad: &str) -> World {
    let world = World::new().await;
    let counts = deliver(&world, delivery(&[&item("before"), bad, &item("behind")])).await;
    assert_eq!((counts.applied, counts.failed), (1, 0), "{}", bad.get(..60).unwrap_or(bad));
    let texts: Vec<_> = world.timeline(CUSTOMER).await.into_iter().filter_map(|entry| entry.text).collect();
    for good in ["before", "behind"] {
        assert!(texts.iter().any(|text| text == good), "{good} beside {}", bad.get(..60).unwrap_or(bad));
    }
    world
}

async fn activities(world: &World) -> Vec<(String, String)> {
    let file = rusqlite::Connection::open(world.inbox_file()).unwrap();
    let mut query = file.prepare("SELECT kind, body FROM activity").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_in_place_of_an_item_becomes_unknown() {
    for bad in ["null", "17", r#""text""#, "[]", "{}", r#"{"sender":5,"message":[]}"#] {
        survives(bad).await;
    }
    let world = survives(r#"{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"hologram":{"x":1}}"#).await;
    let activities = activities(&world).await;
    assert!(activities.iter().any(|(kind, body)| kind == "unknown" && body.contains("hologram")), "{activities:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_costs_its_own_item_at_most() {
    let deep =
        format!(r#"{{"sender":{{"id":"{CUSTOMER}"}},"message":{}{}}}"#, "[".repeat(200_000), "]".repeat(200_000));
    survives(&deep).await;
    let deep = format!(r#"{{"message":{{"mid":"m","x":{}1{}}}}}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    survives(&deep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_and_numbers_beyond_range_are_survived() {
    survives(&item("middle").replace("\"text\":\"middle\"", r#""text":"half \ud83d of it""#)).await;
    survives(&item("middle").replace("1795000000123", "1e999")).await;
    survives(&item("middle").replace("1795000000123", "-5")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_where_strings_belong_keep_every_digit() {
    let world = survives(r#"{"sender":{"id":99999999999999999},"recipient":{"id":17841400000000001},"timestamp":"1795000000","message":{"mid":7,"text":8}}"#).await;
    assert_eq!(world.timeline("99999999999999999").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_a_sender_is_kept() {
    let world = survives(r#"{"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"lost","text":"who am I"}}"#).await;
    assert!(activities(&world).await.iter().any(|(_, body)| body.contains("who am I")));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_are_no_reason_to_lose_a_message() {
    let world = survives(&item("extra").replace("\"text\"", r#""mood":"fine","nested":{"a":[1]},"text""#)).await;
    assert_eq!(world.timeline(CUSTOMER).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_utf8_are_replaced() {
    let world = World::new().await;
    let mut body = delivery(&[&item("before"), &item("broken"), &item("behind")]);
    let place = body.windows(8).position(|window| window == b"\"broken\"").unwrap();
    body[place + 1] = 0xff;
    let counts = deliver(&world, body).await;
    assert_eq!((counts.applied, counts.failed), (1, 0));
    assert_eq!(world.timeline(CUSTOMER).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_items_are_a_thousand_messages() {
    let world = World::new().await;
    let items: Vec<_> = (0..1000).map(|index| item(&format!("item-{index}"))).collect();
    let items: Vec<_> = items.iter().map(String::as_str).collect();
    let counts = deliver(&world, delivery(&items)).await;
    assert_eq!((counts.applied, counts.failed), (1, 0));
    let conversation = world.conversation(CUSTOMER).await;
    assert_eq!(world.host.inbox().timeline(conversation, 2000).await.unwrap().len(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_the_channels_is_kept_with_its_reason() {
    for (body, reason) in [
        (&br#"{"object":"instagram","entry":[{"id":"1"#[..], "not JSON"),
        (br#"{"object":"page","entry":[]}"#, "page"),
        (br#"{"hello":1}"#, "object"),
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
    ] {
        let world = World::new().await;
        let counts = deliver(&world, body.to_vec()).await;
        assert_eq!((counts.applied, counts.failed), (0, 1), "{}", String::from_utf8_lossy(body));
        let problems = world.host.inbox().problems(5).await.unwrap();
        assert!(problems[0].1.contains(reason), "{problems:?} should tell of {reason}");
    }
}
