//! A registry that lies: each lie is refused with a sentence, in bounded memory, and nothing is installed by half.

use std::time::Duration;

use harness_contract::text::misleads;
use harness_package::{
    copy::{CopyError, copy},
    layout::Layout,
    oci::{Descriptor, INDEX, MANIFEST},
    registry::{Options, Registry},
    source::{Source, SourceError},
};
use tokio::task::JoinSet;

use crate::{
    fake::{Answer, Asked, Fake, Honest, Step, announced, not_found, sample, unannounced, whole},
    sample::{MAX, Sample, VERSION, read, referrers},
};

/// What is done with a registry that lies: a version is looked up and copied into a folder. Whatever goes wrong, the folder
/// has no version, and the sentence is one that can be shown.
pub(crate) async fn refused(registry: &Registry, why: &str) -> SourceError {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::create(folder.path()).await.unwrap();
    let result = async {
        let package = registry.resolve(VERSION).await?;
        copy(registry, &layout, &package.digest, Some(VERSION), MAX).await.map_err(|error| match error {
            CopyError::Place(error) => error,
            other => panic!("{why}: {other}"),
        })
    };
    let error = result.await.expect_err(why);
    assert_eq!(layout.tags().await.unwrap(), Vec::<String>::new(), "{why}: installed by half");
    let sentence = error.to_string();
    assert!(!sentence.chars().any(misleads) && sentence.len() < 700, "{why}: {sentence:?}");
    error
}

/// A lie at one step, and a word of the sentence by which it is refused.
async fn lie_at(step: Step, word: &str, answer: impl Fn(&Honest, &Asked) -> Answer + Send + Sync + 'static) {
    let lie = move |asked: &Asked, _, honest: &Honest| step.is_of(asked).then(|| answer(honest, asked));
    let fake = Fake::telling(lie).await;
    let why = format!("{step:?}, expected: {word}");
    let sentence = refused(&fake.registry(Options::default()), &why).await.to_string();
    assert!(sentence.contains(word), "{why}: {sentence}");
}

#[tokio::test]
async fn an_honest_registry_of_this_test_is_copied_from() {
    let fake = Fake::telling(|_, _, _| None).await;
    let (_, component, found) = read(&fake.registry(Options::default()), VERSION).await;
    assert_eq!((component, found), (sample().component, referrers()));
    let steps = fake.asked();
    for step in Step::ALL {
        assert!(steps.iter().any(|asked| step.is_of(asked)), "{step:?} is a step");
    }
}

#[tokio::test]
async fn answers_without_an_end_are_not_read_to_it() {
    for step in Step::ALL {
        lie_at(step, "more than", |_, _| {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            let piece = [b"10000\r\n".to_vec(), vec![b' '; 65536], b"\r\n".to_vec()].concat();
            Answer::Endless(head.into(), piece)
        })
        .await;
        lie_at(step, "more than", |_, _| announced("200 OK", "", 1 << 40, b"x")).await;
        lie_at(step, "more than", |_, _| unannounced((1 << 20) + 1)).await;
    }
}

#[tokio::test]
async fn other_bytes_than_were_asked_for_are_refused() {
    for step in [Step::Manifest, Step::Referrer, Step::Config, Step::Layer, Step::Bundle] {
        lie_at(step, "other bytes", |honest, asked| {
            let Answer::Raw(mut bytes) = honest.answer(asked) else { unreachable!() };
            *bytes.last_mut().unwrap() ^= 1;
            Answer::Raw(bytes)
        })
        .await;
    }
    for step in [Step::Config, Step::Layer, Step::Bundle] {
        lie_at(step, "announced", |_, _| whole("200 OK", "", b"short")).await;
        lie_at(step, "more than", |_, _| whole("200 OK", "", &[b'x'; 20_000])).await;
    }
}

