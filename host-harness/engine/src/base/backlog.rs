//! Owns: what one channel, or one account, may keep waiting: deliveries, their bytes, items of an archive. A channel that fills
//! its own stops alone.
//! Does not own: what waits, which the inbox counts.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use harness_inbox::{AccountId, Inbox, InboxError, ParkingBounds};

use crate::error::Full;

/// Bounds of what waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Deliveries of one channel that may wait to be translated before its webhooks are answered with "later".
    pub deliveries: u64,
    /// Those of them that one account's secret proved, or whose address names the account.
    pub account_deliveries: u64,
    /// Bytes of deliveries of one channel that are not applied: that wait, are parked, or could not be read.
    pub unapplied_bytes: u64,
    /// Deliveries that wait for one account which is not connected. Beyond it the oldest are emptied.
    pub parked_per_account: u64,
    /// The same for all accounts of a channel.
    pub parked_per_channel: u64,
    /// How long deliveries wait for an account that is not connected. None is for ever.
    pub parked: Option<Duration>,
    /// Items that are taken from the archive of one account in an hour.
    pub archive_items: u64,
    /// Their bytes.
    pub archive_bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            deliveries: 100_000,
            account_deliveries: 20_000,
            unapplied_bytes: 1 << 30,
            parked_per_account: 1_000,
            parked_per_channel: 10_000,
            parked: Some(Duration::from_secs(30 * 24 * 3600)),
            archive_items: 20_000,
            archive_bytes: 256 << 20,
        }
    }
}

impl Budget {
    pub(crate) fn parking(&self) -> ParkingBounds {
        ParkingBounds { per_account: self.parked_per_account, per_channel: self.parked_per_channel }
    }
}

/// A count of the inbox, and what came since.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    counted: u64,
    since: u64,
}

impl Count {
    fn now(self) -> u64 {
        self.counted.saturating_add(self.since)
    }
}

#[derive(Default)]
struct OfChannel {
    deliveries: Count,
    bytes: Count,
    accounts: HashMap<String, Count>,
}

/// How much waits, by channel and account, and the bounds of it.
pub(crate) struct Backlog {
    pub(crate) budget: Budget,
    channels: Mutex<HashMap<String, OfChannel>>,
    /// When deliveries and when bytes were counted last.
    counting: tokio::sync::Mutex<[Option<Instant>; 2]>,
    /// What each account's archive gave in the present hour: since when, items, bytes.
    archives: Mutex<HashMap<AccountId, (u64, u64, u64)>>,
}

/// How long a count of deliveries holds: a long one takes milliseconds to count.
const COUNTED: Duration = Duration::from_millis(250);
/// How long one of bytes does: it reads the head of each row.
const BYTES_COUNTED: Duration = Duration::from_secs(2);
const HOUR_MS: u64 = 3_600_000;

