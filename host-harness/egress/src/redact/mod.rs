//! Owns: finding and redacting credentials in texts and responses: known ones in every spelling, unknown ones by field
//! name.
//! Does not own: which are known (`credentials`, `known`), captures (`capture`).

mod fields;
mod search;
mod spellings;

pub(crate) use fields::{is_plain_header, is_too_heavy, names_credential, only, redact_fields, says_credential};
pub use search::REDACTED;
pub(crate) use search::{Spellings, redact, without};
