//! Connecting accounts: what the dialog may answer, to whom a link belongs, what is kept and forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{fs, time::Duration};

use channel_tests::{PATIENCE, World, dialog::Person, eventually, message, request, text};
use harness_engine::{ConnectError, ConnectStage, HostError};
use harness_inbox::{AccountState, ReplyState, StepState};
use simulator::{AnswerForm, Config, Login, Simulator, Subject};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn unconnected() -> World {
    World::unconnected(Config::demo()).await
}

fn failed(stage: &ConnectStage) -> &str {
    match stage {
        ConnectStage::Failed { sentence } => sentence,
        other => panic!("expected a failure: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_listed_with_the_reason_why_it_cannot_be_chosen() {
    let world = World::unconnected(Config::crowded()).await;
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &[]).await;
    let ConnectStage::Choosing { candidates } = person.returns(&query).await.unwrap() else { panic!() };
    let obstacle = |name: &str| {
        let found = candidates.iter().find(|candidate| candidate.name.contains(name));
        found.unwrap_or_else(|| panic!("{name} is not among {candidates:?}")).obstacle.clone()
    };
    assert_eq!(obstacle("Demo Page 1"), None);
    let not_linked = candidates.iter().filter_map(|candidate| candidate.obstacle.as_deref());
    let not_linked: Vec<_> = not_linked.collect();
    assert!(not_linked.iter().any(|sentence| sentence.contains("business or creator")), "{not_linked:?}");
    assert!(
        not_linked.iter().any(|sentence| sentence.contains("MESSAGING") && sentence.contains("dmin")),
        "{not_linked:?}"
    );

    let barred = candidates.iter().find(|candidate| candidate.obstacle.is_some()).unwrap();
    assert!(matches!(person.chooses(&barred.id).await, Err(HostError::Connect(ConnectError::NoCandidate))));
    let first = candidates.iter().find(|candidate| candidate.obstacle.is_none()).unwrap();
    assert!(matches!(person.chooses(&first.id).await.unwrap(), ConnectStage::Connected { .. }));
    // The button was pressed twice.
    assert!(matches!(person.chooses(&first.id).await, Err(HostError::Connect(ConnectError::OutOfOrder))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_was_not_given_is_named() {
    let world = unconnected().await;
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &["instagram_manage_messages"]).await;
    let stage = person.returns(&query).await.unwrap();
    let said = match &stage {
        ConnectStage::Choosing { candidates } => candidates[0].obstacle.clone().unwrap_or_default(),
        other => failed(other).to_owned(),
    };
    assert!(said.contains("instagram_manage_messages"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_the_token_answer_are_taken() {
    for form in [AnswerForm::Flat, AnswerForm::Wrapped] {
        let world = unconnected().await;
        world.sim.update_app(|app| {
            app.instagram_token_answer = form;
            app.instagram_me_answer = form;
        });
        let row = Person::new(&world).await.connects("instagram").await;
        let account = world.host.inbox().account_row(row).await.unwrap();
        assert_eq!(account.platform_id, world.sim.accounts()[0].ig_id);
        assert!(account.refresh_before.unwrap() > world.clock.now() + 50 * 86_400_000, "{account:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_counts_once_in_its_own_browser_and_in_time() {
    let world = unconnected().await;
    let person = Person::new(&world).await;
    let dialog = person.visits("instagram").await;
    let query = person.permits(&dialog, &[]).await;

    let forged = query.replace("state=", "state=x");
    assert!(matches!(person.returns(&forged).await, Err(HostError::Connect(ConnectError::Repeated))));
    for cookies in [&[][..], &["another-browser"]] {
        let other = world.host.connect_callback("instagram", &query, cookies).await;
        assert!(matches!(other, Err(HostError::Connect(ConnectError::OtherBrowser))), "{other:?}");
    }
    // Whoever else comes with it leaves it to its own browser, and that one may come twice.
    let exchanges = || world.sim.requests().iter().filter(|record| record.body.get("code").is_some()).count();
    for _ in 0..2 {
        assert!(matches!(person.returns(&query).await.unwrap(), ConnectStage::Connected { .. }));
        assert_eq!(exchanges(), 1, "the platform is asked once");
    }

    let late = Person::new(&world).await;
    let dialog = late.visits("instagram").await;
    let query = late.permits(&dialog, &[]).await;
    world.clock.advance(Duration::from_secs(21 * 60));
    assert!(matches!(late.returns(&query).await, Err(HostError::Connect(ConnectError::Expired))));
    assert_eq!(world.host.inbox().accounts().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_and_used_codes_end_with_a_sentence_and_one_can_go_on() {
    let world = unconnected().await;
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.cancels(&dialog).await;
    let stage = person.returns(&query).await.unwrap();
    assert!(failed(&stage).contains("not permitted"), "{stage:?}");

    // A code that somebody used before: the platform says so.
    let first = Person::new(&world).await;
    let dialog = first.visits("instagram").await;
    let used = first.permits(&dialog, &[]).await;
    first.returns(&used).await.unwrap();
    let dialog = person.visits("instagram").await;
    let fresh = person.permits(&dialog, &[]).await;
    let state = fresh.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    let code = used.split('&').find(|pair| pair.starts_with("code=")).unwrap();
    let stage = person.returns(&format!("{code}&{state}")).await.unwrap();
    assert!(failed(&stage).contains("begin again") || failed(&stage).contains("again"), "{stage:?}");
    person.connects("facebook").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_comes_through_the_other_login_keeps_its_conversations_and_stays_one() {
    let world = unconnected().await;
    let first = Person::new(&world).await.connects("facebook").await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let second = Person::new(&world).await.connects("instagram").await;
    assert_eq!(first, second);
    assert_eq!(world.conversation(CUSTOMER).await, conversation);
    let ig_id = &world.sim.accounts()[0].ig_id;
    assert!(world.sim.subscribed_fields(ig_id, Login::Facebook).is_empty(), "the earlier way is left");
    assert!(!world.sim.subscribed_fields(ig_id, Login::Instagram).is_empty());
    let slots: Vec<String> =
        world.host.whole_inbox().credentials().await.unwrap().into_iter().map(|credential| credential.slot).collect();
    assert!(!slots.iter().any(|slot| slot == "page-token"), "{slots:?}");
    let reply = world.reply(conversation, "1", message(vec![text("hi")])).await;
    assert_eq!(reply.steps[0].state, StepState::Sent, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_comes_through_another_page_keeps_its_conversations() {
    let world = unconnected().await;
    let first = Person::new(&world).await.connects("facebook").await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let ig_id = world.sim.accounts()[0].ig_id.clone();
    let another = simulator::AccountConfig::demo(7).page;
    world.sim.update_account(&ig_id, |account| account.page = another).unwrap();
    let second = Person::new(&world).await.connects("facebook").await;
    assert_eq!((first, world.host.inbox().accounts().await.unwrap().len()), (second, 1));
    world.sim.customer(CUSTOMER).text("still me").await;
    world.settled().await;
    assert_eq!(world.conversation(CUSTOMER).await, conversation);
    assert_eq!(world.timeline(CUSTOMER).await.len(), 2);
    let reply = world.reply(conversation, "1", message(vec![text("hi")])).await;
    assert_eq!(reply.steps[0].state, StepState::Sent, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_keeps_or_deletes_the_conversations_as_asked() {
    let world = unconnected().await;
    let row = Person::new(&world).await.connects("facebook").await;
    world.sim.customer(CUSTOMER).text("a very particular sentence").await;
    let conversation = world.conversation(CUSTOMER).await;
    world.settled().await;
    world.host.disconnect(row, false).await.unwrap();
    assert_eq!(world.timeline(CUSTOMER).await.len(), 1);
    let reply = world.reply(conversation, "1", message(vec![text("hi")])).await;
    assert_eq!(reply.state, ReplyState::Refused);
    assert!(reply.violations[0].message.contains("disconnected"), "{reply:?}");

    assert_eq!(Person::new(&world).await.connects("facebook").await, row);
    world.host.disconnect(row, true).await.unwrap();
    world.settled().await;
    assert!(world.host.inbox().conversations(10).await.unwrap().is_empty());
    let connection = rusqlite::Connection::open(world.inbox_file()).unwrap();
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM delivery WHERE instr(body, 'a very particular') > 0", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 0, "the raw deliveries are emptied too");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_again_is_told_that_what_was_deleted_stays_deleted() {
    let world = unconnected().await;
    let person = Person::new(&world).await;
    let row = person.connects("facebook").await;
    let told = async || {
        let answer = world.api("GET", "/api/v1/accounts", &[], vec![]).await;
        answer.json()["data"][0]["conversations_deleted_at"].clone()
    };
    world.host.disconnect(row, false).await.unwrap();
    assert_eq!(told().await, serde_json::Value::Null, "nothing was deleted");
    assert_eq!(Person::new(&world).await.connects("facebook").await, row);
    world.host.disconnect(row, true).await.unwrap();
    let again = Person::new(&world).await;
    assert_eq!(again.connects("facebook").await, row);
    assert!(told().await.is_string(), "{}", told().await);
    let cookie = format!("harness-connect={}", again.cookie);
    let url = format!("{}/connect/{}", world.address, again.ticket);
    let page = request("GET", &url, &[("cookie", &cookie)], Vec::new()).await.body;
    assert!(page.contains("They stay deleted"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_app_is_noticed_and_our_own_leaving_is_not_mistaken_for_it() {
    for login in ["facebook", "instagram"] {
        let world = unconnected().await;
        let row = Person::new(&world).await.connects(login).await;
        let state = async || world.host.inbox().account_row(row).await.unwrap();
        let ig_id = world.sim.accounts()[0].ig_id.clone();
        let subject = if login == "facebook" { Subject::Person } else { Subject::Account(ig_id) };
        let answer = world.sim.deauthorize(&subject).await.unwrap();
        assert_eq!(answer.status, Some(200), "{answer:?}");
        eventually("the account's state", async || (state().await.state == AccountState::NeedsReconnect).then_some(()))
            .await;
        // Which of the two is noticed first: the platform's word, or that its token is dead.
        let problem = state().await.problem.unwrap();
        assert!(problem.contains("onnect the account again"), "{problem}");

        assert_eq!(Person::new(&world).await.connects(login).await, row);
        assert_eq!(state().await.state, AccountState::Connected);
        world.host.disconnect(row, false).await.unwrap();
        if login == "facebook" {
            world.sim.wait_for_callbacks(2, PATIENCE).await.unwrap();
            world.settled().await;
        }
        assert_eq!(state().await.state, AccountState::Disconnected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_request_is_honoured_and_its_state_can_be_read() {
    let world = unconnected().await;
    let row = Person::new(&world).await.connects("facebook").await;
    world.sim.customer(CUSTOMER).text("please forget this sentence").await;
    world.conversation(CUSTOMER).await;
    let answer = world.sim.request_deletion(&Subject::Person).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let (url, code) = (body["url"].as_str().unwrap(), body["confirmation_code"].as_str().unwrap());
    assert!(url.ends_with(code));
    eventually("the deletion", async || {
        let page = request("GET", url, &[], Vec::new()).await.body;
        page.contains("Done").then_some(())
    })
    .await;
    let account = world.host.inbox().account_row(row).await.unwrap();
    assert_eq!((account.state, account.username), (AccountState::Disconnected, None));
    assert!(world.host.inbox().conversations(10).await.unwrap().is_empty());
    assert!(world.host.whole_inbox().credentials().await.unwrap().is_empty());

    let forged = simulator::signed_request(&"another-secret".into(), &serde_json::json!({"user_id": "1"}));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let address = format!("{}/callbacks/instagram/data-deletion", world.address);
    let answer = request("POST", &address, &headers, format!("signed_request={forged}").into_bytes()).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_survive_a_restart_sealed_and_another_key_costs_a_reconnect_and_no_message() {
    let world = unconnected().await;
    Person::new(&world).await.connects("instagram").await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let (sim, clock, folder) = world.stop().await;

    let again = restart(folder.path(), &sim, &clock).await;
    let queued = again.reply(conversation, "1", message(vec![text("back")])).await.unwrap();
    eventually("the reply", async || {
        let view = again.inbox().reply(queued.reply).await.unwrap();
        (view.steps.first().is_some_and(|step| step.state == StepState::Sent)).then_some(())
    })
    .await;
    channel_tests::end(again, folder.path()).await;

    fs::write(folder.path().join("vault.key"), "ab".repeat(32)).unwrap();
    let other = restart(folder.path(), &sim, &clock).await;
    let account = other.inbox().accounts().await.unwrap().remove(0);
    assert_eq!(account.state, AccountState::NeedsReconnect);
    assert!(account.problem.unwrap().contains("the key is not the one"));
}

async fn restart(folder: &std::path::Path, sim: &Simulator, clock: &harness_engine::Clock) -> harness_engine::Host {
    let host = channel_tests::open_host(folder, sim, clock.clone()).await;
    channel_tests::load(&host, sim).await;
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_renewed_before_they_end_also_where_nobody_writes() {
    let world = unconnected().await;
    let row = Person::new(&world).await.connects("instagram").await;
    let ends = async || world.host.inbox().account_row(row).await.unwrap().refresh_before.unwrap();
    let first = ends().await;
    world.advance(45 * DAY);
    let renewed = eventually("a renewed token", async || {
        let now = ends().await;
        (now > first + 20 * 86_400_000).then_some(now)
    })
    .await;
    world.advance(50 * DAY);
    eventually("a token renewed again", async || (ends().await > renewed).then_some(())).await;
    world.sim.customer(CUSTOMER).text("still there?").await;
    let conversation = world.conversation(CUSTOMER).await;
    let reply = world.reply(conversation, "1", message(vec![text("yes")])).await;
    assert_eq!(reply.steps[0].state, StepState::Sent, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_dead_token_messages_come_in_replies_wait_and_reconnecting_sends_them() {
    for login in ["facebook", "instagram"] {
        let world = unconnected().await;
        let row = Person::new(&world).await.connects(login).await;
        world.sim.customer(CUSTOMER).text("one").await;
        let conversation = world.conversation(CUSTOMER).await;
        let ig_id = world.sim.accounts()[0].ig_id.clone();
        let which = if login == "facebook" { Login::Facebook } else { Login::Instagram };
        world.sim.set_token_dead(&ig_id, which, Some(460));
        let queued = world.host.reply(conversation, "1", message(vec![text("two")])).await.unwrap();
        let account = eventually("the account's state", async || {
            let row = world.host.inbox().account_row(row).await.unwrap();
            (row.state == AccountState::NeedsReconnect).then_some(row)
        })
        .await;
        assert!(account.problem.unwrap().contains("onnect"), "it says what to do");
        world.sim.customer(CUSTOMER).text("three").await;
        eventually("the next message", async || {
            world.timeline(CUSTOMER).await.iter().any(|entry| entry.text.as_deref() == Some("three")).then_some(())
        })
        .await;
        // Whichever call met the dead token first: with a profile's, the reply was not begun at all.
        let waiting = world.host.inbox().reply(queued.reply).await.unwrap();
        assert!(matches!(waiting.state, ReplyState::Queued | ReplyState::Sending), "{waiting:?}");
        assert!(waiting.steps.iter().all(|step| step.state == StepState::Queued), "{waiting:?}");

        assert_eq!(Person::new(&world).await.connects(login).await, row);
        let view = world.ended(queued.reply).await;
        assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
        assert_eq!(world.sim.customer(CUSTOMER).last_reply().unwrap().text.as_deref(), Some("two"));
    }
}
