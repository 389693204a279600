//! A platform that answers slowly, half, or not at all: to replies, to uploads, to questions for a profile, and
//! when files are fetched. Whatever it does, an outcome is true and a message is kept.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use channel_tests::{PATIENCE, World, eventually, message, text};
use harness_contract::{FileRef, MediaKind, MediaSource, OutboundPart, SendResult};
use harness_engine::{Clock, HostOptions};
use harness_inbox::{AccountState, MediaState, MediaView, ReplyState, ReplyView, StepState};
use simulator::{CdnFile, Config, EchoTiming, Fault, Login, Scope};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
/// Longer than the host waits for an answer.
const TOO_LONG: Duration = Duration::from_secs(3600);

/// What becomes of an answer.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// The platform holds it for a while.
    Held,
    /// The platform holds it for longer than the host waits.
    Never,
    /// It comes by itself, whatever it is.
    Comes,
}

/// A world whose host waits for answers by a clock that stands: only the test says that it was too long.
struct Slow {
    world: World,
    waiting: Clock,
}

impl Slow {
    async fn new(config: Config) -> Self {
        let waiting = Clock::stopped();
        let exchange_clock = waiting.clone();
        let options = |options| HostOptions { exchange_clock, ..options };
        Self { world: World::with_options(config, Login::Facebook, options).await, waiting }
    }

    /// Waits until the answer is held.
    async fn is_held(&self, answer: Answer) {
        if !matches!(answer, Answer::Comes) {
            self.world.sim.wait_for_held_answers(1, PATIENCE).await.unwrap();
        }
    }

    /// Lets the held answer come, or the host's time be over.
    async fn ends(&self, answer: Answer) {
        match answer {
            Answer::Comes => {}
            Answer::Held => assert_eq!(self.world.sim.release_answers(), 1),
            Answer::Never => self.waiting.advance(TOO_LONG),
        }
    }