impl Backlog {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, channels: Mutex::default(), counting: tokio::sync::Mutex::default(), archives: Mutex::default() }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, OfChannel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more delivery of this channel, and of this account, may wait.
    pub(crate) fn admit(&self, channel: &str, account: Option<&str>) -> Result<(), Full> {
        let channels = self.channels();
        let Some(of) = channels.get(channel) else { return Ok(()) };
        if of.deliveries.now() >= self.budget.deliveries {
            return Err(Full::Channel(of.deliveries.now()));
        }
        if of.bytes.now() >= self.budget.unapplied_bytes {
            return Err(Full::Bytes(of.bytes.now()));
        }
        match account.and_then(|account| of.accounts.get(account)).map(|count| count.now()) {
            Some(count) if count >= self.budget.account_deliveries => Err(Full::Account(count)),
            _ => Ok(()),
        }
    }

    /// A delivery was recorded.
    pub(crate) fn add(&self, channel: &str, account: Option<&str>, bytes: usize) {
        let mut channels = self.channels();
        if !channels.contains_key(channel) {
            channels.insert(channel.to_owned(), OfChannel::default());
        }
        let Some(of) = channels.get_mut(channel) else { return };
        of.deliveries.since = of.deliveries.since.saturating_add(1);
        of.bytes.since = of.bytes.since.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if let Some(account) = account {
            let count = of.accounts.entry(account.to_owned()).or_default();
            count.since = count.since.saturating_add(1);
        }
    }

    /// How many deliveries wait, of all channels.
    pub(crate) fn count(&self) -> u64 {
        self.channels().values().map(|of| of.deliveries.now()).fold(0, u64::saturating_add)
    }

    /// How many deliveries of a channel wait, and how many bytes of it are not applied.
    pub(crate) fn of_channel(&self, channel: &str) -> (u64, u64) {
        self.channels().get(channel).map_or((0, 0), |of| (of.deliveries.now(), of.bytes.now()))
    }

    /// Whether there is time before it has to become less.
    pub(crate) fn has_room(&self, channel: &str) -> bool {
        self.of_channel(channel).0 < self.budget.deliveries / 2
    }

    /// What is full, for a channel that takes nothing more.
    pub(crate) fn full(&self, channel: &str) -> Option<Full> {
        self.admit(channel, None).err()
    }

    /// Whether any channel takes nothing more.
    pub(crate) fn any_full(&self) -> bool {
        let channels: Vec<String> = self.channels().keys().cloned().collect();
        channels.iter().any(|channel| self.full(channel).is_some())
    }

    /// Until when the archive of an account gives nothing more; none when it may go on. What came by webhook has half
    /// of the channel's bounds for itself.
    pub(crate) fn archive_waits(&self, channel: &str, account: AccountId, now: u64) -> Option<u64> {
        let (deliveries, bytes) = self.of_channel(channel);
        if deliveries >= self.budget.deliveries / 2 || bytes >= self.budget.unapplied_bytes / 2 {
            return Some(now);
        }
        let archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, items, bytes) = archives.get(&account).copied()?;
        let end = since.saturating_add(HOUR_MS);
        let spent = items >= self.budget.archive_items || bytes >= self.budget.archive_bytes;
        (spent && since <= now && now < end).then_some(end)
    }

    /// The archive of an account gave so much.
    pub(crate) fn add_archived(&self, account: AccountId, items: usize, bytes: usize, now: u64) {
        let mut archives = self.archives.lock().unwrap_or_else(PoisonError::into_inner);
        let of = archives.entry(account).or_insert((now, 0, 0));
        if now < of.0 || now >= of.0.saturating_add(HOUR_MS) {
            *of = (now, 0, 0);
        }
        of.1 = of.1.saturating_add(u64::try_from(items).unwrap_or(u64::MAX));
        of.2 = of.2.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Backlog {
    /// Counts anew, unless that was done a moment ago: what was applied since then still counts. What comes in
    /// meanwhile is counted twice rather than not at all.
    pub(crate) async fn count_anew(&self, inbox: &Inbox, now: bool) -> Result<(), InboxError> {
        let backlog = self;
        // Channels are translated beside each other; an older count must not replace a newer one.
        let mut counted_at = backlog.counting.lock().await;
        let [deliveries_at, bytes_at] = &mut *counted_at;
        if now || deliveries_at.is_none_or(|at| at.elapsed() >= COUNTED) {
            *deliveries_at = Some(Instant::now());
            for of in backlog.channels().values_mut() {
                of.deliveries.since = 0;
                of.accounts.values_mut().for_each(|count| count.since = 0);
            }
            let queued = inbox.queued().await?;
            let mut channels = backlog.channels();
            for of in channels.values_mut() {
                of.deliveries.counted = 0;
                of.accounts.retain(|_, count| {
                    count.counted = 0;
                    count.since > 0
                });
            }
            for (channel, count) in queued.channels {
                channels.entry(channel).or_default().deliveries.counted = count;
            }
            for (channel, account, counted) in queued.accounts {
                channels.entry(channel).or_default().accounts.entry(account).or_default().counted = counted;
            }
        }
        if bytes_at.is_none_or(|at| at.elapsed() >= BYTES_COUNTED) {
            *bytes_at = Some(Instant::now());
            backlog.channels().values_mut().for_each(|of| of.bytes.since = 0);
            let unapplied = inbox.unapplied_bytes().await?;
            let mut channels = backlog.channels();
            channels.values_mut().for_each(|of| of.bytes.counted = 0);
            for (channel, bytes) in unapplied {
                channels.entry(channel).or_default().bytes.counted = bytes;
            }
        }
        Ok(())
    }
}
