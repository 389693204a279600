//! What must be gone is gone: words, names, addresses and ids are looked for in every file of the data folder. The host
//! cleans up by itself; the tests only wait.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, path::Path, time::Duration};

use channel_tests::{World, end, eventually, files_with, message, open_host, request, signature, text};
use harness_contract::{
    Author, Contact, Delivery, DeliverySource, ErasureRequest, Event, EventBody, EventOrigin, FileRef, MediaKind,
    MediaSource, OutboundPart,
};
use harness_inbox::{
    AccountId, FromDialog, Inbox, MediaState, NewAccount, NewDelivery, ParkingBounds, Proof, PublicId as _, StepState,
};
use serde_json::{Value, json};
use simulator::{CdnFile, Config, Fault, Login, signed_request};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const SECRET: &str = "demo-meta-app-secret";

/// Waits until none of these stands in any file.
async fn gone(folder: &Path, canaries: &[String]) {
    for canary in canaries {
        eventually(&format!("the end of {canary} in every file"), async || {
            files_with(folder, canary).is_empty().then_some(())
        })
        .await;
    }
}

fn photo(with: &str) -> Vec<u8> {
    [&CdnFile::demo_photo().bytes[..], with.as_bytes()].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_customer_unsends_is_in_no_file() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let plain = customer.text("canary-plain").await;
    world.sim.redeliver(&plain.delivery).await;
    let edited = customer.text("canary-before-the-edit").await;
    customer.edit(edited.mid(), "canary-once-edited").await;
    let twice = customer.edit(edited.mid(), "canary-twice-edited").await;
    world.sim.redeliver(&twice.delivery).await;
    let url = world.sim.host_file(CdnFile::new("image/png", photo("canary-in-the-photo")));
    let sent = customer.photo(&url).await;
    eventually("the photo", async || {
        let entry = world.timeline(CUSTOMER).await.pop()?;
        (entry.media.first()?.state == MediaState::Stored).then_some(())
    })
    .await;
    let kept = customer.text("this-one-stays").await;
    for mid in [plain.mid(), edited.mid(), sent.mid()] {
        customer.unsend(mid).await;
    }
    // What comes once more, or too late, brings nothing back.
    world.sim.redeliver(&plain.delivery).await;
    world.sim.redeliver(&twice.delivery).await;
    let canaries =
        ["canary-plain", "canary-before", "canary-once", "canary-twice", "canary-in-the-photo", url.as_str()];
    gone(world.folder.path(), &canaries.map(str::to_owned)).await;
    let timeline = world.timeline(CUSTOMER).await;
    assert_eq!(timeline.iter().filter(|entry| entry.deleted_at.is_some()).count(), 3);
    assert_eq!(timeline.last().unwrap().platform_id.as_deref(), Some(kept.mid()));
    assert!(!files_with(world.folder.path(), "this-one-stays").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_business_takes_back_in_the_platforms_own_app_is_in_no_file() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let elsewhere = customer.business_writes_in_app("canary-of-the-phone").await;
    let reply = world.reply(conversation, "key", message(vec![text("canary-of-the-desk")])).await;
    assert_eq!(reply.steps[0].state, StepState::Sent);
    world.echoed("canary-of-the-desk").await;
    let own = customer.last_reply().unwrap().mid;
    for mid in [elsewhere.mid(), own.as_str()] {
        customer.business_unsends_in_app(mid).await;
    }
    gone(world.folder.path(), &["canary-of-the-phone".into(), "canary-of-the-desk".into()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_taken_back_is_gone_while_the_next_one_waits_and_that_one_is_sent() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    world.sim.inject(Fault::held());
    let parts = vec![text("canary-ä-of-the-first-part"), text("the second part stays as it was")];
    let reply = world.host.reply(conversation, "key", message(parts.clone())).await.unwrap().reply;
    world.sim.wait_for_held_answers(1, channel_tests::PATIENCE).await.unwrap();
    world.sim.inject(Fault::rate_limited(5));
    world.sim.release_answers();
    eventually("the pause before the second part", async || {
        let view = world.host.inbox().reply(reply).await.unwrap();
        let sent = view.steps.first().is_some_and(|step| step.state == StepState::Sent);
        (sent && world.sends().len() == 2).then_some(())
    })
    .await;
    world.echoed("of-the-first-part").await;
    let first = customer.last_reply().unwrap().mid;
    customer.business_unsends_in_app(&first).await;
    gone(world.folder.path(), &["canary-ä-of-the-first-part".into(), "of-the-first-part".into()]).await;
    world.advance(Duration::from_secs(3600));
    world.ended(reply).await;
    assert_eq!(customer.last_reply().unwrap().text.as_deref(), Some("the second part stays as it was"));
    // What the key asked for cannot be compared any more: it stays the same reply all the same.
    let again = world.host.reply(conversation, "key", message(parts)).await;
    assert!(again.is_ok_and(|again| !again.new && again.reply == reply));
}

/// A conversation that left its traces everywhere; returns what is to be gone with the customer.
async fn lived_in(world: &World) -> Vec<String> {
    let customer = world.sim.customer(CUSTOMER);
    customer.set_profile(|profile| {
        profile.name = Some("Canary Name".into());
        profile.username = "canary.user.name".into();
    });
    let first = customer.text("canary-text").await;
    let url = world.sim.host_file(CdnFile::new("image/png", photo("canary-in-the-photo")));
    customer.photo(&url).await;
    let conversation = world.conversation(CUSTOMER).await;
    eventually("the photo and the profile", async || {
        let named = world.host.inbox().conversations(9).await.unwrap().remove(0).name;
        let stored = world.timeline(CUSTOMER).await.pop()?.media.first()?.state == MediaState::Stored;
        (stored && named.as_deref() == Some("Canary Name")).then_some(())
    })
    .await;
    customer.edit(first.mid(), "canary-edited").await;
    customer.react(first.mid(), "🔥").await;
    customer.comment(&world.sim.accounts()[0].own_posts[0], "canary-comment").await;
    // One that comes with the user name alone has a conversation of its own.
    customer.comment_without_id(&world.sim.accounts()[0].own_posts[0], "canary-of-a-name").await;
    // What waits for messages that never come.
    customer.react("canary-mid-of-a-reaction", "🔥").await;
    customer.edit("canary-mid-of-an-edit", "canary-waiting-edit").await;
    let file =
        world.host.store_upload(photo("canary-in-the-answer").into(), Some("canary-name.png".into()), None).await;
    let source = MediaSource::File(FileRef { handle: file.unwrap().handle, size: 0 });
    let media = channel_tests::outbound_media(MediaKind::Image, source);
    let parts = vec![text("canary-answer"), OutboundPart::Media(vec![media])];
    let view = world.reply(conversation, "key", message(parts)).await;
    assert!(view.steps.iter().all(|step| step.state == StepState::Sent), "{view:?}");
    // What no channel can read, and names both.
    let account = &world.sim.accounts()[0].ig_id;
    let body = json!({ "object": "page", "entry": [], "from": CUSTOMER, "of": account, "words": "canary-unreadable" });
    let body = body.to_string();
    let proof = signature(SECRET, body.as_bytes());
    let hook = format!("{}/webhooks/instagram", world.address);
    assert_eq!(request("POST", &hook, &[("x-hub-signature-256", &proof)], body.into()).await.status, 200);
    world.echoed("canary-answer").await;
    world.settled().await;
    let mut canaries = vec![url, CUSTOMER.to_owned()];
    canaries.extend(
        [
            "Canary Name",
            "canary.user.name",
            "canary-text",
            "canary-in-the-photo",
            "canary-edited",
            "canary-comment",
            "canary-of-a-name",
            "canary-mid-of-a-reaction",
            "canary-mid-of-an-edit",
            "canary-waiting-edit",
            "canary-in-the-answer",
            "canary-name.png",
            "canary-answer",
            "canary-unreadable",
        ]
        .map(str::to_owned),
    );
    for canary in &canaries {
        assert!(!files_with(world.folder.path(), canary).is_empty(), "{canary} was there");
    }
    canaries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_erased_is_in_no_file() {
    let world = World::new().await;
    let mut canaries = lived_in(&world).await;
    // The same person wrote to an account that is not connected.
    let item = json!({ "sender": { "id": CUSTOMER }, "recipient": { "id": "17841400000000077" },
        "timestamp": 1_795_000_000_000_u64, "message": { "mid": "m-77", "text": "canary-parked" } });
    let entry = json!({ "id": "17841400000000077", "time": 1_795_000_000_000_u64, "messaging": [item] });
    world.sim.deliver(Login::Facebook, &json!({ "object": "instagram", "entry": [entry] })).await;
    world.sim.customer("5551230000000002").text("of-somebody-else").await;
    world.settled().await;
    assert_eq!(world.host.inbox().delivery_counts().await.unwrap().unrouted, 1);
    canaries.push("canary-parked".into());
    let account = world.sim.accounts()[0].ig_id.clone();
    let (sim, clock, folder) = world.stop().await;
    // No platform of these tests asks for one person: the event is handed to the inbox.
    let inbox = Inbox::open(&folder.path().join("inbox.sqlite")).unwrap();
    let body = json!({ "erase": CUSTOMER }).to_string().into_bytes();
    let received_at = clock.now();
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body,
        headers: vec![],
        query: String::new(),
        received_at,
        account: None,
    };
    let proof = Proof::Channel { slot: "app-secret".into() };
    inbox.record(NewDelivery { channel: "instagram".into(), delivery, proof }).await.unwrap();
    inbox.all_arrived().await.unwrap();
    let pending = inbox.pending("instagram", 9, usize::MAX).await.unwrap().pop().unwrap();
    let event = Event {
        id: "erase-1".into(),
        account,
        contact: Some(Contact {
            id: CUSTOMER.into(),
            name: None,
            username: None,
            addresses: Vec::new(),
            language: None,
            details: Vec::new(),
        }),
        thread: None,
        at: None,
        author: Author::Platform,
        origin: EventOrigin::Live,
        body: EventBody::ErasureRequest(ErasureRequest { reference: None }),
        opens: None,
        reply_context: None,
        details: Vec::new(),
        anomalies: Vec::new(),
        native: None,
    };
    let (_, origin) = pending.into_parts();
    let bounds = ParkingBounds { per_account: 9, per_channel: 9 };
    inbox.apply(vec![origin.translated(vec![event], "digest".into())], bounds).await.unwrap();
    drop(inbox);
    eventually("the file", async || Inbox::open(&folder.path().join("inbox.sqlite")).is_ok().then_some(())).await;
    let host = open_host(folder.path(), &sim, clock).await;
    channel_tests::load(&host, &sim).await;
    gone(folder.path(), &canaries).await;
    assert!(!files_with(folder.path(), "of-somebody-else").is_empty());
    end(host, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_erased_is_in_no_file() {
    let world = World::new().await;
    let row = world.host.inbox().accounts().await.unwrap().remove(0);
    let (_, account) = world.host.inbox().account(row.id).await.unwrap();
    let new = NewAccount {
        workspace: None,
        channel: row.channel,
        platform_id: row.platform_id,
        name: row.name.clone(),
        settings: account.settings,
        dialog: Some(FromDialog { authorized_by: Some("9001".into()), ..FromDialog::default() }),
        now: world.clock.now(),
    };
    world.host.whole_inbox().connect_account(new).await.unwrap();
    let mut canaries = lived_in(&world).await;
    canaries.push(row.name);
    let payload = json!({ "algorithm": "HMAC-SHA256", "issued_at": world.clock.now() / 1000, "user_id": "9001" });
    let form = format!("signed_request={}", signed_request(&world.sim.config().app_secret, &payload));
    let url = format!("{}/callbacks/instagram/data-deletion", world.address);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = request("POST", &url, &headers, form.into_bytes()).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let code = answer["confirmation_code"].as_str().unwrap();
    eventually("its end", async || world.host.callback_state(code).await.unwrap().finished_at.map(drop)).await;
    gone(world.folder.path(), &canaries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_with_disconnecting_is_in_no_file() {
    let world = World::new().await;
    let canaries = lived_in(&world).await;
    let answer = world
        .api("DELETE", &format!("/api/v1/accounts/{}?conversations=delete", AccountId::new(1).public()), &[], vec![])
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    gone(world.folder.path(), &canaries).await;
    let answer = world.api("GET", "/api/v1/conversations", &[], vec![]).await;
    assert_eq!(answer.json()["data"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_becomes_small_after_a_reader_held_it_for_long() {
    let world = World::new().await;
    let log = harness_inbox::beside(&world.inbox_file(), "-wal");
    let size = || fs::metadata(&log).map_or(0, |log| log.len());
    let reader = rusqlite::Connection::open(world.inbox_file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message;").unwrap();
    let row = world.host.inbox().accounts().await.unwrap().remove(0);
    for round in 0..60 {
        let value = vec![round; 200 << 10];
        world.host.whole_inbox().storage_set(row.id, row.connection, "large", value).await.unwrap();
    }
    assert!(size() > 8 << 20, "the reader holds it: {}", size());
    reader.execute_batch("COMMIT").unwrap();
    eventually("a small log", async || (size() < 1 << 20).then_some(())).await;
}