    /// Forgets answers that nobody waits for any more.
    async fn forgotten(&self) {
        eventually("nothing held", async || (self.world.sim.release_answers() == 0).then_some(())).await;
    }
}

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_answered_slowly_half_or_not_at_all_ends_in_a_true_outcome() {
    let slow = Slow::new(Config { echo: EchoTiming::Never, ..Config::demo() }).await;
    let world = &slow.world;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let unknown = [StepState::Ambiguous, StepState::Cancelled];
    let sent = [StepState::Sent, StepState::Sent];
    let cases = [
        ("slowly", Fault::held(), Answer::Held, sent, 2),
        ("half", Fault::cut_off(), Answer::Comes, unknown, 1),
        ("never, though it arrived", Fault::held(), Answer::Never, unknown, 1),
        ("never, and it did not arrive", Fault::drop_before_accepting().holding(), Answer::Never, unknown, 0),
    ];
    for (how, fault, answer, expected, arrive) in cases {
        let (requests, received) = (world.sends().len(), customer.transcript().len());
        world.sim.inject(fault);
        let two = message(vec![text(how), text("behind it")]);
        let queued = world.host.reply(conversation, how, two).await.unwrap();
        slow.is_held(answer).await;
        slow.ends(answer).await;
        let view = world.ended(queued.reply).await;
        assert_eq!(states(&view), expected, "{how}: {view:?}");
        assert_eq!(customer.transcript().len() - received, arrive, "{how}");
        if expected == unknown {
            let told = view.steps[0].outcome.as_ref().unwrap().get();
            let SendResult::Ambiguous(failure) = serde_json::from_str(told).unwrap() else { panic!("{how}: {told}") };
            assert!(failure.message.contains("may have been delivered"), "{how}: {failure:?}");
            world.clock.advance(Duration::from_secs(3600));
            assert_eq!(world.sends().len() - requests, 1, "{how}: it is sent once");
            world.nothing_more_is_sent(requests + 1).await;
        }
        slow.forgotten().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_answered_slowly_half_or_not_at_all_is_made_again_and_the_photo_sent_once() {
    let slow = Slow::new(Config::demo()).await;
    let world = &slow.world;
    let customer = world.sim.customer(CUSTOMER);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let held = world.host.store_upload(CdnFile::demo_photo().bytes.into(), None, None).await.unwrap();
    let cases = [(Fault::held(), Answer::Held), (Fault::cut_off(), Answer::Comes), (Fault::held(), Answer::Never)];
    for (index, (fault, answer)) in cases.into_iter().enumerate() {
        let received = customer.transcript().len();
        world.sim.inject(fault.on(Scope::Uploads));
        let source = MediaSource::File(FileRef { handle: held.handle.clone(), size: 0 });
        let photo = channel_tests::outbound_media(MediaKind::Image, source);
        let reply = message(vec![OutboundPart::Media(vec![photo])]);
        let queued = world.host.reply(conversation, &index.to_string(), reply).await.unwrap();
        slow.is_held(answer).await;
        slow.ends(answer).await;
        let view = eventually("the end of the reply", async || {
            world.clock.advance(Duration::from_secs(1));
            let view = world.host.inbox().reply(queued.reply).await.unwrap();
            (view.state == ReplyState::Done).then_some(view)
        })
        .await;
        assert_eq!(states(&view), [StepState::Sent, StepState::Sent], "{index}: {view:?}");
        assert_eq!(view.steps[0].attempts, if index == 0 { 1 } else { 2 }, "{index}");
        assert_eq!(customer.transcript().len() - received, 1, "{index}: one photo");
        slow.forgotten().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_profile_the_message_is_kept_and_answered() {
    let cases = [
        ("slowly", Some(Fault::held()), Answer::Held),
        ("half", Some(Fault::cut_off()), Answer::Comes),
        ("never", Some(Fault::held()), Answer::Never),
        ("hung up", Some(Fault::drop_before_accepting()), Answer::Comes),
        ("no consent", Some(Fault::graph_error(230, None)), Answer::Comes),
        ("nobody of this id", Some(Fault::graph_error(9010, None)), Answer::Comes),
        ("no such object", Some(Fault::graph_error(100, 33)), Answer::Comes),
        ("an empty name", None, Answer::Comes),
        // The last one: from then on the account waits for somebody who connects it again.
        ("a dead token", Some(Fault::graph_error(190, 463)), Answer::Comes),
    ];
    let slow = Slow::new(Config::demo()).await;
    let world = &slow.world;
    for (index, (how, fault, answer)) in cases.into_iter().enumerate() {
        let igsid = format!("55512300000001{index:02}");
        let customer = world.sim.customer(&igsid);
        match fault {
            Some(fault) => world.sim.inject(fault.on(Scope::Profiles)),
            None => customer.set_profile(|profile| profile.name = Some(String::new())),
        }
        let before = world.sim.requests().len();
        customer.text(how).await;
        let conversation = world.conversation(&igsid).await;
        assert_eq!(world.timeline(&igsid).await[0].text.as_deref(), Some(how));
        let asked = || world.sim.requests().split_off(before).iter().any(|request| request.path.ends_with(&igsid));
        eventually(&format!("the question for the profile ({how})"), async || asked().then_some(())).await;
        if how == "a dead token" {
            eventually("an account that asks for help", async || {
                let accounts = world.host.inbox().accounts().await.unwrap();
                accounts.iter().any(|account| account.state == AccountState::NeedsReconnect).then_some(())
            })
            .await;
            customer.text("still there?").await;
            world.settled().await;
            assert_eq!(world.timeline(&igsid).await.len(), 2, "messages come in all the same");
            continue;
        }
        // While the profile is waited for, and when it came or not.
        slow.is_held(answer).await;
        let view = world.reply(conversation, how, message(vec![text("hi")])).await;
        assert_eq!(states(&view), [StepState::Sent], "{how}: {view:?}");
        slow.ends(answer).await;
        let view = world.reply(conversation, &format!("{how}, later"), message(vec![text("are you there?")])).await;
        assert_eq!(states(&view), [StepState::Sent], "{how}: {view:?}");
        slow.forgotten().await;
    }
}

/// The file of the customer's newest message, once it is not waited for; attempts that are due later are made now.
async fn file(slow: &Slow, answer: Answer) -> MediaView {
    let world = &slow.world;
    world.settled().await;
    if matches!(answer, Answer::Held) {
        slow.is_held(answer).await;
        slow.ends(answer).await;
    }
    eventually("the end of the download", async || {
        world.clock.advance(Duration::from_secs(60));
        if matches!(answer, Answer::Never) {
            slow.waiting.advance(TOO_LONG);
        }
        let media = world.timeline(CUSTOMER).await.pop()?.media.pop()?;
        (media.state != MediaState::Remote).then_some(media)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_slowly_is_stored_and_one_that_comes_half_or_not_at_all_says_so() {
    let slow = Slow::new(Config::demo()).await;
    let world = &slow.world;
    let customer = world.sim.customer(CUSTOMER);
    customer.photo(&world.sim.host_file(CdnFile::demo_photo().held())).await;
    assert_eq!(file(&slow, Answer::Held).await.state, MediaState::Stored);
    for (cut, answer) in
        [(CdnFile::demo_photo().cut_off(), Answer::Comes), (CdnFile::demo_photo().held(), Answer::Never)]
    {
        customer.photo(&world.sim.host_file(cut)).await;
        let media = file(&slow, answer).await;
        assert_eq!(media.state, MediaState::Failed, "{media:?}");
        assert!(media.reason.as_deref().is_some_and(|said| said.contains("could not be fetched")), "{media:?}");
    }
    // A page in place of a film, whatever it calls itself.
    let page = CdnFile::new("video/mp4", "<!DOCTYPE html><html><body>please log in</body></html>");
    customer.video(&world.sim.host_file(page)).await;
    let media = file(&slow, Answer::Comes).await;
    assert_eq!(media.state, MediaState::Refused, "{media:?}");
    assert!(media.reason.as_deref().is_some_and(|said| said.contains("text/html")), "{media:?}");
    // The account takes part in life all the same.
    customer.text("are you there?").await;
    world.settled().await;
    assert_eq!(world.timeline(CUSTOMER).await.len(), 5);
}
