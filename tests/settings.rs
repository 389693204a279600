//! What a manifest leaves to an account: the host that it names, the secrets that are made for it, the settings that its
//! webhooks come with. The channel is the scripted one with another manifest.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashMap};

use channel_tests::{
    end, eventually,
    hosts::{endpoints, load_granted},
    listen,
    manifest::with_manifest,
    request, sandbox_config, scripted, secrets, serve,
    told::Platform,
};
use harness_contract::settings::RawSetting;
use harness_engine::{Host, HostOptions, RecordedCall, Secret};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

const HEAD: &str = "
[channel]
id = 'scripted'
name = 'Scripted'
version = '0.1.0'
contract = '0.2.0'
[limits]
memory-bytes = 67108864
[settings.script]
type = 'text'
";

/// Two hosts that accounts name, and one that they do not.
const HOSTS: &str = "
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['secret']
[slots.secret]
scope = 'app'
allowed-in = [{ query = 'secret' }]
hosts = ['scripted.example.com']
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }]
[settings.server]
type = 'text'
[[egress]]
host = '{setting:server}'
methods = ['GET']
paths = ['/**']
[[egress]]
host = '{setting:server}.shops.example.com'
methods = ['GET']
paths = ['/**']
[[egress]]
host = 'scripted.example.com'
methods = ['GET']
paths = ['/**']
";

/// Secrets that the host makes, for the channel and for each account.
const MADE: &str = "
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['app-made', 'made']
[slots.app-made]
scope = 'app'
generated = true
allowed-in = [{ header = 'x-app-made' }]
[slots.made]
scope = 'account'
generated = true
allowed-in = [{ header = 'x-made' }]
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }]
[[egress]]
host = 'scripted.example.com'
methods = ['GET']
paths = ['/**']
headers = ['x-made', 'x-app-made']
";

/// Settings of which webhooks come with two.
const TOLD: &str = "
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['own-secret']
[slots.own-secret]
scope = 'account'
[settings.own-id]
type = 'text'
in-webhooks = true
[settings.region]
type = 'text'
scope = 'both'
default = 'eu'
in-webhooks = true
[settings.private]
type = 'text'
";

