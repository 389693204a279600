//! The demo's phone beyond the tour: cards, the network, reactions, narrow screens.

use channel_tests::eventually;
use harness_cli::demo::{reply, text_part};
use harness_contract::{Button, ButtonAction, Card, OutboundPart};

use crate::stage::Visit;

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
