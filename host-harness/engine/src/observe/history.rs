//! Owns: how the channels did in the last hour, minute by minute, in memory.
//! Does not own: counters since the start (`base::metrics`), recordings (`recorder`).

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use harness_sandbox::Called;

const MINUTE_MS: u64 = 60_000;
/// The minutes that are kept.
const MINUTES: u64 = 60;
/// The most channels. A host loads a handful; ids of components that were only inspected count too.
const CHANNELS: usize = 64;
/// The bounds of the classes of durations, in microseconds: each is twice the one before, from 64 µs to 67 s.
const CLASSES: usize = 21;
const FIRST_CLASS_US: u64 = 64;

/// One minute of a channel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChannelMinute {
    /// When it began, in milliseconds since 1970.
    pub at: u64,
    /// Calls that ended in it.
    pub calls: u32,
    /// Calls without a result.
    pub failed: u32,
    /// The slowest call, in microseconds.
    pub slowest_us: u64,
    /// The guest's executed instructions, if the sandbox counts them.
    pub instructions: u64,
    /// Calls by duration: the class of each is the first whose bound it does not exceed.
    classes: [u32; CLASSES],
}

impl ChannelMinute {
    fn note(&mut self, took: Duration, failed: bool, instructions: Option<u64>) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.calls = self.calls.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(failed));
        self.slowest_us = self.slowest_us.max(took);
        self.instructions = self.instructions.saturating_add(instructions.unwrap_or(0));
        let class = bounds().position(|bound| took <= bound).unwrap_or(CLASSES - 1);
        if let Some(count) = self.classes.get_mut(class) {
            *count = count.saturating_add(1);
        }
    }
}

fn bounds() -> impl Iterator<Item = u64> {
    (0..CLASSES).map(|class| FIRST_CLASS_US << class)
}

/// The time that 95 of 100 calls of these minutes did not exceed, in microseconds, to a factor of two. `None` without
/// calls.
pub fn p95_us<'m>(minutes: impl IntoIterator<Item = &'m ChannelMinute>) -> Option<u64> {
    let (mut classes, mut slowest) = ([0_u64; CLASSES], 0);
    for minute in minutes {
        slowest = slowest.max(minute.slowest_us);
        for (sum, count) in classes.iter_mut().zip(minute.classes) {
            *sum += u64::from(count);
        }
    }
    let all: u64 = classes.iter().sum();
    let wanted = (all * 95).div_ceil(100);
    let mut seen = 0;
    for (count, bound) in classes.iter().zip(bounds()) {
        seen += count;
        if all > 0 && seen >= wanted {
            return Some(bound.min(slowest));
        }
    }
    None
}

/// The last hour of every channel.
#[derive(Default)]
pub(crate) struct History {
    channels: Mutex<BTreeMap<String, VecDeque<ChannelMinute>>>,
}

impl History {
    /// Notes a call that ended at this time.
    pub(crate) fn note(&self, call: &Called<'_>, now: u64) {
        let at = now - now % MINUTE_MS;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if !channels.contains_key(call.channel) && channels.len() >= CHANNELS {
            // The one that was silent for longest gives way.
            let oldest = channels.iter().min_by_key(|(_, minutes)| minutes.back().map_or(0, |minute| minute.at));
            let Some(oldest) = oldest.map(|(channel, _)| channel.clone()) else { return };
            channels.remove(&oldest);
        }
        let minutes = channels.entry(call.channel.to_owned()).or_default();
        // A clock that was set back adds to the newest minute.
        if minutes.back().is_none_or(|newest| newest.at < at) {
            minutes.push_back(ChannelMinute { at, ..ChannelMinute::default() });
        }
        while minutes.len() > usize::try_from(MINUTES).unwrap_or(usize::MAX) {
            minutes.pop_front();
        }
        if let Some(minute) = minutes.back_mut() {
            minute.note(call.took, call.failure.is_some(), call.instructions);
        }
    }

    /// The last hour of a channel, one entry for each minute, oldest first. Minutes without a call are there too.
    pub(crate) fn of(&self, channel: &str, now: u64) -> Vec<ChannelMinute> {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let known = channels.get(channel);
        let newest = now - now % MINUTE_MS;
        (0..MINUTES)
            .rev()
            .map(|ago| {
                let at = newest.saturating_sub(ago * MINUTE_MS);
                let minute = known.and_then(|minutes| minutes.iter().find(|minute| minute.at == at));
                minute.copied().unwrap_or(ChannelMinute { at, ..ChannelMinute::default() })
            })
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use harness_sandbox::CallFailure;

    use super::*;

    fn call<'c>(channel: &'c str, took_us: u64, failure: Option<&'c CallFailure>) -> Called<'c> {
        Called {
            channel,
            digest: "",
            export: "parse-webhook",
            pure: true,
            took: Duration::from_micros(took_us),
            instructions: Some(7),
            failure,
            contents: None,
        }
    }

    #[test]
    fn the_last_hour_has_a_place_for_each_minute_and_forgets_what_is_older() {
        let history = History::default();
        for minute in 0..90 {
            history.note(&call("shop", 100, None), minute * MINUTE_MS + 5);
        }
        history.note(&call("shop", 3000, None), 89 * MINUTE_MS + 9);
        let minutes = history.of("shop", 91 * MINUTE_MS);
        assert_eq!((minutes.len(), minutes[0].at, minutes[59].at), (60, 32 * MINUTE_MS, 91 * MINUTE_MS));
        assert_eq!((minutes[59].calls, minutes[57].calls, minutes[57].instructions), (0, 2, 14));
        assert!(history.of("other", 91 * MINUTE_MS).iter().all(|minute| minute.calls == 0));
    }

    #[test]
    fn p95_is_the_class_that_most_calls_do_not_exceed() {
        let history = History::default();
        for _ in 0..95 {
            history.note(&call("shop", 100, None), 5);
        }
        for _ in 0..5 {
            history.note(&call("shop", 90_000, None), 5);
        }
        assert_eq!(p95_us(&history.of("shop", 5)), Some(128));
        assert_eq!(p95_us(&history.of("other", 5)), None);
        history.note(&call("slow", u64::MAX, None), 5);
        assert_eq!(p95_us(&history.of("slow", 5)), Some(FIRST_CLASS_US << (CLASSES - 1)));
    }

    #[test]
    fn channels_are_bounded() {
        let history = History::default();
        for at in 0..200_u64 {
            history.note(&call(&format!("channel-{at}"), 1, None), at * MINUTE_MS);
        }
        assert_eq!(history.channels.lock().unwrap().len(), CHANNELS);
        assert_eq!(history.of("channel-199", 199 * MINUTE_MS)[59].calls, 1);
    }
}
