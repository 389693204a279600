//! Owns: following the change feed: each change is looked at once, in order, from a stored position.
//! Does not own: the decisions (`welcome`, `routing`), answering turns (`assistant`).

use std::{sync::Arc, time::Duration};

use harness_engine::{Host, HostError};
use harness_inbox::{
    AccountId, ActivityFilter, ActivityId, Change, ChangeKind, ConversationId, InboxError, MessageId, NewDecision,
    Placement, TurnChange,
};
use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::{
    decision::{Consumer, Decision, Outcome, Reason},
    facts::{Facts, Writer, at, message, writer},
    look::{Active, ENTRIES, barred, known},
    routing::{self, Routed},
    settings::Settings,
    welcome::{self, Past, Welcomed},
};

/// Its name in the table of positions.
const CONSUMER: &str = "automation";
/// The consumer's name of a turn's beginning, which is not shown in the log.
const TURN: &str = "turn";
/// Changes that are read at a time.
const BATCH: usize = 256;
/// The position is stored after so many changes that were none of its business.
const STORE_AFTER: u64 = 2_048;
/// The pause after a failure of the inbox.
const PAUSE: Duration = Duration::from_secs(1);
/// In milliseconds.
const DAY: u64 = 24 * 3_600_000;
/// How long decisions are kept, in milliseconds.
const KEEP: u64 = 90 * DAY;

/// Why a change could not be looked at.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the decision cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failed {
    /// Whether the same change fails again, however often it is tried.
    fn is_final(&self) -> bool {
        use InboxError::{Json, NotFound, UnknownState};
        match self {
            Self::Inbox(error) | Self::Host(HostError::Inbox(error)) => {
                matches!(error, NotFound { .. } | Json(_) | UnknownState { .. })
            }
            Self::Host(_) => false,
            Self::Json(_) => true,
        }
    }
}

/// Follows the feed until told to stop.
pub(crate) async fn run(host: Host, turns: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    let mut follower = Follower { host, turns, active: Active::default(), position: 0, stored: 0, expired_on: 0 };
    let mut newest = follower.host.inbox().newest_change();
    let mut begun = false;
    while !*stop.borrow() {
        let seen = *newest.borrow_and_update();
        let read = async {
            if !begun {
                follower.begin().await?;
            }
            follower.read_up_to(seen, &stop).await
        };
        let failed = read.await.inspect_err(|error| tracing::error!(%error, "the automation waits for the inbox"));
        begun |= failed.is_ok();
        let again = async {
            match failed {
                Ok(()) => newest.changed().await.is_ok(),
                Err(_) => {
                    follower.host.clock().wait(PAUSE).await;
                    true
                }
            }
        };
        tokio::select! {
            goes_on = again => if !goes_on { break },
            _ = stop.changed() => {}
        }
    }
    if begun && let Err(error) = follower.store_position().await {
        tracing::warn!(%error, "the automation's position could not be stored; some changes are looked at again");
    }
}

struct Follower {
    host: Host,
    turns: Arc<Notify>,
    active: Active,
    position: u64,
    stored: u64,
    /// The day on which old decisions were deleted last.
    expired_on: u64,
}

impl Follower {
    async fn begin(&mut self) -> Result<(), Failed> {
        self.position = self.host.automations().automation_position(CONSUMER).await?.unwrap_or(0);
        self.stored = self.position;
        self.active = Active::read(&self.host).await?;
        Ok(())
    }

    async fn store_position(&mut self) -> Result<(), InboxError> {
        if self.stored < self.position {
            self.host.automations().set_automation_position(CONSUMER, self.position).await?;
            self.stored = self.position;
        }
        Ok(())
    }

    async fn read_up_to(&mut self, newest: u64, stop: &watch::Receiver<bool>) -> Result<(), Failed> {
        while self.position < newest && !*stop.borrow() {
            let batch = self.host.inbox().changes_after(self.position, None, BATCH).await?;
            if batch.missed {
                tracing::warn!("changes were deleted before the automation had seen them; it goes on with the oldest");
            }
            let Some(last) = batch.changes.last().map(|change| change.seq) else {
                self.position = newest;
                break;
            };
            if batch.changes.iter().any(|change| change.kind == ChangeKind::SettingsUpdated) {
                self.active = Active::read(&self.host).await?;
            }
            let mut acted = false;
            for change in batch.changes {
                if *stop.borrow() {
                    break;
                }
                match self.consider(&change).await {
                    Ok(did) => acted |= did,
                    Err(error) if error.is_final() => {
                        tracing::warn!(%error, seq = change.seq, "the automation leaves a change alone");
                    }
                    Err(error) => return Err(error),
                }
                self.position = change.seq;
            }
            if acted || self.position.saturating_sub(self.stored) >= STORE_AFTER {
                self.store_position().await?;
            }
            if *stop.borrow() || self.position < last {
                break;
            }
        }
        self.expire().await
    }

    async fn expire(&mut self) -> Result<(), Failed> {
        let now = self.host.clock().now();
        if self.expired_on < now.div_euclid(DAY) {
            self.host.automations().expire_decisions(now.saturating_sub(KEEP)).await?;
            self.expired_on = now.div_euclid(DAY);
        }
        Ok(())
    }

