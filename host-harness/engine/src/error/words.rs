//! Owns: what went wrong in a call of the `account` interface, in words for people.
//! Does not own: what follows from it.

use harness_contract::{AccountError, HttpError, text::shown};

/// What went wrong, for a person.
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
