//! The Send API as a client meets it: who may send, when a message may go.
//! What belongs here: tokens, paths, windows, recipients, echoes. Content is `send_content.rs`.
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

use common::{ANA, Graph, IG, PAGE, SOON, eventually, open, pair, pair_with, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{AccountConfig, Config, EchoTiming, Locale, MessageId, Simulator, TokenPlace, appsecret_proof};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn text(text: &str) -> Value {
    json!({"recipient": {"id": ANA}, "message": {"text": text}})
}

#[tokio::test]
async fn a_text_is_accepted_on_both_hosts_and_seen_by_the_customer() {
    let sim = open().await;
    for graph in Graph::both(&sim) {
        let answer = graph.message(json!({"text": "Hello"})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        assert_eq!(body["recipient_id"], ANA);
        let mid = body["message_id"].as_str().unwrap();
        assert_eq!(MessageId::decode(mid).unwrap().ig_id, IG);
        let seen = sim.customer(ANA).last_reply().unwrap();
        assert_eq!((seen.mid.as_str(), seen.text.as_deref()), (mid, Some("Hello")));
    }
}

#[tokio::test]
async fn each_host_has_its_own_usage_headers() {
    let sim = open().await;
    let [facebook, instagram] = Graph::both(&sim);
    let answer = facebook.message(json!({"text": "a"})).await;
    let app: Value = serde_json::from_str(answer.header("x-app-usage")).unwrap();
    assert!(app["call_count"].is_u64() && app["total_cputime"].is_u64());
    let business: Value = serde_json::from_str(answer.header("x-business-use-case-usage")).unwrap();
    assert!(business[PAGE][0]["estimated_time_to_regain_access"].is_u64(), "{business}");
    let answer = instagram.message(json!({"text": "a"})).await;
    let app: Value = serde_json::from_str(answer.header("x-app-usage")).unwrap();
    assert!(app["call_volume"].is_u64() && app["cpu_time"].is_u64());
    assert_eq!(answer.header("instagram-api-version"), "v25.0");
}

#[tokio::test]
async fn a_token_is_found_in_all_four_places_and_its_value_is_never_recorded() {
    let sim = open().await;
    let token = sim.accounts()[0].page.clone().unwrap().token;
    let token = token.expose();
    let url = format!("{}/{PAGE}/messages", sim.graph_facebook_url());
    let json_type = ("content-type", "application/json");
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let bearer = format!("Bearer {token}");
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("recipient", &json!({"id": ANA}).to_string())
        .append_pair("message", &json!({"text": "form"}).to_string())
        .append_pair("access_token", token)
        .finish();
    let mut in_body = text("json");
    in_body["access_token"] = json!(token);

    let with_token = format!("{url}?access_token={token}");
    let answer = request(Method::POST, &with_token, &[json_type], text("q").to_string()).await.unwrap();
    assert_eq!(answer.status, 200);
    let headers = [json_type, ("authorization", bearer.as_str())];
    assert_eq!(request(Method::POST, &url, &headers, text("b").to_string()).await.unwrap().status, 200);
    assert_eq!(request(Method::POST, &url, &[form_type], form).await.unwrap().status, 200);
    assert_eq!(request(Method::POST, &url, &[json_type], in_body.to_string()).await.unwrap().status, 200);

    let records = sim.requests();
    let places: Vec<_> = records.iter().map(|record| record.token_place.unwrap()).collect();
    assert_eq!(places, [TokenPlace::Query, TokenPlace::Bearer, TokenPlace::Form, TokenPlace::Json]);
    assert!(!serde_json::to_string(&records).unwrap().contains(token));
    assert_eq!(records[2].body["message"]["text"], "form");
    assert_eq!(records[0].version, None);
    assert_eq!(records[0].path, format!("/{PAGE}/messages"));
}

#[tokio::test]
async fn wrong_missing_and_foreign_tokens_have_their_codes() {
    let mut config = Config::demo();
    config.accounts.push(AccountConfig::demo(2));
    let sim = Simulator::start(config).await.unwrap();
    let facebook = sim.graph_facebook_url();
    let send = async |url: String, token: &str| {
        let bearer = format!("Bearer {token}");
        request(Method::POST, &url, &[("authorization", &bearer)], text("x").to_string()).await.unwrap()
    };
    let answer = send(format!("{facebook}/v25.0/me/messages"), "EAAwrong").await;
    assert_eq!((answer.status, answer.error()), (401, (190, None)));
    assert!(answer.header("www-authenticate").starts_with("OAuth \"Facebook Platform\" \"invalid_token\""));
    assert!(answer.json()["error"]["fbtrace_id"].as_str().unwrap().starts_with('A'));

    let missing = request(Method::POST, &format!("{facebook}/me/messages"), &[], text("x").to_string()).await.unwrap();
    assert_eq!(missing.error(), (2500, None));
    let missing = request(Method::POST, &format!("{facebook}/{PAGE}/messages"), &[], "{}").await.unwrap();
    assert_eq!(missing.error(), (104, None));

    let accounts = sim.accounts();
    let page_token = accounts[0].page.as_ref().unwrap().token.expose();
    let instagram_token = accounts[0].instagram_token.as_ref().unwrap().expose();
    // The token of one login means nothing on the other host.
    assert_eq!(send(format!("{facebook}/me/messages"), instagram_token).await.error(), (190, None));
    let instagram = sim.graph_instagram_url();
    assert_eq!(send(format!("{instagram}/me/messages"), page_token).await.error(), (190, None));
    // Another account's page, an unknown id, and the Instagram id with a page token.
    let other_page = &accounts[1].page.as_ref().unwrap().id;
    assert_eq!(send(format!("{facebook}/{other_page}/messages"), page_token).await.error(), (100, Some(33)));
    assert_eq!(send(format!("{facebook}/123456789012345/messages"), page_token).await.error(), (100, Some(33)));
    assert_eq!(send(format!("{facebook}/{IG}/messages"), page_token).await.error(), (3, None));
    assert_eq!(
        send(format!("{instagram}/{}/messages", accounts[1].ig_id), instagram_token).await.error(),
        (100, Some(33))
    );
}

#[tokio::test]
async fn a_proof_is_checked_with_the_secret_of_the_host() {
    let sim = open().await;
    let config = sim.config().clone();
    let account = config.accounts[0].clone();
    for (base, token, secret) in [
        (sim.graph_facebook_url(), account.page.unwrap().token, &config.app_secret),
        (sim.graph_instagram_url(), account.instagram_token.unwrap(), &config.instagram_app_secret),
    ] {
        let url = |proof: &str| format!("{base}/me/messages?access_token={}&appsecret_proof={proof}", token.expose());
        let good = appsecret_proof(secret, token.expose());
        let answer = request(Method::POST, &url(&good), &[], text("x").to_string()).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = request(Method::POST, &url("00"), &[], text("x").to_string()).await.unwrap();
        let error = answer.json()["error"].clone();
        assert_eq!((&error["code"], &error["type"]), (&json!(100), &json!("GraphMethodException")));
        assert!(error["message"].as_str().unwrap().starts_with("Invalid appsecret_proof"));
    }
    assert!(sim.requests().iter().all(|record| record.has_proof));
}

#[tokio::test]
async fn the_window_closes_by_the_platform_s_clock_with_each_host_s_shape() {
    let sim = open().await;
    sim.clock().stop();
    sim.customer(ANA).text("hi").await;
    let [facebook, instagram] = Graph::both(&sim);
    sim.clock().advance(DAY - Duration::from_secs(5));
    assert_eq!(facebook.message(json!({"text": "in time"})).await.status, 200);
    sim.clock().advance(Duration::from_secs(10));

    let answer = facebook.message(json!({"text": "late"})).await;
    assert_eq!((answer.status, answer.error()), (400, (10, Some(2_534_022))));
    assert_eq!(answer.json()["error"]["type"], "OAuthException");
    sim.update_account(IG, |account| account.locale = Locale::Portuguese).unwrap();
    let answer = instagram.message(json!({"text": "late"})).await;
    assert_eq!((answer.status, answer.error()), (403, (10, Some(2_534_022))));
    let error = answer.json()["error"].clone();
    assert_eq!(error["type"], "IGApiException");
    assert!(error["message"].as_str().unwrap().contains("fora do período"), "{error}");
    assert!(answer.header("www-authenticate").contains("invalid_request"));

    let tagged = json!({"recipient": {"id": ANA}, "tag": "HUMAN_AGENT", "message": {"text": "a person"}});
    assert_eq!(facebook.send(&tagged).await.status, 200);
    sim.update_account(IG, |account| account.human_agent = false).unwrap();
    assert_eq!(facebook.send(&tagged).await.error(), (10, None));
    sim.update_account(IG, |account| account.human_agent = true).unwrap();
    sim.clock().advance(6 * DAY);
    assert_eq!(facebook.send(&tagged).await.error(), (10, Some(2_534_022)));
    sim.customer(ANA).postback("Menu", "MENU").await;
    assert_eq!(facebook.message(json!({"text": "open again"})).await.status, 200);
}

#[tokio::test]
async fn a_reaction_does_not_open_the_window_and_an_ad_opens_it_longer() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let ana = sim.customer(ANA);
    let mid = ana.text("hi").await.id;
    sim.clock().advance(DAY + DAY);
    ana.react(&mid, "❤️").await;
    ana.seen(&mid).await;
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (10, Some(2_534_022)));
    ana.text_from_ad("from the ad", "r", "1", "Sale").await;
    sim.clock().advance(3 * DAY);
    assert_eq!(graph.message(json!({"text": "x"})).await.status, 200);
}

