//! All credentials that the host knows for a channel, ready to be searched for: of its accounts and its own, those that
//! verify webhooks, and those that were replaced. Belongs here: making the search ready once for every change of them.
//! The search itself: `conceal`.
//!
//! What is made ready holds the credentials' bytes in another form, which is not wiped when it is dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use harness_contract::{
    AccountError, CheckResult, Failure, HttpError, ParseError, SendOutcome, SendResult, StorageError,
};

use crate::{
    account::Scratch,
    conceal::{Spellings, without},
    secrets::{Secret, Secrets},
    work::{self, GivenUp},
};

/// The shortest secret that is looked for; shorter ones would be found by chance.
const LEAK_LENGTH: usize = 12;

/// What is looked for, made ready when it is needed first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ready(Arc<OnceLock<Spellings>>);

impl Ready {
    pub(crate) fn get(&self, secrets: impl FnOnce() -> Vec<Secret>) -> &Spellings {
        self.0.get_or_init(|| {
            let secrets = secrets();
            Spellings::of(secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= LEAK_LENGTH))
        })
    }

    /// Whether it is there already, so that getting it takes no time.
    pub(crate) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }
}

/// What is ready, by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadyByChannel(Arc<Mutex<HashMap<String, Ready>>>);

impl ReadyByChannel {
    /// The same one until the channel's credentials change. It must be filled with what they are after this call.
    pub(crate) fn of(&self, channel: &str) -> Ready {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(channel.to_owned()).or_default().clone()
    }

    /// The channel's credentials changed: called after the change.
    pub(crate) fn changed(&self, channel: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(channel);
    }
}

/// What the host knows for one call of a channel.
#[derive(Clone)]
pub(crate) struct Known {
    secrets: Secrets,
    channel: String,
    /// What was captured for nobody yet.
    scratch: Option<Arc<Scratch>>,
}

impl Known {
    pub(crate) fn new(secrets: &Secrets, channel: &str, scratch: Option<&Arc<Scratch>>) -> Self {
        Self { secrets: secrets.clone(), channel: channel.to_owned(), scratch: scratch.cloned() }
    }

    /// Whether looking begins at once: otherwise much may have to be made ready first.
    fn is_ready(&self) -> bool {
        self.secrets.ready(&self.channel).is_made()
            && self.scratch.as_ref().is_none_or(|scratch| scratch.ready().is_made())
    }

    /// How much work it is to search so many bytes now, in bytes.
    pub(crate) fn effort(&self, bytes: usize) -> usize {
        if self.is_ready() { bytes } else { bytes.max(work::SMALL) }
    }

    /// Hands what is known at this moment to a search.
    pub(crate) fn search<T>(&self, search: impl FnOnce(&[&Spellings]) -> T) -> T {
        let of_channel = self.secrets.ready(&self.channel);
        let of_channel = of_channel.get(|| self.secrets.all_of(&self.channel));
        match &self.scratch {
            None => search(&[of_channel]),
            Some(scratch) => {
                let ready = scratch.ready();
                let of_scratch =
                    ready.get(|| scratch.secrets().into_iter().map(|(_, secret)| secret).collect::<Vec<_>>());
                search(&[of_channel, of_scratch])
            }
        }
    }

    /// A text for people, without what is known.
    pub(crate) fn conceal_in(&self, text: &mut String) {
        let concealed = self.search(|known| without(known, text.as_bytes(), &GivenUp::default()));
        if let Some(concealed) = concealed {
            *text = String::from_utf8_lossy(&concealed).into_owned();
        }
    }
}

/// What a channel says of what went wrong: it read more than answers, such as webhooks.
impl Known {
    pub(crate) fn conceal_in_outcome(&self, outcome: &mut SendOutcome) {
        match &mut outcome.result {
            SendResult::Sent(_) => {}
            SendResult::RateLimited(failure)
            | SendResult::Transient(failure)
            | SendResult::Ambiguous(failure)
            | SendResult::Rejected(failure)
            | SendResult::Unauthorized(failure) => self.conceal_in_failure(failure),
        }
    }

    fn conceal_in_failure(&self, failure: &mut Failure) {
        let Failure { sentence, fix, code, subcode, trace_id, category: _, retry_after: _ } = failure;
        self.conceal_in(sentence);
        for text in [fix, code, subcode, trace_id].into_iter().flatten() {
            self.conceal_in(text);
        }
    }

