//! Owns: one limit for the linear memory of all calls, half of it for each channel.
//! Does not own: the limit of one call (`effects`), the host's memory (`harness-egress`).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A bounded counter of bytes.
#[derive(Debug)]
struct Bounded {
    taken: AtomicUsize,
    most: usize,
}

impl Bounded {
    fn new(most: usize) -> Self {
        Self { taken: AtomicUsize::new(0), most }
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= self.most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The memory of all calls.
#[derive(Clone, Debug)]
pub(crate) struct GuestMemory(Arc<Bounded>);

impl GuestMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Bounded::new(bytes)))
    }

    /// A channel's share: half of all memory, or `largest` if one call may use more.
    pub(crate) fn share(&self, largest: usize) -> Share {
        Share(Arc::new(Both { all: Arc::clone(&self.0), own: Bounded::new((self.0.most / 2).max(largest)) }))
    }
}

/// The memory of all calls, and of one channel's.
#[derive(Debug)]
struct Both {
    all: Arc<Bounded>,
    own: Bounded,
}

/// The memory of one channel's calls. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Share(Arc<Both>);

impl Share {
    /// A call, which starts with nothing.
    pub(crate) fn call(&self) -> Taken {
        Taken { share: self.clone(), bytes: 0 }
    }
}

/// The memory of one call, returned on drop.
#[derive(Debug)]
pub(crate) struct Taken {
    share: Share,
    bytes: usize,
}

impl Taken {
    /// Takes more, or returns the limit that was reached.
    pub(crate) fn grow(&mut self, more: usize) -> Result<(), u64> {
        let Both { all, own } = &*self.share.0;
        if !own.take(more) {
            return Err(own.most as u64);
        }
        if !all.take(more) {
            own.give_back(more);
            return Err(all.most as u64);
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.share.0.own.give_back(self.bytes);
        self.share.0.all.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_half_of_all_and_what_a_call_had_comes_back() {
        let all = GuestMemory::new(100);
        let (one, other, third) = (all.share(10), all.share(10), all.share(80));
        let mut calls = [one.call(), one.call(), other.call()];
        assert_eq!(calls.iter_mut().map(|call| call.grow(30)).collect::<Vec<_>>(), [Ok(()), Err(50), Ok(())]);
        let mut last = third.call();
        assert_eq!((last.grow(41), last.grow(40)), (Err(100), Ok(())));
        drop(calls);
        // A refused request takes nothing.
        assert_eq!((last.grow(40), last.grow(1)), (Ok(()), Err(80)));
        drop(last);
        assert_eq!(all.0.taken.load(Ordering::Relaxed), 0);
    }
}