#[tokio::test]
async fn recipients_are_judged() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    let to = async |recipient: Value| graph.send(&json!({"recipient": recipient, "message": {"text": "x"}})).await;
    assert_eq!(to(json!({"id": "5559990000000009"})).await.error(), (100, Some(2_534_014)));
    assert_eq!(to(json!({"id": "ana"})).await.error(), (100, Some(2_534_014)));
    assert_eq!(to(json!({})).await.error(), (100, None));
    assert_eq!(to(json!({"username": "ana"})).await.error(), (100, None));
    assert_eq!(graph.send(&json!({"message": {"text": "x"}})).await.error(), (100, None));
    let ana = sim.customer(ANA);
    ana.block();
    assert_eq!(to(json!({"id": ANA})).await.error(), (551, Some(1_545_041)));
    ana.unblock();
    ana.set_thread_owner(Some("1217981644879628"));
    assert_eq!(to(json!({"id": ANA})).await.error(), (100, Some(2_534_037)));
    ana.set_thread_owner(None);
    assert_eq!(to(json!({"id": ANA})).await.status, 200);
}

#[tokio::test]
async fn unknown_members_of_a_message_types_and_tags_are_refused_with_100() {
    let sim = open().await;
    let graph = Graph::facebook(&sim);
    for extra in [
        json!({"messaging_type": "PROMOTION"}),
        json!({"messaging_type": "MESSAGE_TAG"}),
        json!({"tag": "CONFIRMED_EVENT_UPDATE", "messaging_type": "MESSAGE_TAG"}),
        json!({"tag": "HUMAN_AGENT", "messaging_type": "RESPONSE"}),
    ] {
        let mut body = text("x");
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(graph.send(&body).await.error(), (100, None), "{body}");
    }
    assert_eq!(graph.message(json!({"text": "x", "reply_to": {"mid": "m"}})).await.error(), (100, None));
    for messaging_type in ["RESPONSE", "UPDATE"] {
        let mut body = text("x");
        body["messaging_type"] = json!(messaging_type);
        assert_eq!(graph.send(&body).await.status, 200);
    }
    let mut body = text("x");
    body.as_object_mut()
        .unwrap()
        .extend([("messaging_type".to_owned(), json!("MESSAGE_TAG")), ("tag".to_owned(), json!("HUMAN_AGENT"))]);
    assert_eq!(graph.send(&body).await.status, 200);
}