    pub(crate) fn conceal_in_account_error(&self, error: &mut AccountError) {
        match error {
            AccountError::Denied(text) | AccountError::InvalidInput(text) | AccountError::Other(text) => {
                self.conceal_in(text);
            }
            AccountError::Platform(failure) => self.conceal_in_failure(failure),
            AccountError::Http(error) => match error {
                HttpError::Denied(text)
                | HttpError::Unreachable(text)
                | HttpError::MissingSlot(text)
                | HttpError::CaptureFailed(text)
                | HttpError::InvalidRequest(text)
                | HttpError::Other(text) => self.conceal_in(text),
                HttpError::TimedOut | HttpError::TooLarge(_) | HttpError::BudgetExhausted => {}
            },
            AccountError::Storage(StorageError::Other(text)) => self.conceal_in(text),
            AccountError::Storage(_) | AccountError::Unsupported | AccountError::Expired => {}
        }
    }

    pub(crate) fn conceal_in_parse_error(&self, error: &mut ParseError) {
        match error {
            ParseError::Malformed(at) => self.conceal_in(&mut at.reason),
            ParseError::NotThisChannel(text) | ParseError::Other(text) => self.conceal_in(text),
        }
    }

    pub(crate) fn conceal_in_checks(&self, checks: &mut [CheckResult]) {
        for CheckResult { name, finding, fix, level: _ } in checks {
            for text in [Some(name), Some(finding), fix.as_mut()].into_iter().flatten() {
                self.conceal_in(text);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use crate::secrets::SecretKey;

    use super::*;

    fn key(account: Option<&str>, slot: &str) -> SecretKey {
        SecretKey { channel: "c".into(), account: account.map(str::to_owned), slot: slot.into() }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.into())
    }

    fn shown(known: &Known, text: &str) -> String {
        let mut text = text.to_owned();
        known.conceal_in(&mut text);
        text
    }

    #[test]
    fn what_is_looked_for_is_made_ready_once_for_every_change() {
        let secrets = Secrets::default();
        secrets.set(key(Some("a"), "token"), secret("the-token-of-a"));
        let known = Known::new(&secrets, "c", None);
        assert!(!known.is_ready());
        assert_eq!(shown(&known, "the-token-of-a"), "[concealed]");
        let first = secrets.ready("c");
        assert!(known.is_ready() && Arc::ptr_eq(&first.0, &secrets.ready("c").0), "it is the same one");
        secrets.set(SecretKey { channel: "other".into(), ..key(None, "x") }, secret("a-secret-of-another"));
        assert!(Arc::ptr_eq(&first.0, &secrets.ready("c").0), "another channel changes nothing");

        secrets.set(key(Some("b"), "token"), secret("the-token-of-b"));
        assert!(!known.is_ready());
        assert_eq!(shown(&known, "the-token-of-a the-token-of-b"), "[concealed] [concealed]");
        secrets.forget("c", "a");
        assert_eq!(shown(&known, "the-token-of-a the-token-of-b"), "the-token-of-a [concealed]");
    }

    #[test]
    fn secrets_that_were_replaced_are_known_on() {
        let secrets = Secrets::default();
        let known = Known::new(&secrets, "c", None);
        secrets.set(key(Some("a"), "token"), secret("the-first-token"));
        secrets.set(key(Some("a"), "token"), secret("the-second-token"));
        assert_eq!(shown(&known, "the-first-token the-second-token"), "[concealed] [concealed]");
        secrets.set_previous("c", vec![("secret".into(), secret("a-secret-of-before"), 0)]);
        assert_eq!(shown(&known, "a-secret-of-before"), "[concealed]");
        let given = |text: &str| HashMap::from([("secret".to_owned(), secret(text))]);
        secrets.set_configured("c", None, given("the-first-secret"));
        secrets.set_configured("c", None, given("the-second-secret"));
        secrets.set_configured("c", None, HashMap::new());
        assert_eq!(shown(&known, "the-second-secret"), "[concealed]");
        secrets.replace("c", "a", vec![(key(Some("a"), "token"), secret("the-third-token"))]);
        assert_eq!(shown(&known, "the-second-token the-third-token"), "[concealed] [concealed]");
        secrets.forget("c", "a");
        assert_eq!(shown(&known, "the-second-token"), "the-second-token", "it is gone with its account");
    }

    #[test]
    fn what_was_captured_for_nobody_yet_is_known_and_short_words_are_not_looked_for() {
        let scratch = Arc::new(Scratch::default());
        let secrets = Secrets::default();
        secrets.set(key(None, "word"), secret("short-word"));
        let known = Known::new(&secrets, "c", Some(&scratch));
        assert_eq!(shown(&known, "a-captured-token"), "a-captured-token");
        scratch.keep("token".into(), secret("a-captured-token"));
        assert_eq!(shown(&known, "a-captured-token short-word"), "[concealed] short-word");
    }
}
