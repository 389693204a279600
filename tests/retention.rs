//! What is kept no longer than needed: raw deliveries, files that nobody used, files without a name. And what is
//! never removed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path, time::Duration};

use channel_tests::{connect, eventually, files_with, message, request, sandbox_config, serve};
use harness_contract::{FileRef, MediaKind, MediaSource, OutboundPart};
use harness_engine::{Clock, Endpoints, Host, HostOptions, Retention};
use harness_inbox::{ConversationId, MediaState, ReplyState};
use serde_json::json;
use simulator::{CdnFile, Config, Login, Simulator};
use tempfile::TempDir;

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const DAY: Duration = Duration::from_secs(24 * 3600);

struct Kept {
    sim: Simulator,
    host: Host,
    clock: Clock,
    folder: TempDir,
    address: String,
}

impl Kept {
    async fn for_as_long_as(retention: Retention) -> Self {
        let sim = Simulator::start(Config::demo()).await.unwrap();
        let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::default());
        let endpoints = Endpoints::from([
            ("https://graph.facebook.com".to_owned(), sim.graph_facebook_url().parse().unwrap()),
            (
                "https://lookaside.fbsbx.com".to_owned(),
                format!("{}/lookaside.fbsbx.com", sim.base_url()).parse().unwrap(),
            ),
        ]);
        let options = HostOptions {
            sandbox: sandbox_config(),
            endpoints,
            clock: clock.clone(),
            retention,
            ..HostOptions::in_folder(folder.path())
        };
        let host = Host::open(options).await.unwrap();
        connect(&host, &sim, Login::Facebook).await;
        let (address, _) = serve(&host).await;
        sim.set_webhook_url(format!("{address}/webhooks/instagram"));
        Self { sim, host, clock, folder, address }
    }

    /// Lets days pass, hour by hour looked after.
    async fn wait(&self, days: u32) {
        let rounds = self.rounds().await;
        self.sim.clock().advance(DAY * days);
        self.clock.advance(DAY * days);
        eventually("a round of maintenance", async || (self.rounds().await > rounds).then_some(())).await;
    }

    /// How often it was looked for what need not be kept.
    async fn rounds(&self) -> u64 {
        let metrics = channel_tests::api("GET", &format!("{}/metrics", self.address), &[], Vec::new()).await.body;
        let line = metrics.lines().find_map(|line| line.strip_prefix("harness_maintenance_rounds_total "));
        line.unwrap().parse().unwrap()
    }

    fn file(&self, key: &str) -> std::path::PathBuf {
        self.folder.path().join("media").join(key)
    }

    async fn settled(&self) {
        eventually("an empty queue", async || {
            (self.host.inbox().delivery_counts().await.unwrap().received == 0).then_some(())
        })
        .await;
    }
}

/// Whether these words stand in any file of the inbox.
fn found_in(folder: &Path, words: &str) -> bool {
    !files_with(folder, words).is_empty()
}

