//! Connecting an account as a person does it: in a browser, over both logins, to the first message and back.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use channel_tests::{
    World,
    browser::Browser,
    eventually, message,
    steps::{self, CANARY, ONCE},
    text,
};
use fantoccini::Locator;
use harness_inbox::{AccountState, StepState};
use serde_json::json;
use simulator::{Config, Login};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

async fn connects_receives_answers_and_disconnects(login: &str) {
    let world = World::unconnected(Config::demo()).await;
    let ig_id = world.sim.accounts().first().unwrap().ig_id.clone();
    let way = if login == "facebook" { Login::Facebook } else { Login::Instagram };
    world.sim.update_account(&ig_id, |account| account.webhook_login = way).unwrap();
    world.sim.set_requires_subscription(&ig_id, true).unwrap();
    let browser = Browser::start().await;

    browser.open(&world.link("instagram").await).await;
    browser.click(&format!("button[value={login}]")).await;
    browser.click("#continue").await;
    if login == "facebook" {
        browser.says("Choose the account to connect").await;
        browser.click("input[name=candidate]").await;
        browser.click("button").await;
    }
    let page = browser.says("Send a test message").await;
    assert!(page.contains("Demo Shop 1") && page.contains("@demo.shop.1"), "{page}");
    let address = browser.client.current_url().await.unwrap();
    assert!(address.query().is_none() && address.path().starts_with("/connect/"), "{address}");

    world.sim.customer(CUSTOMER).text("Is this on?").await;
    browser.says("Received").await;
    let conversation = world.conversation(CUSTOMER).await;
    let reply = world.reply(conversation, "1", message(vec![text("It is.")])).await;
    assert_eq!(reply.steps.first().unwrap().state, StepState::Sent, "{reply:?}");
    assert_eq!(world.sim.customer(CUSTOMER).last_reply().unwrap().text.as_deref(), Some("It is."));
    browser.quit().await;

    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    assert_eq!((account.platform_id, account.state), (ig_id.clone(), AccountState::Connected));
    let warning = world.host.disconnect(account.id, false).await.unwrap();
    assert_eq!(warning, None);
    assert!(world.host.whole_inbox().credentials().await.unwrap().is_empty());
    let before = world.timeline(CUSTOMER).await.len();
    let silent = world.sim.customer(CUSTOMER).text("Anybody there?").await;
    assert_eq!(silent.status(), None, "the platform sends nothing any more");
    world.settled().await;
    assert_eq!(world.timeline(CUSTOMER).await.len(), before);
    eventually("the account's end", async || {
        let account = world.host.inbox().account_row(account.id).await.unwrap();
        (account.state == AccountState::Disconnected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_over_facebook_receives_answers_and_disconnects() {
    connects_receives_answers_and_disconnects("facebook").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_connects_over_instagram_receives_answers_and_disconnects() {
    connects_receives_answers_and_disconnects("instagram").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cancels_is_told_so_and_goes_on_from_the_same_page() {
    let world = World::unconnected(Config::demo()).await;
    let browser = Browser::start().await;
    browser.open(&world.link("instagram").await).await;
    browser.click("button[value=instagram]").await;
    browser.click("#cancel").await;
    browser.says("not permitted").await;
    browser.click("button[value=instagram]").await;
    browser.click("#continue").await;
    browser.says("Send a test message").await;
    // Going back shows the state, not the steps.
    browser.client.back().await.unwrap();
    browser.client.refresh().await.unwrap();
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_types_in_and_waits_in_a_browser_and_the_page_goes_on_by_itself() {
    let world =
        steps::World::new(&json!([{ "enter": steps::fields() }, steps::wait(60_000), { "ready": "shop" }])).await;
    let ticket = world.host.begin_connecting("scripted", None).await.unwrap();
    let browser = Browser::start().await;
    browser.open(&format!("{}/connect/{ticket}", world.address)).await;
    browser.click("button[value=keys]").await;
    for port in ["many", "8080"] {
        browser.says("API key").await;
        for (id, text) in [("field-0", CANARY), ("field-1", ONCE), ("field-3", port)] {
            let field = browser.client.find(Locator::Id(id)).await.unwrap();
            let held = field.prop("value").await.unwrap().unwrap_or_default();
            assert!(!held.contains("canary"), "what is secret is typed in again: {held}");
            field.clear().await.unwrap();
            field.send_keys(text).await.unwrap();
        }
        browser.client.find(Locator::Id("field-2")).await.unwrap().select_by_value("us").await.unwrap();
        browser.click("form[action$='/enter'] button").await;
        browser.says(if port == "many" { "Write a whole number" } else { "AB-12" }).await;
    }
    world.passes(61);
    browser.says("Connected").await;
    browser.quit().await;
}
