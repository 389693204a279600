//! Connecting by other steps than a dialog: what a person types in, and what happens elsewhere meanwhile. What is secret goes
//! into its slot and nowhere else; the host asks again by its own clock; a restart costs nobody their place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, path::Path, time::Duration};

use channel_tests::{
    Answer, api, end, eventually, files_with,
    hosts::{endpoints, granted},
    listen,
    log::Captured,
    manifest::with_manifest,
    request, sandbox_config, scripted, secrets, serve,
};
use harness_contract::settings::RawSetting;
use harness_engine::{ChannelOptions, Clock, ConnectError, ConnectStage, Host, HostError, HostOptions};
use harness_inbox::AccountRow;
use serde_json::{Value, json};
use tempfile::TempDir;

const CANARY: &str = "canary-key-that-a-person-types-in";
const ONCE: &str = "canary-password-for-this-once";

const MANIFEST: &str = "
[channel]
id = 'scripted'
name = 'Scripted'
version = '0.1.0'
contract = '0.2.0'
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['secret']
[slots.secret]
scope = 'app'
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }]
[slots.password]
scope = 'connect'
[limits]
memory-bytes = 67108864
[[egress]]
host = 'scripted.example.com'
methods = ['GET', 'POST']
paths = ['/**']
[settings.connecting]
type = 'text'
scope = 'channel'
[settings.script]
type = 'text'
[settings.region]
type = 'text'
[settings.port]
type = 'number'
[logins.keys]
name = 'your keys'
[logins.dialog]
name = 'the dialog'
authorization-url = 'https://scripted.example.com/dialog'
";

/// A host whose channel connects by these steps.
struct World {
    host: Host,
    address: String,
    clock: Clock,
    folder: TempDir,
    platform: url::Url,
    server: tokio::task::AbortHandle,
}

async fn open(folder: &Path, clock: &Clock, steps: &Value, platform: &url::Url) -> Host {
    let endpoints = endpoints(&["https://scripted.example.com"], platform);
    let clock = clock.clone();
    let options = HostOptions { sandbox: sandbox_config(), endpoints, clock, ..HostOptions::in_folder(folder) };
    let host = Host::open(options).await.unwrap();
    let component = with_manifest(&scripted().1, MANIFEST);
    let options = ChannelOptions {
        grant: granted(&component),
        secrets: secrets([("secret", "the-secret-of-the-webhooks")]),
        settings: BTreeMap::from([("connecting".to_owned(), RawSetting::Text(steps.to_string()))]),
        ..ChannelOptions::default()
    };
    host.load_channel(component, options).await.unwrap();
    host
}

impl World {
    async fn new(steps: &Value) -> Self {
        let says_again = |headers: axum::http::HeaderMap| async move { format!("{headers:?}") };
        let platform = listen(axum::Router::new().fallback(says_again)).await;
        let (clock, folder) = (Clock::stopped(), tempfile::tempdir().unwrap());
        let host = open(folder.path(), &clock, steps, &platform).await;
        let (address, server) = serve(&host).await;
        Self { host, address, clock, folder, platform, server }
    }

    /// After a restart, with other steps where they are given.
    async fn again(self, steps: &Value) -> Self {
        self.server.abort();
        end(self.host, self.folder.path()).await;
        let host = open(self.folder.path(), &self.clock, steps, &self.platform).await;
        let (address, server) = serve(&host).await;
        Self { host, address, server, ..self }
    }

    /// A link whose button was pressed; with its cookie.
    async fn begun(&self, login: &str) -> (Person, Option<url::Url>) {
        let ticket = self.host.begin_connecting("scripted", None).await.unwrap();
        let cookie = self.host.open_link(&ticket, None).await.unwrap().unwrap();
        let to = self.host.start_connecting(&ticket, login, &cookie).await.unwrap();
        (Person { ticket, cookie }, to)
    }

    fn stage(&self, person: &Person) -> ConnectStage {
        self.host.connecting(&person.ticket).unwrap().stage
    }

    async fn reaches(&self, person: &Person, what: &str, is_it: impl Fn(&ConnectStage) -> bool) -> ConnectStage {
        eventually(what, async || Some(self.stage(person)).filter(&is_it)).await
    }

