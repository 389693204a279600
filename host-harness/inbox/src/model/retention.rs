//! Owns: what is kept for a period that somebody may choose.
//! Does not own: the configured periods, removing.

use std::collections::BTreeMap;

/// What is kept for a chosen period.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kept {
    /// Raw deliveries whose content is completely in the inbox.
    Deliveries,
    /// Deliveries for accounts that are not connected.
    Parked,
    /// Uploaded files that no reply refers to.
    UnusedFiles,
    /// Entries of the change feed.
    Changes,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deliveries, Self::Parked, Self::UnusedFiles, Self::Changes];
    /// The longest period, in days; longer is for ever.
    pub const MOST_DAYS: u32 = 36_500;

    /// The name in the store and for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Parked => "parked_deliveries",
            Self::UnusedFiles => "unused_files",
            Self::Changes => "changes",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kept| kept.name() == name)
    }
}

/// The periods that somebody has set, in days; 0 is for ever. For what is missing the configuration counts.
pub type KeptDays = BTreeMap<Kept, u32>;
