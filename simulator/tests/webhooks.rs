//! The webhook sender: bytes, signatures, shapes, and what can go wrong on the way.
//! What belongs here: everything that a receiver sees. The Send API is `send_api.rs`.
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

use common::{ANA, IG, Receiver, pair, pair_with};
use serde_json::json;
use simulator::webhook::attachment::Attachment;
use simulator::webhook::envelope::{Entry, Envelope};
use simulator::webhook::item::{Item, Kind};
use simulator::{
    AccountConfig, Config, Login, MessageId, RawWebhook, Redelivery, Release, Signing, Simulator, SimulatorError,
};

#[tokio::test]
async fn a_text_arrives_signed_over_its_exact_ascii_bytes() {
    let (sim, receiver) = pair().await;
    let sent = sim.customer(ANA).text("Größe 😀 https://x/y").await;
    assert_eq!(sent.status(), Some(200));

    let arrived = receiver.last();
    assert_eq!(arrived.bytes, sent.body());
    assert_eq!(arrived.signed_by, Some("facebook"));
    assert!(arrived.has_sha1);
    assert!(arrived.bytes.is_ascii());
    assert!(arrived.text().contains(r"Gr\u00f6\u00dfe \ud83d\ude00 https:\/\/x\/y"), "{}", arrived.text());

    let body = arrived.json();
    assert_eq!(body["object"], "instagram");
    assert_eq!(body["entry"][0]["id"], IG);
    assert!(body["entry"][0]["time"].as_i64().unwrap() >= sent.at_ms);
    let item = arrived.item();
    assert_eq!(item["sender"]["id"], ANA);
    assert_eq!(item["recipient"]["id"], IG);
    assert_eq!(item["timestamp"], sent.at_ms);
    assert_eq!(item["message"], json!({"mid": sent.mid(), "text": "Größe 😀 https://x/y"}));
    let mid = MessageId::decode(sent.mid()).unwrap();
    assert_eq!((mid.ig_id.as_str(), mid.created_micros() / 1000), (IG, sent.at_ms));
}

#[tokio::test]
async fn the_login_of_the_account_decides_which_secret_signs() {
    let (sim, receiver) = pair().await;
    sim.update_account(IG, |account| account.webhook_login = Login::Instagram).unwrap();
    sim.customer(ANA).text("hi").await;
    assert_eq!(receiver.last().signed_by, Some("instagram"));
}

