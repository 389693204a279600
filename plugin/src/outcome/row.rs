//! The form of a line in the table of errors, with a short constructor for each kind of line.
//! What belongs here is the form; the lines are in `table`.

use crate::types::{FailureCategory as Category, PauseScope};

/// How a failed step ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    RateLimited,
    Transient,
    /// Meta failed without saying at what: what can be repeated is, and a message may have been delivered.
    Unknown,
    Ambiguous,
    Rejected,
    Unauthorized,
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    /// 0 stands for any code.
    pub(super) code: u32,
    /// 0 stands for any subcode that has no line of its own.
    pub(super) subcode: u32,
    pub(super) verdict: Verdict,
    pub(super) category: Category,
    pub(super) sentence: &'static str,
    /// Empty where nothing can be done.
    pub(super) fix: &'static str,
    /// In milliseconds; 0 where there is no use in another attempt.
    after: u32,
    /// Whom the limit concerns.
    pub(super) pause: Option<PauseScope>,
}

impl Row {
    /// When to try again, in milliseconds.
    pub(super) fn retry_after(&self) -> Option<u64> {
        (self.after > 0).then_some(u64::from(self.after))
    }
}

pub(super) const SECOND: u32 = 1000;
pub(super) const MINUTE: u32 = 60 * SECOND;
pub(super) const HOUR: u32 = 60 * MINUTE;

pub(super) const fn row(
    code: u32,
    subcode: u32,
    verdict: Verdict,
    category: Category,
    sentence: &'static str,
    fix: &'static str,
) -> Row {
    Row { code, subcode, verdict, category, sentence, fix, after: 0, pause: None }
}

pub(super) const fn rejected(
    code: u32,
    subcode: u32,
    category: Category,
    sentence: &'static str,
    fix: &'static str,
) -> Row {
    row(code, subcode, Verdict::Rejected, category, sentence, fix)
}

pub(super) const fn unauthorized(code: u32, subcode: u32, sentence: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Unauthorized, Category::AuthExpired, sentence, fix)
}

pub(super) const fn forbidden(code: u32, subcode: u32, sentence: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Rejected, Category::PermissionMissing, sentence, fix)
}

pub(super) const fn later(code: u32, subcode: u32, sentence: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::Transient, Category::PlatformTransient, sentence, TRIED_AGAIN);
    row.after = after;
    row
}

/// A fault that says nothing about whether the request was carried out. `sentence` is for what is tried again;
/// a message is spoken of with `table::FAULT_AFTER_SEND`.
pub(super) const fn unknown(code: u32, subcode: u32, sentence: &'static str, after: u32) -> Row {
    let mut row = later(code, subcode, sentence, after);
    row.verdict = Verdict::Unknown;
    row
}

pub(super) const fn limited(code: u32, subcode: u32, scope: PauseScope, sentence: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::RateLimited, Category::RateLimited, sentence, TRIED_AGAIN);
    row.after = after;
    row.pause = Some(scope);
    row
}

/// A rejection that may be worth another attempt by a person after a while.
pub(super) const fn after(mut row: Row, time: u32) -> Row {
    row.after = time;
    row
}

const TRIED_AGAIN: &str = "Nothing needs to be done; it is tried again.";
