//! What a secret proves: whose events, updates and requests it may bring, and what finding out whose it is costs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, time::Duration};

use channel_tests::{
    eventually, hostile, hosts::load_granted, manifest::with_manifest, request, sandbox_config, secrets, serve,
    signature, web_chat,
};
use harness_contract::{Setting, SettingValue, settings::RawSetting};
use harness_engine::{ChannelOptions, Host, HostOptions};
use harness_inbox::{AccountState, FromDialog, NewAccount};

struct Hostile {
    host: Host,
    address: String,
    folder: tempfile::TempDir,
    server: tokio::task::AbortHandle,
}

/// The hostile channel with two accounts, each with a secret of its own.
async fn two_accounts() -> Hostile {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path()).await;
    for account in ["mallory", "victim"] {
        let own = secrets([("account-secret", &format!("secret-of-{account}"))]);
        host.connect_account("hostile", account, account, &BTreeMap::new(), own).await.unwrap();
    }
    let (address, server) = serve(&host).await;
    Hostile { host, address, folder, server }
}

async fn open(folder: &std::path::Path) -> Host {
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder) };
    let host = Host::open(options).await.unwrap();
    load(&host, "the-webhook-secret").await;
    host
}

async fn load(host: &Host, secret: &str) {
    load_granted(host, &hostile().1, secrets([("secret", secret)])).await;
}

/// Waits until every delivery has its end.
async fn settled(host: &Host) {
    eventually("an empty queue", async || (host.inbox().delivery_counts().await.unwrap().received == 0).then_some(()))
        .await;
}

impl Hostile {
    async fn says(&self, secret: &str, body: &str) -> u16 {
        let url = format!("{}/webhooks/hostile", self.address);
        request("POST", &url, &[("x-secret", secret)], body.into()).await.status
    }

    /// The accounts with a conversation.
    async fn conversations(&self) -> Vec<String> {
        let all = self.host.inbox().conversations(9).await.unwrap();
        let mut accounts: Vec<_> = all.into_iter().map(|conversation| conversation.account).collect();
        accounts.sort();
        accounts
    }