#[tokio::test]
async fn every_action_of_a_customer_has_its_documented_shape() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    let url = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x";

    let text = ana.text("hi").await;
    let message = |extra: serde_json::Value| {
        let mut item = receiver.last().item()["message"].clone();
        item.as_object_mut().unwrap().remove("mid");
        assert_eq!(item, extra);
    };
    ana.photo(url).await;
    message(json!({"attachments": [{"type": "image", "payload": {"url": url}}]}));
    ana.photos(&[url, url]).await;
    assert_eq!(receiver.last().item()["message"]["attachments"].as_array().unwrap().len(), 2);
    ana.quick_reply("Yes", "YES").await;
    message(json!({"text": "Yes", "quick_reply": {"payload": "YES"}}));
    ana.reply(text.mid(), "re").await;
    message(json!({"text": "re", "reply_to": {"mid": text.mid()}}));
    ana.story_reply("18", "https://s", "nice").await;
    message(json!({"text": "nice", "reply_to": {"story": {"id": "18", "url": "https://s"}}}));
    ana.story_mention(url).await;
    message(json!({"attachments": [{"type": "story_mention", "payload": {"url": url}}]}));
    ana.share_post("18", "Title", url).await;
    let payload = json!({"ig_post_media_id": "18", "title": "Title", "url": url});
    message(json!({"attachments": [{"type": "share", "payload": payload}, {"type": "ig_post", "payload": payload}]}));
    ana.share_reel("17", "Cap", url).await;
    message(
        json!({"attachments": [{"type": "ig_reel", "payload": {"reel_video_id": "17", "title": "Cap", "url": url}}]}),
    );
    ana.share_story("17", url).await;
    message(
        json!({"attachments": [{"type": "ig_story", "payload": {"story_media_id": "17", "story_media_url": url}}]}),
    );
    ana.view_once().await;
    message(json!({"attachments": [{"type": "ephemeral"}]}));
    ana.like_heart().await;
    message(json!({"attachments": [{"type": "like_heart"}]}));
    ana.attach([Attachment::fallback("T", "https://f")]).await;
    message(json!({"attachments": [{"type": "fallback", "payload": "T", "title": "T", "url": "https://f"}]}));
    ana.unsupported().await;
    message(json!({"is_unsupported": true}));
    ana.text_from_ad("hi", "r", "120", "Sale").await;
    assert_eq!(receiver.last().item()["message"]["referral"]["source"], "ADS");
    ana.text_about_product("size?", "77").await;
    message(json!({"text": "size?", "referral": {"product": {"id": "77"}}}));

    ana.follow_link("shelf").await;
    assert_eq!(
        receiver.last().item()["referral"],
        json!({"ref": "shelf", "source": "SHORTLINKS", "type": "OPEN_THREAD"})
    );
    let tap = ana.postback("Menu", "MENU").await;
    assert_eq!(receiver.last().item()["postback"], json!({"mid": tap.mid(), "title": "Menu", "payload": "MENU"}));
    ana.react(text.mid(), "❤️").await;
    assert_eq!(
        receiver.last().item()["reaction"],
        json!({"mid": text.mid(), "action": "react", "reaction": "love", "emoji": "❤️"})
    );
    ana.unreact(text.mid()).await;
    assert_eq!(receiver.last().item()["reaction"], json!({"mid": text.mid(), "action": "unreact"}));
    ana.seen(text.mid()).await;
    assert_eq!(receiver.last().item()["read"], json!({"mid": text.mid()}));
    ana.edit(text.mid(), "hello").await;
    ana.edit(text.mid(), "hello!").await;
    assert_eq!(receiver.last().item()["message_edit"], json!({"mid": text.mid(), "text": "hello!", "num_edit": 2}));
    ana.unsend(text.mid()).await;
    message(json!({"is_deleted": true}));
    assert!(receiver.arrived().iter().all(|arrived| arrived.signed_by == Some("facebook")));
}

#[tokio::test]
async fn comments_come_as_changes_or_flat_with_seconds() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    let comment = ana.comment("18000000000000001", "price?").await;
    let entry = receiver.last().json()["entry"][0].clone();
    assert_eq!(entry["changes"][0]["field"], "comments");
    assert_eq!(entry["changes"][0]["value"]["id"], comment.id);
    assert_eq!(entry["changes"][0]["value"]["from"]["id"], ANA);
    assert!(entry["time"].as_i64().unwrap() < 10_000_000_000, "{entry}");
    ana.comment_flat("18000000000000001", "price?").await;
    let entry = receiver.last().json()["entry"][0].clone();
    assert_eq!(entry["field"], "comments");
    assert_eq!(entry["value"]["media"]["media_product_type"], "FEED");
    ana.mention("18", None).await;
    assert_eq!(receiver.last().json()["entry"][0]["changes"][0]["value"], json!({"media_id": "18"}));
}

#[tokio::test]
async fn a_thread_of_another_app_comes_in_standby() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    ana.thread_taken_by("1217981644879628", "to a person").await;
    let control = receiver.last().item()["take_thread_control"].clone();
    assert_eq!(control["new_owner_app_id"], "1217981644879628");
    ana.text("still there?").await;
    let entry = receiver.last().json()["entry"][0].clone();
    assert_eq!(entry["standby"][0]["message"]["text"], "still there?");
    assert!(entry.get("messaging").is_none());
    ana.thread_passed_here("1217981644879628", "").await;
    ana.text("hello again").await;
    assert_eq!(receiver.last().item()["message"]["text"], "hello again");
}

