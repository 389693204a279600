//! The person, their pages, and the pages that cannot be connected.
//! What belongs here: what user and page tokens read while an account is being connected.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use common::login::{
    FACEBOOK_SCOPES, REDIRECT, code, facebook, facebook_dialog, facebook_tokens, get, press, press_with, token,
    user_token,
};
use common::{Graph, IG, PAGE};
use serde_json::{Value, json};
use simulator::{AccountType, AnswerForm, Config, Simulator};

const CONNECT: &str = "id,name,access_token,tasks,picture{url},\
                       instagram_business_account{id,username,name,profile_picture_url}";

async fn start(config: Config) -> (Simulator, String) {
    let sim = Simulator::start(config).await.unwrap();
    let person = sim.person().token.expose().to_owned();
    (sim, person)
}

async fn all_pages(sim: &Simulator, user: &str, fields: &str) -> Vec<Value> {
    let mut answer = facebook(sim, user, "/me/accounts", &[("fields", fields), ("limit", "100")]).await.json();
    let mut pages = Vec::new();
    loop {
        pages.extend(answer["data"].as_array().unwrap().clone());
        let Some(next) = answer["paging"]["next"].as_str() else { return pages };
        answer = get(next).await.json();
    }
}

#[tokio::test]
async fn a_user_token_reads_the_person_their_pages_and_what_was_asked_only() {
    let (sim, person) = start(Config::demo()).await;
    let me = facebook(&sim, &person, "/me", &[("fields", "id,name")]).await.json();
    assert_eq!(me, json!({"id": "1020000000000001", "name": "Dana Demo"}));
    let page = all_pages(&sim, &person, CONNECT).await[0].clone();
    assert_eq!((&page["id"], &page["name"]), (&json!(PAGE), &json!("Demo Page 1")));
    assert_eq!(page["tasks"], json!(simulator::ALL_TASKS));
    assert!(page["picture"]["data"]["url"].as_str().unwrap().starts_with("https://"));
    let account = &page["instagram_business_account"];
    assert_eq!((&account["id"], &account["username"]), (&json!(IG), &json!("demo.shop.1")));
    assert!(account["profile_picture_url"].is_string());
    let short = all_pages(&sim, &person, "name,instagram_business_account").await[0].clone();
    assert_eq!(short, json!({"id": PAGE, "name": "Demo Page 1", "instagram_business_account": {"id": IG}}));
    let wrong = facebook(&sim, &person, "/me/accounts", &[("fields", "shoe_size")]).await;
    assert_eq!(wrong.error(), (100, None));
}

