//! Owns: the credentials known for one call of a channel, and redacting them from what people and channels read: the
//! accounts', the channel's, those that verify webhooks, and replaced ones.
//! Does not own: the search (`redact`), keeping it ready (`credentials`).

use std::sync::Arc;

use harness_contract::{
    AccountError, CheckResult, Failure, HttpError, ParseError, SendOutcome, SendResult, StorageError,
};

use crate::{
    credentials::{PendingCredentials, Secrets},
    error::EgressError,
    offload::{self, GivenUp},
    redact::{Spellings, without},
};

/// The credentials known for one call of a channel.
#[derive(Clone)]
pub struct Known {
    secrets: Secrets,
    channel: String,
    /// Captured while an account is being connected.
    pending: Option<Arc<PendingCredentials>>,
}

impl Known {
    /// For one call of a channel, with `pending` while an account is being connected.
    pub fn new(secrets: &Secrets, channel: &str, pending: Option<&Arc<PendingCredentials>>) -> Self {
        Self { secrets: secrets.clone(), channel: channel.to_owned(), pending: pending.cloned() }
    }

    /// Whether the search is built. Building it may take long.
    fn is_ready(&self) -> bool {
        self.secrets.search(&self.channel).is_made()
            && self.pending.as_ref().is_none_or(|pending| pending.search().is_made())
    }

    /// The cost of searching this many bytes now, in bytes.
    pub(crate) fn effort(&self, bytes: usize) -> usize {
        if self.is_ready() { bytes } else { bytes.max(offload::SMALL) }
    }

    /// Runs a search with the currently known credentials.
    pub(crate) fn search<T>(&self, search: impl FnOnce(&[&Spellings]) -> T) -> T {
        let of_channel = self.secrets.search(&self.channel);
        let of_channel = of_channel.get(|| self.secrets.all_of(&self.channel));
        match &self.pending {
            None => search(&[of_channel]),
            Some(pending) => {
                let ready = pending.search();
                let of_scratch = ready.get(|| pending.all().into_iter().map(|(_, secret)| secret).collect::<Vec<_>>());
                search(&[of_channel, of_scratch])
            }
        }
    }

    /// Redacts a text for people.
    pub fn redact_in(&self, text: &mut String) {
        let redacted = self.search(|known| without(known, text.as_bytes(), &GivenUp::default()));
        if let Some(redacted) = redacted {
            *text = String::from_utf8_lossy(&redacted).into_owned();
        }
    }
}

/// A channel's own reports. They may quote what it read, such as a webhook.
impl Known {
    /// Redacts all texts of an outcome.
    pub fn redact_in_outcome(&self, outcome: &mut SendOutcome) {
        match &mut outcome.result {
            SendResult::Sent(_) => {}
            SendResult::RateLimited(failure)
            | SendResult::Transient(failure)
            | SendResult::Ambiguous(failure)
            | SendResult::Rejected(failure)
            | SendResult::Unauthorized(failure) => self.redact_in_failure(failure),
        }
    }

    fn redact_in_failure(&self, failure: &mut Failure) {
        let Failure { sentence, fix, code, subcode, trace_id, category: _, retry_after: _ } = failure;
        self.redact_in(sentence);
        for text in [fix, code, subcode, trace_id].into_iter().flatten() {
            self.redact_in(text);
        }
    }

    /// Redacts all texts of an account error.
    pub fn redact_in_account_error(&self, error: &mut AccountError) {
        match error {
            AccountError::Denied(text) | AccountError::InvalidInput(text) | AccountError::Other(text) => {
                self.redact_in(text);
            }
            AccountError::Platform(failure) => self.redact_in_failure(failure),
            AccountError::Http(error) => match error {
                HttpError::Denied(text)
                | HttpError::Unreachable(text)
                | HttpError::MissingSlot(text)
                | HttpError::CaptureFailed(text)
                | HttpError::InvalidRequest(text)
                | HttpError::Other(text) => self.redact_in(text),
                HttpError::TimedOut | HttpError::TooLarge(_) | HttpError::BudgetExhausted => {}
            },
            AccountError::Storage(StorageError::Other(text)) => self.redact_in(text),
            AccountError::Storage(_) | AccountError::Unsupported | AccountError::Expired => {}
        }
    }

    /// Redacts all texts of a parse error.
    pub fn redact_in_parse_error(&self, error: &mut ParseError) {
        match error {
            ParseError::Malformed(at) => self.redact_in(&mut at.reason),
            ParseError::NotThisChannel(text) | ParseError::Other(text) => self.redact_in(text),
        }
    }