#[tokio::test]
async fn surprises_of_captured_payloads_can_be_sent() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    let edit = Kind::MessageEdit { mid: "m".to_owned(), text: None, num_edit: json!(0) };
    ana.raw_item(Item::anonymous(1_795_000_000_000, edit)).await;
    let item = receiver.last().item();
    assert_eq!(item, json!({"timestamp": 1_795_000_000_000_i64, "message_edit": {"mid": "m", "num_edit": 0}}));
    sim.deliver(Login::Instagram, &Envelope::dashboard_test_instagram()).await;
    assert_eq!(receiver.last().json()["entry"][0]["changes"][0]["value"]["sender"]["id"], "12334");
    assert_eq!(receiver.last().signed_by, Some("instagram"));
    sim.deliver(Login::Facebook, &Envelope::new(vec![])).await;
    assert_eq!(receiver.last().text(), r#"{"object":"instagram","entry":[]}"#);
    sim.deliver(Login::Facebook, &Envelope::dashboard_test_facebook()).await;
    assert_eq!(receiver.last().item()["timestamp"], "1527459824");
}

#[tokio::test]
async fn held_webhooks_can_be_reversed_batched_doubled_or_lost() {
    let mut config = Config::demo();
    config.accounts.push(AccountConfig::demo(2));
    let (sim, receiver) = pair_with(config).await;
    let ana = sim.customer(ANA);
    let ben = sim.customer_of("17841400000000002", "5551230000000002").unwrap();
    let text = |at: usize| receiver.arrived()[at].item()["message"]["text"].clone();

    sim.hold_webhooks();
    assert_eq!(ana.text("one").await.status(), None);
    ana.text("two").await;
    assert!(receiver.arrived().is_empty());
    sim.release_webhooks(Release::Reversed).await;
    assert_eq!([text(0), text(1)], ["two", "one"]);

    sim.hold_webhooks();
    let first = ana.text("three").await;
    ana.react(first.mid(), "👍").await;
    ben.text("four").await;
    let deliveries = sim.release_webhooks(Release::OneBatch).await;
    assert_eq!(deliveries.len(), 1);
    let body = receiver.last().json();
    assert_eq!(body["entry"].as_array().unwrap().len(), 2);
    assert_eq!(body["entry"][0]["messaging"].as_array().unwrap().len(), 2);
    assert_eq!(body["entry"][1]["id"], "17841400000000002");

    sim.hold_webhooks();
    ana.text("five").await;
    let deliveries = sim.release_webhooks(Release::Repeated(3)).await;
    assert_eq!(deliveries.iter().map(|one| one.body.clone()).collect::<std::collections::HashSet<_>>().len(), 1);

    sim.hold_webhooks();
    ana.text("six").await;
    ana.text("seven").await;
    assert_eq!(sim.release_webhooks(Release::Concurrently).await.len(), 2);

    let before = receiver.arrived().len();
    sim.hold_webhooks();
    ana.text("eight").await;
    assert!(sim.release_webhooks(Release::Discard).await.is_empty());
    assert_eq!(receiver.arrived().len(), before);
}

#[tokio::test]
async fn a_batch_never_mixes_two_signing_secrets() {
    let mut config = Config::demo();
    let second = AccountConfig { webhook_login: Login::Instagram, ..AccountConfig::demo(2) };
    config.accounts.push(second);
    let (sim, receiver) = pair_with(config).await;
    sim.hold_webhooks();
    sim.customer(ANA).text("a").await;
    sim.customer_of("17841400000000002", "5551230000000002").unwrap().text("b").await;
    sim.release_webhooks(Release::OneBatch).await;
    let signers: Vec<_> = receiver.arrived().iter().map(|arrived| arrived.signed_by).collect();
    assert_eq!(signers, [Some("facebook"), Some("instagram")]);
}

