//! What passes and is stored nowhere: the customer types, on a channel that tells it; notifications; a connection that is
//! lost.

use std::sync::atomic::{AtomicU64, Ordering};

use channel_tests::{
    World,
    browser::Browser,
    connect, eventually,
    hosts::{connect_shop, newest_conversation, open_with},
    open_host, request, sandbox_config, secrets, serve, serve_at, signature, web_chat,
};
use harness_engine::HostOptions;
use harness_inbox::PublicId as _;
use serde_json::{Value, json};
use simulator::Login;

use crate::{street, team};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_types_is_seen_to_do_so_until_the_message_is_there_or_some_seconds_are_over() {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = open_with(options, [(&web_chat().1, secrets([]))]).await;
    connect_shop(&host).await;
    let (address, _server) = serve(&host).await;
    let comes = async |item: Value| {
        let body = json!({ "messages": [item] }).to_string().into_bytes();
        let url = format!("{address}/webhooks/web-chat");
        let answer = request("POST", &url, &[("x-webchat-secret", "secret-of-the-shop")], body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let said = |id: &str, text: &str| json!({ "id": id, "visitor": "v-1", "name": "Kim", "text": text, "at": 1_795_000_000_000_u64 });
    let types = |at: u64| json!({ "visitor": "v-1", "typing": true, "at": at });
    comes(said("1", "Is the mug dishwasher safe?")).await;
    let conversation = newest_conversation(&host).await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.open(&format!("{address}/inbox/{}", conversation.public())).await;
    browser.says("dishwasher safe?").await;
    assert!(!browser.text().await.contains("Kim is typing"));
    // The page listens as soon as its stream is open; until then nobody hears of it.
    let at = AtomicU64::new(1_795_000_001_000);
    let types_on = async || comes(types(at.fetch_add(1, Ordering::Relaxed))).await;
    eventually("somebody who types", async || {
        types_on().await;
        browser.text().await.contains("Kim is typing").then_some(())
    })
    .await;
    browser.pictured("typing").await;
    comes(said("2", "And the teapot?")).await;
    let page = browser.says("And the teapot?").await;
    assert!(!page.contains("Kim is typing"), "{page}");
    types_on().await;
    browser.says("Kim is typing").await;
    eventually("the end of it", async || (!browser.text().await.contains("Kim is typing")).then_some(())).await;
    let kept = host.inbox().timeline(conversation, 9).await.unwrap();
    assert_eq!(kept.len(), 2, "nothing of it is in the conversation");
    browser.quit().await;
}

/// In place of the browser's notifications, which nobody sees in a test. `away` is whether somebody looks at another tab.
const STAND_IN: &str = "
    window.shown = [];
    window.away = false;
    window.Notification = class extends EventTarget {
        static permission = 'granted';
        constructor(title, { body, tag }) { super(); window.shown.push([title, body, tag]); window.last = this; }
        close() {}
    };
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.away });";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_chose_it_is_notified_of_a_customer_s_message_while_they_look_at_something_else() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    tomas.text("Hello").await;
    let id = world.conversation(tomas.igsid()).await.public();
    world.settled().await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    // The browser is asked when the button is pressed, and not before.
    browser.open(&format!("{}/settings/appearance", world.address)).await;
    browser
        .runs(
            "window.Notification = class {
                static permission = 'default';
                static async requestPermission() { sessionStorage.setItem('asked', 'once'); }
            }",
        )
        .await;
    browser.click("input[name=notify][value=on]").await;
    assert_eq!(browser.runs("return sessionStorage.getItem('asked')").await, Value::Null);
    browser.click("form button.primary").await;
    browser.says("Saved.").await;
    assert_eq!(browser.runs("return sessionStorage.getItem('asked')").await, "once");
    browser.runs("window.Notification = class { static permission = 'denied' }").await;
    browser
        .runs("document.querySelector('input[name=notify]').dispatchEvent(new Event('change', { bubbles: true }))")
        .await;
    browser.says("This browser shows no notifications").await;

    browser.open(&format!("{}/inbox", world.address)).await;
    browser.runs(STAND_IN).await;
    let shown = async || browser.runs("return window.shown").await;
    tomas.text("Is anybody there?").await;
    browser.says("Is anybody there?").await;
    assert_eq!(shown().await, json!([]), "whoever looks at the page needs none");
    browser.runs("window.away = true").await;
    tomas.text("<b>Hello?</b>").await;
    let wanted = json!([["Tomás Rivera", "<b>Hello?</b>", id]]);
    eventually("the notification", async || (shown().await == wanted).then_some(())).await;
    // What other people do is none.
    world.host.inbox().mark_read(world.conversation(tomas.igsid()).await, world.clock.now()).await.unwrap();
    eventually("the end of the mark", async || {
        (browser.runs("return document.querySelectorAll('#rows .badge').length").await == 0).then_some(())
    })
    .await;
    assert_eq!(shown().await, wanted);
    browser.runs("window.last.dispatchEvent(new Event('click'))").await;
    eventually("the conversation", async || {
        let place = browser.runs("return location.pathname").await;
        place.as_str().is_some_and(|place| place.ends_with(&id)).then_some(())
    })
    .await;
    eventually("a conversation that was read", async || {
        let found = world.host.inbox().conversations(9).await.unwrap();
        (found.first().map(|one| one.unread) == Some(0)).then_some(())
    })
    .await;

    // Switched off, nothing is shown, and the title counts for itself.
    browser.client.delete_cookie("notify").await.unwrap();
    browser.open(&format!("{}/inbox", world.address)).await;
    browser.runs(STAND_IN).await;
    browser.runs("window.away = true").await;
    tomas.text("Once more").await;
    browser.says("Once more").await;
    assert_eq!(shown().await, json!([]));
    let title = async || browser.runs("return document.title").await.as_str().unwrap().to_owned();
    assert!(title().await.starts_with("(1) "), "{}", title().await);
    browser.runs("document.documentElement.dataset.title = 'plain'").await;
    tomas.text("And again").await;
    browser.says("And again").await;
    assert!(!title().await.starts_with('('), "{}", title().await);
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_ends_while_somebody_types_and_starts_again_costs_them_nothing() {
    let world = World::new().await;
    team::person(&world, "Nora Whitfield").await;
    let (browser, conversation) = team::opened(&world).await;
    let tomas = street::customer(&world, "551982014663711", "Tomás Rivera");
    let (address, port) = (world.address.clone(), world.address.rsplit(':').next().unwrap().parse().unwrap());
    browser.types("#text", "I look it").await;
    let (sim, clock, folder) = world.stop().await;
    browser.types("#text", " up").await;
    browser.says("No connection. What you write stays here.").await;
    browser.pictured("lost").await;
    // The platform's webhook comes while the pages are still away.
    sim.hold_webhooks();
    let meanwhile = tomas.text("Are you still there?").await;
    let host = open_host(folder.path(), &sim, clock.clone()).await;
    connect(&host, &sim, Login::Facebook).await;
    let proof = signature(sim.config().app_secret.expose(), meanwhile.body());
    let headers = [("x-hub-signature-256".parse().unwrap(), proof.parse().unwrap())].into_iter().collect();
    host.deliver("instagram", &headers, meanwhile.body().to_vec()).await.unwrap();
    eventually("the message", async || {
        let found = host.inbox().timeline(conversation, 9).await.unwrap();
        found.iter().any(|one| one.text.as_deref() == Some("Are you still there?")).then_some(())
    })
    .await;
    assert!(!browser.text().await.contains("Are you still there?"));
    let (again, _server) = serve_at(&host, port).await;
    assert_eq!(again, address);
    browser.says("Are you still there?").await;
    eventually("the end of the bar", async || (!browser.text().await.contains("No connection")).then_some(())).await;
    assert_eq!(browser.runs("return document.querySelector('#text').value").await, "I look it up");
    browser.click("#send").await;
    browser.says("Sent").await;
    let sent = host.inbox().timeline(conversation, 10).await.unwrap();
    assert_eq!(sent.iter().filter(|one| one.text.as_deref() == Some("I look it up")).count(), 1, "it is sent once");
    browser.quit().await;
}
