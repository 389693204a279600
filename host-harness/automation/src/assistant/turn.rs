//! Owns: one turn of a customer: whether the assistant answers, with what, and when it hands over.
//! Does not own: the call of the model (`model`), what it is given (`prompt`).

use std::{sync::Arc, time::Duration};

use harness_contract::{ChannelCapabilities, OutboundPart};
use harness_engine::{Host, HostError};
use harness_inbox::{AccountId, HandOverNote, InboxError, NewDecision, OpenTurn, Placement, TimelineEntry, TurnChange};

use super::{
    answer::{self, Said},
    model::{self, Completion, ModelError},
    prompt::{Prompt, digest},
};
use crate::{
    compose::{automatic, from_assistant, parts},
    decision::{Consumer, Decision, MadeBy, Outcome, Reason},
    look::{Assisted, Look, active, barred},
    settings::{Assistant, Disclose, Settings},
    words::Words,
};

/// How often a turn is begun anew because the conversation changed under the answer.
const MAX_ATTEMPTS: u32 = 5;
/// Messages that one answer may become.
const MAX_PARTS: usize = 6;
/// In milliseconds.
const DAY: u64 = 24 * 3_600_000;
/// The shortest time between two signals that something is being written.
const LEAST_TYPING: u64 = 5_000;
/// Of what a customer wrote, so many characters stand in a note.
const QUOTED: usize = 300;

/// A failure of this host, after which the turn is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the decision cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// What the assistant does with a turn.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It says this.
    Says(Vec<OutboundPart>, MadeBy),
    /// A person is asked.
    HandsOver { reason: Reason, detail: Option<String>, summary: String, made_by: Option<MadeBy> },
}

impl Answer {
    fn hands_over(reason: Reason) -> Self {
        Self::HandsOver { reason, detail: None, summary: String::new(), made_by: None }
    }
}

/// Answers a turn, or says why not. A turn that was answered before a crash is not answered again: the key of the reply is
/// made of the message that it answers.
pub(crate) async fn answer(host: &Host, turn: OpenTurn) -> Result<(), Failed> {
    let work = Work { host, turn };
    let ended = match work.ended().await {
        // The team closed it, and the customer wrote again: that is a turn of another conversation.
        Err(Failed::Host(HostError::Inbox(InboxError::Continued { .. }))) => {
            Some(Decision::skipped("assistant", Reason::Continued))
        }
        ended => ended?,
    };
    match ended {
        Some(decision) => work.end(decision, None, None, None).await,
        None => Ok(()),
    }
}

struct Work<'a> {
    host: &'a Host,
    turn: OpenTurn,
}

