//! The bot's page in a browser: its settings are tried on a past conversation before they are saved; its log says why.

use channel_tests::{World, browser::Browser, eventually};
use fantoccini::Locator;
use harness_inbox::{PublicId as _, WorkspaceId};

use crate::{accessible::axe, plugins::looked_at, street};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_tried_before_they_are_saved_and_nothing_is_sent() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Where is my parcel?").await;
    world.conversation(tomas.igsid()).await;
    world.settled().await;
    world.host.add_collection(WorkspaceId::FIRST, "Orders").await.unwrap();
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    let browser = Browser::start().await;
    browser.sized(1440, 1200).await;
    browser.open(&format!("{}/bot/{}", world.address, account.id.public())).await;
    browser.says("Nothing is sent").await;
    browser.click("input[name=on]").await;
    browser.click("input[name=welcome]").await;
    browser.types("#welcome-text", "Hello! We answer within a day.").await;
    browser.click("input[name=routing]").await;
    browser.types("input[name=rule_words]", "parcel, order").await;
    let select = browser.client.find(Locator::Css("#rule-0")).await.unwrap();
    select.select_by_label("Orders").await.unwrap();
    // Without pressing anything.
    let page = browser.says("Sorted the conversation").await;
    assert!(page.contains("Hello! We answer within a day.") && page.contains("Where is my parcel?"), "{page}");
    looked_at(&browser, &axe(), "bot").await;
    assert_eq!(world.sends().len(), 0);
    let configured = harness_automation::configured(&world.host, account.id).await.unwrap();
    assert!(!configured.settings.welcome.on, "nothing was saved");
    browser.sized(1440, 1200).await;
    browser.click("button[value=save]").await;
    browser.says("Saved.").await;
    eventually("the settings", async || {
        let configured = harness_automation::configured(&world.host, account.id).await.unwrap();
        configured.settings.welcome.on.then_some(())
    })
    .await;
    browser.open(&format!("{}/bot/{}/log", world.address, account.id.public())).await;
    browser.says("It has not decided anything yet.").await;
    looked_at(&browser, &axe(), "bot-log").await;
    browser.sized(1440, 1200).await;
    browser.open(&format!("{}/bot/{}", world.address, account.id.public())).await;
    browser.click("button[value=off]").await;
    browser.says("All bots of your team are switched off").await;
    browser.click("button[name=switch][value=on]").await;
    browser.says("Switch all bots off").await;
    browser.quit().await;
}
