//! The pages for connecting in a browser: each step looks like the rest of the inbox and has no serious finding.

use channel_tests::{World, browser::Browser};
use simulator::{Config, Login};

use crate::{accessible::axe, plugins::looked_at};

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_connecting_has_no_serious_finding() {
    let world = World::unconnected(Config::demo()).await;
    let ig_id = world.sim.accounts().first().unwrap().ig_id.clone();
    world.sim.update_account(&ig_id, |account| account.webhook_login = Login::Facebook).unwrap();
    let (browser, axe) = (Browser::start().await, axe());
    browser.open(&format!("{}/connect/nothing", world.address)).await;
    let said = browser.says("This did not work").await;
    assert!(said.contains("mention"), "an error has the number of its request: {said}");
    looked_at(&browser, &axe, "connect-gone").await;
    browser.open(&world.link("instagram").await).await;
    browser.says("Connect with").await;
    looked_at(&browser, &axe, "connect-start").await;
    browser.click("button[value=facebook]").await;
    browser.click("#cancel").await;
    browser.says("not permitted").await;
    looked_at(&browser, &axe, "connect-failed").await;
    browser.click("button[value=facebook]").await;
    browser.click("#continue").await;
    browser.says("Choose the account to connect").await;
    looked_at(&browser, &axe, "connect-choose").await;
    browser.click("input[name=candidate]").await;
    browser.click("button").await;
    browser.says("Send a test message").await;
    looked_at(&browser, &axe, "connect-test").await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("Is this on?").await;
    browser.says("Received").await;
    looked_at(&browser, &axe, "connect-received").await;
    browser.quit().await;
}
