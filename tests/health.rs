//! What the doctor says when something is wrong, and what comes by itself: profiles, the archive, and that no
//! secret is seen by anybody on the way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{World, dialog::Person, eventually, message, text};
use harness_contract::{CheckLevel, CheckResult};
use harness_inbox::{AccountId, PublicId as _};
use simulator::{AppMode, Config, PastMessage, webhook::attachment::Attachment};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const HOUR: Duration = Duration::from_secs(3600);

async fn connected(login: &str) -> (World, AccountId) {
    let world = World::unconnected(Config::demo()).await;
    let row = Person::new(&world).await.connects(login).await;
    (world, row)
}

async fn checks(world: &World, row: AccountId) -> Vec<CheckResult> {
    world.host.check(row, false).await.unwrap().checks
}

fn line<'c>(checks: &'c [CheckResult], name: &str) -> &'c CheckResult {
    checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no line {name} in {checks:#?}"))
}

fn expect(checks: &[CheckResult], name: &str, level: CheckLevel, words: &str) {
    let line = line(checks, name);
    assert_eq!(line.level, level, "{checks:#?}");
    let said = format!("{} {}", line.finding, line.fix.as_deref().unwrap_or_default());
    assert!(said.contains(words), "{words:?} is not in {line:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_account_fails_no_check() {
    for login in ["facebook", "instagram"] {
        let (world, row) = connected(login).await;
        world.sim.customer(CUSTOMER).text("hello").await;
        world.conversation(CUSTOMER).await;
        let checks = world.host.check(row, true).await.unwrap().checks;
        let failed: Vec<_> = checks.iter().filter(|check| check.level == CheckLevel::Failed).collect();
        assert!(failed.is_empty(), "{login}: {failed:#?}");
        for name in
            ["connected", "webhook-secret", "token-valid", "permissions", "webhook-fields", "clock", "send-probe"]
        {
            expect(&checks, name, CheckLevel::Passed, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_apps_webhook_is_set_up_by_connecting_and_messages_arrive() {
    for login in ["facebook", "instagram"] {
        let world = World::unconnected(Config::demo()).await;
        world.sim.unset_webhook_url();
        let row = Person::new(&world).await.connects(login).await;
        let (url, fields) = world.sim.app_webhook();
        assert_eq!(url, Some(format!("{}/webhooks/instagram", world.address)), "{login}");
        let fields = fields.unwrap();
        for field in ["messages", "messaging_postbacks", "message_reactions", "messaging_seen", "messaging_referral"] {
            assert!(fields.iter().any(|known| known == field), "{login}: {fields:?}");
        }
        world.sim.customer(CUSTOMER).text("hello").await;
        world.conversation(CUSTOMER).await;
        let found = checks(&world, row).await;
        expect(&found, "app-webhook", CheckLevel::Passed, &world.address);
        expect(&found, "verify-token", CheckLevel::Passed, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_meta_refuses_the_apps_webhook_page_and_doctor_say_what_to_type_where() {
    let world = World::unconnected(Config::demo()).await;
    world.sim.unset_webhook_url();
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &[]).await;
    let harness_engine::ConnectStage::Choosing { candidates } = person.returns(&query).await.unwrap() else { panic!() };
    // Whatever is asked of other edges meanwhile, these three are the app's token, its webhook, and setting it.
    let fault = simulator::Fault::graph_error(10, None).on(simulator::Scope::AppSubscriptions);
    world.sim.inject(fault.times(4));
    person.chooses(&candidates[0].id).await.unwrap();
    world.sim.clear_faults();
    let row = world.host.inbox().accounts().await.unwrap()[0].id;
    assert_eq!(world.sim.app_webhook().0, None);
    let typed = format!("{}/webhooks/instagram", world.address);
    let found = checks(&world, row).await;
    for words in ["no address", &typed, "Webhooks", "verify token", "messages, messaging_postbacks"] {
        expect(&found, "app-webhook", CheckLevel::Failed, words);
    }
    let cookie = format!("harness-connect={}", person.cookie);
    let url = format!("{}/connect/{}?wait", world.address, person.ticket);
    let page = channel_tests::request("GET", &url, &[("cookie", &cookie)], Vec::new()).await.body;
    assert!(page.contains(&typed) && page.contains("Verify and save"), "{page}");

    // One that leads elsewhere is named and left alone.
    world.sim.set_webhook_url("https://another.example/hook");
    expect(&checks(&world, row).await, "app-webhook", CheckLevel::Failed, "https://another.example/hook and not here");
    Person::new(&world).await.connects("instagram").await;
    assert_eq!(world.sim.app_webhook().0.as_deref(), Some("https://another.example/hook"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_silent_account_says_after_a_minute_what_may_be_wrong_and_does_not_reload_by_the_second() {
    let world = World::unconnected(Config::demo()).await;
    let person = Person::new(&world).await;
    person.connects("instagram").await;
    let cookie = format!("harness-connect={}", person.cookie);
    let url = format!("{}/connect/{}", world.address, person.ticket);
    let page = async |query: &str| {
        channel_tests::request("GET", &format!("{url}{query}"), &[("cookie", &cookie)], Vec::new()).await.body
    };
    let first = page("").await;
    // What it goes on to is an answer that waits for something new.
    assert!(first.contains("Send a test message") && first.contains("?wait\""), "{first}");
    assert!(!first.contains("Nothing has come in"), "{first}");
    world.advance(Duration::from_secs(61));
    let later = page("?wait").await;
    assert!(later.contains("Nothing has come in for a minute") && later.contains("live"), "{later}");
    let (seen, ()) = tokio::join!(page("?wait"), async {
        world.sim.customer(CUSTOMER).text("hello").await;
    });
    assert!(seen.contains("Received"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_is_skipped_and_neither_passed_nor_failed() {
    let (world, row) = connected("facebook").await;
    let found = checks(&world, row).await;
    expect(&found, "webhooks-arrive", CheckLevel::Skipped, "old enough");
    expect(&found, "app-mode", CheckLevel::Skipped, "dashboard");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_in_development_is_named_as_the_reason_why_nothing_arrives() {
    let (world, row) = connected("facebook").await;
    world.sim.set_app_mode(AppMode::Development, &[]);
    world.sim.customer(CUSTOMER).text("nobody hears this").await;
    let checks_at_once = checks(&world, row).await;
    expect(&checks_at_once, "last-event", CheckLevel::Warning, "live");
    world.advance(Duration::from_secs(300));
    expect(&checks(&world, row).await, "webhooks-arrive", CheckLevel::Failed, "live");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_rights_and_links_are_each_named_with_a_fix() {
    let (world, row) = connected("facebook").await;
    let ig_id = world.sim.accounts()[0].ig_id.clone();

    world.sim.set_message_access(&ig_id, false).unwrap();
    expect(&checks(&world, row).await, "message-access", CheckLevel::Failed, "allow access");
    world.sim.set_message_access(&ig_id, true).unwrap();

    world.sim.update_account(&ig_id, |account| account.page.as_mut().unwrap().tasks.clear()).unwrap();
    let found = checks(&world, row).await;
    let named = found.iter().any(|check| check.level == CheckLevel::Failed && format!("{check:?}").contains("page"));
    assert!(named, "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_token_and_missing_fields_are_named() {
    let (world, row) = connected("instagram").await;
    let ig_id = world.sim.accounts()[0].ig_id.clone();
    world.sim.set_token_dead(&ig_id, simulator::Login::Instagram, Some(460));
    let found = checks(&world, row).await;
    expect(&found, "token-valid", CheckLevel::Failed, "onnect");
    let found = checks(&world, row).await;
    expect(&found, "connected", CheckLevel::Failed, "onnect");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_app_secret_and_a_wrong_verify_token_are_told_apart() {
    let (world, row) = connected("facebook").await;
    let address = format!("{}/webhooks/instagram", world.address);
    let wrong = [("x-hub-signature-256", "sha256=00000000000000000000000000000000000000000000000000000000000000aa")];
    channel_tests::request("POST", &address, &wrong, b"{}".to_vec()).await;
    let challenge = format!("{address}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong");
    channel_tests::request("GET", &challenge, &[], Vec::new()).await;
    let found = checks(&world, row).await;
    expect(&found, "webhook-secret", CheckLevel::Failed, "app secrets");
    expect(&found, "verify-token", CheckLevel::Failed, "another verify token");
    // The check itself calls the address with the right word, which is not what the platform did last.
    expect(&checks(&world, row).await, "verify-token", CheckLevel::Failed, "another verify token");
    expect(&found, "callback-reachable", CheckLevel::Warning, "https");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_comes_after_its_message_and_its_absence_costs_nothing() {
    let (world, _) = connected("instagram").await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    eventually("the profile's name", async || {
        let all = world.host.inbox().conversations(10).await.unwrap();
        all.into_iter().find(|found| found.id == conversation).and_then(|found| found.name)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_there_is_a_placeholder_and_it_is_asked_for_again() {
    let (world, row) = connected("facebook").await;
    // The archive would name whoever wrote just now.
    eventually("the end of the archive", async || {
        let connection = rusqlite::Connection::open(world.inbox_file()).unwrap();
        let sql = "SELECT history_at > ?2 FROM account WHERE id = ?1";
        let now = i64::try_from(world.clock.now()).unwrap();
        connection.query_row(sql, [row.get(), now + 60_000], |row| row.get::<_, bool>(0)).unwrap().then_some(())
    })
    .await;
    world
        .sim
        .inject(simulator::Fault { scope: simulator::Scope::Profiles, ..simulator::Fault::graph_error(230, None) });
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let problem = || {
        let connection = rusqlite::Connection::open(world.inbox_file()).unwrap();
        let sql = "SELECT profile_problem FROM contact WHERE platform_id = ?1";
        connection.query_row(sql, [CUSTOMER], |row| row.get::<_, Option<String>>(0)).unwrap()
    };
    eventually("why there is no profile", async || problem()).await;
    let name = async || {
        let all = world.host.inbox().conversations(10).await.unwrap();
        all.into_iter().find(|found| found.id == conversation).and_then(|found| found.name)
    };
    assert_eq!(name().await, None);
    assert_eq!(world.timeline(CUSTOMER).await.len(), 1, "the message is there all the same");
    world.advance(25 * HOUR);
    eventually("the profile's name", async || name().await).await;
    assert_eq!(problem(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_before_connecting_is_filled_in_as_history_and_once() {
    let world = World::unconnected(Config::demo()).await;
    let ig_id = world.sim.accounts()[0].ig_id.clone();
    let photo = Attachment::image("https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x");
    let past = [
        PastMessage::customer(3 * HOUR, "Are you open on Sunday?"),
        PastMessage::business(2 * HOUR, "From ten to four."),
        PastMessage::customer(HOUR, "A photo").with(photo),
    ];
    let mids = world.sim.seed_conversation(&ig_id, CUSTOMER, &past).unwrap();
    let row = Person::new(&world).await.connects("facebook").await;
    let timeline = eventually("the past", async || {
        let all = world.host.inbox().conversations(10).await.unwrap();
        let id = all.into_iter().find(|found| found.contact.as_deref() == Some(CUSTOMER))?.id;
        let timeline = world.host.inbox().timeline(id, 50).await.unwrap();
        (timeline.len() == 3).then_some(timeline)
    })
    .await;
    let texts: Vec<_> = timeline.iter().map(|entry| entry.text.clone().unwrap_or_default()).collect();
    assert_eq!(texts, ["Are you open on Sunday?", "From ten to four.", "A photo"]);
    assert_eq!(mids.len(), 3);
    let summary = world.host.inbox().conversations(10).await.unwrap().remove(0);
    assert_eq!(summary.unread, 0, "nobody is notified of the past");

    // A webhook that never arrived is found by comparing.
    let conversation = summary.id;
    world.sim.set_webhook_url("http://127.0.0.1:9/nowhere");
    world.sim.customer(CUSTOMER).text("lost on the way").await;
    world.sim.set_webhook_url(format!("{}/webhooks/instagram", world.address));
    world.advance(7 * HOUR);
    eventually("the lost message", async || {
        let timeline = world.host.inbox().timeline(conversation, 50).await.unwrap();
        timeline.iter().any(|entry| entry.text.as_deref() == Some("lost on the way")).then_some(())
    })
    .await;
    expect(&checks(&world, row).await, "webhooks-arrive", CheckLevel::Failed, "1 messages");
    let unread = async || world.host.inbox().conversations(10).await.unwrap().remove(0).unread;
    assert_eq!(unread().await, 0);

    // It comes after all: now it is news.
    let late = world.sim.deliveries().pop().unwrap();
    assert!(!late.accepted() && String::from_utf8_lossy(&late.body).contains("lost on the way"));
    let proof = channel_tests::signature("demo-meta-app-secret", &late.body);
    let url = format!("{}/webhooks/instagram", world.address);
    for _ in 0..2 {
        let again = late.body.clone();
        assert_eq!(channel_tests::request("POST", &url, &[("x-hub-signature-256", &proof)], again).await.status, 200);
        world.settled().await;
        assert_eq!(unread().await, 1, "once");
    }
}

mod canary {
    //! Every secret that exists is looked for everywhere that somebody could look.

    use channel_tests::log::Captured;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn no_secret_reaches_a_channel_a_log_an_answer_or_the_database() {
        let log = Captured::default();
        // For all threads: what channels see is written to the trace by the host.
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();

        let mut answers = String::new();
        let mut files = Vec::new();
        let mut worlds = Vec::new();
        for login in ["facebook", "instagram"] {
            let (world, row) = connected(login).await;
            world.sim.customer(CUSTOMER).text("hello").await;
            let conversation = world.conversation(CUSTOMER).await;
            world.reply(conversation, "1", message(vec![text("hi")])).await;
            world.advance(50 * 24 * HOUR);
            eventually("a renewed credential", async || {
                let requests = world.sim.requests();
                requests
                    .iter()
                    .any(|record| record.path.contains("refresh") || record.path.contains("debug_token"))
                    .then_some(())
            })
            .await;
            for path in ["accounts", "channels", "health", "conversations", &format!("accounts/{}/check", row.public())]
            {
                let address = format!("{}/api/v1/{path}", world.address);
                answers.push_str(&channel_tests::api("GET", &address, &[], vec![]).await.body);
            }
            for file in std::fs::read_dir(world.folder.path()).unwrap().flatten() {
                // The key lies there too, and is no secret of the platform's.
                if file.path().is_file() {
                    files.push((file.path(), std::fs::read(file.path()).unwrap()));
                }
            }
            worlds.push(world);
        }
        let log = log.text();
        assert!(log.contains("a channel gets a response"), "what channels see is in the trace");
        for secret in worlds.iter().flat_map(|world| world.sim.secrets()) {
            let secret = secret.expose();
            let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            let kind: String = secret.chars().take(4).collect();
            assert!(!holds(log.as_bytes()), "a secret that begins with {kind} is in the log or was seen by a channel");
            assert!(!answers.contains(secret), "a secret that begins with {kind} is in an answer of the API");
            for (path, bytes) in &files {
                assert!(!holds(bytes), "a secret that begins with {kind} is in {}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_on_the_machine_can_read_is_named_by_the_doctor() {
    use std::os::unix::fs::PermissionsExt as _;
    let (world, row) = connected("facebook").await;
    let set = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (folder, media) = (world.folder.path(), world.folder.path().join("media"));
    assert_eq!(std::fs::metadata(&media).unwrap().permissions().mode() & 0o777, 0o700);
    set(folder, 0o700);
    let found = checks(&world, row).await;
    assert!(!found.iter().any(|line| line.name == "private"), "{found:?}");
    set(folder, 0o755);
    set(&media, 0o755);
    set(&world.inbox_file(), 0o644);
    let found = checks(&world, row).await;
    expect(&found, "private", CheckLevel::Warning, "inbox.sqlite can be read by others");
    expect(&found, "private", CheckLevel::Warning, "media can be read by others");
    assert!(line(&found, "private").fix.as_ref().unwrap().contains("chmod 700"));
    set(folder, 0o700);
    assert!(!checks(&world, row).await.iter().any(|line| line.name == "private"), "nobody gets to them any more");
}
