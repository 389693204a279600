//! Connecting by other steps than a dialog: what a person types in, and what happens elsewhere meanwhile. What is secret goes
//! into its slot and nowhere else; the host asks again by its own clock; a restart costs nobody their place.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{
    Answer, files_with,
    log::{self, Captured},
    steps::{CANARY, ONCE, Person, World, fields, typed, wait},
};
use harness_engine::{ConnectError, ConnectStage, HostError};
use serde_json::{Value, json};

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
    let dispatch = log::of_test(subscriber);
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