#[tokio::test]
async fn the_same_bytes_can_come_again_and_at_the_same_moment() {
    let (sim, receiver) = pair().await;
    let sent = sim.customer(ANA).text("once").await;
    sim.redeliver(&sent.delivery).await;
    assert_eq!(sim.redeliver_concurrently(&sent.delivery, 5).await.len(), 5);
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 7);
    assert!(arrived.iter().all(|one| one.bytes == sent.body() && one.signed_by.is_some()));
}

/// What is done while the platform's hours pass.
async fn hours_passing<T>(sim: &Simulator, done: impl Future<Output = T>) -> T {
    let hours = common::eventually(async || {
        sim.clock().advance(Duration::from_secs(3600));
        false
    });
    tokio::select! {
        done = done => done,
        () = hours => unreachable!("an hour never comes"),
    }
}

#[tokio::test]
async fn a_refused_webhook_is_repeated_as_scripted_and_not_longer() {
    let (sim, receiver) = pair().await;
    let pause = Duration::from_secs(3600);
    sim.set_redelivery(Redelivery::times(3, pause));
    receiver.answer_with([500, 503]);
    let ana = sim.customer(ANA);
    let sent = hours_passing(&sim, ana.text("hi")).await;
    let statuses: Vec<_> = sent.delivery.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(500), Some(503), Some(200)]);
    assert!(sent.delivery.accepted());
    receiver.answer_with([500, 500, 500, 500, 500]);
    assert!(!hours_passing(&sim, ana.text("hi")).await.delivery.accepted());
    assert_eq!(receiver.arrived().len(), 7);
}

#[tokio::test]
async fn wrong_and_missing_signatures_can_be_sent() {
    let (sim, receiver) = pair().await;
    for (signing, has_sha256, has_sha1) in [
        (Signing::Sha1Only, false, true),
        (Signing::WrongSecret, true, true),
        (Signing::OtherBody, true, true),
        (Signing::Missing, false, false),
    ] {
        let body = r#"{"object":"instagram","entry":[]}"#.to_owned();
        sim.deliver_raw(RawWebhook { login: Login::Facebook, signing, body }).await;
        let arrived = receiver.last();
        assert_eq!(arrived.signed_by, None, "{signing:?}");
        assert_eq!((arrived.has_sha256, arrived.has_sha1), (has_sha256, has_sha1), "{signing:?}");
    }
}

#[tokio::test]
async fn the_challenge_passes_only_with_the_right_token() {
    let (sim, _receiver) = pair().await;
    let answer = sim.verify_webhook().await.unwrap();
    assert_eq!((answer.status, &answer.body), (200, &answer.challenge));
    assert_eq!(sim.challenge_with("guess").await.unwrap().status, 403);

    let unset = Simulator::start(Config::demo()).await.unwrap();
    assert!(matches!(unset.verify_webhook().await, Err(SimulatorError::NoWebhookUrl)));
    unset.set_webhook_url("http://127.0.0.1:9/webhook");
    assert!(matches!(unset.verify_webhook().await, Err(SimulatorError::Unreachable(_))));
}

#[tokio::test]
async fn entries_built_by_hand_are_delivered_as_built() {
    let (sim, receiver) = pair().await;
    let item = Item::new(ANA, IG, 1, Kind::Read { mid: "m".to_owned() });
    let envelope = Envelope::new(vec![Entry::messaging(IG, 2, vec![item.clone()]), Entry::standby(IG, 3, vec![item])]);
    let delivery = sim.deliver(Login::Facebook, &envelope).await;
    assert!(delivery.accepted());
    assert_eq!(receiver.last().json()["entry"][1]["standby"][0]["read"]["mid"], "m");
}

#[tokio::test]
async fn without_a_receiver_the_customer_still_writes() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let ana = sim.customer(ANA);
    let sent = ana.text("hi").await;
    assert!(sent.delivery.attempts.is_empty());
    assert_eq!(ana.transcript().len(), 1);
    let receiver = Receiver::start().await;
    sim.set_webhook_url(&receiver.url);
    sim.redeliver(&sent.delivery).await;
    assert_eq!(receiver.last().item()["message"]["text"], "hi");
}
