//! A registry that lies in its lists, and other people who write at the same time.

use std::sync::atomic::{AtomicU32, Ordering};

use harness_package::{
    oci::{BUNDLE, Descriptor, Index, MANIFEST, WASM},
    registry::Options,
    source::{Source, Target},
};

use crate::{
    fake::{Fake, Step, not_found, sample, whole},
    sample::{Sample, VERSION, read, referrers},
};

#[tokio::test]
async fn lists_of_tags_are_bounded_and_their_next_page_is_looked_for_here() {
    let page = |tags: &[String], next: &str| {
        let link = format!("link: <http://169.254.169.254/latest?{next}>; rel=\"next\"\r\n");
        whole("200 OK", &link, serde_json::json!({ "name": "x", "tags": tags }).to_string().as_bytes())
    };
    let fake = Fake::telling(move |asked, _, _| {
        let query = asked.path.split_once("tags/list?")?.1.to_owned();
        Some(match query.as_str() {
            "n=1000" => page(&["0.1.0".into(), "../../x".into(), "\u{1b}[2J".into()], "last=0.1.0"),
            "last=0.1.0" => page(&["0.2.0".into()], "last=0.2.0"),
            _ => page(&["0.2.0".into()], "last=for-ever"),
        })
    })
    .await;
    assert_eq!(fake.registry(Options::default()).tags().await.unwrap(), ["0.1.0", "0.2.0"]);
    assert_eq!(fake.asked().len(), 3, "a page with nothing new is the last");

    let fake = Fake::telling(move |asked, _, _| {
        let last = asked.path.rsplit('=').next()?.parse().unwrap_or_default();
        let tags: Vec<String> = (last..last + 1000).map(|number: u32| format!("0.0.{number}")).collect();
        Some(page(&tags, &format!("last={}", last + 1000)))
    })
    .await;
    let refused = fake.registry(Options::default()).tags().await.unwrap_err().to_string();
    assert!(refused.contains("10000 tags"), "{refused}");

    let none = Fake::telling(|_, _, _| Some(whole("200 OK", "", br#"{"name":"x","tags":null}"#))).await;
    assert_eq!(none.registry(Options::default()).tags().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn lists_of_referrers_are_bounded() {
    let entry = |number: u32| Descriptor::of(MANIFEST, &number.to_be_bytes());
    let pages = AtomicU32::new(0);
    let fake = Fake::telling(move |asked, _, _| {
        asked.path.contains("/referrers/").then(|| {
            let number = pages.fetch_add(1, Ordering::Relaxed) * 1000;
            let manifests = (number..number + 30).map(entry).collect();
            let index = serde_json::to_vec(&Index { manifests, ..Index::default() }).unwrap();
            whole("200 OK", &format!("link: <?page={number}>; rel=next\r\n"), &index)
        })
    })
    .await;
    let package = Descriptor::of(MANIFEST, b"package");
    assert_eq!(fake.registry(Options::default()).referrers(&package.digest).await.unwrap().manifests.len(), 100);
    assert_eq!(fake.asked().len(), 20, "signatures may stand behind other things, up to a bound");

    let empty = Fake::telling(|asked, _, _| {
        let index = serde_json::to_vec(&Index::default()).unwrap();
        asked.path.contains("/referrers/").then(|| whole("200 OK", "link: <?again=1>; rel=next\r\n", &index))
    })
    .await;
    assert_eq!(empty.registry(Options::default()).referrers(&package.digest).await.unwrap().manifests.len(), 0);
    assert_eq!(empty.asked().len(), 20, "pages without an end");
}

#[tokio::test]
async fn a_registry_that_knows_no_referrers_is_asked_by_tag_whatever_it_answers() {
    let elsewhere = Fake::telling(|_, _, _| None).await;
    for status in ["404 Not Found", "400 Bad Request", "405 No", "406 Not Acceptable", "501 No", "303 See Other"] {
        let location = format!("location: http://{}/x\r\n", elsewhere.authority);
        let fake =
            Fake::telling(move |asked, _, _| Step::Referrers.is_of(asked).then(|| whole(status, &location, b"<html>")))
                .await;
        let options = Options { plain_http: [elsewhere.authority.clone()].into(), ..Options::default() };
        assert_eq!(read(&fake.registry(options), VERSION).await.2, referrers(), "{status}");
    }
    assert!(elsewhere.asked().is_empty());
    // One that takes the tag for a digest gives the package itself.
    let bytes = sample().manifest.to_bytes().unwrap();
    let package = Descriptor::of(MANIFEST, &bytes);
    let fake = Fake::telling(move |asked, _, _| Step::Fallback.is_of(asked).then(|| whole("200 OK", "", &bytes))).await;
    let registry = fake.registry(Options::default());
    assert_eq!(registry.referrers(&package.digest).await.unwrap(), Index::default());
    let put = registry.put_referrer(&package, package.clone()).await;
    assert!(put.unwrap_err().to_string().contains("lost the entry"));
}

#[tokio::test]
async fn a_list_that_somebody_else_wrote_over_is_written_again() {
    let package = Descriptor::of(MANIFEST, &sample().manifest.to_bytes().unwrap());
    let referrer = Descriptor { artifact_type: Some(BUNDLE.into()), ..Descriptor::of(MANIFEST, b"another signature") };
    // The first writings are lost: somebody wrote the old list right behind them.
    for (lost, kept) in [(0, true), (2, true), (1000, false)] {
        let fake = Fake::telling(move |asked, before, _| {
            (asked.method == "PUT" && before < lost).then(|| whole("201 Created", "", b""))
        })
        .await;
        let registry = fake.registry(Options::default());
        let put = registry.put_referrer(&package, referrer.clone()).await;
        assert_eq!(put.is_ok(), kept, "{put:?}");
        let listed = registry.referrers(&package.digest).await.unwrap().manifests;
        assert_eq!(listed.len(), if kept { 4 } else { 3 });
        assert_eq!(listed.contains(&referrer), kept);
    }
}

#[tokio::test]
async fn an_upload_goes_to_the_registry_alone() {
    let elsewhere = Fake::telling(|_, _, _| Some(whole("201 Created", "", b""))).await;
    for location in [format!("http://{}/x", elsewhere.authority), "http://a:b@SELF/x".into(), "https://SELF/x".into()] {
        let fake = Fake::telling(move |asked, _, _| {
            let location = location.replace("SELF", &asked.headers["host"]);
            (asked.method == "POST").then(|| whole("202 Accepted", &format!("location: {location}\r\n"), b""))
        })
        .await;
        let options = Options { plain_http: [elsewhere.authority.clone()].into(), ..Options::default() };
        let put = fake.registry(options).put_blob(&Descriptor::of(WASM, b"new"), b"new").await;
        assert!(put.unwrap_err().to_string().contains("another address"));
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_tag_that_somebody_else_takes_meanwhile_is_noticed() {
    let other = Sample::of(b"another").manifest.to_bytes().unwrap();
    let fake = Fake::telling(move |asked, before, _| match asked.path.ends_with("/manifests/0.2.0") {
        true if asked.method == "GET" => Some(if before == 0 { not_found() } else { whole("200 OK", "", &other) }),
        _ => None,
    })
    .await;
    let manifest = sample().manifest.to_bytes().unwrap();
    let refused = fake.registry(Options::default()).put_manifest(&manifest, Some("0.2.0")).await.unwrap_err();
    assert!(refused.to_string().contains("versions do not change"), "{refused}");
}
