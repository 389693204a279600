//! What a message may hold: text, quick replies, media, uploads, templates, and their limits.
//! What belongs here: content only. Who may send, and when, is `send_api.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use common::{ANA, Graph, IG, open, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{AccountConfig, Config, Simulator};

#[tokio::test]
async fn text_is_counted_in_bytes() {
    let sim = open().await;
    let graph = Graph::instagram(&sim);
    assert_eq!(graph.message(json!({"text": "a".repeat(1000)})).await.status, 200);
    assert_eq!(graph.message(json!({"text": "ж".repeat(500)})).await.status, 200);
    assert_eq!(graph.message(json!({"text": "ж".repeat(501)})).await.error(), (100, Some(2_534_015)));
    assert_eq!(graph.message(json!({"text": "a".repeat(1001)})).await.error(), (100, Some(2_534_015)));
    assert_eq!(graph.message(json!({"text": ""})).await.error(), (100, None));
    assert_eq!(graph.message(json!({})).await.error(), (100, None));
}

#[tokio::test]
async fn quick_replies_are_counted_cut_and_filtered() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let reply = json!({"content_type": "text", "title": "A title of more than twenty", "payload": "P"});
    let with = |replies: Vec<Value>| json!({"text": "Choose", "quick_replies": replies});
    assert_eq!(graph.message(with(vec![reply.clone(); 13])).await.status, 200);
    let shown = sim.customer(ANA).last_reply().unwrap().quick_replies;
    assert_eq!((shown.len(), shown[0]["title"].as_str()), (13, Some("A title of more than")));
    assert_eq!(graph.message(with(vec![reply.clone(); 14])).await.error(), (100, Some(2_534_015)));
    assert_eq!(graph.message(with(vec![json!({"content_type": "location"})])).await.error(), (100, None));
    assert_eq!(graph.message(with(vec![reply, json!({"content_type": "user_email"})])).await.status, 200);
    assert_eq!(sim.customer(ANA).last_reply().unwrap().quick_replies.len(), 1);
}

#[tokio::test]
async fn media_by_url_are_judged_by_address_and_type() {
    let sim = open().await;
    let graph = Graph::instagram(&sim);
    let send = async |kind: &str, url: &str| {
        graph.message(json!({"attachment": {"type": kind, "payload": {"url": url}}})).await
    };
    for (kind, url) in [
        ("image", "https://cdn.example.com/a.jpg"),
        ("image", "https://cdn.example.com/a?id=1"),
        ("audio", "https://cdn.example.com/a.m4a"),
        ("video", "https://cdn.example.com/a.MP4"),
        ("file", "https://cdn.example.com/a.pdf"),
    ] {
        assert_eq!(send(kind, url).await.status, 200, "{kind} {url}");
    }
    for url in ["http://cdn.example.com/a.jpg", "https://127.0.0.1/a.jpg", "https://10.0.0.8/a.jpg", "nowhere"] {
        assert_eq!(send("image", url).await.error(), (100, Some(2_018_008)), "{url}");
    }
    for (kind, url) in [("image", "webp"), ("audio", "ogg"), ("video", "mkv"), ("file", "docx")] {
        let answer = send(kind, &format!("https://cdn.example.com/a.{url}")).await;
        assert_eq!(answer.error(), (100, Some(2_018_047)), "{kind} {url}");
    }
    assert_eq!(send("gif", "https://cdn.example.com/a.gif").await.error(), (100, None));
}

#[tokio::test]
async fn mp3_is_taken_unless_metas_list_is_wanted_to_the_letter() {
    for (takes_mp3, error) in [(true, None), (false, Some((100, Some(2_018_047))))] {
        let sim = Simulator::start(Config { takes_mp3, ..Config::demo() }).await.unwrap();
        sim.customer(ANA).text("hi").await;
        let payload = json!({"url": "https://cdn.example.com/a.mp3"});
        let answer = Graph::facebook(&sim).message(json!({"attachment": {"type": "audio", "payload": payload}})).await;
        assert_eq!((answer.status != 200).then(|| answer.error()), error);
    }
}

#[tokio::test]
async fn an_attachment_that_is_kept_can_be_sent_again_by_its_owner_only() {
    let mut config = Config::demo();
    config.accounts.push(AccountConfig::demo(2));
    let sim = Simulator::start(config).await.unwrap();
    sim.customer(ANA).text("hi").await;
    let graph = Graph::facebook(&sim);
    let payload = json!({"url": "https://cdn.example.com/a.jpg", "is_reusable": "true"});
    let answer = graph.message(json!({"attachment": {"type": "image", "payload": payload}})).await.json();
    let id = answer["attachment_id"].as_str().unwrap();
    let again = json!({"attachment": {"type": "image", "payload": {"attachment_id": id}}});
    assert_eq!(graph.message(again.clone()).await.status, 200);
    let wrong_type = json!({"attachment": {"type": "video", "payload": {"attachment_id": id}}});
    assert_eq!(graph.message(wrong_type).await.error(), (100, Some(2_018_047)));
    let unknown = json!({"attachment": {"type": "image", "payload": {"attachment_id": "900"}}});
    assert_eq!(graph.message(unknown).await.error(), (100, Some(2_018_074)));

    let other = sim.accounts()[1].page.clone().unwrap();
    sim.customer_of("17841400000000002", ANA).unwrap().text("hi").await;
    let url = format!("{}/me/messages?access_token={}", sim.graph_facebook_url(), other.token.expose());
    let body = json!({"recipient": {"id": ANA}, "message": again}).to_string();
    assert_eq!(request(Method::POST, &url, &[], body).await.unwrap().error(), (100, Some(2_018_074)));
}

