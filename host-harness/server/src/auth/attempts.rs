//! Owns: slowing down guesses of passwords, so that no person is locked out by what strangers do.
//! Does not own: comparing passwords (`password`), which browsers are known (the inbox).

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Wrong passwords before there is a delay.
const FREE: u32 = 10;
/// The longest delay between attempts on one person's account by browsers that are not known. Short: those who guess
/// also hold up the person, where they come with a new browser.
const LONGEST_OF_ACCOUNT: Duration = Duration::from_secs(60);
/// The longest delay between attempts from one address, and with one known browser.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After this time without an attempt, earlier ones are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(6 * 3600);
/// Counters in memory.
const MANY: usize = 20_000;

/// Who tries to sign in.
#[derive(Clone, Debug)]
pub(crate) enum Attempt {
    /// A browser with which the person has signed in before. It has a counter of its own, whatever others do.
    Known {
        /// SHA-256 of the browser's cookie.
        device: [u8; 32],
        /// SHA-256 of the e-mail address.
        account: [u8; 32],
    },
    /// Any other.
    Unknown {
        /// The network that it comes from; `None` where it may stand for many people, such as a proxy.
        network: Option<IpAddr>,
        /// SHA-256 of the e-mail address, whether or not somebody has it.
        account: [u8; 32],
    },
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key {
    Account([u8; 32]),
    Device([u8; 32], [u8; 32]),
    Network(IpAddr),
}

impl Key {
    fn longest(self) -> Duration {
        match self {
            Self::Account(_) => LONGEST_OF_ACCOUNT,
            Self::Device(..) | Self::Network(_) => LONGEST,
        }
    }
}

impl Attempt {
    fn keys(&self) -> Vec<Key> {
        match *self {
            Self::Known { device, account } => vec![Key::Device(device, account)],
            Self::Unknown { network, account } => {
                network.map(Key::Network).into_iter().chain([Key::Account(account)]).collect()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    /// When the next attempt may come, and when the last one came, as time elapsed.
    next: Duration,
    last: Duration,
}

/// The attempts so far, in memory: a restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: Mutex<HashMap<Key, Failures>>,
}

impl Attempts {
    /// Counts an attempt before it is made, so that many at the same moment are counted too. `Err`: it may not be made
    /// for this long. `now` is time elapsed.
    pub(crate) fn begin(&self, attempt: &Attempt, now: Duration) -> Result<(), Duration> {
        let keys = attempt.keys();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut failures, now);
        let wait = keys.iter().filter_map(|key| failures.get(key)?.next.checked_sub(now)).max().unwrap_or_default();
        if !wait.is_zero() {
            return Err(wait);
        }
        for key in keys {
            let of_key = failures.entry(key).or_default();
            if now.saturating_sub(of_key.last) >= FORGOTTEN_AFTER {
                *of_key = Failures::default();
            }
            of_key.count = of_key.count.saturating_add(1);
            of_key.last = now;
            of_key.next = now + delay(of_key.count).min(key.longest());
        }
        Ok(())
    }

    /// The attempt was right after all. A known browser begins anew; what others tried stays counted.
    pub(crate) fn succeeded(&self, attempt: &Attempt) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in attempt.keys() {
            if let Key::Device(..) = key {
                failures.remove(&key);
            } else if let Some(of_key) = failures.get_mut(&key) {
                of_key.count = of_key.count.saturating_sub(1);
                of_key.next = Duration::ZERO;
            }
        }
    }
}

/// The delay after this many wrong passwords.
fn delay(count: u32) -> Duration {
    match count.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(over) => Duration::from_secs(1_u64 << over.min(20)),
    }
}

