//! Owns: the backlog bounds of each channel and account: deliveries, their bytes, history items. A channel that reaches
//! its bound is stopped alone; the others keep going.
//! Does not own: the deliveries themselves, which the inbox stores and counts.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use harness_inbox::{AccountId, Inbox, InboxError, ParkingBounds};

use crate::error::Full;

/// Bounds of the backlog.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Deliveries of one channel that may wait for translation. Beyond it, its webhooks are answered with "later".
    pub deliveries: u64,
    /// The part of `deliveries` for one account: those verified with the account's secret, or sent to its own address.
    pub account_deliveries: u64,
    /// Bytes of one channel's deliveries that are not applied: waiting, parked or unreadable.
    pub unapplied_bytes: u64,
    /// Parked deliveries per account that is not connected. Beyond it the oldest are emptied.
    pub parked_per_account: u64,
    /// The same for all accounts of a channel.
    pub parked_per_channel: u64,
    /// How long deliveries stay parked for an account that is not connected. `None`: for ever.
    pub parked: Option<Duration>,
    /// History items imported per account and hour.
    pub archive_items: u64,
    /// Bytes of history items imported per account and hour.
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

/// The inbox's last count, plus what has been added since.
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

/// The backlog by channel and account, with its bounds.
pub(crate) struct Backlog {
    pub(crate) budget: Budget,
    channels: Mutex<HashMap<String, OfChannel>>,
    /// When deliveries (first) and bytes (second) were last counted.
    counting: tokio::sync::Mutex<[Option<Instant>; 2]>,
    /// What each account's history import took in the current hour: start of the hour, items, bytes.
    archives: Mutex<HashMap<AccountId, (u64, u64, u64)>>,
}

/// How long a count of deliveries stays valid. Counting a long queue takes milliseconds.
const COUNTED: Duration = Duration::from_millis(250);
/// How long a count of bytes stays valid. It is slower, because it reads the head of each row.
const BYTES_COUNTED: Duration = Duration::from_secs(2);
const HOUR_MS: u64 = 3_600_000;

impl Backlog {
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, channels: Mutex::default(), counting: tokio::sync::Mutex::default(), archives: Mutex::default() }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, OfChannel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more delivery of this channel, and of this account, fits.
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

    /// Counts a recorded delivery.
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

    /// The number of waiting deliveries, over all channels.
    pub(crate) fn count(&self) -> u64 {
        self.channels().values().map(|of| of.deliveries.now()).fold(0, u64::saturating_add)
    }

    /// A channel's waiting deliveries, and its bytes that are not applied.
    pub(crate) fn of_channel(&self, channel: &str) -> (u64, u64) {
        self.channels().get(channel).map_or((0, 0), |of| (of.deliveries.now(), of.bytes.now()))
    }

    /// Whether the backlog is below half of its bound, so that it need not shrink yet.
    pub(crate) fn has_room(&self, channel: &str) -> bool {
        self.of_channel(channel).0 < self.budget.deliveries / 2
    }

    /// The bound that a channel has reached, if any.
    pub(crate) fn full(&self, channel: &str) -> Option<Full> {
        self.admit(channel, None).err()
    }

    /// Whether any channel has reached a bound.
    pub(crate) fn any_full(&self) -> bool {
        let channels: Vec<String> = self.channels().keys().cloned().collect();
        channels.iter().any(|channel| self.full(channel).is_some())
    }

    /// When the history import of an account may continue, if it has to wait. Half of the channel's bounds are reserved
    /// for webhooks.
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

    /// Counts imported history items.
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
    /// Recounts from the inbox, unless the last count is still valid. Deliveries that arrive meanwhile are counted
    /// twice rather than not at all.
    pub(crate) async fn count_anew(&self, inbox: &Inbox, now: bool) -> Result<(), InboxError> {
        let backlog = self;
        // Channels are translated in parallel; an older count must not replace a newer one.
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
