//! Owns: one budget of memory for what is in flight: bodies of webhooks, requests, answers, pieces of files; who gets how
//! much of it, and who waits.
//! Does not own: what is read and sent.
//!
//! Webhooks have a half of their own, so that nothing else ever makes them wait. Of each half one channel gets at most
//! half of what the others leave. Nothing is set aside because somebody announces it: what is read is counted as it
//! comes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

/// Set aside before a request leaves, for its answer, in bytes: most answers never ask for more.
pub const FIRST: u64 = 64 << 10;

/// The budget. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Memory {
    webhooks: Arc<Lane>,
    channels: Arc<Lane>,
}

/// A half of the budget.
#[derive(Debug)]
struct Lane {
    size: u64,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    /// The most that was taken at once since the start.
    most: u64,
    owners: HashMap<Arc<str>, Owner>,
}

#[derive(Debug, Default)]
struct Owner {
    taken: u64,
    /// Held by the one that goes beyond the share: it comes to its end, and so gives back what others wait for.
    turn: Arc<AsyncMutex<()>>,
    /// Held by the one that waits for its first piece: whoever came first gets it first.
    door: Arc<AsyncMutex<()>>,
}

/// More than there is, whoever gives something back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it needs {wanted} bytes of memory at once, and this host sets aside {size} for all channels")]
pub struct TooMuch {
    /// In bytes.
    pub wanted: u64,
    /// In bytes.
    pub size: u64,
}

/// What is in flight of one half, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct MemoryUse {
    /// Whose half, in a word for counters.
    pub of: &'static str,
    /// At this moment.
    pub now: u64,
    /// The most at once since the start.
    pub most: u64,
    /// The whole half.
    pub size: u64,
}

/// Memory that is set aside. Dropping it gives it back.
#[derive(Debug)]
pub struct Held {
    lane: Arc<Lane>,
    owner: Arc<str>,
    bytes: u64,
    turn: Option<OwnedMutexGuard<()>>,
}

fn locked(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// So many bytes for everything.
    pub fn new(bytes: u64) -> Self {
        let lane = |size| Arc::new(Lane { size, taken: Mutex::default(), freed: Notify::new() });
        Self { webhooks: lane(bytes / 2), channels: lane(bytes - bytes / 2) }
    }

    /// Nothing yet, for the body of a webhook of this channel.
    pub fn webhook(&self, channel: &str) -> Held {
        self.webhooks.nothing(channel)
    }

    /// So much for a channel if it is there now; none if it is not.
    pub fn try_take(&self, channel: &str, bytes: u64) -> Result<Option<Held>, TooMuch> {
        self.channels.check(bytes)?;
        let mut held = self.channels.nothing(channel);
        Ok(held.try_grow(bytes).then_some(held))
    }

    /// So much for a channel, as soon as it is there. How long to wait is the caller's to say.
    pub async fn take(&self, channel: &str, bytes: u64) -> Result<Held, TooMuch> {
        self.channels.check(bytes)?;
        let mut held = self.channels.nothing(channel);
        if held.try_grow(bytes) {
            return Ok(held);
        }
        let door = self.channels.owner(channel, |owner| Arc::clone(&owner.door));
        let _first = door.lock_owned().await;
        loop {
            let freed = self.channels.freed.notified();
            if held.try_grow(bytes) {
                return Ok(held);
            }
            freed.await;
        }
    }

    /// What is in flight.
    pub fn uses(&self) -> [MemoryUse; 2] {
        [("webhooks", &self.webhooks), ("channels", &self.channels)].map(|(of, lane)| {
            let taken = locked(&lane.taken);
            MemoryUse { of, now: taken.all, most: taken.most, size: lane.size }
        })
    }
}

impl Lane {
    fn check(&self, wanted: u64) -> Result<(), TooMuch> {
        if wanted > self.size { Err(TooMuch { wanted, size: self.size }) } else { Ok(()) }
    }

    fn nothing(self: &Arc<Self>, owner: &str) -> Held {
        let mut taken = locked(&self.taken);
        let known = taken.owners.get_key_value(owner).map(|(name, _)| Arc::clone(name));
        let owner = known.unwrap_or_else(|| {
            let name: Arc<str> = owner.into();
            taken.owners.insert(Arc::clone(&name), Owner::default());
            name
        });
        drop(taken);
        Held { lane: Arc::clone(self), owner, bytes: 0, turn: None }
    }

    fn owner<T>(&self, owner: &str, of: impl FnOnce(&mut Owner) -> T) -> T {
        let mut taken = locked(&self.taken);
        match taken.owners.get_mut(owner) {
            Some(known) => of(known),
            None => of(taken.owners.entry(owner.into()).or_default()),
        }
    }
}

