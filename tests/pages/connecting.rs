//! The pages for connecting in a browser: each step looks like the rest of the inbox and has no serious finding.

use channel_tests::{World, browser::Browser};
use simulator::{Config, Login};

use crate::accessible::{axe, findings};

/// Looks at a page at three widths and in both themes.
async fn looked_at(browser: &Browser, axe: &str, name: &str) {
    let mut wrong = Vec::new();
    for (theme, width) in [("light", 1440), ("dark", 820), ("light", 360)] {
        browser.runs(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
        browser.sized(width, 900).await;
        let name = format!("connect-{name}-{width}-{theme}");
        browser.pictured(&name).await;
        wrong.extend(findings(browser, axe).await.into_iter().map(|one| format!("{name}: {one}")));
        let wide = browser.runs("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().unwrap() <= 0, "{name} is {wide} pixels too wide");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_connecting_has_no_serious_finding() {
    let world = World::unconnected(Config::demo()).await;
    let ig_id = world.sim.accounts().first().unwrap().ig_id.clone();
    world.sim.update_account(&ig_id, |account| account.webhook_login = Login::Facebook).unwrap();
    let (browser, axe) = (Browser::start().await, axe());
    browser.open(&format!("{}/connect/nothing", world.address)).await;
    let said = browser.says("This did not work").await;
    assert!(said.contains("mention"), "an error has the number of its request: {said}");
    looked_at(&browser, &axe, "gone").await;
    browser.open(&world.link("instagram").await).await;
    browser.says("Connect with").await;
    looked_at(&browser, &axe, "start").await;
    browser.click("button[value=facebook]").await;
    browser.click("#cancel").await;
    browser.says("not permitted").await;
    looked_at(&browser, &axe, "failed").await;
    browser.click("button[value=facebook]").await;
    browser.click("#continue").await;
    browser.says("Choose the account to connect").await;
    looked_at(&browser, &axe, "choose").await;
    browser.click("input[name=candidate]").await;
    browser.click("button").await;
    browser.says("Send a test message").await;
    looked_at(&browser, &axe, "test").await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("Is this on?").await;
    browser.says("Received").await;
    looked_at(&browser, &axe, "received").await;
    browser.quit().await;
}
