//! A machine whose clock is set by hours, forwards and backwards, while deliveries and replies are under way:
//! nothing waits for the hours that did not pass, and the window stays the platform's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, end, eventually, message, open_host, text};
use harness_contract::WindowState;
use harness_inbox::{MediaState, ReplyState, StepState};
use rusqlite::Connection;
use simulator::{CdnFile, Config, Fault};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const HOUR: i64 = 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_and_replies_go_on_while_the_clock_jumps() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    let mut sent = vec![customer.text("message 0").await];
    let conversation = world.conversation(CUSTOMER).await;
    let mut replies = Vec::new();
    for (number, hours) in [5, -9, 7, -3, -6, 11, -5].into_iter().enumerate() {
        world.clock.set_by(hours * HOUR);
        let text_of = |what: &str| format!("{what} {}", number + 1);
        if number % 2 == 0 {
            world.sim.inject(Fault::html(502));
        }
        let reply = message(vec![text(&text_of("reply")), text(&text_of("and"))]);
        replies.push(world.host.reply(conversation, &text_of("key"), reply).await.unwrap().reply);
        sent.push(customer.text(&text_of("message")).await);
        world.sim.redeliver_concurrently(&sent[number].delivery, 3).await;
        // Something happens between one jump and the next.
        world.settled().await;
    }
    for reply in replies {
        let view = world.ended(reply).await;
        assert_eq!(view.state, ReplyState::Done, "{view:?}");
        for step in &view.steps {
            // What a platform answered with an error page it may have taken; hours later the archive tells.
            let told = |outcome: &str| outcome.contains("looked for in the platform's archive, and it had not arrived");
            let proved = step.state == StepState::Rejected && step.outcome.as_ref().is_some_and(|one| told(one.get()));
            let open_or_sent = matches!(step.state, StepState::Sent | StepState::Ambiguous | StepState::Cancelled);
            assert!(open_or_sent || proved, "{view:?}");
        }
    }
    world.settled().await;
    let timeline = world.timeline(CUSTOMER).await;
    let texts: Vec<_> =
        timeline.iter().filter(|one| one.direction == "inbound").filter_map(|one| one.text.clone()).collect();
    assert_eq!(texts, (0..8).map(|number| format!("message {number}")).collect::<Vec<_>>());
    let mut taken: Vec<_> = world.sends().iter().map(|send| send.body["message"]["text"].to_string()).collect();
    taken.sort();
    let all = taken.len();
    taken.dedup();
    assert_eq!(taken.len(), all, "each once: {taken:?}");
    let window = world.host.context(conversation).await.unwrap().window;
    let newest = timeline.iter().filter(|one| one.direction == "inbound").map(|one| one.at).max().unwrap();
    assert_eq!(window.opened_at, Some(u64::try_from(newest).unwrap()), "by the platform's time");
    assert_eq!(window.state, WindowState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_another_attempt_does_not_wait_for_hours_that_did_not_pass() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let flaky = world.sim.host_file(CdnFile::failing(503));
    world.clock.set_by(8 * HOUR);
    // The account pauses for seconds, noted on a clock that is hours ahead.
    world.sim.inject(Fault::graph_error(613, 2_534_040));
    world.sim.customer(CUSTOMER).photo(&flaky).await;
    let reply = world.host.reply(conversation, "key", message(vec![text("later")])).await.unwrap();
    eventually("a refusal", async || {
        let view = world.host.inbox().reply(reply.reply).await.unwrap();
        (view.steps.first()?.attempts == 1 && view.steps[0].state == StepState::Queued).then_some(())
    })
    .await;
    eventually("a failed download", async || {
        let media = world.timeline(CUSTOMER).await.into_iter().find_map(|entry| entry.media.into_iter().next())?;
        (media.state == MediaState::Remote && media.reason.is_some()).then_some(())
    })
    .await;
    world.clock.set_by(-8 * HOUR);
    let view = world.ended(reply.reply).await;
    assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    let due = world.host.whole_inbox().next_media(0).await.unwrap().unwrap();
    assert!(due < world.clock.now() + 3_600_000, "a file waits for {} ms", due - world.clock.now());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_put_off_for_years_is_due_within_a_day() {
    let world = World::new().await;
    let customer = world.sim.customer(CUSTOMER);
    customer.photo(&world.sim.host_file(CdnFile::failing(503))).await;
    let conversation = world.conversation(CUSTOMER).await;
    world.sim.inject(Fault::graph_error(613, 2_534_040));
    let reply = world.host.reply(conversation, "key", message(vec![text("later")])).await.unwrap();
    eventually("a refusal", async || {
        (world.host.inbox().reply(reply.reply).await.unwrap().steps.first()?.attempts == 1).then_some(())
    })
    .await;
    let (file, now) = (world.inbox_file(), world.clock.now());
    let (sim, clock, folder) = world.stop().await;
    // As if the clock had been ten years ahead, as that of a machine without a battery may be.
    let sql = Connection::open(&file).unwrap();
    let now = i64::try_from(now).unwrap();
    let years = now + 10 * 365 * 24 * HOUR;
    sql.execute("UPDATE reply SET next_attempt_at = ?1 WHERE state IN ('queued', 'sending')", [years]).unwrap();
    sql.execute("UPDATE media SET next_attempt_at = ?1 WHERE state = 'remote'", [years]).unwrap();
    let host = open_host(folder.path(), &sim, clock).await;
    let due = |table: &str| {
        let sql = format!("SELECT max(next_attempt_at) FROM {table}");
        Connection::open(&file).unwrap().query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert!(due("reply") <= now + 25 * HOUR && due("media") <= now + 2 * HOUR);
    end(host, folder.path()).await;
}