    async fn connected(&self, person: &Person) -> AccountRow {
        let stage =
            self.reaches(person, "the account", |stage| !matches!(stage, ConnectStage::WaitingFor { .. })).await;
        let ConnectStage::Connected { account } = stage else { panic!("not connected: {stage:?}") };
        self.host.inbox().account_row(account).await.unwrap()
    }

    fn page_address(&self, person: &Person) -> String {
        format!("{}/connect/{}", self.address, person.ticket)
    }

    async fn page(&self, person: &Person) -> Answer {
        let cookie = format!("harness-connect={}", person.cookie);
        request("GET", &self.page_address(person), &[("cookie", &cookie)], Vec::new()).await
    }

    async fn types(&self, person: &Person, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in fields {
            form.append_pair(&format!("value.{key}"), value);
        }
        let cookie = format!("harness-connect={}", person.cookie);
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("cookie", &cookie), ("origin", &self.address)];
        let address = format!("{}/enter", self.page_address(person));
        request("POST", &address, &headers, form.finish().into_bytes()).await
    }

    async fn api(&self, method: &str, path: &str, body: &Value) -> Answer {
        let address = format!("{}/api/v1/connect/{path}", self.address);
        api(method, &address, &[("content-type", "application/json")], body.to_string()).await
    }

    fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

struct Person {
    ticket: String,
    cookie: String,
}

fn fields() -> Value {
    json!([
        { "key": "token", "label": "API key", "hint": "It stands under <Settings>.", "secret": true, "kind": "text" },
        { "key": "password", "label": "Password", "secret": true, "kind": "text" },
        { "key": "region", "label": "Region", "kind": "choice", "one_of": ["eu", "us"] },
        { "key": "port", "label": "Port", "kind": "number", "default": "443" },
        { "key": "script", "label": "Script", "kind": "long_text", "default": "{}" },
    ])
}

fn typed() -> Vec<(&'static str, &'static str)> {
    const SCRIPT: &str = r#"{"requests":[{"url":"https://scripted.example.com/x","fills":["bearer"]}]}"#;
    vec![("token", CANARY), ("password", ONCE), ("region", "eu"), ("port", "8080"), ("script", SCRIPT)]
}

fn wait(again_after: u64) -> Value {
    json!({ "wait": { "text": "Scan this on your phone.", "qr": "https://scripted.example.com/pair#1", "code": "AB-12",
        "again_after": again_after } })
}

/// Where a text stands in no file and no answer.
fn nowhere(world: &World, answers: &[&Answer], hidden: &str) {
    assert_eq!(files_with(world.folder.path(), hidden), Vec::<std::path::PathBuf>::new(), "{hidden}");
    for answer in answers {
        assert!(!answer.body.contains(hidden), "{hidden}: {}", answer.body);
    }
}

#[test]
fn what_is_typed_in_goes_into_slots_and_settings_and_a_secret_is_said_nowhere() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let dispatch = tracing::Dispatch::new(subscriber);
    let of_thread = dispatch.clone();
    let logs = move || std::mem::forget(tracing::dispatcher::set_default(&of_thread));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(logs).build().unwrap();
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(typed_in(log)));
}

