//! Owns: a worker's places for concurrent work, shared fairly between owners; dropping a place frees it.
//! Does not own: the work.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use harness_inbox::{AccountId, ConversationId};

/// Who wants a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    /// The channel's id.
    pub(crate) channel: &'a str,
    /// The account's row.
    pub(crate) account: AccountId,
    /// The conversation's row, if one conversation may hold several places.
    pub(crate) conversation: Option<ConversationId>,
}

/// The places of one worker. Each key holds at most one. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Places<K> {
    all: usize,
    of_account: usize,
    taken: Arc<Mutex<Taken<K>>>,
}

#[derive(Debug)]
struct Taken<K> {
    keys: HashSet<K>,
    channels: HashMap<String, usize>,
    accounts: HashMap<(String, AccountId), usize>,
    conversations: HashMap<ConversationId, usize>,
}

/// One place. Dropping it frees it.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    taken: Arc<Mutex<Taken<K>>>,
    key: K,
    channel: String,
    account: AccountId,
    conversation: Option<ConversationId>,
}

/// Half of what the others leave free, so that a newcomer always finds a place.
fn share(all: usize, others: usize) -> usize {
    all.saturating_sub(others).div_ceil(2)
}

fn count<K: Eq + Hash>(of: &HashMap<K, usize>, key: &K) -> usize {
    of.get(key).copied().unwrap_or(0)
}

fn less<K: Eq + Hash>(of: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = of.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            of.remove(key);
        }
    }
}

fn locked<K>(taken: &Mutex<Taken<K>>) -> MutexGuard<'_, Taken<K>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash> Places<K> {
    /// `all` places, of which one account never holds more than `of_account`.
    pub(crate) fn new(all: usize, of_account: usize) -> Self {
        let taken = Taken {
            keys: HashSet::new(),
            channels: HashMap::new(),
            accounts: HashMap::new(),
            conversations: HashMap::new(),
        };
        Self { all, of_account, taken: Arc::new(Mutex::new(taken)) }
    }

    /// Takes a place for `key`, unless it holds one already or its owner's share is used up.
    pub(crate) fn take(&self, owner: Owner<'_>, key: K) -> Option<Place<K>> {
        let mut taken = locked(&self.taken);
        let all = taken.keys.len();
        if all >= self.all || taken.keys.contains(&key) {
            return None;
        }
        let of_channel = taken.channels.get(owner.channel).copied().unwrap_or(0);
        let for_channel = share(self.all, all - of_channel);
        let account = (owner.channel.to_owned(), owner.account);
        let of_account = count(&taken.accounts, &account);
        let for_account = share(for_channel, of_channel - of_account).min(self.of_account);
        if of_channel >= for_channel || of_account >= for_account {
            return None;
        }
        if let Some(conversation) = owner.conversation {
            let of_conversation = count(&taken.conversations, &conversation);
            if of_conversation >= share(for_account, of_account - of_conversation) {
                return None;
            }
            *taken.conversations.entry(conversation).or_default() += 1;
        }
        taken.keys.insert(key);
        *taken.channels.entry(owner.channel.to_owned()).or_default() += 1;
        *taken.accounts.entry(account).or_default() += 1;
        drop(taken);
        Some(Place {
            taken: Arc::clone(&self.taken),
            key,
            channel: owner.channel.to_owned(),
            account: owner.account,
            conversation: owner.conversation,
        })
    }

    /// The keys that hold a place now.
    pub(crate) fn keys(&self) -> Vec<K> {
        locked(&self.taken).keys.iter().copied().collect()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = locked(&self.taken);
        taken.keys.remove(&self.key);
        less(&mut taken.channels, &self.channel);
        less(&mut taken.accounts, &(self.channel.clone(), self.account));
        if let Some(conversation) = self.conversation {
            less(&mut taken.conversations, &conversation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(channel: &str, account: i64) -> Owner<'_> {
        Owner { channel, account: AccountId::new(account), conversation: None }
    }

    #[test]
    fn one_channel_gets_half_of_the_places_and_many_leave_one_for_the_next() {
        let places = Places::new(256, 16);
        let mut kept: Vec<Place<u32>> = Vec::new();
        let mut key = 0;
        let mut fill = |kept: &mut Vec<Place<u32>>, channel: &str| {
            let before = kept.len();
            for account in 0..100 {
                while let Some(place) = places.take(owner(channel, account), key) {
                    kept.push(place);
                    key += 1;
                }
            }
            kept.len() - before
        };
        let counts: Vec<_> = ["a", "b", "c", "d"].iter().map(|channel| fill(&mut kept, channel)).collect();
        assert_eq!(counts, [128, 64, 32, 16]);
        assert!(places.take(owner("e", 1), 100_000).is_some());
        kept.clear();
        assert_eq!(fill(&mut kept, "b"), 128, "all came back");
    }

    #[test]
    fn accounts_of_a_channel_and_conversations_of_an_account_leave_something_too() {
        let places = Places::new(8, 8);
        let of = |account, conversation| Owner {
            channel: "a",
            account: AccountId::new(account),
            conversation: Some(ConversationId::new(conversation)),
        };
        let first = places.take(of(1, 1), 1);
        assert!(first.is_some() && places.take(of(1, 1), 2).is_none(), "one of its account's two");
        let second = places.take(of(1, 2), 3);
        assert!(second.is_some() && places.take(of(1, 3), 4).is_none(), "two of its channel's four");
        assert!(places.take(of(2, 4), 5).is_some());
        assert!(places.take(of(2, 4), 1).is_none(), "what has a place gets no second one");
        drop(first);
        assert!(places.take(of(1, 3), 4).is_some());
    }
}
