//! Owns: what a team may write of its own: names, colors, notes, canned answers with variables; opening what was
//! snoozed, and the search's index.
//! Does not own: keeping it (the inbox), who may write it (the server).

mod fields;
mod index;
mod snoozes;
mod variables;

pub(crate) use self::variables::fill;
pub use self::{
    fields::{COLORS, MAX_CANNED_TEXT, MAX_NAME, MAX_NOTE, MAX_SHORTCUT, MAX_TITLE, WrongField},
    variables::{Filled, UnknownVariable, VARIABLES, Values},
};
pub(crate) use self::{
    fields::{canned_answer, color, name, note},
    index::run as run_index,
    snoozes::run as run_snoozes,
};

use crate::base::Base;

/// The handles of this room.
pub(crate) struct Organisation {
    pub(crate) base: Base,
}