#[tokio::test]
async fn replies_point_to_a_message_of_the_thread() {
    let sim = open().await;
    let graph = Graph::instagram(&sim);
    let mid = sim.customer(ANA).text("which?").await.id;
    let reply = |mid: &str| json!({"recipient": {"id": ANA}, "message": {"text": "this"}, "reply_to": {"mid": mid}});
    assert_eq!(graph.send(&reply(&mid)).await.status, 200);
    assert_eq!(sim.customer(ANA).last_reply().unwrap().reply_to, Some(mid));
    assert_eq!(graph.send(&reply("elsewhere")).await.error(), (100, Some(2_534_015)));
}

#[tokio::test]
async fn sender_actions_stand_alone_and_take_effect() {
    let (sim, receiver) = pair_with(Config { echo: EchoTiming::BeforeResponse, ..Config::demo() }).await;
    let ana = sim.customer(ANA);
    let mid = ana.text("hi").await.id;
    let graph = Graph::facebook(&sim);
    let act = async |action: &str| graph.send(&json!({"recipient": {"id": ANA}, "sender_action": action})).await;
    assert_eq!(act("typing_on").await.json(), json!({"recipient_id": ANA}));
    assert!(ana.sees_typing());
    act("typing_off").await;
    assert!(!ana.sees_typing());
    act("mark_seen").await;
    assert!(ana.seen_by_business_at().is_some());
    assert_eq!(act("dance").await.error(), (100, None));
    let mixed = json!({"recipient": {"id": ANA}, "sender_action": "typing_on", "message": {"text": "x"}});
    assert_eq!(graph.send(&mixed).await.error(), (100, None));

    let react = |payload: Value| json!({"recipient": {"id": ANA}, "sender_action": "react", "payload": payload});
    let answer = graph.send(&react(json!({"message_id": mid, "reaction": "love"}))).await;
    assert_eq!(answer.json(), json!({"recipient_id": ANA}));
    graph.send(&react(json!({"message_id": mid, "reaction": "🎉"}))).await;
    assert_eq!(ana.transcript()[0].reactions.iter().map(|one| one.emoji.as_str()).collect::<Vec<_>>(), ["🎉"]);
    assert_eq!(graph.send(&react(json!({"message_id": mid, "reaction": "meh"}))).await.error(), (100, None));
    let elsewhere = react(json!({"message_id": "elsewhere", "reaction": "love"}));
    assert_eq!(graph.send(&elsewhere).await.error(), (100, Some(2_534_015)));
    let unreact = json!({"recipient": {"id": ANA}, "sender_action": "unreact", "payload": {"message_id": mid}});
    assert_eq!(graph.send(&unreact).await.status, 200);
    assert!(ana.transcript()[0].reactions.is_empty());
    // None of these has an echo: it would have come before the answer.
    assert_eq!(receiver.arrived().len(), 1);
}

