//! Scripted faults: what a client meets instead of the truth, and whether the message went out.
//! What belongs here: one test per kind of fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::time::Duration;

use common::{ANA, Graph, IG, SOON, eventually, login, pair, request};
use http::Method;
use serde_json::{Value, json};
use simulator::{Config, Fault, Locale, Login, Scope, Simulator};

async fn open() -> (Simulator, Graph, Graph) {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    sim.customer(ANA).text("hi").await;
    let [facebook, instagram] = Graph::both(&sim);
    (sim, facebook, instagram)
}

fn hello() -> Value {
    json!({"text": "hello"})
}

#[tokio::test]
async fn the_next_sends_fail_as_scripted_and_then_work_again() {
    let (sim, graph, _) = open().await;
    sim.inject(Fault::graph_error(2, None).times(2));
    sim.inject(Fault::graph_error(10, 2_534_022));
    for expected in [(500, (2, None)), (500, (2, None)), (400, (10, Some(2_534_022)))] {
        let answer = graph.message(hello()).await;
        assert_eq!((answer.status, answer.error()), expected);
    }
    assert_eq!(graph.message(hello()).await.status, 200);
    assert!(sim.pending_faults().is_empty());
    let verdicts: Vec<_> = sim.requests().into_iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts[0].fault.as_deref(), Some("graph_error"));
    assert_eq!((verdicts[0].accepted, verdicts[3].accepted), (false, true));
    assert_eq!(sim.customer(ANA).transcript().len(), 2);
}

#[tokio::test]
async fn errors_can_be_localised_marked_transient_and_hidden_in_a_200() {
    let (sim, graph, instagram) = open().await;
    sim.inject(Fault::graph_error(190, 460).localised(Locale::German));
    let answer = instagram.message(hello()).await;
    assert_eq!(answer.error(), (190, Some(460)));
    assert!(answer.json()["error"]["message"].as_str().unwrap().starts_with("Fehler"));
    sim.inject(Fault::error_in_200(100, 2_534_014).transient(false));
    let answer = graph.message(hello()).await;
    assert_eq!((answer.status, answer.error()), (200, (100, Some(2_534_014))));
    assert_eq!(answer.json()["error"]["is_transient"], false);
}

#[tokio::test]
async fn answers_that_are_not_graph_documents() {
    let (sim, graph, _) = open().await;
    sim.inject(Fault::html(502));
    let answer = graph.message(hello()).await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.starts_with("<!DOCTYPE html>") && answer.header("content-type").starts_with("text/html"));
    sim.inject(Fault::empty_body(200));
    let answer = graph.message(hello()).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    sim.inject(Fault::not_json());
    let answer = graph.message(hello()).await;
    assert!(serde_json::from_str::<Value>(&answer.body).is_err());
    assert!(sim.customer(ANA).last_reply().is_none());
}

#[tokio::test]
async fn a_dropped_connection_tells_nothing_about_the_message() {
    let (sim, receiver) = pair().await;
    sim.customer(ANA).text("hi").await;
    let graph = Graph::facebook(&sim);
    let body = json!({"recipient": {"id": ANA}, "message": hello()});
    sim.inject(Fault::drop_before_accepting());
    assert!(graph.try_send(&body).await.is_err());
    assert!(sim.customer(ANA).last_reply().is_none());

    sim.inject(Fault::drop_after_accepting());
    assert!(graph.try_send(&body).await.is_err());
    assert!(sim.customer(ANA).last_reply().is_some());
    sim.wait_for_deliveries(2, SOON).await.unwrap();
    assert_eq!(receiver.last().item()["message"]["is_echo"], true);
    let verdicts: Vec<_> = sim.requests().into_iter().map(|record| record.verdict).collect();
    assert_eq!((verdicts[0].accepted, verdicts[0].status), (false, None));
    assert_eq!((verdicts[1].accepted, verdicts[1].status), (true, None));
    assert!(verdicts[1].message_id.is_some());
}

#[tokio::test]
async fn half_of_an_answer_tells_nothing_either_and_the_message_is_there() {
    let (sim, graph, _) = open().await;
    sim.inject(Fault::cut_off());
    assert!(graph.try_send(&json!({"recipient": {"id": ANA}, "message": hello()})).await.is_err());
    assert!(sim.customer(ANA).last_reply().is_some());
    let verdict = sim.requests().remove(0).verdict;
    assert_eq!((verdict.accepted, verdict.status, verdict.fault.as_deref()), (true, Some(200), Some("cut_off")));
}

#[tokio::test]
async fn a_batch_that_was_sent_can_still_answer_with_an_error() {
    let (sim, graph, _) = open().await;
    sim.inject(Fault::graph_error(1, 1_357_046).taking_effect());
    assert_eq!(graph.message(hello()).await.error(), (1, Some(1_357_046)));
    assert!(sim.customer(ANA).last_reply().is_some());
}

#[tokio::test]
async fn a_delay_holds_only_the_answer_back() {
    let (sim, graph, _) = open().await;
    let hour = Duration::from_secs(3600);
    sim.inject(Fault::delay(hour));
    let mut sending = std::pin::pin!(graph.message(hello()));
    tokio::select! {
        biased;
        answer = &mut sending => panic!("answered within the hour: {answer:?}"),
        seen = sim.wait_for_requests(1, SOON) => assert_eq!(seen.unwrap().len(), 1),
    }
    assert!(sim.customer(ANA).last_reply().is_some());
    let answer = async {
        tokio::select! {
            answer = &mut sending => answer,
            // The delay begins a moment after the record of the request, so the hour passes until it is over.
            () = eventually(async || { sim.clock().advance(hour); false }) => unreachable!(),
        }
    };
    assert_eq!(answer.await.status, 200);
}

