//! Comments whose writer has no id: they are answered in private like others, and the conversation goes on once the
//! platform says who it is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, eventually, message, text};
use harness_contract::OutboundMessage;
use harness_inbox::{ActivityFilter, ActivityView, ConversationSummary, PublicId as _, ReplyVerdict, ReplyView};
use serde_json::Value;
use simulator::{Config, Customer, Fault};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

/// The customer comments without an id; the comment's activity.
async fn comment(world: &World, customer: &Customer) -> ActivityView {
    let post = world.sim.accounts()[0].own_posts[0].clone();
    let comment = customer.comment_without_id(&post, "Is this in stock?").await;
    let found = eventually("the comment", async || {
        let activities = world
            .host
            .inbox()
            .activities_before(ActivityFilter { kind: Some("comment".into()), ..ActivityFilter::default() }, None, 100)
            .await
            .unwrap();
        activities.entries.into_iter().find(|activity| activity.body.get().contains(comment.mid()))
    })
    .await;
    assert_eq!(found.contact, None, "{found:?}");
    found
}

async fn answer(world: &World, activity: &ActivityView, words: &str) -> ReplyView {
    let body: Value = serde_json::from_str(activity.body.get()).unwrap();
    let comment = body["comment"]["id"].as_str().unwrap();
    let private = OutboundMessage { private_reply_to: Some(comment.into()), ..message(vec![text(words)]) };
    let view = world.reply(activity.conversation.unwrap(), comment, private).await;
    let sent = world.sends().pop().unwrap_or_else(|| panic!("nothing was sent: {view:?}"));
    assert_eq!(sent.body["recipient"]["comment_id"], comment, "{sent:?}");
    view
}

async fn conversations(world: &World) -> Vec<ConversationSummary> {
    world.host.inbox().conversations(100).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_without_its_writers_id_is_answered_in_private_and_the_conversation_goes_on() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let activity = comment(&world, &customer).await;
    let again = comment(&world, &customer).await;
    let id = activity.conversation.unwrap();
    assert_eq!(again.conversation, Some(id), "one conversation for each user name");
    let all = conversations(&world).await;
    let told: Value = serde_json::from_str(activity.body.get()).unwrap();
    let username = told["comment"]["username"].as_str().map(str::to_owned);
    assert!(username.is_some(), "{told:#}");
    assert_eq!(all.iter().map(|one| (one.id, &one.contact, &one.name)).collect::<Vec<_>>(), [(id, &None, &username)]);
    let shown = world.api("GET", &format!("/api/v1/conversations/{}", id.public()), &[], vec![]).await;
    assert!(shown.status == 200 && shown.json()["contact"]["identifiers"] == serde_json::json!({}), "{}", shown.body);
    // Nothing else can be written to somebody without an id.
    let refused = world.reply(id, "plain", message(vec![text("Hello?")])).await;
    assert_eq!((refused.verdict, world.sends().len()), (ReplyVerdict::Refused, 0), "{refused:?}");
    let view = answer(&world, &activity, "Yes, in private.").await;
    assert_eq!(view.verdict, ReplyVerdict::Sent, "{view:?}");
    assert_eq!(world.conversation(CUSTOMER).await, id);
    customer.text("Thank you!").await;
    world.settled().await;
    let timeline = world.timeline(CUSTOMER).await;
    let words: Vec<_> = timeline.iter().map(|entry| entry.text.as_deref().unwrap()).collect();
    assert_eq!((words, conversations(&world).await.len()), (vec!["Hello?", "Yes, in private.", "Thank you!"], 1));
    // The person is known by the id now, and so is written to.
    let view = world.reply(id, "later", message(vec![text("You are welcome.")])).await;
    assert_eq!(view.verdict, ReplyVerdict::Sent, "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_such_a_comment_goes_on_in_the_conversation_that_the_person_has_already() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let theirs = world.conversation(CUSTOMER).await;
    let activity = comment(&world, &customer).await;
    assert_ne!(activity.conversation, Some(theirs));
    let view = answer(&world, &activity, "Yes, in private.").await;
    assert_eq!((view.verdict, view.conversation), (ReplyVerdict::Sent, theirs), "{view:?}");
    world.echoed("Yes, in private.").await;
    world.settled().await;
    let timeline = world.timeline(CUSTOMER).await;
    let words: Vec<_> = timeline.iter().map(|entry| entry.text.as_deref().unwrap()).collect();
    assert_eq!((words, conversations(&world).await.len()), (vec!["hello", "Yes, in private."], 1));
    let activities = world
        .host
        .inbox()
        .activities_before(ActivityFilter { conversation: Some(theirs), ..ActivityFilter::default() }, None, 100)
        .await
        .unwrap()
        .entries;
    assert_eq!((activities.len(), activities[0].contact.as_deref()), (1, Some(CUSTOMER)), "{activities:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_answer_is_lost_the_echo_says_whose_conversation_it_is() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let activity = comment(&world, &customer).await;
    world.sim.inject(Fault::graph_error(1, None).taking_effect());
    let view = answer(&world, &activity, "Yes, in private.").await;
    let theirs = world.conversation(CUSTOMER).await;
    let view = eventually("the echo's word", async || {
        let view = world.host.inbox().reply(view.id).await.unwrap();
        (view.verdict == ReplyVerdict::Sent).then_some(view)
    })
    .await;
    assert_eq!((view.conversation, conversations(&world).await.len()), (theirs, 1), "{view:?}");
    assert_eq!(world.timeline(CUSTOMER).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_profile_is_asked_for_under_a_name_that_stands_for_an_id() {
    let world = World::new().await;
    let activity = comment(&world, &world.sim.customer(CUSTOMER)).await;
    let due = world.host.whole_inbox().due_profiles(u64::MAX / 2, 100).await.unwrap();
    assert!(activity.conversation.is_some() && due.is_empty(), "{due:?}");
}