#[tokio::test]
async fn pages_come_in_several_results_with_cursors_and_next() {
    let (sim, person) = start(Config::crowded()).await;
    let first = facebook(&sim, &person, "/me/accounts", &[("fields", "name")]).await.json();
    assert_eq!(first["data"].as_array().unwrap().len(), 3);
    let after = first["paging"]["cursors"]["after"].as_str().unwrap();
    let second = facebook(&sim, &person, "/me/accounts", &[("fields", "name"), ("after", after)]).await.json();
    assert_eq!(second["data"][0]["name"], "Demo Page 4");
    assert!(first["paging"]["next"].as_str().unwrap().starts_with(&sim.graph_facebook_url()));
    let all = all_pages(&sim, &person, "name").await;
    let expected: Vec<String> = sim.pages().into_iter().map(|page| page.id).collect();
    assert_eq!(all.iter().map(|page| page["id"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(all.len(), 7);
    let broken = facebook(&sim, &person, "/me/accounts", &[("after", "nonsense")]).await;
    assert_eq!(broken.error(), (100, None));
}

#[tokio::test]
async fn pages_that_cannot_be_connected_show_why() {
    let (sim, person) = start(Config::crowded()).await;
    let pages = all_pages(&sim, &person, "name,tasks,instagram_business_account").await;
    let linked: Vec<bool> = pages.iter().map(|page| page.get("instagram_business_account").is_some()).collect();
    // The second account is personal, the last two pages have none.
    assert_eq!(linked, [true, false, true, true, true, false, false]);
    let has = |page: &Value, task: &str| page["tasks"].as_array().unwrap().contains(&json!(task));
    assert!(!has(&pages[2], "MESSAGING") && !has(&pages[3], "MODERATE") && has(&pages[0], "MESSAGING"));
    sim.set_page_tasks(IG, &[]).unwrap();
    assert_eq!(all_pages(&sim, &person, "name").await.len(), 6);
}

#[tokio::test]
async fn a_page_that_was_not_ticked_is_left_out_everywhere() {
    let (sim, _) = start(Config::crowded()).await;
    let dialog = facebook_dialog(&sim, FACEBOOK_SCOPES);
    let exchange =
        async |back| token(&facebook_tokens(&sim, &[("redirect_uri", REDIRECT), ("code", &code(&back))]).await);
    // As the dialog opens, the fifth page is not ticked.
    let user = exchange(press(&dialog, "continue").await).await;
    let unticked = sim.accounts()[4].clone();
    let unticked_page = unticked.page.unwrap().id;
    assert_eq!(all_pages(&sim, &user, "name").await.len(), 6);
    for id in [&unticked_page, &unticked.ig_id] {
        assert_eq!(facebook(&sim, &user, &format!("/{id}"), &[]).await.error(), (100, Some(33)));
    }
    let fields = [
        ("page", unticked_page.as_str()),
        ("permission", "pages_show_list"),
        ("permission", "ads_read"),
        ("action", "continue"),
    ];
    let user = exchange(press_with(&dialog, &fields).await).await;
    let pages = all_pages(&sim, &user, "name,instagram_business_account").await;
    // One page, and its Instagram account is hidden: instagram_basic was not ticked.
    assert_eq!(pages, [json!({"id": unticked_page, "name": "Demo Page 5"})]);
    let permissions = facebook(&sim, &user, "/me/permissions", &[]).await.json();
    let status = |name: &str| {
        let entry = permissions["data"].as_array().unwrap().iter().find(|entry| entry["permission"] == name).cloned();
        entry.map(|entry| entry["status"].clone())
    };
    assert_eq!(status("pages_show_list"), Some(json!("granted")));
    assert_eq!(status("instagram_basic"), Some(json!("declined")));
    assert_eq!(status("ads_read"), None);
}

#[tokio::test]
async fn without_the_permission_to_list_pages_there_are_none() {
    let (sim, _) = start(Config::demo()).await;
    let user = user_token(&sim, "instagram_basic,instagram_manage_messages,pages_manage_metadata").await;
    assert_eq!(all_pages(&sim, &user, "name").await, Vec::<Value>::new());
    // The way out that clients take: the ids of debug_token, all at once.
    let nodes = facebook(&sim, &user, "/", &[("ids", PAGE), ("fields", "name,access_token")]).await.json();
    assert_eq!(nodes[PAGE]["name"], "Demo Page 1");
    assert!(nodes[PAGE]["access_token"].as_str().unwrap().starts_with("EAA"));
}

#[tokio::test]
async fn a_user_token_reads_one_page_and_cannot_act_for_it() {
    let (sim, person) = start(Config::demo()).await;
    let fields = [("fields", "access_token,name,tasks,instagram_business_account{username}")];
    let page = facebook(&sim, &person, &format!("/{PAGE}"), &fields).await.json();
    assert_eq!(page["instagram_business_account"], json!({"id": IG, "username": "demo.shop.1"}));
    let graph = Graph::facebook_as(&sim, page["access_token"].as_str().unwrap());
    assert_eq!(graph.subscribe().await.status, 200);
    let user = Graph::facebook_as(&sim, &person);
    assert_eq!(user.subscribe().await.error(), (210, None));
    assert_eq!(user.get(&format!("/{PAGE}/conversations?platform=instagram")).await.error(), (210, None));
}

#[tokio::test]
async fn a_page_token_reads_its_page_and_the_linked_account() {
    let (sim, _) = start(Config::demo()).await;
    let graph = Graph::facebook(&sim);
    let path = format!("/{PAGE}?fields=name,picture,instagram_business_account%7Bid,username%7D");
    let page = graph.get(&path).await.json();
    assert_eq!(page["instagram_business_account"], json!({"id": IG, "username": "demo.shop.1"}));
    assert_eq!(page["picture"]["data"]["is_silhouette"], false);
    let account = graph.get(&format!("/{IG}?fields=id,username,name,profile_picture_url")).await.json();
    assert_eq!((&account["id"], &account["name"]), (&json!(IG), &json!("Demo Shop 1")));
    sim.update_account(IG, |account| account.account_type = AccountType::Personal).unwrap();
    assert_eq!(graph.get(&path).await.json().get("instagram_business_account"), None);
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (100, Some(2_534_013)));
}

#[tokio::test]
async fn a_page_without_instagram_can_be_subscribed_and_has_no_messages() {
    let (sim, person) = start(Config::crowded()).await;
    let pages = all_pages(&sim, &person, "access_token").await;
    let graph = Graph::facebook_as(&sim, pages[6]["access_token"].as_str().unwrap());
    assert_eq!(
        graph.get("/me?fields=name,instagram_business_account").await.json(),
        json!({
            "id": pages[6]["id"], "name": "Plain Page 2",
        })
    );
    assert_eq!(graph.message(json!({"text": "x"})).await.error(), (100, Some(2_534_013)));
    assert_eq!(graph.get("/me/conversations?platform=instagram").await.error(), (100, Some(2_534_013)));
    assert_eq!(graph.subscribe().await.json(), json!({"success": true}));
}

#[tokio::test]
async fn account_type_and_wrapping_of_me_can_be_chosen() {
    let (sim, _) = start(Config::demo()).await;
    let graph = Graph::instagram(&sim);
    for (kind, name) in [
        (AccountType::Business, "BUSINESS"),
        (AccountType::MediaCreator, "MEDIA_CREATOR"),
        (AccountType::Personal, "PERSONAL"),
    ] {
        sim.update_account(IG, |account| account.account_type = kind).unwrap();
        assert_eq!(graph.get("/me?fields=account_type").await.json()["account_type"], name);
    }
    sim.update_app(|app| app.instagram_me_answer = AnswerForm::Wrapped);
    let wrapped = graph.get("/me?fields=user_id").await.json();
    assert_eq!(wrapped["data"][0]["user_id"], IG);
}

#[tokio::test]
async fn taking_the_permissions_back_ends_every_token_of_the_person() {
    let (sim, person) = start(Config::demo()).await;
    let user = user_token(&sim, FACEBOOK_SCOPES).await;
    let answer = Graph::facebook_as(&sim, &user).delete("/me/permissions").await;
    assert_eq!(answer.json(), json!({"success": true}));
    for token in [&user, &person] {
        assert_eq!(facebook(&sim, token, "/me", &[]).await.error(), (190, Some(458)));
    }
    assert_eq!(Graph::facebook(&sim).get("/me").await.error(), (190, Some(458)));
    assert_eq!(Graph::instagram(&sim).get("/me").await.status, 200);
}
