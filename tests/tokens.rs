//! Tokens of the API: each endpoint asks for its scope, a running host sees what a command does, and what rests
//! or is shown opens nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, time::Duration};

use channel_tests::{Answer, World, eventually, request, secret};
use harness_cli::config::ConfigFile;
use harness_server::{Authenticator, Scope, TokenFile};
use http::header::WWW_AUTHENTICATE;

/// Every endpoint of the API, and what a token needs for it.
const ENDPOINTS: [(&str, &str, Scope); 31] = [
    ("GET", "/metrics", Scope::Observe),
    ("GET", "/api/v1/health", Scope::Observe),
    ("POST", "/api/v1/deliveries/retry", Scope::Host),
    ("GET", "/api/v1/channels", Scope::Read),
    ("POST", "/api/v1/channels/none/reset", Scope::Host),
    ("GET", "/api/v1/conversations", Scope::Read),
    ("GET", "/api/v1/conversations/cnv_7", Scope::Read),
    ("GET", "/api/v1/conversations/cnv_7/messages", Scope::Read),
    ("POST", "/api/v1/conversations/cnv_7/replies", Scope::Reply),
    ("GET", "/api/v1/replies/rpl_7", Scope::Read),
    ("POST", "/api/v1/uploads", Scope::Reply),
    ("GET", "/api/v1/media/med_7", Scope::Read),
    ("GET", "/api/v1/accounts", Scope::Read),
    ("GET", "/api/v1/accounts/acc_7", Scope::Read),
    ("DELETE", "/api/v1/accounts/acc_7", Scope::Accounts),
    ("GET", "/api/v1/accounts/acc_7/check", Scope::Accounts),
    ("PUT", "/api/v1/accounts/acc_7/entry-points", Scope::Accounts),
    ("POST", "/api/v1/connect", Scope::Accounts),
    ("GET", "/api/v1/connect/none", Scope::Accounts),
    ("POST", "/api/v1/connect/none/select", Scope::Accounts),
    ("GET", "/api/v1/users", Scope::Read),
    ("GET", "/api/v1/users/none", Scope::Read),
    ("PATCH", "/api/v1/users/none", Scope::Admin),
    ("GET", "/api/v1/invitations", Scope::Admin),
    ("POST", "/api/v1/invitations", Scope::Admin),
    ("DELETE", "/api/v1/invitations/none", Scope::Admin),
    ("GET", "/api/v1/tokens", Scope::Admin),
    ("POST", "/api/v1/tokens", Scope::Admin),
    ("DELETE", "/api/v1/tokens/none", Scope::Admin),
    ("GET", "/api/v1/workspaces", Scope::Host),
    ("PATCH", "/api/v1/workspaces/none", Scope::Host),
];

struct Locked {
    world: World,
    tokens: TokenFile,
    address: String,
}

impl Locked {
    async fn new(admin: Option<&str>) -> Self {
        let world = World::new().await;
        let tokens = TokenFile::in_folder(world.folder.path());
        let admin = admin.map(secret);
        let access = Authenticator::new(admin.as_ref(), Some(tokens.clone()));
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = harness_server::router_with(world.host.clone(), access, &harness_server::Limits::default());
        tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
        Self { world, tokens, address }
    }

    fn token(&self, name: &str, scopes: &[Scope]) -> String {
        self.tokens.create(name, scopes, None, self.world.clock.now()).unwrap()
    }

    async fn ask(&self, method: &str, path: &str, token: &str) -> Answer {
        let shown = format!("Bearer {token}");
        request(method, &format!("{}{path}", self.address), &[("authorization", &shown)], Vec::new()).await
    }

