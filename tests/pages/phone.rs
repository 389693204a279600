//! The demo's phone beyond the tour: cards, the network, reactions, narrow screens.

use channel_tests::eventually;
use harness_cli::demo::{reply, text_part};
use harness_contract::{Button, ButtonAction, Card, OutboundPart};

use crate::{stage::Visit, together::CUT};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_s_button_is_tapped_on_the_phone_and_not_shown_on_the_web() {
    let visit = Visit::at(6, Some("What do you have?")).await;
    let card = Card {
        title: "Tall vase".into(),
        subtitle: Some("€ 68, two left".into()),
        image_url: None,
        url: None,
        buttons: vec![Button { title: "Reserve".into(), action: ButtonAction::Postback("RESERVE".into()) }],
    };
    visit.stage.send(reply(vec![OutboundPart::Cards(vec![card])])).await.unwrap();
    visit.phone_says("€ 68, two left").await;
    visit.browser.pictured("phone-cards").await;
    visit.switches("web").await;
    visit.phone_says("which the web client does not show").await;
    visit.switches("web").await;
    visit.browser.click("#phone .cards button").await;
    let log = visit.inbox_says("tapped a button").await;
    assert!(log.contains("Reserve"), "{log}");
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_the_network_is_cut_arrives_when_it_is_back() {
    let visit = Visit::at(1, Some("Hello!")).await;
    visit.switches("cut").await;
    visit.customer_writes("Are you there?").await;
    visit.shop_writes("One moment.").await;
    let log = visit.inbox_says("One moment.").await;
    assert!(!log.contains("Are you there?"), "{log}");
    visit.switches("cut").await;
    visit.inbox_says("Are you there?").await;
    visit.browser.pictured("phone-cut").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_and_reading_are_shown_on_both_sides() {
    let visit = Visit::at(1, Some("Hello!")).await;
    visit.shop_writes("Welcome!").await;
    visit.phone_says("Welcome!").await;
    visit.presses("react").await;
    visit.has("#log .react", 1).await;
    visit.has("#phone .react", 1).await;
    visit.presses("reel").await;
    visit.inbox_says("Shared a reel").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_narrow_screen_phone_controls_and_inbox_take_turns() {
    let visit = Visit::at(1, Some("Hello!")).await;
    visit.browser.sized(360, 740).await;
    let shown = async |what: &str| {
        let script = format!("return document.querySelector('{what}').checkVisibility()");
        visit.browser.runs(&script).await.as_bool().unwrap()
    };
    visit.browser.pictured("phone-360").await;
    assert!(shown("#phone").await && !shown("#controls").await && !shown("#beside").await);
    visit.customer_writes("Is it still there?").await;
    visit.browser.click(".demo > .tabs [href='#beside']").await;
    visit.inbox_says("Is it still there?").await;
    visit.browser.pictured("phone-360-inbox").await;
    assert!(!shown("#phone").await && shown("#beside").await);
    visit.shop_writes("It is.").await;
    visit.inbox_says("Sent").await;
    visit.browser.click(".demo > .tabs [href='#controls']").await;
    assert!(shown("#controls").await && !shown("#beside").await);
    visit.browser.pictured("phone-360-controls").await;
    visit.presses("read").await;
    visit.browser.click(".demo > .tabs [href='#beside']").await;
    visit.inbox_says("Read").await;
    visit.browser.click(".demo > .tabs [href='#stage']").await;
    let phone = visit.phone_says("It is.").await;
    assert!(phone.contains("Is it still there?"), "{phone}");
    let wide = visit.browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
    assert!(wide.as_i64().unwrap() <= 0, "{wide} pixels too wide");
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_phone_s_forms_keep_the_step() {
    let visit = Visit::at(4, Some("Hello!")).await;
    let address = format!("{}/demo/act?step=4", visit.stage.address);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let acted = channel_tests::request("POST", &address, &form, b"do=text&text=And+hello+again".to_vec()).await;
    assert_eq!((acted.status, acted.headers["location"].to_str().unwrap()), (303, "/demo?step=4"));
    eventually("the message", async || {
        visit.stage.customer.transcript().iter().any(|one| one.text.as_deref() == Some("And hello again")).then_some(())
    })
    .await;
    visit.stage.send(reply(vec![text_part("Hello!")])).await.unwrap();
    visit.phone_says("And hello again").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_s_account_is_connected_again_by_either_login() {
    let visit = Visit::at(1, Some("Is it open?")).await;
    for login in ["facebook", "instagram"] {
        visit.browser.open(&format!("{}/channels", visit.stage.address)).await;
        visit.browser.click("form[action='/channels/connect'] button").await;
        visit.browser.click(&format!("button[value={login}]")).await;
        visit.browser.click("#continue").await;
        let asks = "/Choose the account|Send a test message/.exec(document.body?.innerText)?.[0]";
        visit.browser.becomes(&format!("({asks} ?? '').length > 0"), true).await;
        if visit.browser.runs(&format!("return {asks}")).await == "Choose the account" {
            visit.browser.click("input[name=candidate]").await;
            visit.browser.click("button").await;
        }
        visit.browser.says("Send a test message").await;
        visit.stage.customer.text("Is this on?").await;
        visit.browser.says("Received").await;
    }
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_customer_writes_without_a_connection_stays_on_the_phone() {
    let visit = Visit::at(1, Some("Is it open?")).await;
    visit.browser.runs(CUT).await;
    visit.browser.types("#phone-text", "And tomorrow?\n").await;
    visit.browser.becomes("document.querySelector('#offline').hidden", false).await;
    visit.browser.becomes("document.querySelector('#phone-text').value", "And tomorrow?").await;
    visit.browser.runs("window.fetch = real").await;
    visit.browser.types("#phone-text", "\n").await;
    visit.inbox_says("And tomorrow?").await;
    visit.browser.becomes("document.querySelector('#phone-text').value", "").await;
    // Who works by keyboard goes on where they are.
    visit.browser.runs("document.querySelector('#phone [value=heart]').focus()").await;
    visit.browser.presses_enter().await;
    visit.has("#phone svg.heart", 1).await;
    visit.browser.becomes("document.activeElement.value", "heart").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_somebody_changed_by_hand_still_leads_to_a_page() {
    let visit = Visit::at(1, Some("Is it open?")).await;
    for (path, said) in [
        ("/demo?step=abc", "Tour, step 1 of 11"),
        ("/demo?step=1&step=2", "Tour, step 2 of 11"),
        ("/inbox?q=a&q=b", "Inbox"),
    ] {
        visit.browser.open(&format!("{}{path}", visit.stage.address)).await;
        visit.browser.says(said).await;
    }
    visit.end().await;
}
