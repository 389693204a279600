//! Owns: one memory budget for everything in flight: webhook bodies, requests, responses, chunks of files. Decides how
//! much each channel gets and which one waits.
//! Does not own: reading and sending.
//!
//! Webhooks have their own half, so nothing else makes them wait. Of each half a channel gets at most half of what the
//! others leave. Announced sizes reserve nothing: bytes are counted as they arrive.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

/// Reserved for the response before a request is sent, in bytes. Most responses need no more.
pub const FIRST: u64 = 64 << 10;

/// The budget. Clones share it.
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
    /// The peak since the start.
    most: u64,
    owners: HashMap<Arc<str>, Owner>,
}

#[derive(Debug, Default)]
struct Owner {
    taken: u64,
    /// Held by the one request that may exceed its share: it finishes, and releases what others wait for.
    turn: Arc<AsyncMutex<()>>,
    /// Held by the one request that waits for its first chunk, so that requests are served in order.
    door: Arc<AsyncMutex<()>>,
}

/// More than the whole half, so waiting is useless.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it needs {wanted} bytes of memory at once, and this host sets aside {size} for all channels")]
pub struct TooMuch {
    /// In bytes.
    pub wanted: u64,
    /// In bytes.
    pub size: u64,
}

/// The use of one half, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct MemoryUse {
    /// A label for metrics.
    pub of: &'static str,
    /// Now.
    pub now: u64,
    /// The peak since the start.
    pub most: u64,
    /// The size of the half.
    pub size: u64,
}

/// Reserved memory, released on drop.
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
    /// A budget of this many bytes.
    pub fn new(bytes: u64) -> Self {
        let lane = |size| Arc::new(Lane { size, taken: Mutex::default(), freed: Notify::new() });
        Self { webhooks: lane(bytes / 2), channels: lane(bytes - bytes / 2) }
    }

    /// An empty reservation for a webhook's body.
    pub fn webhook(&self, channel: &str) -> Held {
        self.webhooks.nothing(channel)
    }

    /// Reserves this much for a channel, or returns `None` if it is not available now.
    pub fn try_take(&self, channel: &str, bytes: u64) -> Result<Option<Held>, TooMuch> {
        self.channels.check(bytes)?;
        let mut held = self.channels.nothing(channel);
        Ok(held.try_grow(bytes).then_some(held))
    }

    /// Waits until this much is available for a channel. The caller sets the timeout.
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

    /// The use of both halves.
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
    /// Grows the reservation if possible now. `beyond` lifts the channel's share.
    fn grow_now(&mut self, more: u64, beyond: bool) -> bool {
        let mut taken = locked(&self.lane.taken);
        let all = taken.all;
        let Some(owner) = taken.owners.get_mut(&self.owner) else { return false };
        let share = self.lane.size.saturating_sub(all - owner.taken) / 2;
        // A request larger than the share is allowed if its channel has nothing else in flight.
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

    /// Grows the reservation if possible now.
    pub fn try_grow(&mut self, more: u64) -> bool {
        self.grow_now(more, false)
    }

    /// Grows the reservation, waiting if necessary. Channels that hold memory and wait for more could deadlock, so one
    /// request of each channel at a time may exceed its share.
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

    /// Shrinks the reservation to this size, and ends its right to exceed the share.
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

    /// Its size, in bytes.
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
