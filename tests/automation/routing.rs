//! Owns: which collection, labels and people a conversation gets.
//! Does not own: collections and labels themselves (`team`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::eventually;
use harness_automation::{Condition, Consumer, Outcome, Reason, Routing, Rule, Settings, dry_run};
use harness_inbox::{Accepted, CollectionId, ConversationChange, NewUser, Role, UserId, WorkspaceId};

use crate::automation_stage::Stage;

const TEAM: WorkspaceId = WorkspaceId::FIRST;

async fn collection(stage: &Stage, name: &str) -> CollectionId {
    stage.world.host.add_collection(TEAM, name).await.unwrap()
}

async fn user(stage: &Stage, name: &str) -> UserId {
    let accepted = Accepted::Password("$argon2id$none".into());
    let new = NewUser {
        workspace: TEAM,
        email: format!("{name}@example.com"),
        name: name.into(),
        role: Role::Agent,
        accepted,
    };
    stage.world.host.users().create_user(new, stage.world.host.clock().now()).await.unwrap()
}

fn rule(name: &str, when: Condition, collection: CollectionId) -> Rule {
    Rule { name: name.into(), when, collection: Some(collection), ..Rule::default() }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn routing(default: Option<CollectionId>, rules: Vec<Rule>) -> Settings {
    Settings { on: true, routing: Routing { on: true, default, rules }, ..Settings::default() }
}

/// Waits for the first decision about a conversation, and returns the rule that made it and where it lies.
async fn placed(stage: &Stage, customer: &str) -> (String, Option<CollectionId>) {
    let id = stage.world.conversation(customer).await;
    let rule = eventually("a decision", async || {
        let log = stage.log().await;
        let own = log.iter().find(|row| row.conversation == Some(id))?;
        let decision: harness_automation::Decision = serde_json::from_str(&own.decision).unwrap();
        Some(decision.rule)
    })
    .await;
    (rule, stage.world.host.inbox().conversation(id).await.unwrap().collection)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_rule_that_fits_puts_a_conversation_into_its_collection() {
    let mut stage = Stage::idle(|options| options).await;
    let mut into = Vec::new();
    for name in ["ads", "links", "stories", "comments", "refunds", "german", "rest"] {
        into.push(collection(&stage, name).await);
    }
    let when = Condition::default;
    let rules = vec![
        rule("ads", Condition { referral: words(&["ad"]), ad: words(&["ad-7"]), ..when() }, into[0]),
        rule("links", Condition { ref_parameter: words(&["summer"]), ..when() }, into[1]),
        rule("stories", Condition { story_reply: Some(true), ..when() }, into[2]),
        rule("comments", Condition { comment: Some(true), ..when() }, into[3]),
        rule("refunds", Condition { keywords: words(&["rückgabe", "money back"]), ..when() }, into[4]),
        rule("german", Condition { languages: words(&["de"]), ..when() }, into[5]),
    ];
    stage.told(&routing(Some(into[6]), rules)).await;
    stage.start();
    let sim = &stage.world.sim;
    sim.customer("5550001").text_from_ad("hi", "x", "ad-7", "Candles").await;
    sim.customer("5550002").text_from_ad("hi", "x", "ad-8", "Candles").await;
    sim.customer("5550003").text_from_link("hi", "summer").await;
    sim.customer("5550004").story_reply("story-1", "https://lookaside.fbsbx.com/story", "wow").await;
    let post = sim.accounts()[0].own_posts[0].clone();
    sim.customer("5550005").comment(&post, "Is this in stock?").await;
    sim.customer("5550006").text("RUCKGABE bitte!").await;
    sim.customer("5550007").text("Hallo, ich möchte wissen, wann meine Bestellung ankommt.").await;
    sim.customer("5550008").text("I want my money, back then I was rich").await;
    sim.customer("5550009").text("hello").await;
    for (customer, rule, collection) in [
        ("5550001", "ads", into[0]),
        ("5550002", "default", into[6]),
        ("5550003", "links", into[1]),
        ("5550004", "stories", into[2]),
        ("5550005", "comments", into[3]),
        ("5550006", "refunds", into[4]),
        ("5550007", "german", into[5]),
        ("5550008", "refunds", into[4]),
        ("5550009", "default", into[6]),
    ] {
        assert_eq!(placed(&stage, customer).await, (rule.to_owned(), Some(collection)), "{customer}");
    }
    // What lies in the default collection is still looked at; what a rule placed is not.
    sim.customer("5550009").text("my money back, please").await;
    sim.customer("5550003").text("money back").await;
    let later = stage.world.conversation("5550009").await;
    eventually("the rule", async || {
        let collection = stage.world.host.inbox().conversation(later).await.unwrap().collection;
        (collection == Some(into[4])).then_some(())
    })
    .await;
    stage.caught_up().await;
    assert_eq!(placed(&stage, "5550003").await.1, Some(into[1]));
    assert_eq!(stage.unread(later).await, 2, "a rule reads nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_added_and_people_take_turns_and_what_a_person_moved_stays() {
    let mut stage = Stage::idle(|options| options).await;
    let (vip, other) = (collection(&stage, "vip").await, collection(&stage, "other").await);
    let label = stage.world.host.add_label(TEAM, "urgent", "red").await.unwrap();
    let people = [user(&stage, "ada").await, user(&stage, "bob").await];
    let fits = Condition { keywords: words(&["now"]), ..Condition::default() };
    let rule = Rule { labels: vec![label], assign: people.to_vec(), ..rule("urgent", fits, vip) };
    stage.told(&routing(None, vec![rule])).await;
    stage.start();
    let mut assignees = Vec::new();
    for customer in ["5550001", "5550002", "5550003"] {
        stage.world.sim.customer(customer).text("I need it now").await;
        placed(&stage, customer).await;
        let id = stage.world.conversation(customer).await;
        let row = stage.world.host.inbox().conversation(id).await.unwrap();
        assert_eq!((row.labels, row.collection), (vec![label], Some(vip)));
        assignees.push(row.assignee.unwrap());
    }
    assert_eq!(assignees, [people[0], people[1], people[0]]);
    // A person moves a conversation before any rule fits.
    stage.world.sim.customer("5550004").text("hello").await;
    let moved = stage.world.conversation("5550004").await;
    stage.caught_up().await;
    let change = ConversationChange { collection: Some(Some(other)), ..ConversationChange::default() };
    stage.world.host.change_conversation(moved, change).await.unwrap();
    stage.world.sim.customer("5550004").text("now").await;
    let decision = stage.decided(Consumer::Routing, 4).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Skipped, Some(Reason::PlacedByPerson)));
    assert_eq!(stage.world.host.inbox().conversation(moved).await.unwrap().collection, Some(other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_have_been_done_and_does_nothing() {
    let stage = Stage::idle(|options| options).await;
    let refunds = collection(&stage, "refunds").await;
    let customer = stage.world.sim.customer("5550001");
    customer.text("hello").await;
    customer.text("my money back").await;
    stage.world.settled().await;
    let id = stage.world.conversation("5550001").await;
    let fits = Condition { keywords: words(&["money back"]), ..Condition::default() };
    let mut settings = routing(None, vec![rule("refunds", fits, refunds)]);
    settings.welcome.on = true;
    settings.welcome.text = "Hello!".into();
    let run = dry_run(&stage.world.host, id, &settings, false).await.unwrap();
    let shown: Vec<_> = run.would.iter().map(|one| (one.consumer, one.decision.outcome, &*one.decision.rule)).collect();
    assert_eq!(
        shown,
        [
            (Consumer::Welcome, Outcome::Sent, "welcome"),
            (Consumer::Routing, Outcome::Placed, "refunds"),
            (Consumer::Welcome, Outcome::Skipped, "welcome"),
        ]
    );
    assert!(stage.said().is_empty() && stage.log().await.is_empty());
    assert_eq!(stage.world.host.inbox().conversation(id).await.unwrap().collection, None);
}
