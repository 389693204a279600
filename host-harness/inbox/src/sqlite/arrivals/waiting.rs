//! Owns: counting the deliveries without a row, and the limits on them.
//! Does not own: inserting the rows.

use std::collections::HashMap;

/// The most deliveries that may wait for their row. Beyond it, new ones are rejected for now.
pub(crate) const MAX_WAITING: usize = 8192;
/// The most bytes that these deliveries may hold.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// One channel may use 1/`SHARE` of each limit, so that it cannot crowd out the others.
const SHARE: usize = 2;

/// The number of deliveries without a row, and their size in bytes.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) all: (usize, usize),
    pub(crate) channels: HashMap<String, (usize, usize)>,
}

impl Waiting {
    /// Counts one more delivery, if the limits allow it. Returns whether they do.
    pub(crate) fn enter(&mut self, channel: &str, bytes: usize) -> bool {
        let (count, held) = self.channels.get(channel).copied().unwrap_or_default();
        let within =
            |(count, held): (usize, usize), part: usize| count < MAX_WAITING / part && held < MAX_WAITING_BYTES / part;
        if !within(self.all, 1) || !within((count, held), SHARE) {
            return false;
        }
        self.all = (self.all.0 + 1, self.all.1 + bytes);
        self.channels.insert(channel.to_owned(), (count + 1, held + bytes));
        true
    }

    pub(crate) fn leave(&mut self, channel: &str, bytes: usize) {
        self.all = (self.all.0.saturating_sub(1), self.all.1.saturating_sub(bytes));
        let Some(of_channel) = self.channels.get_mut(channel) else { return };
        *of_channel = (of_channel.0.saturating_sub(1), of_channel.1.saturating_sub(bytes));
        if of_channel.0 == 0 {
            self.channels.remove(channel);
        }
    }
}
