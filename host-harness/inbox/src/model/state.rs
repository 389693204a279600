//! Owns: the states of a reply and of its steps.
//! Does not own: what they come to for whoever asked (`verdict`).

use serde::Serialize;

/// Where a reply stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// Waits for its turn.
    Queued,
    /// Some of it is still to be sent.
    Sending,
    /// Every step has its end.
    Done,
    /// The channel says that it cannot be sent.
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

/// Where a step stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Waits for its turn, or for another attempt.
    Queued,
    /// The request is on its way.
    Sending,
    /// The platform has it.
    Sent,
    /// The platform, or the host's rules, refused it.
    Rejected,
    /// The platform may have it: never sent again by itself.
    Ambiguous,
    /// An earlier step was refused, so this one was not tried.
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
