//! Owns: finding credentials in texts and answers and taking them out: given ones in every spelling, and those that the
//! names of fields tell.
//! Does not own: which are known (`credentials`, `known`), what is captured (`capture`).

mod fields;
mod search;
mod spellings;

pub(crate) use fields::{is_plain_header, is_too_heavy, names_credential, only, redact_fields, says_credential};
pub use search::REDACTED;
pub(crate) use search::{Spellings, redact, without};
