//! Owns: when the circuit of a part of a channel opens after repeated failures, and when it is tried again.
//! Does not own: the work that waits meanwhile.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use harness_sandbox::{CallError, CallFailure};
use serde::Serialize;

use crate::{base::wake::Wake, error::Paused};

/// Consecutive failures, each with a different input, after which the circuit opens.
const THRESHOLD: u32 = 5;
/// The first wait, in milliseconds. It doubles with every failed trial.
const FIRST_WAIT_MS: u64 = 5_000;
/// The longest wait, in milliseconds. After working for as long, a part starts with the first wait again.
const LONGEST_WAIT_MS: u64 = 10 * 60_000;
/// When to ask again while another call makes the trial, in milliseconds.
const TRIAL_MS: u64 = 1_000;

/// The parts of a channel, each with its own circuit, so that e.g. a trapping profile call does not stop webhooks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Translating deliveries: `parse-webhook`.
    Incoming,
    /// Sending: `validate-outbound`, `build-send-request`, `parse-send-response`.
    Outgoing,
    /// The `account` interface.
    Account,
}

/// The state of a circuit.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// A trial call is running, or the next call will be one.
    HalfOpen,
    /// No calls are made.
    Open,
}

/// The state of one part of a channel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct BreakerView {
    /// The part.
    pub part: Part,
    /// Its circuit's state.
    pub state: BreakerState,
    /// When the circuit opened, in milliseconds since 1970.
    pub since: Option<u64>,
    /// The last failure, in words.
    pub reason: Option<String>,
    /// When the next trial is due, in milliseconds since 1970.
    pub next_trial: Option<u64>,
}

/// The circuit breakers of all channels. Cloning shares them.
#[derive(Clone, Default)]
pub(crate) struct CircuitBreakers {
    all: Arc<Mutex<BTreeMap<(String, Part), CircuitBreaker>>>,
    wake: Arc<Wake>,
}

#[derive(Default)]
struct CircuitBreaker {
    /// Failures since the last success.
    streak: u32,
    /// Failed trials. Each doubles the wait.
    level: u32,
    /// When the circuit last closed.
    closed_at: u64,
    open: Option<Open>,
}

struct Open {
    since: u64,
    reason: String,
    next: u64,
    /// A trial call is running.
    trial: bool,
}

impl CircuitBreaker {
    fn open(&mut self, reason: String, now: u64) {
        let wait = FIRST_WAIT_MS.saturating_mul(1 << self.level.min(20)).min(LONGEST_WAIT_MS);
        let since = self.open.as_ref().map_or(now, |open| open.since);
        self.level = self.level.saturating_add(1);
        self.open = Some(Open { since, reason, next: now.saturating_add(wait), trial: false });
    }
}

/// Permission for one call. Report the result with `succeeded` or `failed`; dropping it counts as neither.
pub(crate) struct Permit {
    breakers: CircuitBreakers,
    key: (String, Part),
    trial: bool,
}

impl CircuitBreakers {
    /// All circuits are closed. `wake` signals the end of a trial.
    pub(crate) fn new(wake: Arc<Wake>) -> Self {
        Self { all: Arc::default(), wake }
    }

    /// Asks for permission to call a part of a channel.
    pub(crate) fn admit(&self, channel: &str, part: Part, now: u64) -> Result<Permit, Paused> {
        let key = (channel.to_owned(), part);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let trial = match all.get_mut(&key).and_then(|breaker| breaker.open.as_mut()) {
            None => false,
            Some(open) if open.next <= now && !open.trial => {
                open.trial = true;
                true
            }
            Some(open) => {
                let until = if open.trial { now.saturating_add(TRIAL_MS) } else { open.next };
                return Err(Paused { channel: key.0, reason: open.reason.clone(), until });
            }
        };
        drop(all);
        Ok(Permit { breakers: self.clone(), key, trial })
    }

