//! Owns: pages of a list, and the cursors between them.
//! Does not own: the entries of the lists.

use std::{fmt, str::FromStr};

/// A cursor: where one page of a list ends and the next begins. Opaque to callers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    pub(crate) at: i64,
    pub(crate) seq: i64,
    pub(crate) id: i64,
}

impl Place {
    /// Before the first entry.
    pub(crate) const FIRST: Self = Self { at: i64::MAX, seq: i64::MAX, id: i64::MAX };

    /// The place after everything up to this time and at it, in milliseconds since 1970, in a list from the newest on.
    #[must_use]
    pub const fn until(at: i64) -> Self {
        Self { at, ..Self::FIRST }
    }

    /// The time of the entry at which the page ended, in milliseconds since 1970.
    #[must_use]
    pub const fn time(&self) -> i64 {
        self.at
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}.{:x}", self.at, self.seq, self.id)
    }
}

/// The text is not a valid cursor.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is no place at which a page ended")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        // Negative numbers are written in two's complement.
        let number = |part: Option<&str>| {
            let part = part.filter(|part| !part.starts_with('+')).ok_or(NoPlace)?;
            u64::from_str_radix(part, 16).map(u64::cast_signed).map_err(|_| NoPlace)
        };
        let mut parts = text.split('.');
        let place = Self { at: number(parts.next())?, seq: number(parts.next())?, id: number(parts.next())? };
        if parts.next().is_some() { Err(NoPlace) } else { Ok(place) }
    }
}

/// A cursor of a list that is merged from messages and activities. Opaque to callers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MergedPlace {
    pub(crate) messages: Place,
    pub(crate) activities: Place,
}

impl MergedPlace {
    /// Before the first entry.
    pub(crate) const FIRST: Self = Self { messages: Place::FIRST, activities: Place::FIRST };
}

impl fmt::Display for MergedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.messages, self.activities)
    }
}

impl FromStr for MergedPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (messages, activities) = text.split_once('~').ok_or(NoPlace)?;
        Ok(Self { messages: messages.parse()?, activities: activities.parse()? })
    }
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T, P = Place> {
    /// The entries of this page.
    pub entries: Vec<T>,
    /// Where the next, older page begins; `None` on the last page.
    pub next: Option<P>,
}

impl<T, P: Copy> Page<T, P> {
    /// Builds a page from rows, of which the query fetched one more than `limit`.
    pub(crate) fn of(mut rows: Vec<(T, P)>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, place)| *place);
        Self { entries: rows.into_iter().map(|(entry, _)| entry).collect(), next }
    }
}
