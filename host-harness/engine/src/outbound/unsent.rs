//! Owns: outcomes for steps without an answer from the platform, and the host's own refusals, with their wording.
//! Does not own: what follows from them (`attempt`).

use harness_contract::{
    Failure, FailureCategory, SendOutcome, SendResult, SendStep, Severity, StepKind, Violation, names::violation_code,
    text::shown,
};
use harness_inbox::InboxError;
use harness_sandbox::CallError;

use crate::media::uploads::FilesError;
use harness_egress::EgressError;

/// The platform answered and the channel could not parse it: the message may have been accepted.
pub(crate) fn unread(step: &SendStep, error: &str) -> SendOutcome {
    tracing::error!(error, "the channel could not read the platform's answer");
    let failure = failure(
        FailureCategory::Internal,
        "The platform answered, but the channel could not read the answer: the message may have been delivered.".into(),
    );
    outcome(if step.repeatable { SendResult::Transient(failure) } else { SendResult::Ambiguous(failure) })
}

/// There is no answer. The outcome depends on whether the request may have been sent.
pub(crate) fn unsent(step: &SendStep, error: &EgressError) -> SendOutcome {
    let why = shown(&error.to_string());
    tracing::warn!(error = why, "a request has no response");
    let sentence = |text: &str| format!("{text} ({why}).");
    let harmless = step.repeatable || step.kind != StepKind::Message;
    outcome(match error {
        error if error.may_have_arrived() && !harmless => SendResult::Ambiguous(failure(
            FailureCategory::Ambiguous,
            sentence("The platform's answer did not come, and the message may have been delivered"),
        )),
        EgressError::NoMemory => SendResult::Transient(failure(
            FailureCategory::Internal,
            sentence("The request was not sent, and waits until there is memory for it"),
        )),
        EgressError::Unreachable(_) => SendResult::Transient(failure(
            FailureCategory::PlatformTransient,
            sentence("The platform could not be reached"),
        )),
        error if error.may_have_arrived() => SendResult::Transient(failure(
            FailureCategory::PlatformTransient,
            sentence("The platform's answer did not come"),
        )),
        EgressError::MissingSlot(_) => SendResult::Unauthorized(failure(
            FailureCategory::AuthExpired,
            sentence("The account has no credential for this; connect it again"),
        )),
        _ => SendResult::Rejected(failure(FailureCategory::Internal, sentence("The request was not sent"))),
    })
}

/// A file of the request is not available, so nothing was sent.
pub(crate) fn no_files(error: &FilesError) -> SendOutcome {
    let gone = matches!(error, FilesError::Inbox(InboxError::NotFound { .. }) | FilesError::Request(_));
    let sentence = match error {
        FilesError::Request(_) => format!("The files of this message cannot be sent ({error})."),
        _ => format!("A file of this message is not at hand ({error})."),
    };
    outcome(if gone {
        SendResult::Rejected(failure(FailureCategory::ContentInvalid, sentence))
    } else {
        SendResult::Transient(failure(FailureCategory::Internal, sentence))
    })
}

pub(crate) fn unrecorded() -> Failure {
    failure(
        FailureCategory::Ambiguous,
        "How this was answered could not be written down, and it may have been delivered.".into(),
    )
}

/// A signal that could not be sent in time and is stale by now.
pub(crate) fn late_signal() -> SendOutcome {
    let sentence = "This signal could not leave at once, and later it would not be true: it was dropped.";
    outcome(SendResult::Rejected(failure(FailureCategory::Other, sentence.into())))
}

pub(crate) fn host_failed() -> Violation {
    violation("The host failed while preparing this message, and nothing was sent.".into())
}

pub(crate) fn disconnected() -> Violation {
    violation("The account of this conversation is disconnected. Connect it again to answer.".into())
}

pub(crate) fn channel_failed(error: &CallError) -> Violation {
    violation(format!("The channel failed while preparing this message and nothing was sent: {error}."))
}

pub(crate) fn nothing_to_send() -> Violation {
    violation("There is nothing in this message that could be sent.".into())
}

pub(crate) fn violation(sentence: String) -> Violation {
    Violation {
        severity: Severity::Error,
        code: violation_code::OTHER.to_owned(),
        path: String::new(),
        message: sentence,
        limit: None,
        actual: None,
        accepted: Vec::new(),
        split_at: None,
    }
}

pub(crate) fn failure(category: FailureCategory, sentence: String) -> Failure {
    Failure { category, code: None, subcode: None, message: sentence, fix: None, retry_after: None, trace_id: None }
}

pub(crate) fn outcome(result: SendResult) -> SendOutcome {
    SendOutcome { verdict: result, pause: None, reply_context: None }
}
