//! The states of a reply and of its steps.
//! Not here: what they come to for whoever asked (`verdict`).

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

/// Where a step stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
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
    Unknown,
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
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            "rejected" => Self::Rejected,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}