    /// Whether a circuit is open or half open.
    pub(crate) fn is_open(&self, channel: &str, part: Part) -> bool {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(channel.to_owned(), part)).is_some_and(|breaker| breaker.open.is_some())
    }

    /// The channels in which this part cannot be called now.
    pub(crate) fn paused(&self, part: Part, now: u64) -> HashSet<String> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |breaker: &CircuitBreaker| breaker.open.as_ref().is_some_and(|open| open.trial || open.next > now);
        let paused = all.iter().filter(|((_, of), breaker)| *of == part && waits(breaker));
        paused.map(|((channel, _), _)| channel.clone()).collect()
    }

    /// The next time after `after` at which a trial of this part is due, in any channel. The end of a running trial is
    /// signalled.
    pub(crate) fn next_trial(&self, part: Part, after: u64) -> Option<u64> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.iter().filter(|((_, of), _)| *of == part).filter_map(|(_, breaker)| breaker.open.as_ref());
        open.filter(|open| !open.trial && open.next > after).map(|open| open.next).min()
    }

    /// Closes all circuits of a channel: by hand, or because its code was replaced.
    pub(crate) fn reset(&self, channel: &str) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _), _| known != channel);
    }

    /// The clock was set back by this many milliseconds: moves all times with it, so that no wait gets longer.
    pub(crate) fn set_back(&self, by: u64) {
        for breaker in self.all.lock().unwrap_or_else(PoisonError::into_inner).values_mut() {
            breaker.closed_at = breaker.closed_at.saturating_sub(by);
            if let Some(open) = &mut breaker.open {
                open.since = open.since.saturating_sub(by);
                open.next = open.next.saturating_sub(by);
            }
        }
    }

    /// The state of each part of a channel, the worst first.
    pub(crate) fn view(&self, channel: &str, now: u64) -> Vec<BreakerView> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |part| {
            let open = all.get(&(channel.to_owned(), part)).and_then(|breaker| breaker.open.as_ref());
            let state = match open {
                None => BreakerState::Closed,
                Some(open) if open.trial || open.next <= now => BreakerState::HalfOpen,
                Some(_) => BreakerState::Open,
            };
            BreakerView {
                part,
                state,
                since: open.map(|open| open.since),
                reason: open.map(|open| open.reason.clone()),
                next_trial: open.map(|open| open.next),
            }
        };
        let mut views = [Part::Incoming, Part::Outgoing, Part::Account].map(view).to_vec();
        views.sort_by_key(|view| std::cmp::Reverse(view.state));
        views
    }
}

impl Permit {
    /// The call returned, whatever its result.
    pub(crate) fn succeeded(self, now: u64) {
        let mut all = self.breakers.all.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(breaker) = all.get_mut(&self.key) else { return };
        if breaker.open.is_some() && !self.trial {
            return;
        }
        if breaker.open.take().is_some() {
            tracing::info!(channel = self.key.0, part = ?self.key.1, "the channel works again");
            breaker.closed_at = now;
        }
        breaker.streak = 0;
    }

    /// Whether this failure opens the circuit.
    pub(crate) fn would_open(&self, error: &CallError, counts: bool) -> bool {
        let all = self.breakers.all.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = all.get(&self.key);
        counts
            && !matches!(error.failure, CallFailure::Busy(_))
            && breaker.is_none_or(|breaker| breaker.open.is_none())
            && breaker.map_or(0, |breaker| breaker.streak) + 1 >= THRESHOLD
    }

