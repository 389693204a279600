//! The composer in a browser: the window's end, as a person or not, and what stands under a message afterwards: what
//! failed, and what may have been delivered.

use std::time::Duration;

use channel_tests::{World, eventually};
use simulator::{Config, Fault, Login};

use crate::{
    composer::{TOMAS, holds, messages, sent},
    team,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_s_end_is_said_while_somebody_types_and_nothing_is_lost() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    world.advance(Duration::from_secs(23 * 3600 + 19 * 60));
    browser.types("#text", "Of course").await;
    browser.says("only a person can reply, not the bot").await;
    browser.pictured("composer-closing").await;
    world.advance(Duration::from_secs(3600));
    browser.types("#text", ", one moment").await;
    browser.says("You can reply as a person until").await;
    browser.says("Reply as a person").await;
    browser.pictured("composer-person").await;
    world.advance(Duration::from_secs(7 * 24 * 3600));
    browser.types("#text", ".").await;
    browser.says("Try anyway").await;
    browser.click("#send").await;
    browser.says("1 thing to fix").await;
    browser.becomes("document.querySelector('#composer').ariaBusy", serde_json::Value::Null).await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "Of course, one moment.");
    assert_eq!(messages(&world), 0);
    browser.pictured("composer-over").await;
    // Without a draft there is nothing to type into, and the way on; when the customer writes, there is again.
    browser.runs("localStorage.clear()").await;
    browser.client.refresh().await.unwrap();
    browser.says("You can reply once Tomás Rivera writes again.").await;
    browser.pictured("composer-closed").await;
    world.sim.customer(TOMAS).text("Still there?").await;
    holds(&browser, "a field", "!document.querySelector('#text').hidden").await;
    browser.types("#text", "Here I am.").await;
    browser.click("#send").await;
    sent(&world, "the answer", |reply| reply.text.as_deref() == Some("Here I am.")).await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answering_as_a_person_is_offered_only_where_the_account_may() {
    let mut config = Config::demo();
    config.accounts.iter_mut().for_each(|account| account.human_agent = false);
    let world = World::with(config, Login::Facebook).await;
    let (browser, _) = team::opened(&world).await;
    world.advance(Duration::from_secs(23 * 3600 + 19 * 60));
    browser.types("#text", "Of course").await;
    let page = browser.says("you can reply once Tomás Rivera writes again").await;
    assert!(!page.contains("as a person"), "{page}");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_says_why_and_is_tried_again_only_where_that_may_help() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    world.sim.inject(Fault::graph_error(200, None));
    browser.types("#text", "It is.").await;
    browser.click("#send").await;
    browser.says("Not sent").await;
    browser.pictured("composer-failed").await;
    browser.click("#log form[action$='/again'] button").await;
    sent(&world, "the second try", |reply| reply.text.as_deref() == Some("It is.")).await;
    // The platform says that the window is closed: the same again would be refused again.
    world.sim.inject(Fault::graph_error(10, 2_534_022));
    browser.types("#text", "And the plates.").await;
    browser.click("#send").await;
    holds(&browser, "two failures", "document.querySelectorAll('#log .outcome[data-tone=fail]').length === 2").await;
    let buttons = browser.runs("return document.querySelectorAll('#log form[action$=\"/again\"]').length").await;
    assert_eq!(buttons, 1, "there is a second try for the first one alone");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_can_be_tried_again_until_it_is_and_why_not_is_said() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    world.sim.inject(Fault::graph_error(200, None));
    browser.types("#text", "It is.").await;
    browser.click("#send").await;
    browser.becomes("document.querySelector('#log form[action$=\"/again\"]') !== null", true).await;
    let first =
        browser.runs("return document.querySelector('#log form[action$=\"/again\"]').closest('.item').id").await;
    let again = format!("#{} form[action$='/again'] button", first.as_str().unwrap());
    world.sim.inject(Fault::graph_error(200, None));
    browser.click(&again).await;
    holds(&browser, "two failures", "document.querySelectorAll('#log .outcome[data-tone=fail]').length === 2").await;
    browser.click(&again).await;
    sent(&world, "the third try", |reply| reply.text.as_deref() == Some("It is.")).await;
    let said = "[...document.querySelectorAll('body > .toast')].at(-1)?.innerText ?? ''";
    browser.click(&again).await;
    browser.becomes(said, "This was sent again already.").await;
    // Later nothing may be sent at all.
    world.sim.inject(Fault::graph_error(200, None));
    browser.types("#text", "And the plates.").await;
    browser.click("#send").await;
    holds(&browser, "another", "document.querySelectorAll('#log .outcome[data-tone=fail]').length === 3").await;
    world.advance(Duration::from_secs(9 * 24 * 3600));
    let tried = messages(&world);
    let newest = "[...document.querySelectorAll('#log form[action$=\"/again\"] button')].at(-1)";
    browser.becomes(&format!("(button => button ? (button.click(), true) : false)({newest})"), true).await;
    browser.becomes(&format!("/window|hours|days/.test({said})"), true).await;
    assert_eq!(messages(&world), tried, "nothing was tried");
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_delivered_is_looked_for_before_it_is_sent_again() {
    let world = World::new().await;
    let (browser, _) = team::opened(&world).await;
    world.sim.set_echo(simulator::EchoTiming::Never);
    world.sim.inject(Fault::drop_after_accepting());
    browser.types("#text", "It is.").await;
    browser.click("#send").await;
    let page = browser.says("May have been delivered").await;
    assert!(page.contains("Look for it on Instagram") && page.contains("Send again anyway"), "{page}");
    browser.pictured("composer-ambiguous").await;
    browser.click("button[value=look]").await;
    holds(&browser, "its end", "!document.querySelector('button[value=look]')").await;
    browser.says("Sent").await;
    assert_eq!(messages(&world), 1, "it was found, and is not sent again");
    // What is sent again anyway goes out twice.
    world.sim.inject(Fault::drop_after_accepting());
    browser.types("#text", "Up to 60 degrees.").await;
    browser.click("#send").await;
    browser.click("button[value=again]").await;
    eventually("the second", async || (messages(&world) == 3).then_some(())).await;
    browser.quit().await;
}
