//! Browsers: what every answer tells them, and that a page of another site gets nothing done here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{Answer, World, api, dialog::Person, request};
use harness_engine::ConnectStage;
use simulator::Config;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const REFUSED: &str = "asked by a page of another site";

async fn world() -> World {
    World::unconnected(Config::demo()).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_leaves_a_browser_nothing_to_guess_run_frame_or_keep() {
    let world = world().await;
    let link = format!("{}/connect/{}", world.address, Person::new(&world).await.ticket);
    let challenge = "hub.mode=subscribe&hub.verify_token=demo-verify-token&hub.challenge=%3Cb%3E";
    for (status, method, url) in [
        (200, "GET", format!("{}/health/live", world.address)),
        (200, "GET", format!("{}/health/ready", world.address)),
        (200, "GET", format!("{}/metrics", world.address)),
        (200, "GET", format!("{}/api/v1/conversations", world.address)),
        (200, "GET", format!("{}/api/v1/openapi.json", world.address)),
        (404, "GET", format!("{}/api/v1/replies/none", world.address)),
        (404, "GET", format!("{}/api/v1/nowhere", world.address)),
        (405, "DELETE", format!("{}/api/v1/conversations", world.address)),
        (401, "GET", format!("{}/api/v1/conversations", world.address)),
        (403, "GET", format!("{}/connect", world.address)),
        // Opened in another browser before.
        (400, "GET", link),
        (404, "GET", format!("{}/callbacks/instagram/data-deletion/none", world.address)),
        (400, "GET", format!("{}/oauth/instagram/callback?state=none", world.address)),
        (403, "POST", format!("{}/callbacks/instagram/deauthorize", world.address)),
        (404, "GET", format!("{}/nowhere", world.address)),
        (200, "GET", format!("{}/webhooks/instagram?{challenge}", world.address)),
        (403, "GET", format!("{}/webhooks/instagram", world.address)),
    ] {
        let answer = if status == 401 {
            request(method, &url, &[], Vec::new()).await
        } else {
            api(method, &url, &[], Vec::new()).await
        };
        assert_eq!(answer.status, status, "{method} {url}: {}", answer.body);
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{url}");
        assert_eq!(header(&answer, "cache-control"), "no-store", "{url}");
        assert!(["no-referrer", "same-origin"].contains(&header(&answer, "referrer-policy")), "{url}");
        let policy = header(&answer, "content-security-policy");
        // A page of the inbox has styles and scripts of this host, from files.
        let is_page = header(&answer, "content-type").starts_with("text/html") && policy.contains("default-src 'self'");
        let sources = if is_page { "default-src 'self'; object-src 'none'" } else { "default-src 'none'" };
        for part in [sources, "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{url}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{url}: {policy}");
        assert_eq!(header(&answer, "x-frame-options"), "DENY", "{url}");
        assert!(!header(&answer, "x-request-id").is_empty(), "{url}");
        assert!(answer.headers.get("access-control-allow-origin").is_none(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_moves_nothing_even_with_the_cookie() {
    let world = world().await;
    let person = Person::new(&world).await;
    let cookie = format!("harness-connect={}", person.cookie);
    let link = format!("{}/connect/{}", world.address, person.ticket);
    let own = world.address.clone();
    let foreign = [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        // Whatever the origin claims to be.
        vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("origin", "http://127.0.0.1:1")],
    ];
    for (url, form) in [(link.clone(), "login=facebook"), (format!("{link}/select"), "candidate=1")] {
        for from in &foreign {
            let headers = [&[FORM, ("cookie", cookie.as_str())][..], from].concat();
            let answer = request("POST", &url, &headers, form.into()).await;
            assert!(answer.status == 403 && answer.body.contains(REFUSED), "{url} {from:?}: {}", answer.body);
        }
    }
    assert!(matches!(person.stage(), ConnectStage::Waiting));
    // A browser that says nothing new, one that says it is the same, and one that names the origin.
    for from in [vec![], vec![("sec-fetch-site", "same-origin")], vec![("origin", own.as_str())]] {
        let headers = [&[FORM, ("cookie", cookie.as_str())][..], &from].concat();
        let answer = request("POST", &link, &headers, "login=facebook".into()).await;
        assert_eq!(answer.status, 303, "{from:?}: {}", answer.body);
    }
    assert!(matches!(person.stage(), ConnectStage::Visiting));
    let without = request("POST", &link, &[FORM], "login=facebook".into()).await;
    assert!(without.status == 400 && without.body.contains("another browser"), "{}", without.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_reaches_no_endpoint_even_with_a_token() {
    let world = world().await;
    Person::new(&world).await.connects("facebook").await;
    let ask = async |method: &str, path: &str, from: &[(&str, &str)]| world.api(method, path, from, vec![]).await;
    for (method, path) in [
        ("POST", "/api/v1/deliveries/retry"),
        ("POST", "/api/v1/channels/instagram/reset"),
        ("DELETE", "/api/v1/accounts/acc_1"),
        // Reading that has an effect.
        ("POST", "/api/v1/accounts/acc_1/check"),
        ("GET", "/metrics"),
    ] {
        for from in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
            let answer = ask(method, path, &[from]).await;
            assert!(answer.status == 403 && answer.body.contains(REFUSED), "{method} {path} {from:?}");
        }
    }
    assert!(world.sim.accounts().len() == 1 && world.sends().is_empty());
    for from in [&[][..], &[("sec-fetch-site", "none")], &[("origin", world.address.as_str())]] {
        assert_eq!(ask("POST", "/api/v1/deliveries/retry", from).await.status, 200, "{from:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_back_from_a_platform_and_its_own_calls_are_no_foreign_forms() {
    let world = world().await;
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &[]).await;
    let cookie = format!("harness-connect={}", person.cookie);
    let url = format!("{}/oauth/instagram/callback?{query}", world.address);
    let answer = request("GET", &url, &[("cookie", &cookie), ("sec-fetch-site", "cross-site")], Vec::new()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(matches!(person.stage(), ConnectStage::Choosing { .. }));
}
