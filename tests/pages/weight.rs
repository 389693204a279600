//! What a page weighs on a slow line, as it is served: the page, its style and icons, and all of its scripts.

use std::collections::BTreeSet;

use channel_tests::{World, eventually, instagram, sandbox_config};
use harness_inbox::PublicId as _;

use crate::street;

/// The most that a page weighs, with everything that it loads before somebody does something, in bytes.
const MOST: usize = 60_000;

/// The bytes that a browser is sent, and the text that they are.
async fn served(address: &str) -> (usize, String) {
    // Another test may have chosen it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let plain = client.get(address).send().await.unwrap();
    assert_eq!(plain.status(), 200, "{address}");
    let text = plain.text().await.unwrap();
    let sent = client.get(address).header("accept-encoding", "gzip").send().await.unwrap();
    let is_compressed = sent.headers().get("content-encoding").is_some();
    let size = sent.bytes().await.unwrap().len();
    assert!(is_compressed || size < 20_000, "{address} is sent as it is: {size} bytes");
    (size, text)
}

/// What stands between these marks, each time.
fn between<'t>(text: &'t str, before: &str, after: char) -> Vec<&'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

/// A page and all that it loads, as a browser gets it on its first visit.
async fn is_light(address: &str, page: &str) {
    let (mut size, text) = served(&format!("{address}{page}")).await;
    for script in between(&text, "<script", '>') {
        assert!(script.contains("type=\"module\""), "{page} waits for a script: {script}");
    }
    let found = [between(&text, "href=\"/assets/", '"'), between(&text, "src=\"/assets/", '"')].concat();
    let mut wanted: BTreeSet<String> =
        found.into_iter().filter_map(|asset| Some(asset.split('#').next()?.to_owned())).collect();
    let mut known = BTreeSet::new();
    while let Some(asset) = wanted.pop_first() {
        if !known.insert(asset.clone()) {
            continue;
        }
        let (of_asset, text) = served(&format!("{address}/assets/{asset}")).await;
        size += of_asset;
        let folder = asset.rsplit_once('/').unwrap().0;
        wanted.extend(between(&text, "from \"./", '"').into_iter().map(|module| format!("{folder}/{module}")));
    }
    assert!(known.len() > 3, "{page}: {known:?}");
    assert!(size < MOST, "{page} weighs {size} bytes with {known:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_light_and_shows_before_its_scripts_run() {
    let world = World::new().await;
    street::others(&world).await;
    let maya = street::maya(&world).await;
    let conversation = world.conversation(maya.igsid()).await;
    world.settled().await;
    let account = world.host.inbox().accounts().await.unwrap().remove(0).id.public();
    let filter = harness_inbox::DeliveryFilter::default();
    let delivery = world.host.inbox().deliveries_before(filter, None, 1).await.unwrap().entries.remove(0).id.public();
    let mut pages: Vec<String> = ["/inbox", "/help", "/channels", "/plugins", "/inspector"].map(str::to_owned).into();
    pages.extend(
        ["you", "appearance", "replies", "views", "labels", "people", "tokens", "webhooks", "retention"]
            .map(|tab| format!("/settings/{tab}")),
    );
    pages.push(format!("/inbox/{}", conversation.public()));
    pages.push(format!("/channels/{account}"));
    pages.push(format!("/bot/{account}"));
    pages.push(format!("/bot/{account}/log"));
    pages.push(format!("/inspector/{delivery}"));
    for page in pages {
        is_light(&world.address, &page).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_light_too() {
    let stage = harness_cli::demo::Stage::set(instagram().1.clone(), sandbox_config()).await.unwrap();
    stage.customer.text("hello").await;
    eventually("the conversation", async || stage.conversation().await.ok()).await;
    is_light(&stage.address, "/demo").await;
}
