//! Owns: what happened last at the edges of a channel, for whoever looks for the reason of a silence. In memory alone.
//! Does not own: the lines that a health check makes of it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use harness_contract::HttpResponse;

use crate::error::Refusal;

/// What happened last, for whoever looks for the reason of a silence. In memory alone.
#[derive(Default)]
pub(crate) struct Signals {
    channels: Mutex<HashMap<String, Last>>,
}

/// Of one channel.
#[derive(Clone, Default)]
pub(crate) struct Last {
    /// The slot whose secret matched.
    pub(crate) accepted: Option<(String, u64)>,
    pub(crate) refused: Option<(Refusal, u64)>,
    pub(crate) challenge: Option<(Result<(), Refusal>, u64)>,
    /// How many were refused for their size, and when the last one was.
    pub(crate) too_large: Option<(u64, u64)>,
    /// How far the platform's clock is ahead, in milliseconds.
    pub(crate) ahead: Option<i64>,
}

impl Signals {
    /// Notes something of a channel.
    pub(crate) fn note(&self, channel: &str, note: impl FnOnce(&mut Last)) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        // Almost always it is there already, and nothing is to be copied.
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

    /// The platform's clock stands in its answers.
    pub(crate) fn answered(&self, channel: &str, response: &HttpResponse, now: u64) {
        let date = response.headers.iter().find(|header| header.name == "date");
        let Some(date) = date.and_then(|header| httpdate::parse_http_date(&header.value).ok()) else { return };
        let Ok(date) = date.duration_since(std::time::UNIX_EPOCH) else { return };
        let there = i64::try_from(date.as_millis()).unwrap_or(i64::MAX);
        let here = i64::try_from(now).unwrap_or(i64::MAX);
        self.note(channel, |last| last.ahead = Some(there.saturating_sub(here)));
    }

    /// What is known of a channel.
    pub(crate) fn last(&self, channel: &str) -> Last {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).get(channel).cloned().unwrap_or_default()
    }
}
