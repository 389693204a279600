//! What makes requests and webhooks fail although the token is good: permissions, tasks, the app's
//! mode, the owner's switch, subscriptions. What belongs here: these gates, from both sides.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use common::login::{account_token, lengthened, page_tokens, user_token};
use common::{ANA, Graph, IG, SOON, pair, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{AppMode, Login, Simulator};

const BERT: &str = "5551230000000002";

async fn sim(method: Method, sim: &Simulator, path: &str, body: Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    let url = format!("{}/sim{path}", sim.base_url());
    let answer = request(method, &url, &headers, body.to_string()).await.unwrap();
    (answer.status, answer.json())
}

fn hello() -> Value {
    json!({"text": "hello"})
}

#[tokio::test]
async fn a_page_token_without_the_messaging_permission_gets_ten() {
    let (sim, _) = pair().await;
    sim.customer(ANA).text("hi").await;
    let user = user_token(&sim, "pages_show_list,instagram_basic,pages_manage_metadata").await;
    let graph = Graph::facebook_as(&sim, &page_tokens(&sim, &user).await[0]);
    assert_eq!(graph.message(hello()).await.error(), (10, None));
    assert_eq!(graph.get("/me/conversations?platform=instagram").await.error(), (10, None));
    assert_eq!(graph.get(&format!("/{ANA}?fields=name")).await.error(), (10, None));
    assert_eq!(graph.subscribe().await.status, 200);
}

#[tokio::test]
async fn subscribing_needs_its_permission_on_both_hosts() {
    let (sim, _) = pair().await;
    let user = user_token(&sim, "pages_show_list,instagram_basic,instagram_manage_messages").await;
    let facebook = Graph::facebook_as(&sim, &page_tokens(&sim, &user).await[0]);
    assert_eq!(facebook.subscribe().await.error(), (200, None));
    let instagram = Graph::instagram_as(&sim, &account_token(&sim, "instagram_business_basic").await);
    assert_eq!(instagram.subscribe().await.error(), (200, None));
    assert_eq!(instagram.message(hello()).await.error(), (10, None));
    assert_eq!(instagram.get("/me?fields=user_id").await.status, 200);
    let all = account_token(&sim, "instagram_business_basic,instagram_business_manage_messages").await;
    assert_eq!(Graph::instagram_as(&sim, &all).subscribe().await.status, 200);
}

#[tokio::test]
async fn a_missing_task_is_200_and_no_task_at_all_is_190_492() {
    let (sim, _) = pair().await;
    sim.customer(ANA).text("hi").await;
    let [facebook, instagram] = Graph::both(&sim);
    sim.set_page_tasks(IG, &["MODERATE"]).unwrap();
    assert_eq!(facebook.message(hello()).await.error(), (200, None));
    assert_eq!(facebook.subscribe().await.status, 200);
    sim.set_page_tasks(IG, &["MESSAGING"]).unwrap();
    assert_eq!(facebook.message(hello()).await.status, 200);
    assert_eq!(facebook.subscribe().await.error(), (200, None));
    sim.set_page_tasks(IG, &[]).unwrap();
    assert_eq!(facebook.message(hello()).await.error(), (190, Some(492)));
    assert_eq!(facebook.subscribe().await.error(), (190, Some(492)));
    assert_eq!(instagram.message(hello()).await.status, 200);
}

#[tokio::test]
async fn in_development_only_people_with_a_role_are_heard_and_written_to() {
    let (sim, receiver) = pair().await;
    sim.set_app_mode(AppMode::Development, &[ANA]);
    let (ana, bert) = (sim.customer(ANA), sim.customer(BERT));
    assert_eq!(ana.text("hi").await.status(), Some(200));
    assert_eq!(bert.text("hi").await.status(), None);
    assert_eq!(bert.comment("18000000000000001", "price?").await.status(), None);
    assert_eq!(receiver.arrived().len(), 1);
    for graph in Graph::both(&sim) {
        assert_eq!(graph.message(hello()).await.status, 200);
        let to_bert = json!({"recipient": {"id": BERT}, "message": hello()});
        assert_eq!(graph.send(&to_bert).await.error(), (200, Some(2_018_028)));
    }
    sim.set_app_mode(AppMode::Live, &[]);
    assert_eq!(bert.text("again").await.status(), Some(200));
}

#[tokio::test]
async fn without_access_to_messages_nothing_comes_and_nothing_goes() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    ana.text("hi").await;
    sim.set_message_access(IG, false).unwrap();
    assert_eq!(ana.text("anybody?").await.status(), None);
    assert_eq!(ana.comment("18000000000000001", "price?").await.status(), Some(200));
    assert_eq!(receiver.arrived().len(), 2);
    for graph in Graph::both(&sim) {
        assert_eq!(graph.message(hello()).await.error(), (200, Some(2_534_041)));
        let list = graph.get("/me/conversations?platform=instagram").await;
        assert_eq!(list.error(), (200, Some(2_534_041)));
    }
    sim.set_message_access(IG, true).unwrap();
    assert_eq!(Graph::facebook(&sim).message(hello()).await.status, 200);
}