/// Keeps the number of counters bounded. The lowest go first, so that a flood of addresses does not reset those that
/// matter.
fn make_room(failures: &mut HashMap<Key, Failures>, now: Duration) {
    if failures.len() < MANY {
        return;
    }
    failures.retain(|_, one| now.saturating_sub(one.last) < FORGOTTEN_AFTER);
    while failures.len() >= MANY {
        let Some(lowest) = failures.values().map(|one| one.count).min() else { return };
        failures.retain(|_, one| one.count > lowest);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn from(address: &str, account: u8) -> Attempt {
        Attempt::Unknown { network: address.parse().ok(), account: [account; 32] }
    }

    #[test]
    fn strangers_who_guess_wait_and_a_known_browser_of_the_person_does_not() {
        let (attempts, mut now) = (Attempts::default(), SECOND);
        let kim = Attempt::Known { device: [7; 32], account: [1; 32] };
        // From everywhere, on one account.
        for guess in 0..FREE {
            assert_eq!(attempts.begin(&from(&format!("192.0.2.{guess}"), 1), now), Ok(()));
        }
        assert_eq!(attempts.begin(&from("192.0.2.99", 1), now), Err(SECOND));
        assert_eq!(attempts.begin(&kim, now), Ok(()), "her own browser");
        assert_eq!(attempts.begin(&from("192.0.2.99", 2), now), Ok(()), "another account");
        // The delay grows, up to a bound that a person can wait for.
        for guess in 0..40 {
            now += LONGEST_OF_ACCOUNT;
            assert_eq!(attempts.begin(&from(&format!("198.51.100.{guess}"), 1), now), Ok(()));
        }
        let wait = attempts.begin(&from("203.0.113.1", 1), now).unwrap_err();
        assert_eq!(wait, LONGEST_OF_ACCOUNT);
        // From one address, on every account.
        for account in 0..FREE {
            assert_eq!(attempts.begin(&from("203.0.113.7", 100 + u8::try_from(account).unwrap()), now), Ok(()));
        }
        assert!(attempts.begin(&from("203.0.113.7", 99), now).is_err());
        assert_eq!(attempts.begin(&Attempt::Unknown { network: None, account: [98; 32] }, now), Ok(()));
        // A browser that was stolen guesses no better.
        (1..FREE).for_each(|_| attempts.begin(&kim, now).unwrap());
        assert!(attempts.begin(&kim, now).is_err());
    }

    #[test]
    fn a_right_password_forgets_ones_own_mistakes_and_not_those_of_others() {
        let (attempts, now) = (Attempts::default(), SECOND);
        let kim = Attempt::Known { device: [7; 32], account: [1; 32] };
        (0..FREE).for_each(|_| attempts.begin(&kim, now).unwrap());
        attempts.succeeded(&kim);
        (0..FREE).for_each(|_| attempts.begin(&kim, now).unwrap());
        // Whoever has an account guesses at others' no faster by signing in between.
        for guess in 0..FREE - 1 {
            attempts.begin(&from("192.0.2.1", 20 + u8::try_from(guess).unwrap()), now).unwrap();
            attempts.begin(&from("192.0.2.1", 1), now).unwrap_or_default();
            attempts.succeeded(&from("192.0.2.1", 1));
        }
        attempts.begin(&from("192.0.2.1", 40), now).unwrap();
        assert!(attempts.begin(&from("192.0.2.1", 41), now).is_err());
        assert_eq!(attempts.begin(&from("192.0.2.1", 41), now + FORGOTTEN_AFTER), Ok(()));
    }

    #[test]
    fn a_flood_of_addresses_does_not_reset_a_counter_and_stays_within_its_bound() {
        let (attempts, now) = (Attempts::default(), SECOND);
        let none = |account: [u8; 32]| Attempt::Unknown { network: None, account };
        (0..FREE).for_each(|_| attempts.begin(&none([1; 32]), now).unwrap());
        for number in 0..3 * MANY as u64 {
            let mut account = [9; 32];
            account.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            attempts.begin(&none(account), now).unwrap();
        }
        assert!(attempts.failures.lock().unwrap().len() <= MANY);
        assert!(attempts.begin(&none([1; 32]), now).is_err());
    }
}