async fn typed_in(log: Captured) {
    let world = World::new(&json!([{ "enter": fields() }, wait(60_000), { "ready": "shop" }])).await;
    let (person, to) = world.begun("keys").await;
    assert!(to.is_none() && matches!(world.stage(&person), ConnectStage::Entering { .. }));
    let page = world.page(&person).await.body;
    for shown in [r#"type="password""#, "API key", "It stands under &lt;Settings&gt;.", r#"<option value="us">"#, "443"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }

    // What does not fit is said beside its field, and what is secret is not shown again.
    let wrong = [("token", CANARY), ("password", ONCE), ("region", "asia"), ("port", "many"), ("script", "a\u{7}b")];
    let refused = world.types(&person, &wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    for shown in ["Choose one of the list.", "Write a whole number", r#"aria-invalid="true""#, r#"value="many""#] {
        assert!(refused.body.contains(shown), "{shown}: {}", refused.body);
    }
    let path = format!("{}/enter", person.ticket);
    let by_api =
        world.api("POST", &path, &json!({ "values": { "token": CANARY, "port": "many", "other": "x" } })).await;
    let problem: Value = serde_json::from_str(&by_api.body).unwrap();
    assert_eq!((by_api.status, &problem["code"]), (422, &json!("not_entered")), "{problem}");
    assert_eq!(problem["fields"]["other"], "This was not asked for.", "{problem}");
    assert_eq!(problem["fields"]["password"], "Fill this in.", "{problem}");
    let odd = world.api("POST", &path, &json!({ "values": { "token": [CANARY] } })).await;
    assert!(odd.status == 400 && odd.body.contains("values.token"), "{}", odd.body);
    assert!(matches!(world.stage(&person), ConnectStage::Entering { .. }));

    // Nobody else's browser has a word in it.
    let other = Person { ticket: person.ticket.clone(), cookie: "x".repeat(43) };
    assert!(world.types(&other, &typed()).await.body.contains("belongs to another browser"));
    assert!(world.page(&other).await.body.contains("belongs to another browser"));

    let taken = world.types(&person, &typed()).await;
    assert_eq!(taken.status, 303, "{}", taken.body);
    let page = world.page(&person).await;
    for shown in ["Scan this on your phone.", "AB-12", "<svg", "This page goes on by itself."] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let again = world.types(&person, &typed()).await;
    assert!(again.body.contains("This step is over"), "{}", again.body);
    let seen: Value = serde_json::from_str(&world.api("GET", &person.ticket, &json!({})).await.body).unwrap();
    assert_eq!((&seen["stage"], &seen["code"]), (&json!("waiting_for"), &json!("AB-12")), "{seen}");

    world.passes(61);
    let row = world.connected(&person).await;
    assert!(
        row.name.starts_with("start;entered region=eu port=8080 script=") && row.name.ends_with(";resumed;"),
        "{row:?}"
    );
    let checked = serde_json::to_string(&world.host.check(row.id, false).await.unwrap().checks).unwrap();
    assert!(checked.contains("Bearer [redacted]"), "the slot is filled: {checked}");
    nowhere(&world, &[&refused, &by_api, &odd, &taken, &page, &again], CANARY);
    nowhere(&world, &[&refused, &by_api, &odd, &taken, &page, &again], ONCE);
    assert!(log.text().contains("scripted"), "it logs");
    for hidden in [CANARY, ONCE] {
        assert!(!log.text().contains(hidden) && !row.name.contains(hidden) && !checked.contains(hidden), "{hidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_while_something_is_waited_for_or_typed_in_costs_nobody_their_place() {
    let steps = json!([{ "enter": fields() }, wait(60_000), wait(60_000), { "ready": "shop" }]);
    let world = World::new(&steps).await;
    let (person, _) = world.begun("keys").await;
    let world = world.again(&steps).await;
    assert!(matches!(world.stage(&person), ConnectStage::Entering { .. }));
    assert_eq!(world.types(&person, &typed()).await.status, 303);
    world.passes(61);
    let waits_on = |stage: &ConnectStage| matches!(stage, ConnectStage::WaitingFor { again_at, .. } if *again_at > world.clock.now());
    world.reaches(&person, "the second time of waiting", waits_on).await;
    let world = world.again(&steps).await;
    assert!(matches!(world.stage(&person), ConnectStage::WaitingFor { .. }));
    nowhere(&world, &[], CANARY);
    world.passes(61);
    let row = world.connected(&person).await;
    assert!(row.name.ends_with("resumed;resumed;"), "{row:?}");
    let checked = serde_json::to_string(&world.host.check(row.id, false).await.unwrap().checks).unwrap();
    assert!(checked.contains("Bearer [redacted]"), "what was typed in before is there: {checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_cannot_be_reached_is_asked_again_and_waiting_ends_at_its_time() {
    let world = World::new(&json!([wait(1000), "unreachable", { "ready": "shop" }])).await;
    let (person, _) = world.begun("keys").await;
    let at = |stage: &ConnectStage| if let ConnectStage::WaitingFor { again_at, .. } = stage { *again_at } else { 0 };
    let first = at(&world.stage(&person));
    world.passes(2);
    world.reaches(&person, "another time", |stage| at(stage) > first).await;
    world.passes(6);
    assert!(world.connected(&person).await.name.ends_with("resumed;resumed;"));

    let until = world.clock.now() + 30_000;
    let steps =
        json!([{ "wait": { "text": "Be quick.", "again_after": 600_000, "until": until } }, { "ready": "late" }]);
    let world = world.again(&steps).await;
    let (person, _) = world.begun("keys").await;
    assert!(world.page(&person).await.body.contains("There is 1 minute left"));
    world.passes(31);
    let stage = world.reaches(&person, "the end", |stage| matches!(stage, ConnectStage::Failed { .. })).await;
    assert!(matches!(&stage, ConnectStage::Failed { sentence } if sentence.contains("The time for this step is over")));
    assert_eq!(world.host.inbox().accounts().await.unwrap().len(), 1, "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_anew_is_not_overtaken_by_what_was_waited_for() {
    let world = World::new(&json!([wait(60_000), { "ready": "shop" }])).await;
    let (person, _) = world.begun("keys").await;
    world.passes(59);
    world.host.start_connecting(&person.ticket, "keys", &person.cookie).await.unwrap();
    world.passes(2);
    assert!(matches!(world.stage(&person), ConnectStage::WaitingFor { .. }), "its own minute is not over");
    world.passes(59);
    assert!(world.connected(&person).await.name == "start;resumed;", "of one attempt alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_may_come_after_what_was_typed_in() {
    let steps = json!([{ "enter": fields() }, { "visit": "https://scripted.example.com/dialog" }, { "ready": "shop" }]);
    let world = World::new(&steps).await;
    let (person, _) = world.begun("dialog").await;
    let taken = world.types(&person, &typed()).await;
    let dialog = url::Url::parse(taken.headers["location"].to_str().unwrap()).unwrap();
    assert_eq!(dialog.path(), "/dialog");
    // Whoever lost the window finds the way from the link.
    let page = world.page(&person).await.body;
    assert!(page.contains(&format!("href=\"{dialog}\"")), "{page}");
    let told = world.api("GET", &person.ticket, &json!({})).await.body;
    let (_, state) = dialog.query().unwrap().split_once('=').unwrap();
    assert!(!told.contains(state), "{told}");
    let query = format!("state={state}&code=1");
    let other = world.host.connect_callback("scripted", &query, &["another"]).await;
    assert!(matches!(other, Err(HostError::Connect(ConnectError::OtherBrowser))), "{other:?}");
    world.host.connect_callback("scripted", &query, &[&person.cookie]).await.unwrap();
    assert!(world.connected(&person).await.name.contains("callback state="));

    let steps = json!([{ "enter": fields() }, { "visit": "https://elsewhere.example.com/dialog" }]);
    let world = world.again(&steps).await;
    let (person, _) = world.begun("dialog").await;
    world.types(&person, &typed()).await;
    let stage = world.stage(&person);
    assert!(
        matches!(&stage, ConnectStage::Failed { sentence } if sentence.contains("Nothing was opened")),
        "{stage:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_does_not_take_comes_back_to_the_form_without_the_secret() {
    let world =
        World::new(&json!([{ "enter": fields() }, { "invalid": "This key is unknown." }, { "ready": "shop" }])).await;
    let (person, _) = world.begun("keys").await;
    world.types(&person, &typed()).await;
    let page = world.page(&person).await;
    for shown in ["This key is unknown.", r#"<option value="eu" selected>"#, "8080"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    nowhere(&world, &[&page], CANARY);
    let path = format!("{}/enter", person.ticket);
    let values =
        json!({ "values": { "token": "another-key-of-the-account", "password": ONCE, "region": "us", "port": 1 } });
    let taken = world.api("POST", &path, &values).await;
    assert!(taken.status == 200 && taken.body.contains("connected"), "{}", taken.body);
    assert!(world.connected(&person).await.name.contains("region=us port=1 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_manifest_names_for_no_account_is_not_asked_for() {
    let field = |key: &str, secret: bool| json!([{ "enter": [{ "key": key, "label": "Key", "secret": secret, "kind": "text" }] }]);
    for (key, secret) in [("other", true), ("secret", true), ("token", false)] {
        let world = World::new(&field(key, secret)).await;
        let ticket = world.host.begin_connecting("scripted", None).await.unwrap();
        let cookie = world.host.open_link(&ticket, None).await.unwrap().unwrap();
        let refused = world.host.start_connecting(&ticket, "keys", &cookie).await;
        assert!(matches!(refused, Err(HostError::Connect(ConnectError::UndeclaredSecret))), "{key}: {refused:?}");
        let stage = world.host.connecting(&ticket).unwrap().stage;
        assert!(matches!(&stage, ConnectStage::Failed { sentence } if sentence.contains("its manifest does not name")));
    }
}