#[tokio::test]
async fn an_answer_is_held_until_it_is_let_go_and_its_echo_comes_afterwards() {
    let (sim, receiver) = pair().await;
    sim.customer(ANA).text("hi").await;
    let graph = Graph::facebook(&sim);
    sim.inject(Fault::held());
    let mut sending = std::pin::pin!(graph.message(hello()));
    tokio::select! {
        biased;
        answer = &mut sending => panic!("not held: {answer:?}"),
        held = sim.wait_for_held_answers(1, SOON) => held.unwrap(),
    }
    assert!(sim.customer(ANA).last_reply().is_some());
    assert_eq!((receiver.arrived().len(), sim.release_answers()), (1, 1));
    assert_eq!(sending.await.status, 200);
    sim.wait_for_deliveries(2, SOON).await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_fills_the_usage_headers() {
    let (sim, facebook, instagram) = open().await;
    sim.inject(Fault::rate_limited(7).times(2));
    let answer = facebook.message(hello()).await;
    assert_eq!(answer.error(), (613, Some(2_534_040)));
    let usage: Value = serde_json::from_str(answer.header("x-business-use-case-usage")).unwrap();
    let page = &sim.accounts()[0].page.clone().unwrap().id;
    assert_eq!(usage[page.as_str()][0]["estimated_time_to_regain_access"], 7);
    let answer = instagram.message(hello()).await;
    assert_eq!(answer.header("x-app-usage"), r#"{"call_volume":100,"cpu_time":50}"#);
}

#[tokio::test]
async fn a_dead_token_stays_dead_on_its_host_while_webhooks_go_on() {
    let (sim, receiver) = pair().await;
    let ana = sim.customer(ANA);
    ana.text("hi").await;
    let [facebook, instagram] = Graph::both(&sim);
    sim.inject(Fault::token_dead());
    for _ in 0..2 {
        let answer = facebook.message(hello()).await;
        assert_eq!((answer.status, answer.error()), (401, (190, Some(463))));
    }
    assert_eq!(facebook.get(&format!("/{ANA}")).await.error(), (190, Some(463)));
    assert_eq!(instagram.message(hello()).await.status, 200);
    assert_eq!(ana.text("still here").await.status(), Some(200));
    assert_eq!(receiver.last().signed_by, Some("facebook"));
    sim.set_token_dead(IG, Login::Facebook, None);
    assert_eq!(facebook.message(hello()).await.status, 200);
}

#[tokio::test]
async fn a_fault_waits_for_the_kind_of_request_that_it_names() {
    let (sim, graph, _) = open().await;
    sim.inject(Fault::graph_error(230, None).on(Scope::Profiles));
    sim.inject(Fault::html(500).on(Scope::Actions));
    assert_eq!(graph.message(hello()).await.status, 200);
    assert_eq!(graph.get(&format!("/{ANA}")).await.error(), (230, None));
    assert_eq!(graph.send(&json!({"recipient": {"id": ANA}, "sender_action": "typing_on"})).await.status, 500);
    sim.inject(Fault::html(500).on(Scope::Everything));
    assert_eq!(graph.get("/me").await.status, 500);
    sim.inject(Fault::html(500));
    sim.clear_faults();
    assert_eq!(graph.message(hello()).await.status, 200);
}

#[tokio::test]
async fn waiting_for_what_does_not_come_ends_with_the_count() {
    let (sim, ..) = open().await;
    let error = sim.wait_for_requests(1, Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.to_string(), "waited 20 ms for 1 Graph requests, saw 0");
}

#[tokio::test]
async fn the_way_of_connecting_can_fail_step_by_step() {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let dialog = login::instagram_dialog(&sim, login::INSTAGRAM_SCOPES);
    let code = login::code(&login::press(&dialog, "continue").await);
    let url = format!("{}/oauth/access_token", sim.api_instagram_url());
    sim.inject(Fault::drop_before_accepting().on(Scope::Login));
    sim.inject(Fault::html(502).on(Scope::Login));
    sim.inject(Fault::graph_error(1, None).on(Scope::Login));
    assert!(request(Method::POST, &url, &[], "").await.is_err());
    assert_eq!(login::instagram_token(&sim, &code).await.status, 502);
    let refused = login::instagram_token(&sim, &code).await;
    assert_eq!((refused.status, &refused.json()["error_type"]), (400, &json!("OAuthException")));
    // None of them used the code; an answer that is lost after the work uses it.
    sim.inject(Fault::html(502).taking_effect().on(Scope::Login));
    assert_eq!(login::instagram_token(&sim, &code).await.status, 502);
    assert_eq!(login::instagram_token(&sim, &code).await.status, 400);
    let verdicts: Vec<_> = sim.requests().into_iter().map(|request| request.verdict).collect();
    assert_eq!(
        verdicts.iter().map(|verdict| verdict.status).collect::<Vec<_>>(),
        [None, Some(502), Some(400), Some(502), Some(400)]
    );
    assert!(verdicts[3].accepted && verdicts[3].fault.as_deref() == Some("html"));

    let person = sim.person().token.expose().to_owned();
    sim.inject(Fault::graph_error(4, None).on(Scope::Accounts));
    sim.inject(Fault::graph_error(2, None).on(Scope::Subscriptions));
    sim.inject(Fault::rate_limited(5).on(Scope::Conversations));
    let graph = Graph::facebook(&sim);
    assert_eq!(graph.get("/me").await.status, 200);
    assert_eq!(login::facebook(&sim, &person, "/me/accounts", &[]).await.error(), (4, None));
    assert_eq!(graph.subscribe().await.error(), (2, None));
    assert_eq!(graph.get("/me/conversations?platform=instagram").await.error(), (613, Some(2_534_040)));
    assert!(sim.pending_faults().is_empty());
}