    async fn status(&self, token: &str) -> u16 {
        self.ask("GET", "/api/v1/conversations", token).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_asks_for_its_scope_and_the_refusal_names_it() {
    let host = Locked::new(Some("the-admins-token")).await;
    let tokens: Vec<_> = Scope::ALL.into_iter().map(|scope| (scope, host.token(scope.name(), &[scope]))).collect();
    for (method, path, needed) in ENDPOINTS {
        assert_eq!(host.ask(method, path, "wrong").await.status, 401, "{method} {path}");
        let as_admin = host.ask(method, path, "the-admins-token").await.status;
        assert!(![401, 403].contains(&as_admin), "{method} {path}: {as_admin}");
        for (scope, token) in &tokens {
            let answer = host.ask(method, path, token).await;
            if *scope == needed || (*scope == Scope::Admin && needed.is_of_workspace()) {
                assert!(![401, 403, 405].contains(&answer.status), "{method} {path} with {scope}: {}", answer.body);
            } else {
                assert_eq!(answer.status, 403, "{method} {path} with {scope}");
                assert!(answer.body.contains(&format!("lacks the scope `{needed}`")), "{}", answer.body);
                assert!(answer.body.contains(&format!("it has `{scope}`")), "{}", answer.body);
            }
        }
    }
    let both = host.token("both", &[Scope::Reply, Scope::Observe]);
    assert_eq!(host.ask("GET", "/metrics", &both).await.status, 200);
    assert_eq!(host.ask("POST", "/api/v1/uploads", &both).await.status, 400, "an empty file");
    assert_eq!(host.status(&both).await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_host_sees_a_new_token_and_a_revoked_one_at_once() {
    let host = Locked::new(None).await;
    let url = format!("{}/api/v1/conversations", host.address);
    assert_eq!(request("GET", &url, &[], Vec::new()).await.status, 401, "before a token was ever made");
    let token = host.token("crm", &[Scope::Read]);
    assert_eq!(host.status(&token).await, 200);
    let without = request("GET", &url, &[], Vec::new()).await;
    assert_eq!((without.status, without.headers[WWW_AUTHENTICATE].as_bytes()), (401, &b"Bearer"[..]));
    assert!(without.body.contains("Authorization: Bearer"), "{}", without.body);
    let page = request("GET", &format!("{}/connect", host.address), &[], Vec::new()).await;
    assert_eq!(page.status, 403, "links are made over the API alone");
    host.tokens.revoke("crm").unwrap();
    let revoked = host.ask("GET", "/api/v1/conversations", &token).await;
    assert!(revoked.status == 401 && revoked.body.contains("revoked"), "{}", revoked.body);
    assert_eq!(request("GET", &url, &[], Vec::new()).await.status, 401, "the lock stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_says_so_and_the_host_notes_when_it_was_used() {
    let host = Locked::new(None).await;
    let now = host.world.clock.now();
    let token = host.tokens.create("short", &[Scope::Read], Some(now + 3_600_000), now).unwrap();
    assert_eq!(host.status(&token).await, 200);
    let used = || host.tokens.list().unwrap()[0].last_used_at;
    eventually("a note of the use", async || used().filter(|at| *at >= now)).await;
    let first = used();
    assert_eq!(host.status(&token).await, 200);
    host.world.clock.advance(Duration::from_secs(600));
    assert_eq!(host.status(&token).await, 200);
    eventually("a later note", async || (used() > first.map(|at| at + 500_000)).then_some(())).await;
    host.world.clock.advance(Duration::from_secs(3600));
    let over = host.ask("GET", "/api/v1/conversations", &token).await;
    assert!(over.status == 401 && over.body.contains("time is over"), "{}", over.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_opens_nothing_but_to_the_configurations_token() {
    let host = Locked::new(Some("the-admins-token")).await;
    let token = host.token("crm", &[Scope::Read]);
    assert_eq!(host.status(&token).await, 200);
    // The note of that use replaces the file.
    eventually("a note", async || host.tokens.list().unwrap()[0].last_used_at).await;
    let file = host.world.folder.path().join("api-tokens.json");
    let kept = fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(&token[8..]), "{kept}");
    let (_, digest) = kept.split_once("\"sha256\": \"").unwrap();
    assert_eq!(host.status(&digest[..64]).await, 401, "the digest is no token");
    fs::write(&file, "{").unwrap();
    assert_eq!(host.status(&token).await, 401);
    assert_eq!(host.status("the-admins-token").await, 200);
}

#[test]
fn the_first_start_makes_a_token_wherever_it_listens_and_the_configurations_own_takes_its_place() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harness.toml");
        fs::write(&path, format!("listen = \"{listen}\"\ndata-dir = \".\"\n")).unwrap();
        let file = ConfigFile::read(&path).unwrap();
        file.access().unwrap();
        let made = fs::read_to_string(folder.path().join("admin-token")).unwrap();
        assert!(made.starts_with("harness_") && made.trim().len() > 40, "{made}");
        file.access().unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("admin-token")).unwrap(), made, "the second start keeps it");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harness.toml");
    channel_tests::write_secret(&folder.path().join("api-token"), "the-admins-token");
    fs::write(&path, "data-dir = \".\"\n[api]\ntoken = { file = \"api-token\" }\n").unwrap();
    ConfigFile::read(&path).unwrap().access().unwrap();
    assert!(!folder.path().join("admin-token").exists(), "one key less");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_a_dangling_and_a_restored_file_of_tokens_open_nothing() {
    let host = Locked::new(None).await;
    let url = format!("{}/api/v1/conversations", host.address);
    let token = host.token("crm", &[Scope::Read]);
    assert_eq!(host.status(&token).await, 200);
    eventually("a note", async || host.tokens.list().unwrap()[0].last_used_at).await;
    let file = host.world.folder.path().join("api-tokens.json");
    fs::remove_file(&file).unwrap();
    for token in [&token, "", "[local]"] {
        assert_eq!(host.status(token).await, 401, "a lost file: {token:?}");
    }
    assert_eq!(request("GET", &url, &[], Vec::new()).await.status, 401);
    std::os::unix::fs::symlink(host.world.folder.path().join("nowhere"), &file).unwrap();
    assert_eq!((host.status(&token).await, request("GET", &url, &[], Vec::new()).await.status), (401, 401));
    assert_eq!(request("GET", &format!("{}/connect", host.address), &[], Vec::new()).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn bearer_is_read_in_any_case_and_nothing_else_is_a_token() {
    let host = Locked::new(Some("the-admins-token")).await;
    let status = async |shown: &str| {
        let url = format!("{}/api/v1/conversations", host.address);
        request("GET", &url, &[("authorization", shown)], Vec::new()).await.status
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(status(&format!("{scheme} the-admins-token")).await, 200, "{scheme}");
        assert_eq!(status(&format!("{scheme}   the-admins-token")).await, 200, "{scheme} with spaces");
    }
    for shown in ["the-admins-token", "Bearer", "Bearer ", "Basic the-admins-token", "Bearerthe-admins-token"] {
        assert_eq!(status(shown).await, 401, "{shown:?}");
    }
}
