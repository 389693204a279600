//! Owns: a host's credentials in memory, by slot and as webhook proofs.
//! Does not own: credentials at rest (`vault`), where they may be used (the manifest).

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    search::{Search, Searches},
    secret::{Secret, SecretKey},
};

/// A secret that may prove the origin of a webhook.
pub struct Prover {
    /// The account; `None` for the channel's own secret.
    pub account: Option<String>,
    /// Its slot.
    pub slot: String,
    /// The secret.
    pub secret: Secret,
}

/// The credentials of a host. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    slots: Arc<RwLock<HashMap<SecretKey, Secret>>>,
    /// Keys that the configuration supplied; they are dropped once it no longer does.
    configured: Arc<Mutex<HashSet<SecretKey>>>,
    /// Replaced secrets that still verify webhooks, each with its expiry.
    previous: Arc<RwLock<Vec<(SecretKey, Secret, u64)>>>,
    /// The previous value of each slot, so that responses are searched for it too.
    replaced: Arc<Mutex<HashMap<SecretKey, Secret>>>,
    searches: Searches,
    /// Accounts that proved a webhook, by channel and account. A higher number is more recent.
    proved: Arc<Mutex<HashMap<(String, String), u64>>>,
    proofs: Arc<AtomicU64>,
    /// MACs computed to find the secret of a signature.
    macs: Arc<AtomicU64>,
}

impl Secrets {
    /// Sets a slot.
    pub fn set(&self, key: SecretKey, secret: Secret) {
        let channel = key.channel.clone();
        self.put(&mut self.slots.write().unwrap_or_else(PoisonError::into_inner), key, secret);
        self.searches.changed(&channel);
    }

    fn put(&self, slots: &mut HashMap<SecretKey, Secret>, key: SecretKey, secret: Secret) {
        if let Some(before) = slots.insert(key.clone(), secret.clone()) {
            self.note_replaced(key, before, Some(&secret));
        }
    }

    fn note_replaced(&self, key: SecretKey, before: Secret, now: Option<&Secret>) {
        if now.is_none_or(|now| now.digest() != before.digest()) {
            self.replaced.lock().unwrap_or_else(PoisonError::into_inner).insert(key, before);
        }
    }

    /// Sets the slots of a channel or account from the configuration, atomically. Slots that only an earlier
    /// configuration set are removed.
    pub fn set_configured(&self, channel: &str, account: Option<&str>, given: HashMap<String, Secret>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        configured.retain(|key| {
            let ends = key.channel == channel && key.account.as_deref() == account && !given.contains_key(&key.slot);
            if ends && let Some(before) = slots.remove(key) {
                self.note_replaced(key.clone(), before, None);
            }
            !ends
        });
        for (slot, secret) in given {
            let key = SecretKey { channel: channel.to_owned(), account: account.map(str::to_owned), slot };
            configured.insert(key.clone());
            self.put(&mut slots, key, secret);
        }
        drop((slots, configured));
        self.searches.changed(channel);
    }

    /// Keeps only these replaced secrets of a channel. Each verifies webhooks until its expiry and is never injected.
    pub fn set_previous(&self, channel: &str, given: Vec<(String, Secret, u64)>) {
        let mut previous = self.previous.write().unwrap_or_else(PoisonError::into_inner);
        previous.retain(|(known, _, _)| known.channel != channel);
        previous.extend(given.into_iter().map(|(slot, secret, until)| {
            (SecretKey { channel: channel.to_owned(), account: None, slot }, secret, until)
        }));
        drop(previous);
        self.searches.changed(channel);
    }

    /// Replaces all credentials of an account atomically, so that no reader sees it without any.
    pub fn replace(&self, channel: &str, account: &str, credentials: Vec<(SecretKey, Secret)>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let given: HashMap<SecretKey, Secret> = credentials.into_iter().collect();
        for (key, before) in
            slots.extract_if(|key, _| key.channel == channel && key.account.as_deref() == Some(account))
        {
            let now = given.get(&key);
            self.note_replaced(key, before, now);
        }
        slots.extend(given);
        drop(slots);
        self.searches.changed(channel);
    }