async fn gone_from(folder: &Path, words: &str) {
    eventually("its end in every file", async || (!found_in(folder, words)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_deliveries_are_emptied_when_they_are_old_enough_and_nothing_else_is_lost() {
    let kept = Kept::for_as_long_as(Retention { deliveries: Some(DAY * 90), unused_files: None, changes: None }).await;
    let old = kept.sim.customer(CUSTOMER).text("an old message").await;
    let as_it_came = format!(r#""mid":"{}""#, old.mid());
    let unread = r#"{"object":"page","entry":[]}"#;
    let proof = channel_tests::signature("demo-meta-app-secret", unread.as_bytes());
    let hook = format!("{}/webhooks/instagram", kept.address);
    request("POST", &hook, &[("x-hub-signature-256", &proof)], unread.into()).await;
    kept.settled().await;
    kept.wait(89).await;
    let sent = kept.sim.customer(CUSTOMER).text("a newer message").await;
    kept.settled().await;
    assert!(found_in(kept.folder.path(), &as_it_came));
    kept.wait(2).await;
    eventually("an empty delivery", async || {
        let counts = kept.host.inbox().delivery_counts().await.unwrap();
        (counts.applied == 1 && counts.failed == 1).then_some(())
    })
    .await;
    gone_from(kept.folder.path(), &as_it_came).await;
    let timeline = kept.host.inbox().timeline(ConversationId::new(1), 9).await.unwrap();
    let texts: Vec<_> = timeline.iter().filter_map(|entry| entry.text.as_deref()).collect();
    assert_eq!(texts, ["an old message", "a newer message"]);
    let metrics = channel_tests::api("GET", &format!("{}/metrics", kept.address), &[], vec![]).await.body;
    assert!(metrics.contains(r#"harness_removed_total{what="deliveries"} 1"#), "{metrics}");
    // Taking back works on what is emptied and on what is not, and a repeat is still one.
    kept.sim.redeliver(&sent.delivery).await;
    kept.sim.customer(CUSTOMER).unsend(sent.mid()).await;
    kept.settled().await;
    let timeline = kept.host.inbox().timeline(ConversationId::new(1), 9).await.unwrap();
    assert!(timeline.len() == 2 && timeline[1].deleted_at.is_some() && timeline[0].text.is_some(), "{timeline:?}");
    gone_from(kept.folder.path(), "a newer message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_nobody_used_go_and_used_ones_stay() {
    let kept = Kept::for_as_long_as(Retention { deliveries: None, unused_files: Some(DAY * 30), changes: None }).await;
    let hold = async |name: &str| {
        let photo = CdnFile::demo_photo().bytes;
        kept.host.store_upload(photo.into(), Some(name.into()), None).await.unwrap()
    };
    kept.sim.customer(CUSTOMER).photo(&kept.sim.host_file(CdnFile::demo_photo())).await;
    kept.settled().await;
    eventually("a stored photo", async || {
        let entry = kept.host.inbox().timeline(ConversationId::new(1), 9).await.unwrap().pop()?;
        (entry.media.first()?.state == MediaState::Stored).then_some(())
    })
    .await;
    let (used, unused) = (hold("used").await, hold("unused").await);
    let source = MediaSource::File(FileRef { handle: used.handle.clone(), size: 0 });
    let media = channel_tests::outbound_media(MediaKind::Image, source);
    let reply =
        kept.host.reply(ConversationId::new(1), "key", message(vec![OutboundPart::Media(vec![media])])).await.unwrap();
    eventually("its end", async || {
        (kept.host.inbox().reply(reply.reply).await.unwrap().state == ReplyState::Done).then_some(())
    })
    .await;
    kept.wait(29).await;
    let newer = hold("newer").await;
    assert!(kept.file(&unused.stored_as).exists());
    kept.wait(2).await;
    eventually("room", async || (!kept.file(&unused.stored_as).exists()).then_some(())).await;
    assert!(kept.host.inbox().upload(&unused.handle).await.is_err());
    for file in [&used, &newer] {
        assert!(kept.file(&file.stored_as).exists() && kept.host.inbox().upload(&file.handle).await.is_ok());
    }
    assert!(kept.file("inbound/1").exists(), "a customer's photo is a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_row_go_after_a_day_unless_the_store_is_another_inboxs() {
    let kept = Kept::for_as_long_as(Retention::default()).await;
    for key in ["inbound/77", "outbound/nobody"] {
        fs::create_dir_all(kept.file(key).parent().unwrap()).unwrap();
        fs::write(kept.file(key), "left over").unwrap();
    }
    fs::write(kept.file("readme"), "of an operator").unwrap();
    kept.wait(2).await;
    assert!(kept.file("inbound/77").exists(), "an inbox without any file does not own them");
    let held = kept.host.store_upload("handed in".into(), None, None).await.unwrap();
    fs::write(kept.file("inbound/78"), "being written").unwrap();
    kept.clock.advance(Duration::from_secs(3700));
    eventually("room", async || {
        (!kept.file("inbound/77").exists() && !kept.file("outbound/nobody").exists()).then_some(())
    })
    .await;
    assert!(kept.file(&held.stored_as).exists() && kept.file("readme").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_somebody_set_counts_in_place_of_the_configuration_s() {
    let configured = Retention { deliveries: Some(DAY * 2), unused_files: None, changes: None };
    let kept = Kept::for_as_long_as(configured).await;
    let url = format!("{}/api/v1/settings/retention", kept.address);
    let set = async |body: serde_json::Value| {
        let json = [("content-type", "application/json")];
        channel_tests::api("PATCH", &url, &json, body.to_string()).await
    };
    let now = async || channel_tests::api("GET", &url, &[], Vec::new()).await.json();
    assert_eq!(now().await["deliveries"], json!({ "days": 2, "configured_days": 2, "is_set": false }));
    let answer = set(json!({ "deliveries": 60, "unused_files": 5 })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(now().await["deliveries"], json!({ "days": 60, "configured_days": 2, "is_set": true }));
    let file = kept.host.store_upload("handed in".into(), None, None).await.unwrap();
    let message = kept.sim.customer(CUSTOMER).text("kept for longer").await;
    let as_it_came = format!(r#""mid":"{}""#, message.mid());
    kept.settled().await;
    kept.wait(4).await;
    assert!(kept.file(&file.stored_as).exists());
    kept.wait(2).await;
    assert!(!kept.file(&file.stored_as).exists(), "five days are over");
    assert!(found_in(kept.folder.path(), &as_it_came), "two days are over, and sixty are not");
    // For ever is a period too.
    set(json!({ "deliveries": 0 })).await;
    assert_eq!(now().await["deliveries"], json!({ "days": null, "configured_days": 2, "is_set": true }));
    kept.wait(100).await;
    assert!(found_in(kept.folder.path(), &as_it_came));
    // Given back, the configuration counts again, and what is not named stays.
    let left = set(json!({ "deliveries": null })).await.json();
    assert_eq!(left["deliveries"], json!({ "days": 2, "configured_days": 2, "is_set": false }));
    assert_eq!(left["unused_files"]["days"], 5);
    kept.wait(1).await;
    gone_from(kept.folder.path(), &as_it_came).await;
    let refused = set(json!({ "changes": 40_000 })).await;
    assert_eq!((refused.status, &refused.json()["path"]), (400, &json!("changes")), "{}", refused.body);
}