#[tokio::test]
async fn an_account_that_requires_a_subscription_is_heard_only_with_one_of_its_login() {
    let (sim, receiver) = pair().await;
    sim.set_requires_subscription(IG, true).unwrap();
    let [facebook, instagram] = Graph::both(&sim);
    let ana = sim.customer(ANA);
    assert_eq!(ana.text("1").await.status(), None);
    instagram.subscribe().await;
    assert_eq!(ana.text("2").await.status(), None);
    facebook.subscribe().await;
    assert_eq!(ana.text("3").await.status(), Some(200));
    facebook.delete("/me/subscribed_apps").await;
    assert_eq!(ana.text("4").await.status(), None);
    sim.update_account(IG, |account| account.webhook_login = Login::Instagram).unwrap();
    assert_eq!(ana.text("5").await.status(), Some(200));
    assert_eq!(receiver.arrived().len(), 2);
    // The echo of a send goes the same way.
    instagram.message(hello()).await;
    sim.wait_for_deliveries(3, SOON).await.unwrap();
}

#[tokio::test]
async fn every_gate_can_be_moved_over_json() {
    let (sim_, _) = pair().await;
    let path = format!("/accounts/{IG}");
    let change = json!({
        "message_access": false, "requires_subscription": true, "account_type": "MEDIA_CREATOR",
        "page_tasks": ["ANALYZE"], "page_preselected": false,
    });
    let (status, accounts) = sim(Method::PATCH, &sim_, &path, change).await;
    assert_eq!((status, &accounts[0]["message_access"]), (200, &json!(false)));
    assert_eq!(accounts[0]["page"]["tasks"], json!(["ANALYZE"]));
    let account = sim_.accounts()[0].clone();
    assert!(account.requires_subscription && !account.message_access && !account.page.unwrap().preselected);
    let change = json!({"app_mode": "development", "role_holders": [ANA], "page_size": 2});
    let (status, app) = sim(Method::POST, &sim_, "/app", change).await;
    assert_eq!((status, &app["app_mode"], &app["name"]), (200, &json!("development"), &json!("Demo Inbox")));
    assert!(sim_.app().role_holders.contains(ANA));
    for wrong in [json!({"app_mode": "dead"}), json!({"shoe": 1}), json!({"deauthorize_url": "nowhere"})] {
        assert_eq!(sim(Method::POST, &sim_, "/app", wrong).await.0, 400);
    }
    assert_eq!(sim_.app().page_size, 2);
}

#[tokio::test]
async fn long_and_short_tokens_carry_the_same_permissions() {
    let (sim, _) = pair().await;
    sim.customer(ANA).text("hi").await;
    let short = user_token(&sim, "pages_show_list,instagram_manage_messages").await;
    let long = lengthened(&sim, &short).await;
    for user in [short, long] {
        let graph = Graph::facebook_as(&sim, &page_tokens(&sim, &user).await[0]);
        assert_eq!(graph.message(hello()).await.status, 200);
        assert_eq!(graph.subscribe().await.error(), (200, None));
    }
}