    /// The call failed. `counts` is false for an input that failed before; then only a trial has an effect.
    pub(crate) fn failed(self, error: &CallError, counts: bool, now: u64) {
        if matches!(error.failure, CallFailure::Busy(_)) {
            return;
        }
        let mut all = self.breakers.all.lock().unwrap_or_else(PoisonError::into_inner);
        // After a reset, an old trial no longer matters.
        if self.trial && !all.contains_key(&self.key) {
            return;
        }
        let breaker = all.entry(self.key.clone()).or_default();
        let opens = match &breaker.open {
            Some(_) => self.trial,
            None if counts => {
                breaker.streak += 1;
                breaker.streak >= THRESHOLD
            }
            None => false,
        };
        if opens {
            if breaker.open.is_none() && now.saturating_sub(breaker.closed_at) > LONGEST_WAIT_MS {
                breaker.level = 0;
            }
            breaker.open(error.to_string(), now);
            tracing::error!(channel = self.key.0, part = ?self.key.1, %error, "the channel fails again and again and is left alone");
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.trial {
            let mut all = self.breakers.all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(open) = all.get_mut(&self.key).and_then(|breaker| breaker.open.as_mut()) {
                open.trial = false;
            }
            drop(all);
            self.breakers.wake.usable();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn error() -> CallError {
        let failure = CallFailure::Trap("unreachable".into());
        CallError { channel: "x".into(), export: "messaging-channel.parse-webhook", failure }
    }

    fn fail(breakers: &CircuitBreakers, now: u64, counts: bool) {
        breakers.admit("x", Part::Incoming, now).unwrap().failed(&error(), counts, now);
    }

    fn opened(now: u64) -> CircuitBreakers {
        let breakers = CircuitBreakers::default();
        (0..THRESHOLD).for_each(|_| fail(&breakers, now, true));
        breakers
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_in_between_does_not() {
        let breakers = CircuitBreakers::default();
        for _ in 0..10 {
            (1..THRESHOLD).for_each(|_| fail(&breakers, 0, true));
            breakers.admit("x", Part::Incoming, 0).unwrap().succeeded(0);
        }
        assert!(!breakers.is_open("x", Part::Incoming));
        let breakers = opened(7);
        let paused = breakers.admit("x", Part::Incoming, 7).err().unwrap();
        assert!(paused.reason.contains("trapped: unreachable") && paused.until == 7 + FIRST_WAIT_MS);
        assert!(breakers.admit("x", Part::Account, 7).is_ok() && breakers.admit("y", Part::Incoming, 7).is_ok());
        let view = &breakers.view("x", 7)[0];
        assert_eq!((view.state, view.since, view.next_trial), (BreakerState::Open, Some(7), Some(7 + FIRST_WAIT_MS)));
    }

    #[test]
    fn one_poisonous_input_never_opens_it_and_a_busy_sandbox_neither() {
        let breakers = CircuitBreakers::default();
        fail(&breakers, 0, true);
        (0..50).for_each(|_| fail(&breakers, 0, false));
        let busy = CallError { failure: CallFailure::Busy(harness_sandbox::Scarce::Sandboxes(1)), ..error() };
        (0..50).for_each(|_| breakers.admit("x", Part::Incoming, 0).unwrap().failed(&busy, true, 0));
        assert!(!breakers.is_open("x", Part::Incoming));
    }

    #[test]
    fn one_trial_at_a_time_closes_it_or_doubles_the_wait_up_to_a_bound() {
        let breakers = opened(0);
        let (mut now, mut wait) = (FIRST_WAIT_MS, FIRST_WAIT_MS);
        for _ in 0..20 {
            let trial = breakers.admit("x", Part::Incoming, now).unwrap();
            assert!(breakers.admit("x", Part::Incoming, now).is_err(), "one at a time");
            assert!(breakers.paused(Part::Incoming, now).contains("x"));
            trial.failed(&error(), false, now);
            wait = (wait * 2).min(LONGEST_WAIT_MS);
            assert_eq!(breakers.admit("x", Part::Incoming, now).err().unwrap().until, now + wait);
            now += wait;
        }
        assert_eq!(wait, LONGEST_WAIT_MS);
        assert_eq!(breakers.view("x", now)[0].since, Some(0), "open for all that time");
        drop(breakers.admit("x", Part::Incoming, now).unwrap());
        breakers.admit("x", Part::Incoming, now).unwrap().succeeded(now);
        assert!(!breakers.is_open("x", Part::Incoming));
        // It fails again at once: the wait is not reset.
        (0..THRESHOLD).for_each(|_| fail(&breakers, now + 1, true));
        assert_eq!(breakers.admit("x", Part::Incoming, now + 1).err().unwrap().until, now + 1 + LONGEST_WAIT_MS);
    }

    #[test]
    fn a_trial_has_a_time_and_its_end_is_told_however_it_ends() {
        let breakers = opened(0);
        let next = |after| breakers.next_trial(Part::Incoming, after);
        assert_eq!([next(0), next(FIRST_WAIT_MS)], [Some(FIRST_WAIT_MS), None], "later than that, and not at it");
        assert_eq!(breakers.next_trial(Part::Outgoing, 0), None);
        let ends: [fn(Permit); 3] =
            [drop, |trial| trial.failed(&error(), false, FIRST_WAIT_MS), |trial| trial.succeeded(3 * FIRST_WAIT_MS)];
        for (end, at) in ends.into_iter().zip([FIRST_WAIT_MS, FIRST_WAIT_MS, 3 * FIRST_WAIT_MS]) {
            let trial = breakers.admit("x", Part::Incoming, at).unwrap();
            assert_eq!(next(0), None, "somebody makes it");
            end(trial);
            assert!(std::pin::pin!(breakers.wake.delivered.notified()).enable(), "whoever waits is told");
        }
        assert!(!breakers.is_open("x", Part::Incoming));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let breakers = opened(1_000_000);
        breakers.set_back(400_000);
        assert!(breakers.admit("x", Part::Incoming, 600_000).is_err());
        assert!(breakers.admit("x", Part::Incoming, 600_000 + FIRST_WAIT_MS).is_ok());
    }

    #[test]
    fn it_is_closed_by_hand_and_a_late_trial_changes_nothing() {
        let breakers = opened(0);
        let late = breakers.admit("x", Part::Incoming, FIRST_WAIT_MS).unwrap();
        breakers.reset("x");
        late.failed(&error(), true, FIRST_WAIT_MS);
        assert_eq!(breakers.view("x", FIRST_WAIT_MS)[0].state, BreakerState::Closed);
    }
}
