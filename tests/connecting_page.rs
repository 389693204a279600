//! `docs/connecting.md` against what the simulated platform demands: permissions, addresses, fields, settings.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, dialog::Person, instagram, pages::page, request};
use harness_engine::{ChannelOptions, ConnectStage, Grant};
use simulator::{Config, Fault, Scope};

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
    assert!(shown && policy.contains("img-src 'self' https://scontent.cdninstagram.com;"), "{policy}");
    let granted = world.host.channel("instagram").unwrap().grant.clone();
    for media in [vec![], vec!["lookaside.fbsbx.com".to_owned()]] {
        let grant = Some(Grant { media, ..granted.clone() });
        let setup = ChannelOptions { grant, ..ChannelOptions::default() };
        world.host.load_channel(instagram().1.clone(), setup).await.unwrap();
        let (shown, policy) = look().await;
        assert!(!shown && policy.contains("img-src 'self';"), "{policy}");
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
    manifest.webhook.as_ref().unwrap().verification.secrets().iter().for_each(|slot| names(slot));
    for setting in ["app-id", "instagram-app-id"] {
        assert!(manifest.settings.contains_key(setting));
        names(setting);
    }
}

/// What a person sees behind the link now.
async fn seen(person: &Person<'_>) -> String {
    let address = format!("{}/connect/{}", person.world.address, person.ticket);
    let cookie = format!("harness-connect-1={}", person.cookie);
    let answer = request("GET", &address, &[("cookie", &cookie)], Vec::new()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// The button that takes a choice, and one that begins again.
const CONNECT: &str = ">Connect</button>";
const AGAIN: &str = ">Connect with ";

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_is_a_group_with_its_question_and_where_none_can_be_made_there_is_a_way_to_try_again() {
    let world = World::unconnected(Config::demo()).await;
    for (without, can_choose) in
        [(&[][..], true), (&["pages_messaging"][..], false), (&["pages_messaging", "pages_read_engagement"][..], false)]
    {
        let person = Person::new(&world).await;
        let dialog = person.visits("facebook").await;
        let query = person.permits(&dialog, without).await;
        person.returns(&query).await.unwrap();
        let page = seen(&person).await;
        let group = page.split_once("<fieldset>").and_then(|(_, rest)| rest.split_once("</fieldset>"));
        assert_eq!(group.is_some_and(|(group, _)| group.starts_with("<legend>")), can_choose, "{page}");
        assert_eq!(group.is_some_and(|(group, _)| group.contains("type=\"radio\"")), can_choose, "{page}");
        assert_eq!(page.contains(CONNECT), can_choose, "{page}");
        assert!(page.contains(AGAIN), "{page}");
        if !can_choose {
            // Whether one or several are missing, the sentence is right.
            let missing = without.join(", ");
            assert!(page.contains(&format!("What was not granted: {missing}.")), "{page}");
            assert!(page.contains("try again") && !page.contains("<input"), "{page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_said_in_words_for_people_and_can_be_tried_again() {
    /// Words of libraries and protocols, which help nobody who runs a shop.
    const LIBRARY: [&str; 16] = [
        "serde",
        "reqwest",
        "hyper",
        "JSON",
        "HTTP",
        "timed out",
        "EOF",
        "expected value",
        "at line",
        "error sending",
        "connection closed",
        "OAuthException",
        "fbtrace",
        "None",
        "Err(",
        "TimedOut",
    ];
    let world = World::unconnected(Config::demo()).await;
    let faults = [
        Fault::html(502),
        Fault::not_json(),
        Fault::empty_body(500),
        Fault::drop_before_accepting(),
        Fault::graph_error(1, None),
        Fault::graph_error(100, None),
        Fault::graph_error(190, 463),
    ];
    for login in ["facebook", "instagram"] {
        for fault in &faults {
            let person = Person::new(&world).await;
            let dialog = person.visits(login).await;
            let query = person.permits(&dialog, &[]).await;
            world.sim.inject(fault.clone().on(Scope::Login));
            let stage = person.returns(&query).await.unwrap();
            assert!(world.sim.pending_faults().is_empty(), "{login} {fault:?} did not happen");
            let page = seen(&person).await;
            let ConnectStage::Failed { .. } = stage else { panic!("{login} {fault:?}: {stage:?}") };
            let shown: String = page.split_once("<body").unwrap().1.into();
            let said: Vec<_> = LIBRARY.iter().filter(|word| shown.contains(**word)).collect();
            assert!(said.is_empty(), "{login} {fault:?}: {said:?} in {shown}");
            assert!(page.contains(AGAIN) && !page.contains(CONNECT), "{login} {fault:?}: {page}");
        }
    }
}
