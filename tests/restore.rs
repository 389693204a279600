//! What a backup holds besides the inbox's file, and which backups are not put back: media, credentials, the
//! key, digests, schemas.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use channel_tests::{World, connect, dialog::Person, end, eventually, load, message, open_host, request, text};
use harness_engine::{
    Clock,
    backup::{self, BackupKey, BackupManifest, Place},
};
use harness_inbox::{AccountState, ConversationId, Inbox, MediaId, MediaState, StepState};
use simulator::{Config, Login};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

fn place(folder: &Path) -> Place {
    Place::in_folder(folder, None).unwrap()
}

async fn made(world: &World, name: &str, with_key: bool) -> std::path::PathBuf {
    let to = world.folder.path().join(name);
    backup::make(&place(world.folder.path()), &to, with_key, world.clock.now()).await.unwrap();
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_media_and_files_work_in_the_restored_host_if_the_key_is_there() {
    let world = World::unconnected(Config::demo()).await;
    let row = Person::new(&world).await.connects("facebook").await;
    let photo = world.sim.host_file(simulator::CdnFile::demo_photo());
    world.sim.customer(CUSTOMER).photo(&photo).await;
    world.settled().await;
    let media = eventually("a stored photo", async || {
        let entry = world.timeline(CUSTOMER).await.pop()?;
        entry.media.into_iter().find(|media| media.state == MediaState::Stored)
    })
    .await;
    let held = world.host.store_upload("handed in".into(), Some("a.txt".into()), None).await.unwrap();
    let (with, without) = (made(&world, "with", true).await, made(&world, "without", false).await);
    assert!(!without.join("vault.key").exists());
    for path in [&with, &with.join("inbox.sqlite"), &with.join("vault.key"), &with.join("media/inbound/1")] {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} is for this user alone", path.display());
    }
    let bytes = world.host.media(&media).await.unwrap().unwrap().bytes().await.unwrap();
    let (sim, _, _old) = world.stop().await;

    let target = tempfile::tempdir().unwrap();
    let restored = backup::restore(&place(target.path()), &with).await.unwrap();
    assert_eq!(restored.key, BackupKey::Included);
    let host = open_host(target.path(), &sim, Clock::default()).await;
    load(&host, &sim).await;
    assert_eq!(host.media(&media).await.unwrap().unwrap().bytes().await.unwrap(), bytes);
    assert_eq!(host.inbox().upload(&held.handle).await.unwrap().sha256, held.sha256);
    let reply =
        host.reply(ConversationId::new(1), "after", message(vec![text("from the restored host")])).await.unwrap();
    let sent = eventually("the reply's end", async || {
        let view = host.inbox().reply(reply.reply).await.unwrap();
        (view.steps.first()?.state == StepState::Sent).then_some(())
    });
    sent.await;
    end(host, target.path()).await;

    let target = tempfile::tempdir().unwrap();
    assert_eq!(backup::restore(&place(target.path()), &without).await.unwrap().key, BackupKey::Apart);
    let host = open_host(target.path(), &sim, Clock::default()).await;
    let account = host.inbox().account_row(row).await.unwrap();
    assert_eq!(account.state, AccountState::NeedsReconnect);
    assert!(account.problem.unwrap().contains("Use the right key"));
}