impl Work<'_> {
    /// `Some`: the turn ends with this decision. `None`: it has ended, or goes on later.
    async fn ended(&self) -> Result<Option<Decision>, Failed> {
        let conversation = self.turn.conversation;
        let skipped = |reason| Ok(Some(Decision::skipped("assistant", reason)));
        let row = self.host.automations().automation(self.turn.account).await?;
        let Some(settings) = row.as_ref().filter(|row| self.turn.seq > row.since).and_then(active) else {
            return skipped(Reason::Off);
        };
        let look = Look::at(self.host, conversation).await?;
        if let Some(reason) = look.silent(&settings) {
            return skipped(reason);
        }
        let Some(prompt) = Prompt::of(&settings.assistant, &look.entries) else {
            return skipped(Reason::NothingToAnswer);
        };
        // One answer to each newest message: another turn may have seen it before its change was read, and an answer may have
        // been queued before a crash. It is no entry before its first attempt.
        let key = format!("automation:assistant:message:{}", prompt.newest);
        if self.host.inbox().has_reply(conversation, &key).await? {
            return skipped(Reason::NothingToAnswer);
        }
        if let Some(reason) = barred(self.host, conversation).await? {
            return skipped(reason);
        }
        let capabilities = self.capabilities().await?;
        let assistant = &settings.assistant;
        let answer = match cut_short(assistant, &prompt, look.assisted.turns) {
            Some(answer) => answer,
            None => {
                let typing = self.shows_typing(assistant, &capabilities);
                let first = look.assisted.turns == 0;
                ask(self.host, self.turn.account, assistant, first, &prompt, &capabilities, typing).await?
            }
        };
        // The conversation may have changed: a person wrote, the customer went on, something was unsent.
        let later = Look::at(self.host, conversation).await?;
        if let Some(reason) = later.silent(&settings) {
            return skipped(reason);
        }
        if Prompt::of(&settings.assistant, &later.entries).as_ref() != Some(&prompt) {
            if self.turn.attempts < MAX_ATTEMPTS {
                // What was said to the old conversation is dropped. The turn is still open.
                let pause = u64::from(settings.assistant.pause_seconds).saturating_mul(1_000);
                let due = self.host.clock().now().saturating_add(pause);
                self.host.automations().begin_turn(conversation, due).await?;
                return Ok(None);
            }
            return self.hand_over(&settings, &later, &prompt, Answer::hands_over(Reason::NeverEnding)).await;
        }
        if let Some(reason) = barred(self.host, conversation).await? {
            return skipped(reason);
        }
        let Answer::Says(parts, made_by) = answer else {
            return self.hand_over(&settings, &later, &prompt, answer).await;
        };
        let message = from_assistant(&format!("{}@{}", made_by.model, made_by.instructions), parts);
        match self.host.reply_if_sendable(conversation, &key, message).await {
            Ok(_) => {}
            Err(HostError::NotSendable(violations)) => {
                let codes = violations.iter().map(|violation| violation.code.clone()).collect::<Vec<_>>().join(", ");
                let (reason, detail) = (Reason::Refused, Some(codes));
                let refused = Answer::HandsOver { reason, detail, summary: String::new(), made_by: Some(made_by) };
                return self.hand_over(&settings, &later, &prompt, refused).await;
            }
            Err(error) => return Err(error.into()),
        }
        let now = self.host.clock().now();
        let state =
            Assisted { turns: later.assisted.turns.saturating_add(1), answered_at: now, ..later.assisted.clone() };
        let decision = Decision { made_by: Some(made_by), ..Decision::new(Outcome::Sent, "assistant") };
        self.end(decision, Some(state), None, None).await?;
        Ok(None)
    }

    /// Says goodbye if that is configured, leaves a note and is silent from now on.
    async fn hand_over(
        &self,
        settings: &Settings,
        look: &Look,
        prompt: &Prompt,
        answer: Answer,
    ) -> Result<Option<Decision>, Failed> {
        let Answer::HandsOver { reason, detail, summary, made_by } = answer else { return Ok(None) };
        let assistant = &settings.assistant;
        if !assistant.hand_over_text.trim().is_empty() {
            let parts = parts(&assistant.hand_over_text, &*self.capabilities().await?);
            let message = automatic("hand-over", parts);
            match self.host.reply_if_sendable(self.turn.conversation, &self.key("hand-over"), message).await {
                Ok(_) | Err(HostError::NotSendable(_) | HostError::Inbox(InboxError::KeyReused(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let note = note(reason, detail.as_deref(), &summary, prompt);
        let state = Assisted { handed_over_at: Some(self.host.clock().now()), ..look.assisted.clone() };
        let placement = Placement { assign: assistant.hand_over_assign.clone(), ..Placement::default() };
        let decision =
            Decision { reason: Some(reason), detail, made_by, ..Decision::new(Outcome::HandedOver, "assistant") };
        self.end(decision, Some(state), Some(note), Some(placement)).await?;
        Ok(None)
    }

    async fn end(
        &self,
        decision: Decision,
        state: Option<Assisted>,
        note: Option<HandOverNote>,
        placement: Option<Placement>,
    ) -> Result<(), Failed> {
        self.host
            .automations()
            .decide(NewDecision {
                consumer: Consumer::Assistant.name(),
                seq: self.turn.seq,
                account: self.turn.account,
                conversation: self.turn.conversation,
                now: self.host.clock().now(),
                decision: serde_json::to_string(&decision)?,
                state: state.map(|state| serde_json::to_string(&state)).transpose()?,
                placement,
                note,
                turn: Some(TurnChange::Ended(self.turn.seq)),
            })
            .await?;
        Ok(())
    }

    fn key(&self, what: &str) -> String {
        format!("automation:{what}:{}", self.turn.seq)
    }

    async fn capabilities(&self) -> Result<Arc<ChannelCapabilities>, HostError> {
        let channel = self.host.inbox().channel_of(self.turn.conversation).await?;
        Ok(Arc::clone(&self.host.channel(&channel)?.capabilities))
    }

    /// Shows that something is being written, again and again; ends only with a failure of this host.
    async fn shows_typing(&self, assistant: &Assistant, capabilities: &ChannelCapabilities) -> Failed {
        // A signal that also says "read" would say more than is true.
        let Some(rule) = capabilities.typing.as_ref().filter(|rule| !rule.marks_seen) else {
            return std::future::pending().await;
        };
        let again = Duration::from_millis(u64::from(rule.lasts).saturating_mul(3).div_euclid(4).max(LEAST_TYPING));
        let sender = format!("{}@{}", assistant.model, digest(assistant));
        for number in 0_u32.. {
            let key = format!("{}:{}:{number}", self.key("typing"), self.turn.attempts);
            let signal = from_assistant(&sender, vec![OutboundPart::Typing(true)]);
            match self.host.reply(self.turn.conversation, &key, signal).await {
                Ok(_) | Err(HostError::Inbox(InboxError::KeyReused(_))) => {}
                Err(error) => return error.into(),
            }
            self.host.clock().wait(again).await;
        }
        std::future::pending().await
    }
}

/// Why the model is not even asked.
fn cut_short(assistant: &Assistant, prompt: &Prompt, turns: u32) -> Option<Answer> {
    if asks_for_person(assistant, &prompt.turn) {
        Some(Answer::hands_over(Reason::AskedForPerson))
    } else if turns >= assistant.max_turns {
        Some(Answer::hands_over(Reason::MaxTurns))
    } else {
        None
    }
}

/// Asks the model, which spends of the day's budget. Meanwhile `typing` goes on; it ends only with a failure.
async fn ask(
    host: &Host,
    account: AccountId,
    assistant: &Assistant,
    first: bool,
    prompt: &Prompt,
    capabilities: &ChannelCapabilities,
    typing: impl Future<Output = Failed>,
) -> Result<Answer, Failed> {
    let (store, day) = (host.automations(), host.clock().now().div_euclid(DAY));
    let tokens = assistant.tokens_per_day.unwrap_or(u64::MAX);
    if !store.spend(account, day, assistant.calls_per_day, tokens).await? {
        return Ok(Answer::hands_over(Reason::Budget));
    }
    let key = if is_where_it_runs(host, account, assistant).await? { host.model_key(account).await? } else { None };
    let made_by =
        MadeBy { model: assistant.model.clone(), instructions: digest(assistant), confidence: None, tokens: None };
    let direct = host.direct();
    let asked = tokio::select! {
        asked = model::ask(&direct, assistant, key.as_ref(), prompt) => asked,
        failed = typing => return Err(failed),
    };
    let Completion { text, tokens } = match asked {
        Ok(completion) => completion,
        Err(error) => return Ok(failed(&error, made_by)),
    };
    if let Some(tokens) = tokens {
        store.note_tokens(account, day, tokens).await?;
    }
    let said = answer::read(&text);
    let made_by = MadeBy { confidence: said.as_ref().map(|said| said.confidence), tokens, ..made_by };
    Ok(judged(assistant, first, said, made_by, capabilities))
}

/// Whether the settings in force ask the same server. Its key goes nowhere else, also where an address is only tried.
async fn is_where_it_runs(host: &Host, account: AccountId, assistant: &Assistant) -> Result<bool, Failed> {
    let Some(row) = host.automations().automation(account).await? else { return Ok(false) };
    let stored: Settings = serde_json::from_str(&row.settings)?;
    Ok(stored.assistant.base_url == assistant.base_url)
}

fn failed(error: &ModelError, made_by: MadeBy) -> Answer {
    tracing::warn!(%error, "the language model did not answer; a person is asked");
    let detail = Some(error.to_string());
    Answer::HandsOver { reason: Reason::ModelFailed, detail, summary: String::new(), made_by: Some(made_by) }
}

/// What becomes of what the model said.
fn judged(
    assistant: &Assistant,
    first: bool,
    said: Option<Said>,
    made_by: MadeBy,
    capabilities: &ChannelCapabilities,
) -> Answer {
    let hands_over =
        |reason, summary: String, made_by| Answer::HandsOver { reason, detail: None, summary, made_by: Some(made_by) };
    let Some(Said { answer, confidence, hand_over, summary }) = said else {
        return hands_over(Reason::Nonsense, String::new(), made_by);
    };
    if hand_over {
        return hands_over(Reason::ModelAsked, summary, made_by);
    }
    if confidence < assistant.min_confidence {
        return hands_over(Reason::LowConfidence, summary, made_by);
    }
    let disclosed = match assistant.disclose {
        Disclose::Never => false,
        Disclose::First => first,
        Disclose::Each => true,
    };
    let text = if disclosed { format!("{}\n\n{answer}", assistant.disclosure.trim()) } else { answer };
    let parts = parts(&text, capabilities);
    if parts.is_empty() || parts.len() > MAX_PARTS {
        return hands_over(Reason::TooLong, summary, made_by);
    }
    Answer::Says(parts, made_by)
}

fn asks_for_person(assistant: &Assistant, turn: &[String]) -> bool {
    let turn: Vec<Words> = turn.iter().map(|text| Words::of(text)).collect();
    assistant.person_words.values().flatten().any(|words| turn.iter().any(|text| text.contain(words)))
}

fn note(reason: Reason, detail: Option<&str>, summary: &str, prompt: &Prompt) -> HandOverNote {
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    let said = format!("The assistant handed this conversation over. {}{detail}", reason.sentence());
    let quoted = |text: &String| format!("> {}", text.chars().take(QUOTED).collect::<String>().replace('\n', " "));
    let summary = if summary.is_empty() {
        let asked = prompt.turn.iter().rev().take(3).rev().map(quoted).collect::<Vec<_>>().join("\n");
        format!("The customer wrote last:\n{asked}")
    } else {
        format!("Summary by the model: {summary}")
    };
    let brief = format!("{said}\nThe summary was removed, because the customer unsent a message.");
    HandOverNote { text: format!("{said}\n{summary}"), brief }
}

/// What the assistant would do with a turn.
pub(crate) enum Asking {
    /// There is no turn.
    NoTurn,
    /// The model would be asked, and was not.
    NotAsked,
    /// This.
    Answered(Answer),
}

/// What the assistant would say to the last turn of these entries. With `ask`, it asks the model, which counts to the
/// budget; nothing is sent.
pub(crate) async fn would_answer(
    host: &Host,
    account: AccountId,
    settings: &Settings,
    entries: &[TimelineEntry],
    asks: bool,
) -> Result<Asking, Failed> {
    let assistant = &settings.assistant;
    let Some(prompt) = Prompt::of(assistant, entries) else { return Ok(Asking::NoTurn) };
    if let Some(answer) = cut_short(assistant, &prompt, 0) {
        return Ok(Asking::Answered(answer));
    }
    if !asks {
        return Ok(Asking::NotAsked);
    }
    let channel = host.inbox().account_row(account).await?.channel;
    let capabilities = Arc::clone(&host.channel(&channel)?.capabilities);
    let answer = ask(host, account, assistant, true, &prompt, &capabilities, std::future::pending()).await?;
    Ok(Asking::Answered(answer))
}