impl Held {
    /// So much more, if it is there now. With `beyond`, what the others leave is the only bound.
    fn grow_now(&mut self, more: u64, beyond: bool) -> bool {
        let mut taken = locked(&self.lane.taken);
        let all = taken.all;
        let Some(owner) = taken.owners.get_mut(&self.owner) else { return false };
        let share = self.lane.size.saturating_sub(all - owner.taken) / 2;
        // What alone is more than a share has it all the same, if nothing else of its owner is in flight.
        let free = beyond || owner.taken == 0 || owner.taken.saturating_add(more) <= share;
        if !free || all.saturating_add(more) > self.lane.size {
            return false;
        }
        owner.taken += more;
        taken.all = all + more;
        taken.most = taken.most.max(taken.all);
        self.bytes += more;
        true
    }

    /// So much more, if it is there now.
    pub fn try_grow(&mut self, more: u64) -> bool {
        self.grow_now(more, false)
    }

    /// So much more, as soon as it is there. Whoever holds something and waits for more could wait for others that do the
    /// same, for ever: so one at a time of each channel goes beyond its share.
    pub async fn grow(&mut self, more: u64) {
        if self.grow_now(more, self.turn.is_some()) {
            return;
        }
        let lane = Arc::clone(&self.lane);
        let mut turn = Box::pin(lane.owner(&self.owner, |owner| Arc::clone(&owner.turn)).lock_owned());
        loop {
            let freed = lane.freed.notified();
            if self.grow_now(more, self.turn.is_some()) {
                return;
            }
            tokio::select! {
                () = freed => {}
                guard = &mut turn, if self.turn.is_none() => self.turn = Some(guard),
            }
        }
    }

    /// Gives back what is more than this, and the turn of whoever is beyond its share.
    pub fn shrink_to(&mut self, bytes: u64) {
        let back = self.bytes.saturating_sub(bytes);
        if back > 0 {
            let mut taken = locked(&self.lane.taken);
            taken.all = taken.all.saturating_sub(back);
            if let Some(owner) = taken.owners.get_mut(&self.owner) {
                owner.taken = owner.taken.saturating_sub(back);
            }
            drop(taken);
            self.bytes -= back;
            self.lane.freed.notify_waiters();
        }
        self.turn = None;
    }

    /// How much it is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use std::{pin::pin, task::Poll};

    use super::*;

    const MIB: u64 = 1 << 20;

    fn now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match future.poll(&mut context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_channel_that_holds_its_share_leaves_memory_to_others_and_to_webhooks() {
        let memory = Memory::new(64 * MIB);
        let mut kept = Vec::new();
        let mut fill = |channel: &str| {
            let before = kept.len();
            while let Some(held) = memory.try_take(channel, MIB).unwrap() {
                kept.push(held);
            }
            kept.len() - before
        };
        assert_eq!([fill("a"), fill("b"), fill("c")], [16, 8, 4]);
        let mut body = memory.webhook("a");
        assert!(body.try_grow(8 * MIB), "answers never make a webhook wait");
        assert!(!body.try_grow(9 * MIB) && memory.webhook("b").try_grow(8 * MIB));
        let uses = memory.uses();
        assert_eq!(uses.map(|used| (used.now, used.size)), [(8 * MIB, 32 * MIB), (28 * MIB, 32 * MIB)]);
        kept.clear();
        assert_eq!(memory.uses().map(|used| used.now), [8 * MIB, 0], "all came back");
        assert_eq!(memory.uses().map(|used| used.most), [16 * MIB, 28 * MIB]);
        assert_eq!(memory.try_take("a", 33 * MIB).unwrap_err(), TooMuch { wanted: 33 * MIB, size: 32 * MIB });
    }

    #[test]
    fn answers_that_all_wait_for_more_come_to_their_end_one_after_the_other() {
        let memory = Memory::new(64 * MIB);
        let mut held: Vec<_> = (0..16).map(|_| memory.try_take("a", MIB).unwrap().unwrap()).collect();
        assert!(memory.try_take("a", 1).unwrap().is_none(), "the share is used up");
        let mut others = held.split_off(2);
        let (mut second, mut first) = (held.pop().unwrap(), held.pop().unwrap());
        assert_eq!(now(pin!(first.grow(2 * MIB))), Some(()), "one goes beyond");
        {
            let mut waits = pin!(second.grow(2 * MIB));
            assert_eq!(now(waits.as_mut()), None, "and no other one");
            drop(first);
            assert_eq!(now(waits.as_mut()), Some(()), "until it is through");
        }
        assert!(memory.try_take("b", 7 * MIB).unwrap().is_some(), "another channel is not concerned");
        let mut begins = pin!(memory.take("a", MIB));
        assert!(now(begins.as_mut()).is_none());
        others.truncate(8);
        drop(second);
        assert!(now(begins.as_mut()).unwrap().is_ok(), "what waits to begin begins when there is room");
    }
}
