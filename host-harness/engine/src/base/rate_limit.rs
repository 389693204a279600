//! Owns: the rate limits that a channel declares: token buckets per account, app or conversation, and class of steps.
//! Does not own: the order of replies (`outbound`).

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use harness_contract::{Rate, Scope};
use harness_inbox::{AccountId, ConversationId};

use crate::base::clock::Clock;

/// The class of the requests that `account.history` makes, if a channel declares one.
pub(crate) const CONVERSATIONS: &str = "conversations";
/// The number of buckets in memory above which full, idle ones are dropped.
const MANY: usize = 4096;

/// Who wants to send a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateKey<'a> {
    /// The channel's id.
    pub(crate) channel: &'a str,
    /// The account's row.
    pub(crate) account: AccountId,
    /// The conversation's row, if there is one.
    pub(crate) conversation: Option<ConversationId>,
    /// Whether it was deferred before.
    pub(crate) again: bool,
}

/// Identifies a bucket. It includes the rate: a replaced channel may declare another one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key {
    channel: String,
    class: String,
    count: u32,
    period: u32,
    whose: Whose,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Whose {
    App,
    Account(AccountId),
    Conversation(ConversationId),
}

struct Bucket {
    limiter: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>,
    /// The time between two requests at the steady rate.
    interval: Duration,
    /// The bucket's capacity.
    burst: NonZeroU32,
    /// The next free reservation of each account, separately for first requests and for those deferred before.
    /// Reservations keep a thousand waiting requests from retrying at the same moment.
    appointments: Mutex<HashMap<(AccountId, bool), Duration>>,
}

impl Bucket {
    /// A bucket that lets no more than `count` requests through in any period: the initial burst and what is refilled
    /// within a period add up to `count`.
    fn new(count: u32, period: Duration, clock: Clock) -> Self {
        let burst = NonZeroU32::new(count / 10).unwrap_or(NonZeroU32::MIN);
        let gained = count.saturating_sub(burst.get()).saturating_add(1).max(1);
        let interval = (period / gained).max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock), interval, burst, appointments: Mutex::default() }
    }

    fn take(&self, key: RateKey<'_>) -> Result<(), Duration> {
        let Err(refused) = self.limiter.check() else { return Ok(()) };
        let earliest = refused.earliest_possible();
        let mut appointments = self.appointments.lock().unwrap_or_else(PoisonError::into_inner);
        let next = appointments.entry((key.account, key.again)).or_default();
        let appointment = earliest.max(*next);
        *next = appointment.saturating_add(self.interval);
        Err(appointment)
    }

    /// Whether it is full again, and so equal to a new one. The check empties a full bucket, so it must be dropped
    /// afterwards.
    fn is_idle(&self, now: Duration) -> bool {
        let appointments = self.appointments.lock().unwrap_or_else(PoisonError::into_inner);
        appointments.values().all(|at| *at <= now) && matches!(self.limiter.check_n(self.burst), Ok(Ok(())))
    }
}

/// The buckets of a host.
pub(crate) struct RateLimits {
    clock: Clock,
    buckets: Mutex<HashMap<Key, Arc<Bucket>>>,
}