    /// Removes all credentials of an account.
    pub fn forget(&self, channel: &str, account: &str) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|key, _| key.channel != channel || key.account.as_deref() != Some(account));
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        configured.retain(|key| key.channel != channel || key.account.as_deref() != Some(account));
        let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        proved.remove(&(channel.to_owned(), account.to_owned()));
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        replaced.retain(|key, _| key.channel != channel || key.account.as_deref() != Some(account));
        drop((slots, configured, proved, replaced));
        self.searches.changed(channel);
    }

    /// The credential that a request of this account uses: the account's own, or else the channel's.
    pub fn find(&self, channel: &str, account: &str, slot: &str) -> Option<Secret> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let key = |account: Option<&str>| SecretKey {
            channel: channel.to_owned(),
            account: account.map(str::to_owned),
            slot: slot.to_owned(),
        };
        slots.get(&key(Some(account))).or_else(|| slots.get(&key(None))).cloned()
    }

    /// The credential that all accounts of a channel share.
    pub fn of_app(&self, channel: &str, slot: &str) -> Option<Secret> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.get(&SecretKey { channel: channel.to_owned(), account: None, slot: slot.to_owned() }).cloned()
    }

    /// Secrets that may verify a webhook at an account's address: the channel's and that account's.
    pub fn provers_of(&self, channel: &str, account: &str, slots: &[String], now: u64) -> Vec<Prover> {
        let mut found = self.own_provers(channel, slots, now);
        let known = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        for slot in slots {
            let key = SecretKey { channel: channel.to_owned(), account: Some(account.to_owned()), slot: slot.clone() };
            let secret = known.get(&key).cloned();
            found.extend(secret.map(|secret| Prover { account: key.account, slot: key.slot, secret }));
        }
        found
    }

    /// Secrets that may verify a webhook at the channel's address: its own, then those of at most `accounts` accounts,
    /// most recently proved first.
    pub fn provers(&self, channel: &str, slots: &[String], accounts: Option<usize>, now: u64) -> Vec<Prover> {
        let mut found = self.own_provers(channel, slots, now);
        let mut of_accounts: Vec<Prover> = {
            let known = self.slots.read().unwrap_or_else(PoisonError::into_inner);
            let wanted = |key: &SecretKey| key.account.is_some() && key.channel == channel && slots.contains(&key.slot);
            let prover = |(key, secret): (&SecretKey, &Secret)| Prover {
                account: key.account.clone(),
                slot: key.slot.clone(),
                secret: secret.clone(),
            };
            known.iter().filter(|(key, _)| wanted(key)).map(prover).collect()
        };
        if let Some(most) = accounts.filter(|most| of_accounts.len() > *most) {
            let proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
            let when = |prover: &Prover| {
                let account = prover.account.clone().unwrap_or_default();
                proved.get(&(channel.to_owned(), account)).copied().unwrap_or(0)
            };
            of_accounts.sort_by_cached_key(|prover| (Reverse(when(prover)), prover.account.clone()));
            of_accounts.truncate(most);
        }
        found.extend(of_accounts);
        found
    }

    /// The channel's own secrets in these slots, including replaced ones that have not expired.
    fn own_provers(&self, channel: &str, slots: &[String], now: u64) -> Vec<Prover> {
        let known = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let previous = self.previous.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for slot in slots {
            let key = SecretKey { channel: channel.to_owned(), account: None, slot: slot.clone() };
            let replaced = previous.iter().filter(|(known, _, until)| *known == key && now < *until);
            for secret in known.get(&key).into_iter().chain(replaced.map(|(_, secret, _)| secret)) {
                found.push(Prover { account: None, slot: slot.clone(), secret: secret.clone() });
            }
        }
        found
    }

    /// Records that this account's secret proved a webhook, so that it is tried first.
    pub fn note_proved(&self, channel: &str, account: &str) {
        let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        proved.insert((channel.to_owned(), account.to_owned()), self.proofs.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// Counts MACs that were computed to find the secret of a signature.
    pub fn count_macs(&self, count: usize) {
        self.macs.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// MACs computed so far to find the secret of a signature: the cost of webhooks, valid or forged.
    pub fn macs(&self) -> u64 {
        self.macs.load(Ordering::Relaxed)
    }

    /// The number of the account's other credentials, and their total bytes.
    pub fn others(&self, than: &SecretKey) -> (usize, usize) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let others = slots
            .iter()
            .filter(|(key, _)| key.channel == than.channel && key.account == than.account && key.slot != than.slot);
        others.fold((0, 0), |(count, bytes), (_, secret)| (count + 1, bytes + secret.expose().len()))
    }

    /// The search for the channel's credentials.
    pub(crate) fn search(&self, channel: &str) -> Search {
        self.searches.of(channel)
    }

    /// Every credential of a channel, including replaced ones. None may occur in its requests before injection, or in
    /// its responses.
    pub(crate) fn all_of(&self, channel: &str) -> Vec<Secret> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let previous = self.previous.read().unwrap_or_else(PoisonError::into_inner);
        let replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |(key, secret)| (key, secret);
        let all = slots.iter().map(own).chain(replaced.iter().map(own));
        let all = all.chain(previous.iter().map(|(key, secret, _)| (key, secret)));
        all.filter(|(key, _)| key.channel == channel).map(|(_, secret)| secret.clone()).collect()
    }
}