#[tokio::test]
async fn a_comment_can_be_answered_privately_once_and_for_seven_days() {
    let (sim, _receiver) = pair().await;
    let ana = sim.customer(ANA);
    let graph = Graph::facebook(&sim);
    let reply = |id: &str| json!({"recipient": {"comment_id": id}, "message": {"text": "In private"}});
    let comment = ana.comment("18000000000000001", "price?").await;
    let answer = graph.send(&reply(&comment.id)).await;
    assert_eq!(answer.json()["recipient_id"], ANA);
    assert_eq!(ana.last_reply().unwrap().comment_id, Some(comment.id.clone()));
    assert_eq!(graph.send(&reply(&comment.id)).await.error(), (100, Some(2_534_025)));
    assert_eq!(graph.send(&reply("1790")).await.error(), (100, Some(2_534_025)));
    // The comment opened nothing but the one reply.
    assert_eq!(graph.message(json!({"text": "more"})).await.error(), (10, Some(2_534_022)));
    let late = ana.comment("18000000000000001", "and now?").await;
    sim.clock().advance(7 * DAY + Duration::from_secs(1));
    assert_eq!(graph.send(&reply(&late.id)).await.error(), (100, Some(2_534_025)));
    let live = ana.live_comment("18000000000000009", "hello").await;
    sim.end_broadcast("18000000000000009");
    assert_eq!(graph.send(&reply(&live.id)).await.error(), (100, Some(2_534_025)));
}

