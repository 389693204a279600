//! Files on both ways: what customers send is stored here or says why not, what was taken back is gone,
//! what agents hand in reaches the platform without passing through the channel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path, time::Duration};

use channel_tests::{World, api, eventually, message, request, secrets, text, told::Told};
use harness_contract::{FileRef, MediaKind, MediaSource, OutboundPart, names};
use harness_inbox::{MediaState, MediaView, PublicId as _, ReplyState, StepState, TimelineEntry};
use simulator::{CdnFile, Config};

/// The files of the customer's newest message, once none of them is waited for.
async fn files(world: &World) -> Vec<MediaView> {
    world.settled().await;
    eventually("the end of the downloads", async || {
        let entry = world.timeline(Config::DEMO_CUSTOMER).await.pop()?;
        let waits = entry.media.is_empty() || entry.media.iter().any(|media| media.state == MediaState::Remote);
        (!waits).then_some(entry.media)
    })
    .await
}

fn stored_files(world: &World) -> Vec<String> {
    fn collect(folder: &Path, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                collect(&entry.path(), into)
            } else {
                into.push(entry.path().display().to_string())
            }
        }
    }
    let mut found = Vec::new();
    collect(&world.folder.path().join("media"), &mut found);
    found
}

fn upload(kind: MediaKind, handle: &str) -> OutboundPart {
    let source = MediaSource::File(FileRef { handle: handle.to_owned(), size: 0 });
    OutboundPart::Media(vec![channel_tests::outbound_media(kind, source)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_stored_by_what_its_content_is_and_handed_out_as_nothing_that_could_run() {
    let world = World::new().await;
    let content = CdnFile::demo_photo().bytes;
    let url = world.sim.host_file(CdnFile::new("text/plain", content.clone()));
    world.sim.customer(Config::DEMO_CUSTOMER).photo(&url).await;
    let media = files(&world).await.remove(0);
    assert_eq!((media.state, media.mime.as_deref()), (MediaState::Stored, Some("image/png")));
    assert_eq!(media.size, Some(content.len() as i64));
    let answer = world.api("GET", &format!("/api/v1/media/{}", media.id.public()), &[], vec![]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "image/png");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; sandbox");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cdn_does_instead_of_serving_ends_in_a_state_with_its_reason() {
    let world = World::new().await;
    let customer = world.sim.customer(Config::DEMO_CUSTOMER);
    let host = |file| world.sim.host_file(file);
    let elsewhere = "https://files.example.com/photo.png".to_owned();
    let cases = [
        (host(CdnFile::failing(403)), MediaState::Expired, "HTTP 403"),
        (host(CdnFile::failing(404)), MediaState::Expired, "HTTP 404"),
        (host(CdnFile::new("image/png", "<html><body>please log in</body></html>")), MediaState::Refused, "text/html"),
        (host(CdnFile::new("image/png", vec![0; 33 << 20])), MediaState::TooLarge, "bytes that this host takes"),
        (host(CdnFile::redirecting("http://169.254.169.254/latest/meta-data")), MediaState::Refused, "169.254.169.254"),
        (host(CdnFile::redirecting("https://localhost/photo.png")), MediaState::Refused, "localhost"),
        (elsewhere, MediaState::Refused, "files.example.com"),
    ];
    for (url, state, reason) in cases {
        customer.photo(&url).await;
        let media = files(&world).await.remove(0);
        assert_eq!(media.state, state, "{url}: {:?}", media.reason);
        assert!(media.reason.as_deref().is_some_and(|said| said.contains(reason)), "{:?}", media.reason);
    }
    assert!(stored_files(&world).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_could_not_be_fetched_is_tried_again() {
    let world = World::new().await;
    let url = world.sim.host_file(CdnFile::failing(500));
    world.sim.customer(Config::DEMO_CUSTOMER).photo(&url).await;
    world.settled().await;
    let media = eventually("the last attempt", async || {
        world.clock.advance(Duration::from_secs(60));
        let media = world.timeline(Config::DEMO_CUSTOMER).await.pop()?.media.pop()?;
        (media.state != MediaState::Remote).then_some(media)
    })
    .await;
    assert_eq!(media.state, MediaState::Failed);
    assert!(media.reason.unwrap().contains("HTTP 500"));
}

#[tokio::test(flavor = "multi_thread")]
async fn story_media_is_linked_and_never_stored() {
    let world = World::new().await;
    let customer = world.sim.customer(Config::DEMO_CUSTOMER);
    let url = world.sim.host_file(CdnFile::demo_photo());
    customer.story_mention(&url).await;
    customer.share_story("17900000000000001", &url).await;
    world.settled().await;
    let timeline: Vec<TimelineEntry> = world.timeline(Config::DEMO_CUSTOMER).await;
    for entry in &timeline {
        assert_eq!(entry.media[0].state, MediaState::LinkOnly);
        assert_eq!(entry.media[0].url.as_deref(), Some(url.as_str()));
    }
    assert_eq!(timeline.len(), 2);
    customer.photo(&url).await;
    files(&world).await;
    assert_eq!(stored_files(&world).len(), 1, "only the photo");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsent_photo_is_gone_from_the_disk() {
    let world = World::new().await;
    let customer = world.sim.customer(Config::DEMO_CUSTOMER);
    let sent = customer.photo(&world.sim.host_file(CdnFile::demo_photo())).await;
    files(&world).await;
    assert_eq!(stored_files(&world).len(), 1);
    customer.unsend(sent.mid()).await;
    let media = eventually("the purge", async || {
        let media = world.timeline(Config::DEMO_CUSTOMER).await.pop()?.media.pop()?;
        (media.state == MediaState::Deleted && stored_files(&world).is_empty()).then_some(media)
    })
    .await;
    assert_eq!((media.url, media.sha256, media.name), (None, None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_hosts_is_uploaded_first_and_then_sent_by_its_id() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let photo = CdnFile::demo_photo().bytes;
    let answer = world.api("POST", "/api/v1/uploads?name=f%C3%BCr%20dich.png", &[], photo).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let held: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(held["mime"], "image/png");
    let part = upload(MediaKind::Image, held["source"]["file"]["handle"].as_str().unwrap());
    let view = world.reply(conversation, "photo", message(vec![part, text("there")])).await;
    assert_eq!(view.state, ReplyState::Done);
    assert!(view.steps.iter().all(|step| step.state == StepState::Sent), "{view:?}");
    assert!(view.violations.iter().any(|violation| violation.message.contains("ASCII")), "{:?}", view.violations);
    let paths: Vec<_> = world.sends().iter().map(|request| request.path.clone()).collect();
    assert!(paths[0].ends_with("/message_attachments") && paths[1].ends_with("/messages"), "{paths:?}");
    let last = world.sim.customer(Config::DEMO_CUSTOMER).transcript();
    assert_eq!(last.len(), 3, "hello, the photo, the text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_wrong_type_is_refused_by_its_content_whatever_it_is_called() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let webp = b"RIFF\x24\0\0\0WEBPVP8 ".to_vec();
    let held = world.host.store_upload(webp.into(), Some("photo.png".into()), Some("image/png")).await.unwrap();
    let view = world.reply(conversation, "webp", message(vec![upload(MediaKind::Image, &held.handle)])).await;
    assert_eq!(view.state, ReplyState::Refused);
    assert_eq!(view.violations[0].code, names::violation_code::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(view.violations[0].accepted, ["image/jpeg", "image/png", "image/gif"]);
    assert!(world.sends().is_empty());
    let unknown = world.host.reply(conversation, "unknown", message(vec![upload(MediaKind::Image, "nobody")])).await;
    assert!(unknown.unwrap_err().to_string().contains("nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mp3_is_sent_as_promised_with_a_warning_that_the_platform_does_not_list_it() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let source = MediaSource::Url("https://cdn.example.com/jingle.mp3".into());
    let audio = channel_tests::outbound_media(MediaKind::Audio, source);
    let view = world.reply(conversation, "mp3", message(vec![OutboundPart::Media(vec![audio])])).await;
    assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    assert!(view.violations.iter().any(|violation| violation.code == names::violation_code::DOCUMENTED_OTHERWISE));
}

/// The names of an object's members.
fn members(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_what_was_sent_have_one_shape_and_a_sent_file_is_fetched_by_whoever_reads_the_thread() {
    let world = World::new().await;
    let customer = world.sim.customer(Config::DEMO_CUSTOMER);
    customer.text("hello").await;
    customer.photo(&world.sim.host_file(CdnFile::demo_photo())).await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let photo = CdnFile::demo_photo().bytes;
    let held = world.host.store_upload(photo.clone().into(), Some("photo.png".into()), None).await.unwrap();
    let parts = vec![text("hello to you"), upload(MediaKind::Image, &held.handle)];
    world.reply(conversation, "both", message(parts)).await;
    world.settled().await;
    let messages = format!("/api/v1/conversations/{}/messages", conversation.public());
    let answer = world.api("GET", &messages, &[], vec![]).await;
    let entries = answer.json()["data"].as_array().unwrap().clone();
    let (came, went): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry["direction"] == "inbound");
    assert_eq!((came.len(), went.len()), (2, 2), "{}", answer.body);
    for (came, went) in came.iter().zip(&went) {
        assert_eq!(members(came), members(went));
        assert_eq!(members(&came["sender"]), members(&went["sender"]), "{came} {went}");
    }
    assert_eq!((&came[0]["text"], &went[0]["text"]), (&"hello".into(), &"hello to you".into()));
    let (there, here) = (&came[1]["attachments"][0], &went[1]["attachments"][0]);
    assert_eq!(members(there), members(here), "{there} {here}");
    assert!(went[1].to_string().contains(&held.handle), "{}", went[1]);

    let address = format!("{}{}", world.address, here["url"].as_str().unwrap());
    let fetched = api("GET", &address, &[], vec![]).await;
    assert_eq!((fetched.status, fetched.headers["content-type"].to_str().unwrap()), (200, "image/png"));
    assert_eq!(fetched.headers["content-length"].to_str().unwrap(), photo.len().to_string());
    assert_eq!(request("GET", &address, &[], vec![]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_base64_stands_where_the_channel_says_and_its_bytes_are_the_hosts() {
    let world = Told::usual(secrets([("token", "the-token-of-the-account")])).await;
    world.platform.answer("/x", 200, &[], "{}");
    let content: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    let held = world.host.store_upload(content.clone().into(), None, None).await.unwrap();
    let step = |pointer: &str| {
        serde_json::json!([{
            "url": "https://scripted.example.com/x",
            "body": r#"{"name":"a","file":{"content":null}}"#,
            "fills": [format!("base64:{}>json:{pointer}", held.handle)],
        }])
    };
    world.reply(step("/file/content")).await;
    let asked = world.platform.take().concat();
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &content);
    assert!(asked.ends_with(&format!(r#"{{"name":"a","file":{{"content":"{encoded}"}}}}"#)), "{asked}");
    assert!(world.reply(step("/elsewhere")).await.contains("nothing stands there"));
    // 64 KiB is what the channel was granted; the file is counted as it would be sent.
    let larger = world.host.store_upload(vec![7; 50_000].into(), None, None).await.unwrap();
    let said = world
        .reply(serde_json::json!([{
            "url": "https://scripted.example.com/x",
            "body": r#"{"file":""}"#,
            "fills": [format!("base64:{}>json:/file", larger.handle)],
        }]))
        .await;
    assert!(said.contains("65536"), "{said}");
    assert_eq!(world.platform.take(), Vec::<String>::new(), "nothing left");
}
