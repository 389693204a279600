//! Owns: the states of a reply and of its steps.
//! Does not own: their summary for the caller (`verdict`).

use serde::Serialize;

/// The state of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// Waits for its turn.
    Queued,
    /// Some steps are still to be sent.
    Sending,
    /// Every step has a final state.
    Done,
    /// The channel declared it unsendable.
    Refused,
}

impl ReplyState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Queued, Self::Sending, Self::Done, Self::Refused].into_iter().find(|state| state.name() == name)
    }
}

/// The state of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Waits for its turn, or for another attempt.
    Queued,
    /// The request is in flight.
    Sending,
    /// The platform accepted it.
    Sent,
    /// The platform or the host's rules refused it.
    Rejected,
    /// The platform may have accepted it. It is never sent again automatically.
    Ambiguous,
    /// Not tried, because an earlier step was refused.
    Cancelled,
}

impl StepState {
    /// The name in SQL and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Ambiguous => "ambiguous",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        use StepState::{Ambiguous, Cancelled, Queued, Rejected, Sending, Sent};
        [Queued, Sending, Sent, Rejected, Ambiguous, Cancelled].into_iter().find(|state| state.name() == name)
    }
}
