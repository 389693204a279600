//! Owns: failures of the `account` interface, worded for operators and for people.
//! Does not own: what follows from them.

use harness_contract::{AccountError, HttpError, Violation, text::shown};

/// For a shop owner: a problem that the operator has to fix.
pub(crate) const OURS: &str = "Something went wrong on this side, and nothing was connected. Try again; if it stays so, tell \
                               whoever runs this inbox to look into its log.";
/// For a shop owner: a problem that passes by itself.
pub(crate) const TOO_MUCH: &str = "Too much is being done at the moment. Try again in a minute.";

/// A platform's failure, worded for a shop owner.
pub(crate) fn for_people(error: &AccountError) -> String {
    match error {
        AccountError::Http(HttpError::Unreachable(_) | HttpError::TimedOut) => {
            "The platform could not be reached just now. Try again in a minute.".to_owned()
        }
        AccountError::Http(_) | AccountError::Storage(_) | AccountError::Unsupported => OURS.to_owned(),
        // The wording may come from anywhere.
        error => shown(&sentence(error)),
    }
}

/// The failure as a sentence.
pub(crate) fn sentence(error: &AccountError) -> String {
    shown(&words(error))
}

fn words(error: &AccountError) -> String {
    match error {
        AccountError::Unsupported => "This channel does not do that.".to_owned(),
        AccountError::Denied(reason) => format!("It was not permitted: {reason}"),
        AccountError::Expired => "The link or the choice is too old, or was used before: begin again.".to_owned(),
        AccountError::InvalidInput(sentence) | AccountError::Other(sentence) => sentence.clone(),
        AccountError::Platform(failure) => match &failure.fix {
            Some(fix) => format!("{} {fix}", failure.message),
            None => failure.message.clone(),
        },
        AccountError::Http(error) => format!("The platform could not be asked: {}.", http_words(error)),
        AccountError::Storage(error) => format!("The channel's storage did not answer: {error:?}."),
    }
}

fn http_words(error: &HttpError) -> String {
    match error {
        HttpError::Denied(rule) => rule.clone(),
        HttpError::Unreachable(reason) => format!("no connection could be made ({reason})"),
        HttpError::TimedOut => "no answer came in time".to_owned(),
        HttpError::TooLarge(max) => format!("the answer is longer than {max} bytes"),
        HttpError::BudgetExhausted => "the channel made too many requests".to_owned(),
        HttpError::MissingSlot(slot) => format!("the credential `{slot}` is not there; fill it in the configuration"),
        HttpError::CaptureFailed(pointer) => format!("the answer holds no credential at `{pointer}`"),
        HttpError::InvalidRequest(reason) | HttpError::Other(reason) => reason.clone(),
    }
}

/// All violations of a message, in one sentence.
pub(crate) fn not_sendable(violations: &[Violation]) -> String {
    let sentences: Vec<_> = violations.iter().map(|violation| violation.message.as_str()).collect();
    format!("the message cannot be sent: {}", sentences.join(" "))
}