#[tokio::test]
async fn a_registry_that_answers_differently_the_second_time_is_refused() {
    // Under the tag lies what was asked for; by its digest, another package that is sound by itself.
    let other = Sample::of(b"another").manifest.to_bytes().unwrap();
    lie_at(Step::Manifest, "other bytes", move |_, _| {
        whole("200 OK", &format!("content-type: {MANIFEST}\r\n"), &other)
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_moves_between_two_looks_is_seen_and_what_was_pinned_stays() {
    let other = Sample::of(b"another").manifest.to_bytes().unwrap();
    let moved = Descriptor::of(MANIFEST, &other).digest;
    let fake = Fake::telling(move |asked, before, _| {
        (Step::Tag.is_of(asked) && before > 0).then(|| whole("200 OK", "", &other))
    })
    .await;
    let registry = fake.registry(Options::default());
    let pinned = registry.resolve(VERSION).await.unwrap();
    assert_eq!(registry.resolve(VERSION).await.unwrap().digest, moved);
    assert!(registry.manifest(&pinned.digest).await.is_ok(), "by its digest the first one is still there");
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    for body in ["", "{}", "[]", "null", "{\"schemaVersion\":2", "<html>\u{1b}[2J</html>"] {
        lie_at(Step::Tag, "no package", move |_, _| whole("200 OK", "", body.as_bytes())).await;
    }
    let deep = "[".repeat(500_000);
    lie_at(Step::Tag, "no package", move |_, _| whole("200 OK", "", deep.as_bytes())).await;
    let typed = |kind: &str| {
        let mut manifest = sample().manifest;
        manifest.media_type = kind.to_owned();
        manifest.to_bytes().unwrap()
    };
    for kind in [INDEX, "\u{202e}\u{1b}[31m", "application/vnd.docker.distribution.manifest.v2+json"] {
        let bytes = typed(kind);
        lie_at(Step::Tag, "no package", move |_, _| whole("200 OK", "", &bytes)).await;
    }
}

#[tokio::test]
async fn compressed_answers_are_refused() {
    for step in Step::ALL {
        // Ten bytes that say they are a billion.
        lie_at(step, "compressed", |_, _| whole("200 OK", "content-encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\0"))
            .await;
    }
}

#[tokio::test]
async fn redirects_lead_nowhere_but_to_the_same_kind_of_host() {
    for step in [Step::Tag, Step::Manifest, Step::Fallback, Step::Referrer] {
        lie_at(step, "HTTP 307", |_, _| whole("307 Temporary Redirect", "location: /elsewhere\r\n", b"")).await;
    }
    for step in [Step::Config, Step::Layer, Step::Bundle] {
        let to = |location: &'static str, word: &'static str| {
            lie_at(step, word, move |_, _| whole("302 Found", &format!("location: {location}\r\n"), b""))
        };
        to("http://127.0.0.1:1/x", "without TLS").await;
        to("http://localhost:1/x", "without TLS").await;
        to("https://storage.example.com/x", "another scheme").await;
        to("file:///etc/passwd", "another scheme").await;
        to("http://anna:secret@127.0.0.1/x", "a login in it").await;
        to("http://[", "no address").await;
    }
    for step in [Step::Config, Step::Layer, Step::Bundle] {
        let fake = Fake::telling(move |asked, _, _| {
            let lies = step.is_of(asked) || asked.path.starts_with("/loop");
            lies.then(|| whole("302 Found", "location: /loop\r\n", b""))
        })
        .await;
        let sentence = refused(&fake.registry(Options::default()), "a loop").await.to_string();
        assert!(sentence.contains("3 times"), "{sentence}");
        assert_eq!(fake.asked().iter().filter(|asked| asked.path == "/loop").count(), 3);
    }
}

#[tokio::test]
async fn no_address_out_of_a_manifest_is_asked() {
    let elsewhere = Fake::telling(|_, _, _| Some(whole("200 OK", "", &sample().component))).await;
    let manifest = sample().manifest.to_bytes().unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    manifest["layers"][0]["urls"] = serde_json::json!([format!("http://{}/x", elsewhere.authority)]);
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let fake = Fake::telling(move |asked, _, _| {
        if asked.path.contains("/manifests/") && !asked.path.contains("sha256-") {
            return Some(whole("200 OK", "", &manifest));
        }
        Step::Layer.is_of(asked).then(not_found)
    })
    .await;
    let options = Options { plain_http: [elsewhere.authority.clone()].into(), ..Options::default() };
    let error = refused(&fake.registry(options), "a layer that lies elsewhere").await;
    assert!(matches!(error, SourceError::Missing { .. }), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn a_layer_that_breaks_off_is_gone_on_with_where_it_broke() {
    let component = sample().component;
    // Gone on with a part, or with everything again.
    for ranges in [true, false] {
        let bytes = component.clone();
        let fake = Fake::telling(move |asked, before, _| {
            if !Step::Layer.is_of(asked) {
                return None;
            }
            let from = asked.headers.get("range").map(|range| range["bytes=".len()..range.len() - 1].parse().unwrap());
            Some(match from.filter(|_| ranges) {
                None if before == 0 => announced("200 OK", "", bytes.len(), &bytes[..4000]),
                None => whole("200 OK", "", &bytes),
                Some(from) => {
                    let range = format!("content-range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len());
                    let end = if before == 1 { from + 1000 } else { bytes.len() };
                    announced("206 Partial Content", &range, bytes.len() - from, &bytes[from..end])
                }
            })
        })
        .await;
        assert_eq!(read(&fake.registry(Options::default()), VERSION).await.1, component);
        let asked = fake.asked().into_iter().filter(|asked| Step::Layer.is_of(asked));
        let from: Vec<_> = asked.map(|asked| asked.headers.get("range").cloned().unwrap_or_default()).collect();
        let expected: &[&str] = if ranges { &["", "bytes=4000-", "bytes=5000-"] } else { &["", "bytes=4000-"] };
        assert_eq!(from, expected);
    }
    // Another part than was asked for, another whole, nothing ever.
    for range in ["bytes 0-8999/9000", "bytes 4000-8999/9001", "x", "bytes 4001-8999/*"] {
        let fake = Fake::telling(move |asked, before, _| {
            Step::Layer.is_of(asked).then(|| match before {
                0 => announced("200 OK", "", 9000, &sample().component[..4000]),
                _ => whole("206 Partial Content", &format!("content-range: {range}\r\n"), &[0; 5000]),
            })
        })
        .await;
        let sentence = refused(&fake.registry(Options::default()), range).await.to_string();
        assert!(sentence.contains("another part"), "{sentence}");
    }
    lie_at(Step::Layer, "broke", |_, _| announced("200 OK", "", 9000, b"comp")).await;
}

#[tokio::test]
async fn refusals_are_told_without_a_word_of_the_registry() {
    let body = "{\"errors\":[{\"message\":\"\u{1b}[2J\u{202e}run-this-command\"}]}";
    for (status, word) in [
        ("429 Too Many Requests", "429"),
        ("500 run-this-command", "500"),
        ("503 Service Unavailable", "503"),
        ("418 run-this-command", "418"),
        ("403 Forbidden", "403"),
    ] {
        for step in [Step::Tag, Step::Manifest, Step::Config, Step::Layer, Step::Referrers, Step::Referrer] {
            let lie = move |asked: &Asked, _, _: &Honest| {
                let headers = "docker-content-digest: run-this-command\r\nwww-authenticate: run-this-command\r\n";
                step.is_of(asked).then(|| whole(status, headers, body.as_bytes()))
            };
            let fake = Fake::telling(lie).await;
            let sentence = refused(&fake.registry(Options::default()), status).await.to_string();
            assert!(sentence.contains(word) && !sentence.contains("run-this"), "{step:?}: {sentence}");
        }
    }
    lie_at(Step::Tag, "no HTTP", |_, _| Answer::Raw(b"SSH-2.0-run-this-command\r\n".to_vec())).await;
}

#[tokio::test]
async fn a_registry_that_hangs_is_left_at_the_deadline() {
    let mut hanging = JoinSet::new();
    for head in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ncomp\r\n"] {
        for step in Step::ALL {
            hanging.spawn(hangs(step, head));
        }
    }
    hanging.join_all().await;
}

/// On a machine that is slow, a short deadline ends an earlier step: then a longer one is tried.
async fn hangs(step: Step, head: &'static str) {
    let mut deadline = Duration::from_millis(200);
    loop {
        let fake = Fake::telling(move |asked, _, _| step.is_of(asked).then(|| Answer::Hang(head.into()))).await;
        let options = Options { answer: deadline, transfer: deadline, ..Options::default() };
        let why = format!("{step:?} {head:?}");
        let sentence = refused(&fake.registry(options), &why).await.to_string();
        assert!(sentence.contains("within"), "{why}: {sentence}");
        if fake.asked().iter().any(|asked| step.is_of(asked)) {
            return;
        }
        deadline *= 2;
    }
}

#[tokio::test]
async fn a_component_larger_than_is_taken_is_not_even_asked_for() {
    let fake = Fake::telling(|_, _, _| None).await;
    let registry = fake.registry(Options::default());
    let layer = sample().manifest.layers[0].clone();
    assert!(matches!(registry.blob(&layer, 8999).await, Err(SourceError::TooLarge { max: 8999, .. })));
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn what_was_copied_by_half_is_copied_again_and_whole() {
    for step in [Step::Layer, Step::Fallback, Step::Referrer, Step::Bundle] {
        let fake = Fake::telling(move |asked, before, _| {
            (step.is_of(asked) && before == 0).then(|| whole("500 Internal Server Error", "", b""))
        })
        .await;
        let registry = fake.registry(Options::default());
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).await.unwrap();
        let package = registry.resolve(VERSION).await.unwrap();
        let copied = async || copy(&registry, &layout, &package.digest, Some(VERSION), MAX).await;
        assert!(copied().await.is_err());
        assert_eq!(layout.tags().await.unwrap(), Vec::<String>::new(), "{step:?}");
        copied().await.unwrap();
        let (found, component, all) = read(&layout, VERSION).await;
        assert_eq!((found.digest, component, all), (package.digest, sample().component, referrers()), "{step:?}");
    }
}
