//! Owns: counting the deliveries without a row, and the limits on them.
//! Does not own: inserting the rows.

use std::collections::{HashMap, VecDeque};

use crate::model::DeliveryId;

/// The most deliveries that may wait for their row. Beyond it, new ones are rejected for now.
pub(crate) const MAX_WAITING: usize = 8192;
/// The most bytes that these deliveries may hold.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// One channel may use 1/`SHARE` of each limit, so that it cannot crowd out the others.
const SHARE: usize = 2;

/// A number of deliveries, and their size in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

impl Load {
    fn add(&mut self, bytes: usize) {
        *self = Self { count: self.count + 1, bytes: self.bytes + bytes };
    }

    fn subtract(&mut self, bytes: usize) {
        *self = Self { count: self.count.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) };
    }

    fn is_within(self, part: usize) -> bool {
        self.count < MAX_WAITING / part && self.bytes < MAX_WAITING_BYTES / part
    }
}

/// The deliveries without a row.
#[derive(Clone, Default)]
pub(crate) struct Waiting {
    all: Load,
    channels: HashMap<String, OfChannel>,
}

#[derive(Clone, Default)]
struct OfChannel {
    load: Load,
    /// Those that are durable, in the order in which they get their rows, with their size in bytes.
    durable: VecDeque<(DeliveryId, usize)>,
}

impl Waiting {
    /// Counts one more delivery, if the limits allow it. Returns whether they do.
    pub(crate) fn enter(&mut self, channel: &str, bytes: usize) -> bool {
        let of_channel = self.channels.get(channel).map(|of_channel| of_channel.load).unwrap_or_default();
        if !self.all.is_within(1) || !of_channel.is_within(SHARE) {
            return false;
        }
        self.all.add(bytes);
        self.channels.entry(channel.to_owned()).or_default().load.add(bytes);
        true
    }

    /// One that entered is durable now: it gets a row, after all that were durable before it.
    pub(crate) fn is_durable(&mut self, channel: &str, id: DeliveryId, bytes: usize) {
        if let Some(of_channel) = self.channels.get_mut(channel) {
            of_channel.durable.push_back((id, bytes));
        }
    }

    /// Stops counting a delivery: it has its row, or was refused before it was durable.
    pub(crate) fn leave(&mut self, channel: &str, id: DeliveryId, bytes: usize) {
        self.all.subtract(bytes);
        let Some(of_channel) = self.channels.get_mut(channel) else { return };
        of_channel.load.subtract(bytes);
        of_channel.durable.pop_front_if(|(durable, _)| *durable == id);
        if of_channel.load.count == 0 {
            self.channels.remove(channel);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.count == 0
    }

    /// By channel, what waits beside a journal that has the rows up to `position`. A delivery whose row was just committed
    /// is in both for a moment; here it does not count.
    pub(crate) fn behind(&self, position: DeliveryId) -> impl Iterator<Item = (&str, Load)> {
        self.channels.iter().map(move |(channel, of_channel)| {
            let mut load = of_channel.load;
            let moved = of_channel.durable.iter().take_while(|(id, _)| *id <= position);
            moved.for_each(|(_, bytes)| load.subtract(*bytes));
            (channel.as_str(), load)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_its_row_already_is_not_counted_as_waiting_for_it() {
        let mut waiting = Waiting::default();
        let behind = |waiting: &Waiting, position| {
            let mut loads: Vec<_> = waiting
                .behind(DeliveryId::new(position))
                .map(|(channel, load)| (channel.to_owned(), load.count, load.bytes))
                .collect();
            loads.sort();
            loads
        };
        for (id, channel) in [(1, "a"), (2, "b"), (3, "a")] {
            assert!(waiting.enter(channel, 10));
            waiting.is_durable(channel, DeliveryId::new(id), 10);
        }
        assert!(waiting.enter("a", 5), "not durable yet, so it has no id");
        assert_eq!(behind(&waiting, 0), [("a".to_owned(), 3, 25), ("b".to_owned(), 1, 10)]);
        assert_eq!(behind(&waiting, 1), [("a".to_owned(), 2, 15), ("b".to_owned(), 1, 10)]);
        assert_eq!(behind(&waiting, 3), [("a".to_owned(), 1, 5), ("b".to_owned(), 0, 0)]);

        waiting.leave("a", DeliveryId::new(4), 5);
        waiting.leave("a", DeliveryId::new(1), 10);
        assert_eq!(behind(&waiting, 1), [("a".to_owned(), 1, 10), ("b".to_owned(), 1, 10)]);
        waiting.leave("b", DeliveryId::new(2), 10);
        waiting.leave("a", DeliveryId::new(3), 10);
        assert!(waiting.is_empty());
        assert_eq!(behind(&waiting, 3), []);
    }
}
