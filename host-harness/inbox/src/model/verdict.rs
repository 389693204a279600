//! Owns: the outcome of a reply in one word, derived from the states of its steps.
//! Does not own: the outcomes of steps.

use serde::Serialize;

use super::state::{ReplyState, StepState};

/// The state or outcome of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyVerdict {
    /// Waits for its turn.
    Queued,
    /// Some of it is still to be sent.
    Sending,
    /// All of it was sent.
    Sent,
    /// Some of it was sent; the rest was not.
    PartlySent,
    /// Nothing was sent: the platform or this host's rules refused it.
    Failed,
    /// The channel declared it unsendable; nothing was tried.
    Refused,
    /// Some of it may have been delivered. A person has to check and settle it.
    Ambiguous,
    /// Nothing was tried, because its purpose no longer exists.
    Cancelled,
}

impl ReplyVerdict {
    /// Derives the verdict. `steps` holds the kind and state of each step.
    pub(crate) fn of<'a>(state: ReplyState, steps: impl Iterator<Item = (&'a str, StepState)>) -> Self {
        match state {
            ReplyState::Queued => return Self::Queued,
            ReplyState::Sending => return Self::Sending,
            ReplyState::Refused => return Self::Refused,
            ReplyState::Done => {}
        }
        // An upload delivers nothing. A signal counts only in a reply without messages.
        let (mut signals, mut messages) = (Vec::new(), Vec::new());
        for (kind, state) in steps {
            match kind {
                "message" => messages.push(state),
                "action" => signals.push(state),
                // A failed upload counts as the message that needed it.
                _ if state != StepState::Sent => messages.push(state),
                _ => {}
            }
        }
        let of = if messages.is_empty() { signals } else { messages };
        let any = |state| of.contains(&state);
        if any(StepState::Ambiguous) {
            Self::Ambiguous
        } else if of.iter().all(|state| *state == StepState::Sent) && !of.is_empty() {
            Self::Sent
        } else if any(StepState::Sent) {
            Self::PartlySent
        } else if any(StepState::Rejected) {
            Self::Failed
        } else {
            Self::Cancelled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_parts_come_to_one_word() {
        use StepState::{Ambiguous, Cancelled, Rejected, Sent};
        let message =
            |states: &[StepState]| ReplyVerdict::of(ReplyState::Done, states.iter().map(|state| ("message", *state)));
        assert_eq!(message(&[Sent, Sent]), ReplyVerdict::Sent);
        assert_eq!(message(&[Sent, Rejected, Cancelled]), ReplyVerdict::PartlySent);
        assert_eq!(message(&[Rejected, Cancelled]), ReplyVerdict::Failed);
        assert_eq!(message(&[Sent, Ambiguous, Cancelled]), ReplyVerdict::Ambiguous);
        assert_eq!(message(&[Cancelled]), ReplyVerdict::Cancelled);
        assert_eq!(message(&[]), ReplyVerdict::Cancelled);
        let of = |steps: &[(&'static str, StepState)]| ReplyVerdict::of(ReplyState::Done, steps.iter().copied());
        assert_eq!(of(&[("action", Cancelled), ("message", Sent)]), ReplyVerdict::Sent);
        assert_eq!(of(&[("action", Cancelled)]), ReplyVerdict::Cancelled);
        assert_eq!(of(&[("action", Sent)]), ReplyVerdict::Sent);
        assert_eq!(of(&[("upload", Sent), ("message", Rejected)]), ReplyVerdict::Failed);
        assert_eq!(of(&[("upload", Rejected), ("message", Cancelled)]), ReplyVerdict::Failed);
    }
}
