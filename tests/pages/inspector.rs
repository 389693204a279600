//! The inspector and the check-up in a browser: what came in, what became of it, the same with another version.

use std::{sync::Arc, time::Duration};

use channel_tests::{
    World, browser::Browser, dialog::Person, eventually, hostile, instagram, kept::Kept, manifest::with_manifest,
    request,
};
use fantoccini::Locator;
use harness_engine::ChannelOptions;
use harness_inbox::{AccountId, PublicId as _};
use simulator::Config;

use crate::{accessible::axe, plugins::looked_at, street};

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_s_page_shows_its_body_its_events_what_changed_and_the_same_with_the_version_before() {
    let world = World::new().await;
    let maya = street::maya(&world).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    browser.open(&format!("{}/inspector", world.address)).await;
    let list = browser.says("In the inbox").await;
    assert!(list.contains("dlv_"), "{list}");
    browser.click("table a").await;
    let page = browser.says("3. What changed in the inbox").await;
    for shown in
        ["1. What Instagram sent", "\"object\"", "2. What the plugin made of it", "message.created", "No other version"]
    {
        assert!(page.contains(shown), "{shown:?} is missing in {page}");
    }
    looked_at(&browser, &axe(), "inspector").await;
    let before = world.host.inbox().timeline(conversation, 200).await.unwrap().len();
    browser.sized(1440, 1000).await;
    browser.click("main form button").await;
    browser.says("0 new").await;
    assert_eq!(world.host.inbox().timeline(conversation, 200).await.unwrap().len(), before, "nothing comes twice");

    // After an update, what the version before makes of it stands beside, with the differences.
    let manifest = include_str!("../../plugin/channel.toml").replace("version = \"0.1.0\"", "version = \"0.0.9\"");
    let grant = Some(world.host.channel("instagram").unwrap().grant.clone());
    let options = || ChannelOptions { grant: grant.clone(), ..ChannelOptions::default() };
    world.host.load_channel(with_manifest(&hostile().1, &manifest), options()).await.unwrap();
    world.host.load_channel(instagram().1.clone(), options()).await.unwrap();
    browser.open(&format!("{}/inspector", world.address)).await;
    browser.click("table a").await;
    browser.says("The same with 0.0.9").await;
    let marked = browser.client.find_all(Locator::Css("section[aria-labelledby=compared] :is(del, ins, p)"));
    assert!(!marked.await.unwrap().is_empty(), "{}", browser.text().await);
    browser.pictured("inspector-compared").await;

    // Where more of them are kept, somebody chooses one.
    let same = with_manifest(&instagram().1, &manifest.replace("0.0.9", "0.0.8"));
    world.host.keep_earlier(Arc::new(Kept::of("instagram").with("0.0.8", same)));
    browser.client.refresh().await.unwrap();
    browser.says("Compare with").await;
    browser.click("#with option:nth-of-type(2)").await;
    browser.click("#with + button").await;
    browser.says("The same with 0.0.8").await;
    browser.says("0 differences").await;
    looked_at(&browser, &axe(), "inspector-chosen").await;
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_inbox_cannot_show_leads_to_what_was_sent_and_only_for_whoever_may_see_it() {
    let world = World::new().await;
    let maya = street::customer(&world, "551982014663702", "Maya Lindqvist");
    maya.attach([simulator::webhook::attachment::Attachment::other("hologram", None)]).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    let browser = Browser::start().await;
    browser.open(&format!("{}/inbox/{}", world.address, conversation.public())).await;
    browser.click("#log a[href^='/inspector/messages/']").await;
    browser.says("1. What Instagram sent").await;
    browser.quit().await;
    // With a second workspace what the platforms sent may be about both: an admin of one sees nothing of it.
    world.host.users().create_workspace("Another shop".into(), world.clock.now()).await.unwrap();
    let list = request("GET", &format!("{}/inspector", world.address), &[], Vec::new()).await;
    assert!(list.status == 403 && list.body.contains("Your role does not allow this"), "{}", list.body);
    let thread = request("GET", &format!("{}/inbox/{}", world.address, conversation.public()), &[], Vec::new()).await;
    assert!(!thread.body.contains("/inspector/"), "{}", thread.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_up_offers_a_button_for_what_the_host_can_do_itself() {
    let world = World::new().await;
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    let address = format!("{}/channels/{}", world.address, account.id.public());
    browser.open(&address).await;
    browser.says("Check again").await;
    looked_at(&browser, &axe(), "doctor").await;
    browser.sized(1440, 1000).await;
    browser.click("button[value=probe]").await;
    browser.says("the way out too").await;
    world.host.disconnect(account.id, false).await.unwrap();
    browser.open(&address).await;
    browser.click("[data-tone=fail] form[action='/channels/connect'] button").await;
    browser.says("Connect with").await;
    browser.quit().await;
}

/// An account that a person has connected, and whose history was read. Nothing comes in by itself for hours.
async fn connected_by_a_person(login: &str) -> (World, AccountId) {
    let world = World::unconnected(Config::demo()).await;
    let account = Person::new(&world).await.connects(login).await;
    eventually("the end of the history", async || {
        let row = world.host.inbox().account_row(account).await.unwrap();
        row.history_at.is_some_and(|at| at > world.clock.now() + 3_600_000).then_some(())
    })
    .await;
    (world, account)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_of_a_button_fetches_the_messages_that_came_by_no_webhook() {
    let (world, account) = connected_by_a_person("facebook").await;
    world.sim.hold_webhooks();
    world.sim.customer(Config::DEMO_CUSTOMER).text("Did you get this?").await;
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    browser.open(&format!("{}/channels/{}", world.address, account.public())).await;
    browser.says("Reads the platform").await;
    assert!(world.host.inbox().conversations(9).await.unwrap().is_empty());
    looked_at(&browser, &axe(), "doctor-ahead").await;
    browser.sized(1440, 1000).await;
    browser.click("#ahead ~ form button[value=fetch]").await;
    browser.says("The archive is being read").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    eventually("the message", async || {
        let found = world.host.inbox().timeline(conversation, 9).await.unwrap();
        found.iter().any(|one| one.text.as_deref() == Some("Did you get this?")).then_some(())
    })
    .await;
    // Asked once more by the API: what is there stays as it is.
    let before = world.host.inbox().account_row(account).await.unwrap().history_at;
    let answer =
        world.api("POST", &format!("/api/v1/accounts/{}/fetch-history", account.public()), &[], Vec::new()).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    eventually("the end of the second reading", async || {
        (world.host.inbox().account_row(account).await.unwrap().history_at > before).then_some(())
    })
    .await;
    world.settled().await;
    let found = world.host.inbox().timeline(conversation, 9).await.unwrap();
    assert_eq!(found.iter().filter(|one| one.text.as_deref() == Some("Did you get this?")).count(), 1);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_of_a_button_renews_the_access_ahead_of_time_and_says_why_where_it_does_not() {
    let (world, account) = connected_by_a_person("instagram").await;
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    browser.open(&format!("{}/channels/{}", world.address, account.public())).await;
    // The platform renews no token that is younger than a day.
    browser.click("#ahead ~ form button[value=renew]").await;
    browser.says("It was not renewed").await;
    let at = format!("/api/v1/accounts/{}/renew", account.public());
    let refused = world.api("POST", &at, &[], Vec::new()).await;
    assert_eq!((refused.status, &refused.json()["code"]), (502, &"platform_failed".into()), "{}", refused.body);
    // And the host has not set out to ask for it every hour.
    world.advance(Duration::from_secs(25 * 3600));
    let before = world.host.inbox().account_row(account).await.unwrap();
    browser.click("#ahead ~ form button[value=renew]").await;
    browser.says("Renewed. The access lasts until").await;
    let after = world.host.inbox().account_row(account).await.unwrap();
    assert!(after.refresh_before > before.refresh_before, "{after:?}");
    world.advance(Duration::from_secs(25 * 3600));
    let renewed = world.api("POST", &at, &[], Vec::new()).await;
    assert_eq!((renewed.status, &renewed.json()["state"]), (200, &"connected".into()), "{}", renewed.body);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_configuration_has_no_button_for_what_it_cannot_do() {
    let world = World::new().await;
    let account = world.host.inbox().accounts().await.unwrap().remove(0);
    let page = request("GET", &format!("{}/channels/{}", world.address, account.id.public()), &[], Vec::new()).await;
    assert!(page.body.contains("Check again") && !page.body.contains("value=\"renew\""), "{}", page.body);
    assert!(!page.body.contains("value=\"fetch\""), "{}", page.body);
    for what in ["renew", "fetch-history"] {
        let path = format!("/api/v1/accounts/{}/{what}", account.id.public());
        let refused = world.api("POST", &path, &[], Vec::new()).await;
        assert_eq!((refused.status, &refused.json()["code"]), (422, &"unsupported".into()), "{}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_s_page_shows_its_requests_with_the_names_of_slots_in_place_of_secrets() {
    let world = World::new().await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Is the mug dishwasher safe?").await;
    let conversation = world.conversation(tomas.igsid()).await;
    let reply = world.reply(conversation, "1", channel_tests::message(vec![channel_tests::text("It is.")])).await;
    let browser = Browser::start().await;
    browser.sized(1440, 1000).await;
    browser.open(&format!("{}/inspector/replies/{}", world.address, reply.id.public())).await;
    let page = browser.says("POST https://").await;
    for shown in ["page-token", "authorization: Bearer", "It is.", "Answer 200", "Sent"] {
        assert!(page.contains(shown), "{shown:?} is missing in {page}");
    }
    looked_at(&browser, &axe(), "inspector-reply").await;
    browser.quit().await;
}