    async fn state(&self, account: &str) -> AccountState {
        let all = self.host.inbox().accounts().await.unwrap();
        all.into_iter().find(|row| row.platform_id == account).unwrap().state
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_accounts_secret_proves_speaks_for_no_other_account() {
    let hostile = two_accounts().await;
    assert_eq!(hostile.says("secret-of-victim", "as victim message own").await, 200);
    settled(&hostile.host).await;
    assert_eq!(hostile.conversations().await, ["victim"], "its own secret speaks for it");
    for forged in ["as victim message forged", "as victim gone g1", "as victim erase e1"] {
        assert_eq!(hostile.says("secret-of-mallory", forged).await, 200, "the signature is genuine");
    }
    // What is its own in the same delivery is taken.
    hostile.says("secret-of-mallory", "as victim erase e2\nas mallory message own\nas stranger message m").await;
    settled(&hostile.host).await;
    assert_eq!(hostile.conversations().await, ["mallory", "victim"]);
    assert_eq!(hostile.state("victim").await, AccountState::Connected);
    let victims = hostile.host.inbox().conversations(9).await.unwrap();
    let victims = victims.into_iter().find(|conversation| conversation.account == "victim").unwrap();
    let notices = hostile.host.inbox().timeline(victims.id, 99).await.unwrap().len();
    assert_eq!(notices, 1, "only what the victim's own secret brought");
    // Kept, and shown to whoever looks.
    assert_eq!(hostile.host.inbox().delivery_counts().await.unwrap().failed, 4);
    let problems = hostile.host.inbox().problems(9).await.unwrap();
    assert!(problems.iter().all(|(_, problem)| problem.contains("account mallory")), "{problems:?}");
    assert!(problems.iter().any(|(_, problem)| problem.contains("victim")), "{problems:?}");
    let metrics = hostile.host.metrics().await.unwrap();
    assert!(metrics.contains(r#"end="foreign"} 5"#), "{metrics}");
    // The channel's own secret speaks for all of its accounts.
    hostile.says("the-webhook-secret", "as victim erase e3").await;
    settled(&hostile.host).await;
    assert_eq!(hostile.state("victim").await, AccountState::Disconnected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_proves_is_kept_over_a_restart() {
    let hostile = two_accounts().await;
    assert_eq!(hostile.says("secret-of-mallory", "as victim message forged\nas mallory message own").await, 200);
    settled(&hostile.host).await;
    let Hostile { host, folder, server, .. } = hostile;
    server.abort();
    channel_tests::end(host, folder.path()).await;
    let host = open(folder.path()).await;
    for account in ["mallory", "victim"] {
        host.connect_account("hostile", account, account, &BTreeMap::new(), secrets([])).await.unwrap();
    }
    assert_eq!(host.retry_failed(None).await.unwrap(), 1);
    settled(&host).await;
    assert_eq!(host.inbox().delivery_counts().await.unwrap().failed, 1, "it proves no more than it did");
    let all = host.inbox().conversations(9).await.unwrap();
    assert_eq!(all.iter().map(|one| one.account.as_str()).collect::<Vec<_>>(), ["mallory"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_of_one_account_makes_events_of_that_account_alone() {
    let hostile = two_accounts().await;
    with_archive(&hostile.host, "mallory", "history-foreign").await;
    eventually("what the archive gave", async || {
        let counts = hostile.host.inbox().delivery_counts().await.unwrap();
        (counts.failed + counts.applied + counts.purged > 0).then_some(())
    })
    .await;
    assert_eq!(hostile.host.inbox().delivery_counts().await.unwrap().failed, 1);
    assert!(hostile.conversations().await.is_empty());
    let problems = hostile.host.inbox().problems(1).await.unwrap();
    assert!(problems[0].1.contains("the archive of the account mallory"), "{problems:?}");
}

/// Connects an account whose archive is to be read, with this attack.
async fn with_archive(host: &Host, account: &str, attack: &str) {
    let settings = vec![Setting { key: "attack".into(), value: SettingValue::Text(attack.into()) }];
    let dialog = FromDialog { history_from: Some(0), ..FromDialog::default() };
    let new = NewAccount {
        workspace: None,
        channel: "hostile".into(),
        platform_id: account.into(),
        name: account.into(),
        settings,
        dialog: Some(dialog),
        now: host.clock().now(),
    };
    host.whole_inbox().connect_account(new).await.unwrap();
    // Written past the host: whoever waits for its clock looks again.
    host.clock().advance(Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_a_disconnected_account_does_not_hide_the_alias_of_another() {
    let hostile = two_accounts().await;
    let inbox = hostile.host.whole_inbox();
    let old = inbox.accounts().await.unwrap().into_iter().find(|row| row.platform_id == "mallory").unwrap();
    inbox.disconnect_account(old.id, false, 0).await.unwrap();
    let dialog = FromDialog { aliases: vec!["mallory".into()], ..FromDialog::default() };
    let new = NewAccount {
        channel: "hostile".into(),
        platform_id: "new".into(),
        name: "New".into(),
        dialog: Some(dialog),
        now: hostile.host.clock().now(),
        ..NewAccount::default()
    };
    inbox.connect_account(new).await.unwrap();
    hostile.says("the-webhook-secret", "as mallory message m").await;
    settled(&hostile.host).await;
    assert_eq!(hostile.conversations().await, ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_named_any_more_ends_at_the_reload() {
    let hostile = two_accounts().await;
    assert_eq!(hostile.says("the-webhook-secret", "hello").await, 200);
    load(&hostile.host, "another-secret").await;
    assert_eq!(hostile.says("the-webhook-secret", "hello").await, 403);
    assert_eq!(hostile.says("another-secret", "hello").await, 200);
    hostile.host.load_channel(channel_tests::hostile().1.clone(), ChannelOptions::default()).await.unwrap();
    assert_eq!(hostile.says("another-secret", "hello").await, 403, "a setup without it takes it away");
    // Accounts of a configuration too.
    assert_eq!(hostile.says("secret-of-victim", "as victim message m").await, 200);
    hostile.host.connect_account("hostile", "victim", "V", &BTreeMap::new(), secrets([])).await.unwrap();
    assert_eq!(hostile.says("secret-of-victim", "as victim message m").await, 403);
}

/// A channel whose accounts sign with secrets of their own.
async fn signing(accounts: usize) -> (Host, String, tempfile::TempDir) {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/channels/web-chat/channel.toml"));
    let manifest = manifest
        .unwrap()
        .replace("shared-secret-header", "hmac")
        .replace("header = \"x-webchat-secret\"", "header = \"x-webchat-signature\"\nprefix = \"sha256=\"");
    let component = with_manifest(&web_chat().1, &manifest);
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    host.load_channel(component, ChannelOptions::default()).await.unwrap();
    for index in 0..accounts {
        let own = secrets([("site-secret", &format!("secret-{index}"))]);
        let no_settings: BTreeMap<String, RawSetting> = BTreeMap::new();
        host.connect_account("web-chat", &format!("site-{index}"), "Site", &no_settings, own).await.unwrap();
    }
    let (address, _) = serve(&host).await;
    (host, address, folder)
}

async fn signed(address: &str, path: &str, secret: &str) -> u16 {
    let body = br#"{"messages":[]}"#;
    let proof = signature(secret, body);
    request("POST", &format!("{address}{path}"), &[("x-webchat-signature", &proof)], body.to_vec()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_the_account_costs_one_mac_and_one_without_a_bounded_number() {
    let (host, address, _folder) = signing(1000).await;
    let cost = async |path: &str, secret: &str| {
        let before = host.webhook_macs();
        (signed(&address, path, secret).await, host.webhook_macs() - before)
    };
    assert_eq!(cost("/webhooks/web-chat/site-777", "secret-777").await, (200, 1));
    assert_eq!(cost("/webhooks/web-chat/site-777", "forged").await, (403, 1));
    assert_eq!(cost("/webhooks/web-chat/site-777", "secret-778").await, (403, 1), "another account's secret");
    assert_eq!(cost("/webhooks/web-chat/nobody", "secret-777").await, (403, 0));
    let bound = u64::try_from(harness_engine::MAX_TRIED).unwrap();
    assert_eq!(cost("/webhooks/web-chat", "forged").await, (403, bound));
    // Those that proved something last are among those that are tried.
    assert_eq!(cost("/webhooks/web-chat", "secret-777").await, (200, bound));
    assert!(host.metrics().await.unwrap().contains("harness_webhook_macs "));
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_bound_every_accounts_secret_is_taken_at_the_channels_address() {
    let (_host, address, _folder) = signing(harness_engine::MAX_TRIED).await;
    for index in 0..harness_engine::MAX_TRIED {
        assert_eq!(signed(&address, "/webhooks/web-chat", &format!("secret-{index}")).await, 200, "{index}");
    }
}