#[tokio::test]
async fn every_accepted_message_is_echoed_with_app_id_and_metadata() {
    let (sim, receiver) = pair().await;
    sim.customer(ANA).text("hi").await;
    let answer = Graph::facebook(&sim).message(json!({"text": "Hello", "metadata": "part-1"})).await;
    sim.wait_for_deliveries(2, SOON).await.unwrap();
    let item = receiver.last().item();
    assert_eq!((&item["sender"]["id"], &item["recipient"]["id"]), (&json!(IG), &json!(ANA)));
    assert_eq!(
        item["message"],
        json!({
            "mid": answer.json()["message_id"], "text": "Hello", "is_echo": true,
            "app_id": sim.config().app_id, "metadata": "part-1",
        })
    );
    let image = json!({"attachment": {"type": "image", "payload": {"url": "https://cdn.example.com/a.jpg"}}});
    Graph::instagram(&sim).message(image).await;
    sim.wait_for_deliveries(3, SOON).await.unwrap();
    let message = receiver.last().item()["message"].clone();
    assert_eq!(message["app_id"], sim.config().instagram_app_id);
    assert!(message.get("metadata").is_none());
    assert!(message["attachments"][0]["payload"]["url"].as_str().unwrap().starts_with("https://lookaside.fbsbx.com/"));
}

#[tokio::test]
async fn an_echo_comes_before_the_answer_after_it_or_never() {
    let (sim, receiver) = pair_with(Config { echo: EchoTiming::BeforeResponse, ..Config::demo() }).await;
    sim.customer(ANA).text("hi").await;
    let graph = Graph::facebook(&sim);
    graph.message(json!({"text": "one"})).await;
    assert_eq!(receiver.last().item()["message"]["text"], "one");
    sim.set_echo(EchoTiming::After(DAY));
    graph.message(json!({"text": "two"})).await;
    assert_eq!(receiver.last().item()["message"]["text"], "one");
    eventually(async || {
        sim.clock().advance(DAY);
        sim.delivery_count() == 3
    })
    .await;
    assert_eq!(receiver.last().item()["message"]["text"], "two");
    sim.customer(ANA).text("hi again").await;
    sim.set_echo(EchoTiming::Never);
    graph.message(json!({"text": "three"})).await;
    sim.set_echo(EchoTiming::BeforeResponse);
    graph.message(json!({"text": "four"})).await;
    let texts: Vec<_> = receiver.arrived().iter().skip(4).map(|one| one.item()["message"]["text"].clone()).collect();
    assert_eq!(texts, ["four"]);
}

#[tokio::test]
async fn concurrent_private_replies_to_one_comment_yield_exactly_one() {
    let (sim, _receiver) = pair().await;
    let comment = sim.customer(ANA).comment("18000000000000001", "price?").await;
    let body = json!({"recipient": {"comment_id": comment.id}, "message": {"text": "x"}});
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (graph, body) = (Graph::facebook(&sim), body.clone());
        tasks.spawn(async move { graph.send(&body).await.status });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}
