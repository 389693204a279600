//! Owns: what the automation says that it would do about a message that nobody sent.
//! Does not own: dry runs on conversations of the past (`automation/routing.rs`), the page (`pages/bot.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::model::{Model, Says};
use harness_automation::{
    AutomationError, CameAs, Condition, Consumer, DryRun, Outcome, Reason, Rule, Settings, Written, dry_run_written,
    set_model_key,
};
use harness_engine::HostOptions;
use harness_inbox::{CollectionId, PublicId as _, WorkspaceId};
use serde_json::{Value, json};

use crate::automation_stage::{KEY, Stage, assisting};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn written(text: &str) -> Written {
    Written { text: text.into(), ..Written::default() }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Greets, and sorts by everything that rules look at.
fn sorting(place: CollectionId) -> Settings {
    let when = Condition::default;
    let rules = [
        ("ads", Condition { referral: words(&["ad"]), ad: words(&["ad-7"]), ..when() }),
        ("links", Condition { ref_parameter: words(&["summer"]), ..when() }),
        ("posts", Condition { referral: words(&["post"]), ..when() }),
        ("stories", Condition { story_reply: Some(true), ..when() }),
        ("comments", Condition { comment: Some(true), ..when() }),
        ("refunds", Condition { keywords: words(&["rückgabe", "money back"]), ..when() }),
        ("german", Condition { languages: words(&["de"]), ..when() }),
    ];
    let mut settings = Settings { on: true, ..Settings::default() };
    settings.welcome.on = true;
    settings.welcome.text = "Hello!".into();
    settings.routing.on = true;
    settings.routing.default = Some(place);
    let rule =
        |(name, when): (&str, Condition)| Rule { name: name.into(), when, collection: Some(place), ..Rule::default() };
    settings.routing.rules = rules.into_iter().map(rule).collect();
    settings
}

fn decided(run: &DryRun) -> Vec<(Consumer, Outcome, &str)> {
    run.would.iter().map(|one| (one.consumer, one.decision.outcome, one.decision.rule.as_str())).collect()
}

/// Nothing came in, nothing went out, nothing was decided.
async fn untouched(stage: &Stage) {
    assert!(stage.world.host.inbox().conversations(10).await.unwrap().is_empty());
    assert!(stage.world.sends().is_empty() && stage.log().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_sent_is_tried_with_what_it_came_with_and_leaves_nothing() {
    let mut stage = Stage::idle(|options| options).await;
    let place = stage.world.host.add_collection(WorkspaceId::FIRST, "all").await.unwrap();
    let settings = sorting(place);
    stage.start();
    let text = |text: Option<&str>| text.map(ToOwned::to_owned);
    let ad = |id: &str| Written { ad: text(Some(id)), ..written("hi") };
    let came = |came_as, said: &str| Written { came_as, ..written(said) };
    for (message, rule, greeted) in [
        (ad("ad-7"), "ads", true),
        (ad("ad-8"), "default", true),
        (Written { ref_parameter: text(Some("summer")), ..written("hi") }, "links", true),
        (Written { referral: text(Some("post")), ..written("hi") }, "posts", true),
        (came(CameAs::StoryReply, "wow"), "stories", true),
        (came(CameAs::Comment, "Is this in stock?"), "comments", false),
        (written("RUCKGABE bitte!"), "refunds", true),
        (written("Hallo, ich möchte wissen, wann meine Bestellung ankommt."), "german", true),
        (written("hello"), "default", true),
        (Written { ad: text(Some("ad-7")), ..came(CameAs::Referral, "") }, "ads", false),
        (Written { referral: text(Some("post")), ..came(CameAs::Referral, "") }, "posts", false),
    ] {
        let run = dry_run_written(&stage.world.host, stage.account, &message, &settings, false).await.unwrap();
        let mut expected = vec![(Consumer::Routing, Outcome::Placed, rule)];
        expected.extend(greeted.then_some((Consumer::Welcome, Outcome::Sent, "welcome")));
        assert_eq!(decided(&run), expected, "{message:?}");
        assert!(run.would.iter().all(|one| one.message.is_none()) && !run.would_ask_model);
    }
    for nothing in
        [written(" \n"), came(CameAs::StoryReply, ""), came(CameAs::Comment, ""), came(CameAs::Referral, "hi")]
    {
        let run = dry_run_written(&stage.world.host, stage.account, &nothing, &settings, false).await;
        assert!(matches!(run, Err(AutomationError::NothingWritten)), "{nothing:?}: {run:?}");
    }
    stage.caught_up().await;
    untouched(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_asked_about_such_a_message_only_where_that_is_wanted_and_of_use() {
    let model = Model::start(Says::Answer("We have them.".into())).await;
    let host = model.host.clone();
    let stage = Stage::idle(|options| HostOptions { private_hosts: vec![host], ..options }).await;
    let here = stage.world.host.add_collection(WorkspaceId::FIRST, "here").await.unwrap();
    let elsewhere = stage.world.host.add_collection(WorkspaceId::FIRST, "elsewhere").await.unwrap();
    let settings = |only: CollectionId| {
        let answers = assisting(&model, |assistant| assistant.collections = vec![only]);
        Settings { assistant: answers.assistant, ..sorting(here) }
    };
    stage.told(&settings(here)).await;
    set_model_key(&stage.world.host, stage.account, Some(channel_tests::secret(KEY))).await.unwrap();
    let run = async |text: &str, settings: Settings, ask: bool| {
        dry_run_written(&stage.world.host, stage.account, &written(text), &settings, ask).await.unwrap()
    };
    // What needs no model is said without it.
    let not_asked = run("do you have red candles?", settings(here), false).await;
    assert!(not_asked.would_ask_model && decided(&not_asked).iter().all(|(by, ..)| *by != Consumer::Assistant));
    let person = run("I want to talk to a human", settings(here), true).await;
    let last = &person.would.last().unwrap().decision;
    assert_eq!((last.outcome, last.reason), (Outcome::HandedOver, Some(Reason::AskedForPerson)));
    let other = run("do you have red candles?", settings(elsewhere), true).await;
    let last = &other.would.last().unwrap().decision;
    assert_eq!((last.outcome, last.reason), (Outcome::Skipped, Some(Reason::OtherCollection)));
    assert!(model.asked().is_empty());

    let asked = run("do you have red candles?", settings(here), true).await;
    let last = asked.would.last().unwrap();
    assert_eq!((last.consumer, last.decision.outcome), (Consumer::Assistant, Outcome::Sent));
    assert_eq!(last.says, ["We have them."]);
    assert_eq!(model.asked()[0].of("user"), ["do you have red candles?"]);
    untouched(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_tries_a_message_in_place_of_a_conversation() {
    let stage = Stage::idle(|options| options).await;
    let place = stage.world.host.add_collection(WorkspaceId::FIRST, "all").await.unwrap();
    stage.told(&sorting(place)).await;
    let address = format!("/api/v1/automation/accounts/{}/dry-run", stage.account.public());
    let run = async |body: Value| stage.world.api("POST", &address, &JSON, body.to_string()).await;
    let answer = run(json!({ "message": { "text": "wow", "came_as": "story_reply" } })).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let all = answer.json()["data"].take();
    let shown: Vec<_> =
        all.as_array().unwrap().iter().map(|one| [&one["consumer"], &one["outcome"], &one["rule"]]).collect();
    assert_eq!(json!(shown), json!([["routing", "placed", "stories"], ["welcome", "sent", "welcome"]]));
    assert!(all[0]["conversation_id"].is_null() && all[0]["message_id"].is_null(), "{all}");
    // Other settings than the account's.
    let settings = json!({ "routing": { "on": true, "default": place.public() } });
    let answer = run(json!({ "message": { "text": "hi", "ad": "ad-7" }, "settings": settings })).await;
    assert_eq!(answer.json()["data"][0]["rule"], "default", "{}", answer.body);
    let answer = run(json!({ "message": { "text": " " } })).await;
    assert_eq!((answer.status, &answer.json()["path"]), (400, &json!("message")), "{}", answer.body);
    let answer = run(json!({ "message": { "text": "hi", "came_as": "pigeon" } })).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    untouched(&stage).await;
}
