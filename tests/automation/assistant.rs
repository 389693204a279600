//! Owns: when the assistant answers, with what, and what the model is given.
//! Does not own: hand-overs and attacks (`hostile`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{sync::Arc, time::Duration};

use channel_tests::{
    eventually, message,
    model::{Model, Says},
    text,
};
use harness_automation::{Consumer, Disclose, Outcome, Reason, hand_back};
use harness_contract::{Sender, SenderKind};
use harness_inbox::{ConversationChange, NewState};
use serde_json::json;
use tokio::sync::Notify;

use crate::automation_stage::{CUSTOMER, KEY, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_one_turn_with_one_answer_that_says_who_made_it_and_reads_nothing() {
    let model = Model::start(Says::Answer("We have them.".into())).await;
    let stage = Stage::assisted(&model, |assistant| {
        (assistant.pause_seconds, assistant.longest_pause_seconds) = (600, 3_600);
        assistant.temperature = Some(0.2);
    })
    .await;
    let customer = stage.world.sim.customer(CUSTOMER);
    for words in ["hello", "do you have", "red candles?"] {
        customer.text(words).await;
    }
    stage.world.settled().await;
    let conversation = stage.world.conversation(CUSTOMER).await;
    let newest = *stage.world.host.inbox().newest_change().borrow();
    let store = stage.world.host.automations();
    eventually("the whole turn", async || {
        let changes = stage.world.host.inbox().changes_after(0, None, 1_000).await.unwrap().changes;
        let last = changes.iter().rfind(|change| change.seq <= newest && change.kind.name() == "message.created")?.seq;
        store.open_turn(conversation).await.unwrap().filter(|turn| turn.seq == last)
    })
    .await;
    assert!(model.asked().is_empty(), "it waits for the customer to end");
    stage.world.advance(Duration::from_secs(600));
    let decision = stage.decided(Consumer::Assistant, 1).await;
    assert_eq!(stage.has_said(1).await, ["We have them."]);
    let made_by = decision.made_by.unwrap();
    assert_eq!((decision.outcome, &*made_by.model, made_by.tokens), (Outcome::Sent, "test-model", Some(120)));
    assert_eq!(made_by.instructions.len(), 12);

    let asked = model.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].of("user"), ["hello", "do you have", "red candles?"]);
    assert!(asked[0].of("system")[0].as_str().unwrap().starts_with("We sell candles."));
    assert_eq!(asked[0].headers["authorization"], format!("Bearer {KEY}"));
    let body = &asked[0].body;
    assert_eq!(
        (&body["model"], &body["stream"], &body["temperature"]),
        (&json!("test-model"), &json!(true), &json!(0.2))
    );
    assert!(!body.to_string().contains(CUSTOMER), "no id of the platform: {body}");

    // Typing was shown before the answer came, and neither bears a person's tag.
    let sends = stage.world.sends();
    assert_eq!(sends[0].body["sender_action"], "typing_on", "{sends:#?}");
    assert!(sends.iter().all(|sent| sent.body["tag"].is_null() && sent.body["messaging_type"] != "MESSAGE_TAG"));
    let timeline = stage.world.timeline(CUSTOMER).await;
    let author: Sender = serde_json::from_str(timeline.last().unwrap().author.get()).unwrap();
    assert_eq!((author.kind, author.id), (SenderKind::Bot, format!("test-model@{}", made_by.instructions)));
    assert_eq!(stage.unread(conversation).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_at_sentences_and_disclosed_as_the_settings_say() {
    let sentence = "Every candle is poured by hand from the wax of our own bees in the valley. ";
    let model = Model::start(Says::Answer(sentence.repeat(30))).await;
    let stage = Stage::assisted(&model, |assistant| {
        assistant.disclose = Disclose::First;
        assistant.disclosure = "This is an automatic answer.".into();
    })
    .await;
    let customer = stage.world.sim.customer(CUSTOMER);
    customer.text("tell me about them").await;
    let said = stage.has_said(3).await;
    assert!(said[0].starts_with("This is an automatic answer.\n\nEvery candle"), "{said:?}");
    assert!(said.iter().all(|part| part.len() <= 1000 && part.ends_with('.')), "{said:?}");
    stage.decided(Consumer::Assistant, 1).await;
    model.says(Says::Whole("Yes.".into()));
    customer.text("and red ones?").await;
    stage.decided(Consumer::Assistant, 2).await;
    let said = eventually("the answer", async || stage.said().into_iter().find(|said| said == "Yes.")).await;
    assert_eq!(said, "Yes.", "only the first answer is disclosed, and one that is not streamed is read too");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_silent_after_a_person_wrote_until_the_conversation_is_handed_back_or_closed() {
    let model = Model::start(Says::Echo).await;
    let stage = Stage::assisted(&model, |_| ()).await;
    let customer = stage.world.sim.customer(CUSTOMER);
    customer.text("one").await;
    assert_eq!(stage.has_said(1).await, ["about <one>"]);
    stage.decided(Consumer::Assistant, 1).await;
    let conversation = stage.world.conversation(CUSTOMER).await;
    stage.world.reply(conversation, "person", message(vec![text("I take over")])).await;
    customer.text("two").await;
    let decision = stage.decided(Consumer::Assistant, 2).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Skipped, Some(Reason::Person)));
    // Both clocks go on between what a person does and what comes after it.
    let later = || stage.world.advance(Duration::from_secs(60));
    later();
    hand_back(&stage.world.host, conversation).await.unwrap();
    later();
    customer.text("three").await;
    stage.decided(Consumer::Assistant, 3).await;
    eventually("the answer", async || stage.said().iter().any(|said| said == "about <three>").then_some(())).await;
    later();
    // In the platform's own app it is a person too.
    customer.business_writes_in_app("It is me, from the app").await;
    stage.world.settled().await;
    customer.text("four").await;
    assert_eq!(stage.decided(Consumer::Assistant, 4).await.reason, Some(Reason::Person));
    later();
    let change = ConversationChange { state: Some(NewState::Closed), ..ConversationChange::default() };
    stage.world.host.change_conversation(conversation, change).await.unwrap();
    later();
    customer.text("five").await;
    assert_eq!(stage.decided(Consumer::Assistant, 5).await.outcome, Outcome::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_what_was_unsent_meanwhile_is_thrown_away() {
    let gate = Arc::new(Notify::new());
    let model = Model::start(Says::Held("About your address.".into(), Arc::clone(&gate))).await;
    let stage = Stage::assisted(&model, |_| ()).await;
    let customer = stage.world.sim.customer(CUSTOMER);
    let secret = customer.text("my address is Elm Street 1").await;
    model.was_asked(1).await;
    customer.unsend(secret.mid()).await;
    stage.world.settled().await;
    model.says(Says::Echo);
    gate.notify_one();
    assert_eq!(stage.decided(Consumer::Assistant, 1).await.reason, Some(Reason::NothingToAnswer));
    customer.text("are you open?").await;
    assert_eq!(stage.has_said(1).await, ["about <are you open?>"]);
    assert!(!model.asked()[1].body.to_string().contains("Elm Street"), "what was unsent is not given to the model");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_writes_while_the_model_thinks_has_the_conversation() {
    let gate = Arc::new(Notify::new());
    let model = Model::start(Says::Held("Too late.".into(), Arc::clone(&gate))).await;
    let stage = Stage::assisted(&model, |_| ()).await;
    stage.world.sim.customer(CUSTOMER).text("hello").await;
    model.was_asked(1).await;
    let conversation = stage.world.conversation(CUSTOMER).await;
    stage.world.reply(conversation, "person", message(vec![text("Hello, it is me")])).await;
    gate.notify_one();
    assert_eq!(stage.decided(Consumer::Assistant, 1).await.reason, Some(Reason::Person));
    assert_eq!(stage.said(), ["Hello, it is me"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_takes_pictures_is_given_their_addresses_and_another_one_their_kind() {
    let model = Model::start(Says::Echo).await;
    for (pictures, expected) in [(false, json!("[image]")), (true, json!(null))] {
        let stage = Stage::assisted(&model, |assistant| assistant.pictures = pictures).await;
        stage.world.sim.customer(CUSTOMER).photo("https://lookaside.fbsbx.com/photo.jpg").await;
        stage.decided(Consumer::Assistant, 1).await;
        let given = model.asked().last().unwrap().of("user").pop().unwrap();
        if pictures {
            assert_eq!(given[1]["image_url"]["url"], "https://lookaside.fbsbx.com/photo.jpg", "{given}");
        } else {
            assert_eq!(given, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_when_the_window_has_closed() {
    let model = Model::start(Says::Echo).await;
    let mut stage = Stage::assisted(&model, |_| ()).await;
    stage.automation.take().unwrap().stop().await;
    stage.world.sim.customer(CUSTOMER).text("hello").await;
    stage.world.conversation(CUSTOMER).await;
    stage.world.advance(Duration::from_secs(25 * 3600));
    stage.start();
    assert_eq!(stage.decided(Consumer::Assistant, 1).await.reason, Some(Reason::Window));
    assert!(model.asked().is_empty() && stage.said().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_started_at_any_moment_it_greets_and_answers_everybody_once() {
    let model = Model::start(Says::Echo).await;
    let mut settings = crate::automation_stage::assisting(&model, |_| ());
    settings.welcome.on = true;
    settings.welcome.text = "Welcome!".into();
    let host = model.host.clone();
    let mut stage =
        Stage::with(&settings, |options| harness_engine::HostOptions { private_hosts: vec![host], ..options }).await;
    let people: Vec<String> = (0..12).map(|number| format!("55500{number:02}")).collect();
    for (number, person) in people.iter().enumerate() {
        stage.world.sim.customer(person).text(&format!("I am {number}")).await;
        // Dropped where it stands, as a crash would.
        drop(stage.automation.take());
        stage.start();
        if number % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    let said = stage.has_said(2 * people.len()).await;
    stage.caught_up().await;
    let said_at_last = stage.said();
    assert_eq!(said.len(), said_at_last.len(), "nothing came twice");
    assert_eq!(said_at_last.iter().filter(|said| *said == "Welcome!").count(), people.len());
    for number in 0..people.len() {
        let answers = said_at_last.iter().filter(|said| **said == format!("about <I am {number}>")).count();
        assert_eq!(answers, 1, "{said_at_last:?}");
    }
}
