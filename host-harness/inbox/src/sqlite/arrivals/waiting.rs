//! Owns: how many deliveries have no row yet, and the bounds of that.
//! Does not own: giving them one.

use std::collections::HashMap;

/// Deliveries that may wait for their row. Beyond it the way in answers "later".
pub(crate) const MAX_WAITING: usize = 8192;
/// Their bytes.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// One channel has this part of both, so that there is room for the others whatever it does.
const SHARE: usize = 2;

/// How many deliveries have no row, and how many bytes those are.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) all: (usize, usize),
    pub(crate) channels: HashMap<String, (usize, usize)>,
}

impl Waiting {
    /// Counts one more, if there is room for it.
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
