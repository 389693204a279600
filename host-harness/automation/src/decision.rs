//! Owns: what was decided, by which rule, and why nothing was done: the words of the log.
//! Does not own: deciding. A decision holds no words of customers, so that nothing in it has to be purged.

use serde::{Deserialize, Serialize};

/// A part of the automation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Consumer {
    /// The greeting.
    Welcome,
    /// The rules for collections.
    Routing,
    /// The AI assistant.
    Assistant,
}

impl Consumer {
    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::Routing => "routing",
            Self::Assistant => "assistant",
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A message was queued.
    Sent,
    /// The conversation was put somewhere.
    Placed,
    /// A person was asked to go on.
    HandedOver,
    /// Nothing.
    Skipped,
}

/// Why nothing was done, or why a person was asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Switched off meanwhile.
    Off,
    /// The conversation is not new.
    NotNew,
    /// The conversation was greeted before.
    Welcomed,
    /// A person wrote before.
    Person,
    /// The conversation was handed over, and not handed back.
    HandedOver,
    /// The messaging window is not open.
    Window,
    /// A person put the conversation where it is.
    PlacedByPerson,
    /// The collection is not one of the assistant's.
    OtherCollection,
    /// There is nothing left to answer.
    NothingToAnswer,
    /// The channel refuses the message.
    Refused,
    /// The channel is not loaded.
    NoChannel,
    /// The customer asked for a person.
    AskedForPerson,
    /// The limit of answers is reached.
    MaxTurns,
    /// The budget of the day is used up.
    Budget,
    /// The model could not be asked or did not answer.
    ModelFailed,
    /// The model's answer is not in the form that was asked for.
    Nonsense,
    /// The model was not sure enough.
    LowConfidence,
    /// The model asked for a person.
    ModelAsked,
    /// The answer is too long to be sent.
    TooLong,
    /// The customer went on writing, again and again.
    NeverEnding,
    /// The conversation was closed, and goes on in another one.
    Continued,
}

impl Reason {
    /// The reason in a note for the team.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::AskedForPerson => "The customer asked for a person.",
            Self::MaxTurns => "It has given as many answers as it may.",
            Self::Budget => "The budget for today is used up.",
            Self::ModelFailed => "The language model could not be reached or did not answer.",
            Self::Nonsense => "The language model's answer could not be used.",
            Self::LowConfidence => "It was not sure of the answer.",
            Self::ModelAsked => "It needs a person for this.",
            Self::TooLong => "The answer was too long to be sent.",
            Self::NeverEnding => "The customer went on writing while it answered.",
            Self::Refused => "The answer could not be sent here.",
            _ => "It cannot go on.",
        }
    }
}

/// A decision, as the log keeps it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decision {
    /// What was done.
    pub outcome: Outcome,
    /// Why, if that needs a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rule that made it: its name, `default`, or the part of the settings.
    pub rule: String,
    /// What went wrong, in words without anything that a customer wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The model and the instructions that made the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<MadeBy>,
}

/// What made an answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct MadeBy {
    /// The model's name.
    pub model: String,
    /// The first 12 hexadecimal digits of the SHA-256 of the instructions.
    pub instructions: String,
    /// How sure the model said it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The tokens that the call used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
}

impl Decision {
    pub(crate) fn new(outcome: Outcome, rule: impl Into<String>) -> Self {
        Self { outcome, reason: None, rule: rule.into(), detail: None, made_by: None }
    }

    pub(crate) fn skipped(rule: impl Into<String>, reason: Reason) -> Self {
        Self { reason: Some(reason), ..Self::new(Outcome::Skipped, rule) }
    }
}
