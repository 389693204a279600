//! Owns: pages of a list, and the places at which they end.
//! Does not own: what the lists hold.

use std::{fmt, str::FromStr};

/// Where a page of a list ends, and the next one goes on. Opaque to whoever asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    pub(crate) at: i64,
    pub(crate) seq: i64,
    pub(crate) id: i64,
}

impl Place {
    /// In front of everything.
    pub(crate) const FIRST: Self = Self { at: i64::MAX, seq: i64::MAX, id: i64::MAX };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}.{:x}", self.at, self.seq, self.id)
    }
}

/// It is no place that a page ended at.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is no place at which a page ended")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        // Negative numbers are written as their two's complement.
        let number = |part: Option<&str>| {
            let part = part.filter(|part| !part.starts_with('+')).ok_or(NoPlace)?;
            u64::from_str_radix(part, 16).map(u64::cast_signed).map_err(|_| NoPlace)
        };
        let mut parts = text.split('.');
        let place = Self { at: number(parts.next())?, seq: number(parts.next())?, id: number(parts.next())? };
        if parts.next().is_some() { Err(NoPlace) } else { Ok(place) }
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// Where what is older begins; none at the end.
    pub next: Option<Place>,
}

impl<T> Page<T> {
    /// From rows of which one more was asked for than the page holds.
    pub(crate) fn of(mut rows: Vec<(T, Place)>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, place)| *place);
        Self { entries: rows.into_iter().map(|(entry, _)| entry).collect(), next }
    }
}
