//! Owns: the most recent events at the edges of each channel, to explain why nothing arrives. In memory only.
//! Does not own: the health check's lines about them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use harness_contract::HttpResponse;

use crate::error::Refusal;

/// The most recent webhooks, challenges and platform answers of each channel. In memory only.
#[derive(Default)]
pub(crate) struct Signals {
    channels: Mutex<HashMap<String, Last>>,
}

/// The most recent events of one channel. Times are in milliseconds since 1970.
#[derive(Clone, Default)]
pub(crate) struct Last {
    /// The slot whose secret matched, and when.
    pub(crate) accepted: Option<(String, u64)>,
    pub(crate) refused: Option<(Refusal, u64)>,
    pub(crate) challenge: Option<(Result<(), Refusal>, u64)>,
    /// How many were refused for their size, and when the last one was.
    pub(crate) too_large: Option<(u64, u64)>,
    /// How far the platform's clock is ahead of this host's, in milliseconds.
    pub(crate) ahead: Option<i64>,
}

impl Signals {
    /// Records something about a channel.
    pub(crate) fn note(&self, channel: &str, note: impl FnOnce(&mut Last)) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        // The entry almost always exists, so the key is not copied.
        match channels.get_mut(channel) {
            Some(last) => note(last),
            None => note(channels.entry(channel.to_owned()).or_default()),
        }
    }

    pub(crate) fn webhook(&self, channel: &str, verified: Result<&str, Refusal>, now: u64) {
        self.note(channel, |last| match verified {
            Ok(slot) => match &mut last.accepted {
                Some((known, at)) if known == slot => *at = now,
                accepted => *accepted = Some((slot.to_owned(), now)),
            },
            Err(refusal) => {
                last.refused = Some((refusal, now));
                if refusal == Refusal::TooLarge {
                    last.too_large = Some((last.too_large.map_or(1, |(count, _)| count.saturating_add(1)), now));
                }
            }
        });
    }

    pub(crate) fn challenge(&self, channel: &str, answered: Result<(), Refusal>, now: u64) {
        self.note(channel, |last| last.challenge = Some((answered, now)));
    }

    /// Reads the platform's clock from the `Date` header of its answer.
    pub(crate) fn answered(&self, channel: &str, response: &HttpResponse, now: u64) {
        let date = response.headers.iter().find(|header| header.name == "date");
        let Some(date) = date.and_then(|header| httpdate::parse_http_date(&header.value).ok()) else { return };
        let Ok(date) = date.duration_since(std::time::UNIX_EPOCH) else { return };
        let there = i64::try_from(date.as_millis()).unwrap_or(i64::MAX);
        let here = i64::try_from(now).unwrap_or(i64::MAX);
        self.note(channel, |last| last.ahead = Some(there.saturating_sub(here)));
    }

    /// The last events of a channel.
    pub(crate) fn last(&self, channel: &str) -> Last {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(channel).cloned().unwrap_or_default()
    }
}
