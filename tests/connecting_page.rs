//! `docs/connecting.md` against what the simulated platform demands: permissions, addresses, fields, settings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, dialog::Person, instagram, pages::page, request};
use harness_gateway::{ChannelSetup, ConnectStage, Grant};
use simulator::Config;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_pictures_of_granted_hosts_and_lets_a_browser_load_no_others() {
    let world = World::unconnected(Config::demo()).await;
    let person = Person::new(&world).await;
    person.connects("instagram").await;
    let look = async || {
        let cookie = format!("harness-connect-x={}", person.cookie);
        let address = format!("{}/connect/{}", world.address, person.ticket);
        let page = request("GET", &address, &[("cookie", &cookie)], Vec::new()).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
        (page.body.contains("<img"), policy)
    };
    let (shown, policy) = look().await;
    assert!(shown && policy.contains("img-src https://scontent.cdninstagram.com;"), "{policy}");
    let granted = world.host.channel("instagram").unwrap().grant;
    for media in [vec![], vec!["lookaside.fbsbx.com".to_owned()]] {
        let grant = Some(Grant { media, ..granted.clone() });
        let setup = ChannelSetup { grant, ..ChannelSetup::default() };
        world.host.load_channel(instagram().1.clone(), setup).await.unwrap();
        let (shown, policy) = look().await;
        assert!(!shown && policy.contains("img-src 'none';"), "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_names_every_permission_address_and_field_that_the_platform_demands() {
    let page = page("connecting.md");
    let names = |word: &str| assert!(page.contains(&format!("`{word}`")), "docs/connecting.md lacks `{word}`");
    let world = World::unconnected(Config::demo()).await;
    world.sim.unset_webhook_url();
    for login in ["facebook", "instagram"] {
        let dialog = Person::new(&world).await.visits(login).await;
        let asked: std::collections::BTreeMap<_, _> = dialog.query_pairs().into_owned().collect();
        let redirect: url::Url = asked["redirect_uri"].parse().unwrap();
        names(redirect.path());
        for scope in asked["scope"].split(',') {
            names(scope);
            // And the platform does demand it.
            let person = Person::new(&world).await;
            let dialog = person.visits(login).await;
            let query = person.permits(&dialog, &[scope]).await;
            let said = match person.returns(&query).await.unwrap() {
                ConnectStage::Choosing { candidates } => candidates[0].obstacle.clone().unwrap_or_default(),
                ConnectStage::Failed { sentence } => sentence,
                other => panic!("{scope} is not needed: {other:?}"),
            };
            assert!(said.contains(scope), "{scope}: {said}");
        }
    }
    Person::new(&world).await.connects("instagram").await;
    let (webhook, fields) = world.sim.app_webhook();
    names(webhook.unwrap().strip_prefix(&world.address).unwrap());
    fields.unwrap().iter().for_each(|field| names(field));
    let registered = world.host.channel("instagram").unwrap();
    let manifest = registered.channel.manifest();
    manifest.callbacks.keys().for_each(|name| names(&format!("/callbacks/instagram/{name}")));
    manifest.webhook.verification.secrets().iter().for_each(|slot| names(slot));
    for setting in ["app-id", "instagram-app-id"] {
        assert!(manifest.settings.contains_key(setting));
        names(setting);
    }
}