/// Its name, what is done to the backup, and what is said about it.
type Case<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_changed_is_not_put_back() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.host.store_upload("handed in".into(), None, None).await.unwrap();
    world.settled().await;
    let original = made(&world, "original", true).await;
    let inbox = |at: &Path| at.join("inbox.sqlite");
    let manifest = |at: &Path, from: &str, to: &str| {
        let path = at.join("manifest.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    let linked = |at: &Path, path: &str| {
        let aside = at.with_extension("aside");
        fs::rename(at.join(path), &aside).unwrap();
        std::os::unix::fs::symlink(&aside, at.join(path)).unwrap();
    };
    let cases: [Case<'_>; 13] = [
        ("linked inbox", &|at| linked(at, "inbox.sqlite"), "is a link"),
        ("linked key", &|at| linked(at, "vault.key"), "is a link"),
        ("linked folder", &|at| linked(at, "media"), "is a link"),
        ("linked manifest", &|at| linked(at, "manifest.json"), "is a link"),
        (
            "device",
            &|at| {
                fs::remove_file(at.join("vault.key")).unwrap();
                std::os::unix::fs::symlink("/dev/zero", at.join("vault.key")).unwrap();
            },
            "is a link",
        ),
        ("flipped", &|at| flip(&inbox(at)), "another content than was backed up"),
        (
            "shorter",
            &|at| fs::OpenOptions::new().write(true).open(inbox(at)).unwrap().set_len(4096).unwrap(),
            "bytes instead of",
        ),
        ("gone", &|at| fs::remove_file(inbox(at)).unwrap(), "is missing"),
        ("media", &|at| fs::remove_dir_all(at.join("media")).unwrap(), "is missing"),
        ("incomplete", &|at| fs::remove_file(at.join("manifest.json")).unwrap(), "no complete backup"),
        ("newer schema", &|at| manifest(at, "\"schema\": ", "\"schema\": 9"), "has schema 9"),
        ("newer format", &|at| manifest(at, "\"format\": 1", "\"format\": 2"), "has format 2, this version reads 1"),
        ("outside", &|at| manifest(at, "\"vault.key\"", "\"../original/vault.key\""), "leads out of the backup"),
    ];
    for (name, changed, words) in cases {
        let from = world.folder.path().join(format!("changed {name}"));
        copy_folder(&original, &from);
        changed(&from);
        let target = tempfile::tempdir().unwrap();
        let error = backup::restore(&place(target.path()), &from).await.unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
        assert!(!inbox(target.path()).exists() && !target.path().join("vault.key").exists(), "{name}");
        assert_eq!(fs::read_dir(target.path().join("media")).unwrap().count(), 0, "{name}");
    }
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("vault.key"), "another one").unwrap();
    let error = backup::restore(&place(target.path()), &original).await.unwrap_err().to_string();
    assert!(error.contains("holds another key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_inbox_is_what_was_backed_up_and_takes_what_comes_again() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let first = customer.text("before").await;
    world.settled().await;
    let from = made(&world, "backup", false).await;
    assert_eq!(BackupManifest::read(&from).unwrap().unknown_steps, 0);
    let (sim, clock, _old) = world.stop().await;
    let target = tempfile::tempdir().unwrap();
    backup::restore(&place(target.path()), &from).await.unwrap();
    let host = open_host(target.path(), &sim, clock).await;
    connect(&host, &sim, Login::Facebook).await;
    let (address, _server) = channel_tests::serve(&host).await;
    sim.set_webhook_url(format!("{address}/webhooks/instagram"));
    sim.redeliver(&first.delivery).await;
    customer.text("after").await;
    eventually("both", async || {
        let texts: Vec<_> = host
            .inbox()
            .timeline(ConversationId::new(1), 9)
            .await
            .unwrap()
            .into_iter()
            .filter_map(|one| one.text)
            .collect();
        (texts == ["before", "after"]).then_some(())
    })
    .await;
    assert_eq!(request("GET", &format!("{address}/health/ready"), &[], vec![]).await.status, 200);
    assert!(Inbox::open(&target.path().join("inbox.sqlite")).is_err(), "the host has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_found_and_not_backed_up_as_if_it_were_sound() {
    let world = World::new().await;
    let photo = world.sim.host_file(simulator::CdnFile::demo_photo());
    for _ in 0..2 {
        world.sim.customer(CUSTOMER).photo(&photo).await;
    }
    let stored = async || {
        let files = harness_inbox::named_files(&world.inbox_file()).unwrap();
        (files.len() == 2).then_some(())
    };
    eventually("stored photos", stored).await;
    let of_host = place(world.folder.path());
    assert_eq!(backup::check(&of_host).await.unwrap(), Vec::<String>::new());
    let media = world.folder.path().join("media/inbound");
    fs::remove_file(media.join("1")).unwrap();
    let without = BackupManifest::read(&made(&world, "without", false).await).unwrap();
    assert_eq!(without.missing, ["inbound/1"]);
    flip(&media.join("2"));
    let found = backup::check(&of_host).await.unwrap();
    assert_eq!(
        found,
        ["the media file inbound/1 is missing", "the media file inbound/2 has another content than was stored"]
    );
    let target = tempfile::tempdir().unwrap();
    backup::restore(&place(target.path()), &world.folder.path().join("without")).await.unwrap();
    let inbox = Inbox::open(&target.path().join("inbox.sqlite")).unwrap();
    let gone = inbox.media(MediaId::new(1)).await.unwrap();
    assert_eq!(gone.state, MediaState::Failed);
    assert!(gone.reason.unwrap().contains("not in the media store when the backup was made"));

    let (_sim, _clock, folder) = world.stop().await;
    let file = folder.path().join("inbox.sqlite");
    eventually("the end of the host", async || (!harness_inbox::beside(&file, "-wal").exists()).then_some(())).await;
    let mut bytes = fs::read(&file).unwrap();
    bytes[5 * 4096..6 * 4096].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let to = folder.path().join("of a damaged one");
    let error = backup::make(&of_host, &to, false, 0).await.unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    let left = fs::read_dir(folder.path()).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().contains("backup-")).collect();
    assert!(!to.exists() && left.is_empty(), "nothing is left of it: {left:?}");
    assert!(!backup::check(&of_host).await.unwrap().is_empty());
}

/// Says in the manifest of a backup what its inbox is now.
fn measured_anew(backup: &Path) {
    let bytes = fs::read(backup.join("inbox.sqlite")).unwrap();
    let path = backup.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let files = manifest["files"].as_array_mut().unwrap();
    let inbox = files.iter_mut().find(|file| file["path"] == "inbox.sqlite").unwrap();
    inbox["bytes"] = bytes.len().into();
    inbox["sha256"] = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&bytes)).into();
    fs::write(path, manifest.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_inbox_does_something_by_itself_is_neither_put_back_nor_made() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.settled().await;
    let original = made(&world, "original", false).await;
    for (number, (sql, words)) in [
        (
            "CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM account; END",
            "the trigger `t` is not the inbox's",
        ),
        ("CREATE VIEW v AS SELECT * FROM credential", "the view `v` is not the inbox's"),
        ("CREATE TABLE other (x)", "the table `other` is not the inbox's"),
        ("CREATE INDEX i ON message (text)", "the index `i` is not the inbox's"),
        ("DROP INDEX message_order", "the index `message_order` is missing"),
        ("ALTER TABLE probe ADD COLUMN x INTEGER DEFAULT 1", "the table `probe` is not as the inbox made it"),
    ]
    .into_iter()
    .enumerate()
    {
        let from = world.folder.path().join(format!("changed-{number}"));
        copy_folder(&original, &from);
        rusqlite::Connection::open(from.join("inbox.sqlite")).unwrap().execute_batch(sql).unwrap();
        measured_anew(&from);
        let target = tempfile::tempdir().unwrap();
        let error = backup::restore(&place(target.path()), &from).await.unwrap_err().to_string();
        assert!(error.contains(words), "{sql}: {error}");
        assert!(!target.path().join("inbox.sqlite").exists(), "{sql}");
    }
    measured_anew(&original);
    let target = tempfile::tempdir().unwrap();
    backup::restore(&place(target.path()), &original).await.unwrap();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON message BEGIN DELETE FROM account; END";
    rusqlite::Connection::open(target.path().join("inbox.sqlite")).unwrap().execute_batch(trigger).unwrap();
    let to = target.path().join("copy");
    let error = backup::make(&place(target.path()), &to, false, 1).await.unwrap_err().to_string();
    assert!(error.contains("the trigger `t`") && !to.exists(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_in_the_media_store_gets_into_no_backup() {
    let world = World::new().await;
    let held = world.host.store_upload("handed in".into(), None, None).await.unwrap();
    let (stored, secret) =
        (world.folder.path().join("media").join(&held.stored_as), world.folder.path().join("secret"));
    fs::write(&secret, "of somebody else").unwrap();
    fs::remove_file(&stored).unwrap();
    std::os::unix::fs::symlink(&secret, &stored).unwrap();
    let to = world.folder.path().join("backup");
    let error = backup::make(&place(world.folder.path()), &to, false, world.clock.now()).await.unwrap_err().to_string();
    assert!(error.contains("is a link") && !to.exists(), "{error}");
    std::os::unix::fs::symlink(world.folder.path().join("nowhere"), &to).unwrap();
    let error = backup::make(&place(world.folder.path()), &to, false, world.clock.now()).await.unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}