#[tokio::test]
async fn files_are_uploaded_by_multipart_and_by_url() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let message = json!({"attachment": {"type": "image", "payload": {"url": "https://cdn.example.com/a.png"}}});
    let answer = graph.post("/me/message_attachments", &json!({"platform": "instagram", "message": message})).await;
    assert!(answer.json()["attachment_id"].is_string());
    assert_eq!(graph.post("/me/message_attachments", &json!({"message": message})).await.error(), (100, None));

    let token = sim.accounts()[0].instagram_token.clone().unwrap();
    let upload = async |name: &str, mime: &str, size: usize| {
        let mut body = format!(
            "--XbX\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{}\r\n\
             --XbX\r\nContent-Disposition: form-data; name=\"filedata\"; filename=\"{name}\"\r\nContent-Type: {mime}\r\n\r\n",
            json!({"attachment": {"type": "image", "payload": {"is_reusable": true}}})
        )
        .into_bytes();
        body.extend(vec![0; size]);
        body.extend(b"\r\n--XbX--\r\n");
        let url = format!("{}/{IG}/message_attachments?access_token={}", sim.graph_instagram_url(), token.expose());
        let headers = [("content-type", "multipart/form-data; boundary=XbX")];
        request(Method::POST, &url, &headers, body).await.unwrap()
    };
    let answer = upload("a.png", "image/png", 100).await;
    let id = answer.json()["attachment_id"].as_str().unwrap().to_owned();
    assert_eq!(upload("a.webp", "image/webp", 100).await.error(), (100, Some(2_018_047)));
    assert_eq!(upload("a.png", "image/png", 9 * 1024 * 1024).await.error(), (100, Some(2_018_109)));
    assert_eq!(upload("größe.png", "image/png", 10).await.error(), (100, None));
    let send = json!({"attachment": {"type": "image", "payload": {"attachment_id": id}}});
    assert_eq!(Graph::instagram(&sim).message(send).await.status, 200);
}

#[tokio::test]
async fn up_to_ten_images_go_in_one_message_and_nothing_else_does() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let image = json!({"type": "image", "payload": {"url": "https://cdn.example.com/a.jpg"}});
    assert_eq!(graph.message(json!({"attachments": vec![image.clone(); 10]})).await.status, 200);
    assert_eq!(sim.customer(ANA).last_reply().unwrap().attachments.len(), 10);
    assert_eq!(graph.message(json!({"attachments": vec![image.clone(); 11]})).await.error(), (100, Some(2_534_015)));
    let video = json!({"type": "video", "payload": {"url": "https://cdn.example.com/a.mp4"}});
    assert_eq!(graph.message(json!({"attachments": [image, video]})).await.error(), (100, Some(2_534_015)));
    let with_text = json!({"text": "x", "attachment": {"type": "like_heart"}});
    assert_eq!(graph.message(with_text).await.error(), (100, Some(2_534_015)));
}

#[tokio::test]
async fn hearts_go_and_shares_only_of_own_posts() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    assert_eq!(graph.message(json!({"attachment": {"type": "like_heart"}})).await.status, 200);
    let share = |id: &str| json!({"attachment": {"type": "MEDIA_SHARE", "payload": {"id": id}}});
    assert_eq!(graph.message(share("18000000000000001")).await.status, 200);
    assert_eq!(graph.message(share("18000000000000777")).await.error(), (100, Some(33)));
}

#[tokio::test]
async fn templates_keep_their_limits() {
    let sim = open().await;
    let [facebook, instagram] = Graph::both(&sim);
    let postback = json!({"type": "postback", "title": "Order", "payload": "ORDER"});
    let link = json!({"type": "web_url", "title": "Shop", "url": "https://shop.example.com"});
    let template = |payload: Value| json!({"attachment": {"type": "template", "payload": payload}});
    let generic = |elements: Vec<Value>| template(json!({"template_type": "generic", "elements": elements}));
    let element = json!({"title": "Shirt", "subtitle": "Blue", "buttons": [postback, link]});
    let button = |buttons: Vec<Value>| template(json!({"template_type": "button", "text": "Hi", "buttons": buttons}));
    for good in [generic(vec![element.clone(); 10]), button(vec![postback.clone(), link.clone(), link.clone()])] {
        assert_eq!(instagram.message(good).await.status, 200);
    }
    let long = "x".repeat(81);
    for bad in [
        generic(vec![element.clone(); 11]),
        generic(vec![json!({"title": "only a title"})]),
        generic(vec![json!({"title": long, "subtitle": "s"})]),
        generic(vec![json!({"title": "t", "subtitle": long})]),
        generic(vec![json!({"title": "t", "buttons": vec![link.clone(); 4]})]),
        generic(vec![json!({"title": "t", "buttons": [{"type": "phone_number", "title": "Call", "payload": "+1"}]})]),
        button(vec![]),
        button(vec![json!({"type": "postback", "title": "x".repeat(21), "payload": "P"})]),
        template(json!({"template_type": "button", "text": "x".repeat(641), "buttons": [link]})),
    ] {
        assert_eq!(facebook.message(bad.clone()).await.error(), (100, Some(2_534_015)), "{bad}");
    }
    let product = template(json!({"template_type": "product", "elements": [{"id": "77"}]}));
    assert_eq!(facebook.message(product.clone()).await.status, 200);
    assert_eq!(instagram.message(product).await.error(), (100, None));
}