    /// Redacts all texts of check results.
    pub fn redact_in_checks(&self, checks: &mut [CheckResult]) {
        for CheckResult { name, finding, fix, level: _ } in checks {
            for text in [Some(name), Some(finding), fix.as_mut()].into_iter().flatten() {
                self.redact_in(text);
            }
        }
    }
}

impl Known {
    /// Redacts an egress error, which may quote a channel or a server.
    pub(crate) fn redact_in_egress_error(&self, mut error: EgressError) -> EgressError {
        match &mut error {
            EgressError::Invalid(text)
            | EgressError::Unreachable(text)
            | EgressError::NoAnswer(text)
            | EgressError::CaptureFailed(text)
            | EgressError::MissingSlot(text) => self.redact_in(text),
            EgressError::SlotNotAllowed { slot, .. } => self.redact_in(slot),
            EgressError::Denied(denied) => {
                let mut text = denied.to_string();
                self.redact_in(&mut text);
                if text != denied.to_string() {
                    return EgressError::Leak;
                }
            }
            EgressError::Leak | EgressError::NoMemory | EgressError::TooLarge(_) | EgressError::Encoded => {}
        }
        error
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::HashMap;

    use crate::credentials::{Secret, SecretKey};

    use super::*;

    fn key(account: Option<&str>, slot: &str) -> SecretKey {
        SecretKey { channel: "c".into(), account: account.map(str::to_owned), slot: slot.into() }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.into())
    }

    fn shown(known: &Known, text: &str) -> String {
        let mut text = text.to_owned();
        known.redact_in(&mut text);
        text
    }

    #[test]
    fn what_is_looked_for_is_made_ready_once_for_every_change() {
        let secrets = Secrets::default();
        secrets.set(key(Some("a"), "token"), secret("the-token-of-a"));
        let known = Known::new(&secrets, "c", None);
        assert!(!known.is_ready());
        assert_eq!(shown(&known, "the-token-of-a"), "[redacted]");
        let first = secrets.search("c");
        assert!(known.is_ready() && Arc::ptr_eq(&first.0, &secrets.search("c").0), "it is the same one");
        secrets.set(SecretKey { channel: "other".into(), ..key(None, "x") }, secret("a-secret-of-another"));
        assert!(Arc::ptr_eq(&first.0, &secrets.search("c").0), "another channel changes nothing");

        secrets.set(key(Some("b"), "token"), secret("the-token-of-b"));
        assert!(!known.is_ready());
        assert_eq!(shown(&known, "the-token-of-a the-token-of-b"), "[redacted] [redacted]");
        secrets.forget("c", "a");
        assert_eq!(shown(&known, "the-token-of-a the-token-of-b"), "the-token-of-a [redacted]");
    }

    #[test]
    fn secrets_that_were_replaced_are_known_on() {
        let secrets = Secrets::default();
        let known = Known::new(&secrets, "c", None);
        secrets.set(key(Some("a"), "token"), secret("the-first-token"));
        secrets.set(key(Some("a"), "token"), secret("the-second-token"));
        assert_eq!(shown(&known, "the-first-token the-second-token"), "[redacted] [redacted]");
        secrets.set_previous("c", vec![("secret".into(), secret("a-secret-of-before"), 0)]);
        assert_eq!(shown(&known, "a-secret-of-before"), "[redacted]");
        let given = |text: &str| HashMap::from([("secret".to_owned(), secret(text))]);
        secrets.set_configured("c", None, given("the-first-secret"));
        secrets.set_configured("c", None, given("the-second-secret"));
        secrets.set_configured("c", None, HashMap::new());
        assert_eq!(shown(&known, "the-second-secret"), "[redacted]");
        secrets.replace("c", "a", vec![(key(Some("a"), "token"), secret("the-third-token"))]);
        assert_eq!(shown(&known, "the-second-token the-third-token"), "[redacted] [redacted]");
        secrets.forget("c", "a");
        assert_eq!(shown(&known, "the-second-token"), "the-second-token", "it is gone with its account");
    }

    #[test]
    fn what_was_captured_for_nobody_yet_is_known_and_short_words_are_not_looked_for() {
        let pending = Arc::new(PendingCredentials::default());
        let secrets = Secrets::default();
        secrets.set(key(None, "word"), secret("short-word"));
        let known = Known::new(&secrets, "c", Some(&pending));
        assert_eq!(shown(&known, "a-captured-token"), "a-captured-token");
        pending.set("token".into(), secret("a-captured-token"));
        assert_eq!(shown(&known, "a-captured-token short-word"), "[redacted] short-word");
    }
}