    /// Whether the change was any of the automation's business.
    async fn consider(&mut self, change: &Change) -> Result<bool, Failed> {
        let (Some(account), Some(conversation)) = (change.account, change.conversation) else { return Ok(false) };
        if change.kind == ChangeKind::MessageDeleted {
            self.host.automations().forget_summaries(conversation, self.host.clock().now()).await?;
            return Ok(false);
        }
        let Some(settings) = self.active.of(account, change.seq) else { return Ok(false) };
        let event = Event { host: &self.host, seq: change.seq, account, conversation, settings };
        match (change.kind, change.message, change.activity) {
            // The second: a message that was known from the archive came live after all.
            (ChangeKind::MessageCreated | ChangeKind::ConversationUpdated, Some(message), _) => {
                if event.message(message).await? {
                    self.turns.notify_one();
                }
            }
            (ChangeKind::ActivityCreated, _, Some(activity)) => event.activity(activity).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// One thing that happened in a conversation.
struct Event<'a> {
    host: &'a Host,
    seq: u64,
    account: AccountId,
    conversation: ConversationId,
    settings: &'a Settings,
}

impl Event<'_> {
    /// Whether a customer's turn began or goes on.
    async fn message(&self, id: MessageId) -> Result<bool, Failed> {
        let page = self.host.inbox().timeline_before(self.conversation, None, ENTRIES).await?;
        // Older than everything that is looked at: it is answered by what came after it.
        let Some(index) = page.entries.iter().position(|entry| entry.id == id) else { return Ok(false) };
        let Some(entry) = page.entries.get(index).filter(|entry| writer(entry) == Writer::Customer) else {
            return Ok(false);
        };
        if let Some(facts) = Facts::of_message(entry) {
            self.route(&facts).await?;
        }
        if !self.host.automations().is_decided(Consumer::Welcome.name(), self.seq).await? {
            let known: Welcomed = known(self.host, self.conversation, Consumer::Welcome.name()).await?;
            let past = Past::of(self.host, self.conversation, page.next.is_some()).await?;
            let decided = welcome::decide(&self.settings.welcome, &page.entries, index, past, known);
            if let Some(decision) = decided {
                self.welcome(decision, at(entry)).await?;
            }
        }
        if !self.settings.assistant.on || message(entry).is_none() {
            return Ok(false);
        }
        let milliseconds = |seconds: u32| u64::from(seconds).saturating_mul(1_000);
        let assistant = &self.settings.assistant;
        let turn = TurnChange::Wrote {
            pause: milliseconds(assistant.pause_seconds),
            longest: milliseconds(assistant.longest_pause_seconds),
        };
        let decision = Decision::new(Outcome::Skipped, TURN);
        let new = NewDecision { turn: Some(turn), ..self.decision(TURN, &decision, None::<()>)? };
        self.host.automations().decide(new).await?;
        Ok(true)
    }

    async fn activity(&self, id: ActivityId) -> Result<(), Failed> {
        let of = ActivityFilter { conversation: Some(self.conversation), ..ActivityFilter::default() };
        let page = self.host.inbox().activities_before(of, None, ENTRIES).await?;
        let found = page.entries.iter().find(|activity| activity.id == id);
        match found.and_then(Facts::of_activity) {
            Some(facts) => self.route(&facts).await,
            None => Ok(()),
        }
    }

    async fn route(&self, facts: &Facts) -> Result<(), Failed> {
        let (store, consumer) = (self.host.automations(), Consumer::Routing.name());
        if !self.settings.routing.on || store.is_decided(consumer, self.seq).await? {
            return Ok(());
        }
        let known: Routed = known(self.host, self.conversation, consumer).await?;
        let standing = store.standing(self.conversation).await?;
        let decided = routing::decide(&self.settings.routing, facts, &standing, known);
        let Some((decision, placement, state)) = decided else { return Ok(()) };
        let placement = Some(placement).filter(|placement| *placement != Placement::default());
        store.decide(NewDecision { placement, ..self.decision(consumer, &decision, Some(state))? }).await?;
        Ok(())
    }

    async fn welcome(&self, decided: Decision, at: u64) -> Result<(), Failed> {
        let (inbox, key) = (self.host.inbox(), format!("automation:welcome:{}", self.seq));
        let decision = if decided.outcome != Outcome::Sent || inbox.has_reply(self.conversation, &key).await? {
            decided
        } else if self.host.automations().person_is_answering(self.conversation).await? {
            Decision::skipped("welcome", Reason::Person)
        } else if let Some(reason) = barred(self.host, self.conversation).await? {
            Decision::skipped("welcome", reason)
        } else {
            let message = welcome::message(&self.settings.welcome);
            match self.host.reply_if_sendable(self.conversation, &key, message).await {
                Ok(_) => decided,
                Err(HostError::NotSendable(violations)) => {
                    let codes: Vec<_> = violations.iter().map(|violation| violation.code.clone()).collect();
                    Decision { detail: Some(codes.join(", ")), ..Decision::skipped("welcome", Reason::Refused) }
                }
                Err(HostError::Inbox(InboxError::Continued { .. })) => Decision::skipped("welcome", Reason::Continued),
                Err(error) => return Err(error.into()),
            }
        };
        let state = (decision.outcome == Outcome::Sent).then_some(Welcomed { at: Some(at) });
        self.host.automations().decide(self.decision(Consumer::Welcome.name(), &decision, state)?).await?;
        Ok(())
    }

    fn decision(
        &self,
        consumer: &'static str,
        decision: &Decision,
        state: Option<impl Serialize>,
    ) -> Result<NewDecision, serde_json::Error> {
        Ok(NewDecision {
            consumer,
            seq: self.seq,
            account: self.account,
            conversation: self.conversation,
            now: self.host.clock().now(),
            decision: serde_json::to_string(decision)?,
            state: state.map(|state| serde_json::to_string(&state)).transpose()?,
            placement: None,
            note: None,
            turn: None,
        })
    }
}