impl RateLimits {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, buckets: Mutex::default() }
    }

    /// Takes a token for one request of this class. `Err`: when to ask again, in milliseconds since 1970.
    pub(crate) fn take(&self, rates: &[Rate], class: &str, key: RateKey<'_>) -> Result<(), u64> {
        let mut of_class: Vec<&Rate> = rates.iter().filter(|rate| rate.class == class && rate.count > 0).collect();
        // A token taken from one bucket is lost when the next bucket refuses, so the bucket that refills fastest goes
        // first.
        of_class.sort_by_key(|rate| rate.period / rate.count);
        for rate in of_class {
            let whose = match (rate.scope, key.conversation) {
                (Scope::App, _) => Whose::App,
                (Scope::Conversation, Some(conversation)) => Whose::Conversation(conversation),
                (Scope::Account | Scope::Conversation | Scope::Other, _) => Whose::Account(key.account),
            };
            let bucket = self.bucket(Key {
                channel: key.channel.to_owned(),
                class: class.to_owned(),
                count: rate.count,
                period: rate.period,
                whose,
            });
            bucket.take(key).map_err(|at| {
                let wait = at.saturating_sub(self.clock.steady());
                self.clock.now().saturating_add(u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
            })?;
        }
        Ok(())
    }

    fn bucket(&self, key: Key) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MANY && !buckets.contains_key(&key) {
            let now = self.clock.steady();
            buckets.retain(|_, bucket| !bucket.is_idle(now));
        }
        let period = Duration::from_millis(u64::from(key.period).max(1));
        let bucket =
            buckets.entry(key).or_insert_with_key(|key| Arc::new(Bucket::new(key.count, period, self.clock.clone())));
        Arc::clone(bucket)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn rate(count: u32, period: u32, scope: Scope) -> Rate {
        Rate { class: "text".into(), scope, count, period }
    }

    fn key(account: i64) -> RateKey<'static> {
        RateKey { channel: "any", account: AccountId::new(account), conversation: None, again: false }
    }

    #[test]
    fn no_period_holds_more_than_was_declared() {
        let clock = Clock::stopped();
        let paces = RateLimits::new(clock.clone());
        let rates = [rate(20, 100_000, Scope::Account)];
        let mut taken = Vec::new();
        for second in 0..400u32 {
            while paces.take(&rates, "text", key(1)).is_ok() {
                taken.push(second);
            }
            clock.advance(Duration::from_secs(1));
        }
        let most = (0..400).map(|from| taken.iter().filter(|at| (from..from + 100).contains(*at)).count()).max();
        assert!(most <= Some(20), "{most:?} {taken:?}");
        assert!(taken.len() >= 75, "the pace is used: {taken:?}");
    }

    #[test]
    fn a_bucket_is_forgotten_only_when_it_is_full_again() {
        let clock = Clock::default();
        let paces = RateLimits::new(clock.clone());
        // A burst of five, then one about every 217 s.
        let rates = [rate(50, 10_000_000, Scope::Account)];
        let used_up = |account: i64| {
            while paces.take(&rates, "text", key(account)).is_ok() {}
            // Reservations are not the subject of this test.
            paces.buckets.lock().unwrap().values().for_each(|bucket| bucket.appointments.lock().unwrap().clear());
        };
        used_up(0);
        clock.advance(Duration::from_secs(250));
        for other in 1..=i64::try_from(MANY).unwrap() + 1 {
            paces.bucket(Key {
                channel: "any".into(),
                class: "text".into(),
                count: 50,
                period: 10_000_000,
                whose: Whose::Account(AccountId::new(other)),
            });
        }
        let left = (0..9).take_while(|_| paces.take(&rates, "text", key(0)).is_ok()).count();
        assert_eq!(left, 1, "it holds what it has gained, not what a new one holds");
    }

    #[test]
    fn a_clock_that_is_set_back_or_forth_changes_no_pace() {
        let clock = Clock::stopped();
        let paces = RateLimits::new(clock.clone());
        let rates = [rate(1, 1000, Scope::Account)];
        for by in [0, 5 * 3_600_000, -9 * 3_600_000, 4 * 3_600_000] {
            clock.set_by(by);
            assert!(paces.take(&rates, "text", key(1)).is_ok(), "{by}");
            let at = paces.take(&rates, "text", key(1)).err().unwrap_or(u64::MAX);
            assert!(at.saturating_sub(clock.now()) <= 1000, "{by}: {at}");
            clock.advance(Duration::from_secs(2));
        }
    }

    #[test]
    fn whoever_waits_gets_an_appointment_of_their_own() {
        let paces = RateLimits::new(Clock::stopped());
        let rates = [rate(1, 1000, Scope::Account)];
        paces.take(&rates, "text", key(1)).unwrap_or_default();
        let mut times: Vec<u64> = (0..5).filter_map(|_| paces.take(&rates, "text", key(1)).err()).collect();
        times.dedup_by(|later, earlier| later.saturating_sub(*earlier) < 1000);
        assert_eq!(times.len(), 5);
        assert!(paces.take(&rates, "text", key(2)).is_ok(), "each account has its own");
        assert!(paces.take(&rates, "media", key(1)).is_ok(), "what is not declared is not paced");
    }

    #[test]
    fn an_app_shares_one_bucket_and_every_rate_of_a_class_holds() {
        let paces = RateLimits::new(Clock::stopped());
        let rates = [rate(5, 1000, Scope::Account), rate(1, 3_600_000, Scope::App)];
        assert!(paces.take(&rates, "text", key(1)).is_ok());
        assert!(paces.take(&rates, "text", key(2)).is_err());
    }
}
