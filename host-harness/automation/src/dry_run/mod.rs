//! Owns: what the automation would have done in a past conversation, and what it would do about a typed message.
//! Does not own: doing it: nothing is sent and nothing is changed, besides the budget that a call of the model spends.

mod written;

use harness_contract::OutboundPart;
use harness_engine::Host;
use harness_inbox::{AccountId, ConversationId, MessageId, Standing, TimelineEntry};

use self::written::Seen;
pub use self::written::{CameAs, Written};
use crate::{
    assistant::{self, Answer, Asking},
    decision::{Consumer, Decision, Outcome, Reason},
    facts::{Facts, Writer, at, writer},
    look::ENTRIES,
    manage::AutomationError,
    routing::{self, Routed},
    settings::Settings,
    welcome::{self, Past, Welcomed},
};

/// What would have been done about a message.
#[derive(Clone, Debug)]
pub struct Would {
    /// The customer's message; `None` for a typed one.
    pub message: Option<MessageId>,
    /// The part of the automation.
    pub consumer: Consumer,
    /// The decision.
    pub decision: Decision,
    /// What the assistant would have said, in parts.
    pub says: Vec<String>,
}

/// What would have been done.
#[derive(Clone, Debug, Default)]
pub struct DryRun {
    /// The decisions, in order.
    pub would: Vec<Would>,
    /// The model would have been asked about the last turn. It was not.
    pub would_ask_model: bool,
}

/// Goes through the newest messages of a conversation with these settings, as if they came one after another in an open
/// window, into a conversation that nobody has placed. With `ask`, the model is asked about the last turn.
pub async fn dry_run(
    host: &Host,
    conversation: ConversationId,
    settings: &Settings,
    ask: bool,
) -> Result<DryRun, AutomationError> {
    settings.check(&host.direct())?;
    host.automations().standing(conversation).await?;
    let account = host.inbox().account_of(conversation).await?;
    let page = host.inbox().timeline_before(conversation, None, ENTRIES).await?;
    let past = Past::of(host, conversation, page.next.is_some()).await?;
    let mut course = Course::default();
    for (index, entry) in page.entries.iter().enumerate() {
        // As it stood when the message came.
        let so_far = page.entries.get(..=index).unwrap_or_default();
        course.message(settings, so_far, past, Some(entry.id));
    }
    if let Some(last) = page.entries.iter().rposition(|entry| writer(entry) == Writer::Customer) {
        let so_far = page.entries.get(..=last).unwrap_or_default();
        let message = so_far.last().map(|entry| entry.id);
        course.turn(host, account, settings, so_far, message, ask).await?;
    }
    Ok(course.run)
}

/// Looks at one message with these settings, as if a customer wrote it just now who never wrote before. With `ask`, the model
/// is asked about it.
pub async fn dry_run_written(
    host: &Host,
    account: AccountId,
    written: &Written,
    settings: &Settings,
    ask: bool,
) -> Result<DryRun, AutomationError> {
    settings.check(&host.direct())?;
    if written.is_empty() {
        return Err(AutomationError::NothingWritten);
    }
    host.inbox().account_row(account).await?;
    let mut course = Course::default();
    match written.seen(host.clock().now())? {
        Seen::Event(body) => {
            if let Some(facts) = Facts::of_event(*body) {
                course.route(settings, &facts, None);
            }
        }
        Seen::Message(entry) => {
            let entries = [*entry];
            course.message(settings, &entries, Past::default(), None);
            course.turn(host, account, settings, &entries, None, ask).await?;
        }
    }
    Ok(course.run)
}

/// A conversation that exists nowhere, while something comes into it.
#[derive(Default)]
struct Course {
    standing: Standing,
    routed: Routed,
    welcomed: Welcomed,
    run: DryRun,
}

impl Course {
    fn would(&mut self, message: Option<MessageId>, consumer: Consumer, decision: Decision, says: Vec<String>) {
        self.run.would.push(Would { message, consumer, decision, says });
    }

    fn route(&mut self, settings: &Settings, facts: &Facts, message: Option<MessageId>) {
        let decided = routing::decide(&settings.routing, facts, &self.standing, self.routed);
        let Some((decision, placement, state)) = decided else { return };
        self.standing.collection = placement.collection.or(self.standing.collection);
        self.routed = state;
        self.would(message, Consumer::Routing, decision, Vec::new());
    }

    /// The last of these entries comes.
    fn message(&mut self, settings: &Settings, so_far: &[TimelineEntry], past: Past, message: Option<MessageId>) {
        let Some((entry, before)) = so_far.split_last() else { return };
        if let Some(facts) = Facts::of_message(entry) {
            self.route(settings, &facts, message);
        }
        let decided = welcome::decide(&settings.welcome, so_far, before.len(), past, self.welcomed);
        let Some(decision) = decided else { return };
        if decision.outcome == Outcome::Sent {
            self.welcomed.at = Some(at(entry));
        }
        self.would(message, Consumer::Welcome, decision, Vec::new());
    }

    /// The customer's turn, which these entries end with, is over.
    async fn turn(
        &mut self,
        host: &Host,
        account: AccountId,
        settings: &Settings,
        so_far: &[TimelineEntry],
        message: Option<MessageId>,
        ask: bool,
    ) -> Result<(), AutomationError> {
        let assistant = &settings.assistant;
        if !assistant.on {
            return Ok(());
        }
        if !assistant.answers_in(self.standing.collection) {
            let decision = Decision::skipped("assistant", Reason::OtherCollection);
            self.would(message, Consumer::Assistant, decision, Vec::new());
            return Ok(());
        }
        match assistant::would_answer(host, account, settings, so_far, ask).await? {
            Asking::NoTurn => {}
            Asking::NotAsked => self.run.would_ask_model = true,
            Asking::Answered(answer) => {
                let (decision, says) = told(answer);
                self.would(message, Consumer::Assistant, decision, says);
            }
        }
        Ok(())
    }
}

fn told(answer: Answer) -> (Decision, Vec<String>) {
    match answer {
        Answer::Says(parts, made_by) => {
            let words = parts.into_iter().filter_map(|part| match part {
                OutboundPart::Text(text) => Some(text.text),
                _ => None,
            });
            let decision = Decision { made_by: Some(made_by), ..Decision::new(Outcome::Sent, "assistant") };
            (decision, words.collect())
        }
        Answer::HandsOver { reason, detail, made_by, .. } => {
            let base = Decision::new(Outcome::HandedOver, "assistant");
            (Decision { reason: Some(reason), detail, made_by, ..base }, Vec::new())
        }
    }
}