struct World {
    host: Host,
    platform: Platform,
    address: String,
    server: AbortHandle,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(manifest: &str, app: HashMap<String, Secret>) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), manifest, app).await
    }

    async fn in_folder(folder: tempfile::TempDir, manifest: &str, app: HashMap<String, Secret>) -> Self {
        let platform = Platform::default();
        let server = listen(platform.router()).await;
        let origins = [
            "https://scripted.example.com",
            "https://one.example.org",
            "https://two.example.org",
            "https://one.shops.example.com",
            "https://127.0.0.1",
        ];
        let options = HostOptions {
            sandbox: sandbox_config(),
            endpoints: endpoints(&origins, &server),
            record: Some(folder.path().join("calls")),
            ..HostOptions::in_folder(folder.path())
        };
        let host = Host::open(options).await.unwrap();
        load_granted(&host, &with_manifest(&scripted().1, &format!("{HEAD}{manifest}")), app).await;
        let (address, server) = serve(&host).await;
        for path in ["/a", "/b", "/c", "/d", "/e"] {
            platform.answer(path, 200, &[], "{}");
        }
        Self { host, platform, address, server, folder }
    }

    /// Connects an account with these settings. Returns what its check says of these requests.
    async fn check(&self, account: &str, requests: &Value, settings: &[(&str, &str)], own: &[(&str, &str)]) -> String {
        let text = |text: &str| RawSetting::Text(text.to_owned());
        let mut all: BTreeMap<_, _> = settings.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect();
        all.insert("script".to_owned(), text(&json!({ "requests": requests }).to_string()));
        let own = own.iter().map(|(slot, value)| ((*slot).to_owned(), channel_tests::secret(value))).collect();
        let row = self.host.connect_account("scripted", account, account, &all, own).await.unwrap();
        let health = self.host.check(row, false).await.unwrap();
        serde_json::to_string(&health.checks).unwrap()
    }

    async fn deliver(&self, secret: &str, account: &str) -> u16 {
        let body = json!({ "events": 1, "account": account }).to_string();
        let url = format!("{}/webhooks/scripted", self.address);
        request("POST", &url, &[("x-secret", secret)], body.into_bytes()).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_reaches_the_host_that_it_names_and_no_other_does_and_nothing_is_an_address() {
    let world = World::new(HOSTS, secrets([("secret", "the-secret-of-the-channel")])).await;
    let get = |url: &str| json!([{ "url": url, "fills": ["bearer"] }]);
    let token = |account: &str| format!("token-of-the-account-{account}");
    let check = async |account: &str, server: &[(&str, &str)], url: &str| {
        world.check(account, &get(url), server, &[("token", &token(account))]).await
    };
    for (account, server, url) in [
        ("one", "one.example.org", "https://one.example.org/a"),
        ("two", "Two.Example.ORG", "https://two.example.org/b"),
        ("shop", "one", "https://one.shops.example.com/c"),
        ("none", "", "https://scripted.example.com/d"),
    ] {
        let said = check(account, &[("server", server)], url).await;
        let asked = world.platform.take();
        assert_eq!(asked.len(), 1, "{account}: {said}");
        assert!(asked[0].contains(&token(account)), "{account} with its own credential: {asked:?}");
    }
    for (account, settings, url) in [
        ("one", vec![("server", "one.example.org")], "https://two.example.org/a"),
        ("two", vec![("server", "two.example.org")], "https://one.example.org/a"),
        ("two", vec![("server", "two.example.org")], "https://one.shops.example.com/a"),
        ("none", vec![], "https://one.example.org/a"),
        ("address", vec![("server", "127.0.0.1")], "https://127.0.0.1/a"),
        ("port", vec![("server", "one.example.org:443")], "https://one.example.org/a"),
        ("wide", vec![("server", "*.example.org")], "https://one.example.org/a"),
        ("within", vec![("server", "one.example.org/x")], "https://one.example.org/a"),
        ("placeholder", vec![("server", "{setting:server}")], "https://one.example.org/a"),
    ] {
        let said = check(account, &settings, url).await;
        assert!(said.contains("is not granted to this channel"), "{account}: {said}");
        assert_eq!(world.platform.take(), Vec::<String>::new(), "{account}");
    }
    // What belongs to all accounts does not go there either.
    let fills = json!([{ "url": "https://one.example.org/a", "fills": ["slot:secret>query:secret"] }]);
    let said = world.check("one", &fills, &[("server", "one.example.org")], &[]).await;
    assert!(said.contains("the manifest does not let the credential"), "{said}");
    assert_eq!(world.platform.take(), Vec::<String>::new());
}

/// The value of a header in what the platform was asked.
fn header(asked: &str, name: &str) -> String {
    let (_, behind) = asked.split_once(&format!("\"{name}\": \"")).unwrap_or_else(|| panic!("no {name}: {asked}"));
    behind.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_the_host_makes_are_made_once_prove_webhooks_and_are_shown_to_nobody() {
    let get = |account: &str| {
        json!([{
            "url": format!("https://scripted.example.com/of/{account}"),
            "fills": ["slot:made>header:x-made", "slot:app-made>header:x-app-made"],
        }])
    };
    // Of what is asked for the other account meanwhile, such as about its people, nothing is meant.
    let of = |asked: Vec<String>, account: &str| {
        asked.into_iter().find(|asked| asked.contains(&format!("/of/{account} "))).unwrap()
    };
    let mut world = World::new(MADE, secrets([])).await;
    let mut earlier = None;
    for run in ["the first start", "the second"] {
        let mut made = Vec::new();
        for account in ["one", "two"] {
            let said = world.check(account, &get(account), &[], &[]).await;
            let asked = of(world.platform.take(), account);
            let (own, app) = (header(&asked, "x-made"), header(&asked, "x-app-made"));
            for secret in [&own, &app] {
                let digits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                assert!(secret.len() == 43 && secret.bytes().all(digits), "{run}: 32 bytes as base64 for URLs");
                assert!(!said.contains(secret.as_str()), "{run}: not for the channel");
            }
            assert_eq!(world.deliver(&own, account).await, 200, "{run}: {account}");
            assert_eq!(world.deliver(&app, account).await, 200, "{run}: {account}");
            made.push((own, app));
        }
        assert!(made[0].0 != made[1].0 && made[0].1 == made[1].1 && made[0].0 != made[0].1, "{run}: each its own");
        assert_eq!(world.deliver("another", "one").await, 403, "{run}");
        assert_eq!(*earlier.get_or_insert(made.clone()), made, "{run}");
        let inbox = channel_tests::files_with(world.folder.path(), &made[0].0);
        assert_eq!(inbox, Vec::<std::path::PathBuf>::new(), "nothing of it rests in the clear");
        let World { host, server, folder, .. } = world;
        server.abort();
        end(host, folder.path()).await;
        world = World::in_folder(folder, MADE, secrets([])).await;
    }
    // Disconnecting forgets; whoever connects again has another one, and the channel's stays.
    let accounts = world.host.inbox().accounts().await.unwrap();
    let row = accounts.iter().find(|row| row.platform_id == "one").unwrap();
    world.host.disconnect(row.id, false).await.unwrap();
    world.platform.take();
    world.check("one", &get("one"), &[], &[]).await;
    let asked = of(world.platform.take(), "one");
    let before = earlier.unwrap();
    assert_ne!(header(&asked, "x-made"), before[0].0);
    assert_eq!(header(&asked, "x-app-made"), before[0].1);
    assert_eq!(world.deliver(&before[0].0, "one").await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_comes_with_those_settings_of_its_account_that_the_manifest_marks() {
    let world = World::new(TOLD, secrets([])).await;
    for (account, settings) in [
        ("one", vec![("own-id", "U1"), ("private", "not for webhooks")]),
        ("two", vec![("own-id", "U2"), ("region", "us")]),
    ] {
        let secret = format!("the-secret-of-{account}");
        world.check(account, &json!([]), &settings, &[("own-secret", &secret)]).await;
        assert_eq!(world.deliver(&secret, account).await, 200);
    }
    let calls = world.folder.path().join("calls");
    let mut told = eventually("both deliveries", async || {
        let calls = std::fs::read_to_string(&calls).unwrap();
        let calls = calls.lines().filter_map(|line| serde_json::from_str::<RecordedCall>(line).ok());
        let read = calls.filter(|call| call.export == "messaging-channel.parse-webhook");
        let read: Vec<_> = read.map(|call| call.input[0]["account"].clone()).collect();
        (read.len() == 2).then_some(read)
    })
    .await;
    told.sort_by_key(|account| account["id"].to_string());
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "text": value } });
    assert_eq!((&told[0]["id"], &told[1]["id"]), (&json!("one"), &json!("two")));
    assert_eq!(told[0]["settings"], json!([text("own-id", "U1"), text("region", "eu")]));
    assert_eq!(told[1]["settings"], json!([text("own-id", "U2"), text("region", "us")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accounts_webhook_address_is_told_with_its_deliveries_and_its_calls() {
    let world = World::new(TOLD, secrets([])).await;
    world.host.set_public_url("https://inbox.example.com".parse().unwrap());
    let own = [("own-secret", "the-secret-of-one")];
    world.check("one", &json!([]), &[("own-id", "U1")], &own).await;
    assert_eq!(world.deliver("the-secret-of-one", "one").await, 200);
    let calls = world.folder.path().join("calls");
    let address = json!("https://inbox.example.com/webhooks/scripted/one");
    for export in ["account.check", "messaging-channel.parse-webhook"] {
        let told = eventually("the call", async || {
            let calls = std::fs::read_to_string(&calls).unwrap();
            let mut calls = calls.lines().filter_map(|line| serde_json::from_str::<RecordedCall>(line).ok());
            calls.find(|call| call.export == export)
        })
        .await;
        let input = if export == "account.check" { &told.input[0] } else { &told.input[0]["account"] };
        assert_eq!(input["webhook_url"], address, "{export}");
    }
}
