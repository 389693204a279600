//! The inspector and the check-up in a browser: what came in, what became of it, the same with another version.

use channel_tests::{World, browser::Browser, hostile, instagram, manifest::with_manifest, request};
use fantoccini::Locator;
use harness_engine::ChannelOptions;
use harness_inbox::PublicId as _;

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
