//! The table of a platform's error codes: the meaning of each for a message, and what to do about it.
//! Owns the form of a row and the lookup; not the rows, which the channel lists.

use crate::types::{Failure, FailureCategory as Category, Scope, SendResult};

/// How a failed step ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// A rate limit was reached.
    RateLimited,
    /// It may succeed later.
    Transient,
    /// The platform failed for unknown reasons. Repeatable requests are repeated; a message may have been delivered.
    Unknown,
    /// It may have been carried out.
    Ambiguous,
    /// It was refused.
    Rejected,
    /// The credentials were refused.
    Unauthorized,
}

impl Verdict {
    /// The result of a step with this verdict.
    pub fn result(self, failure: Failure) -> SendResult {
        match self {
            Verdict::RateLimited => SendResult::RateLimited(failure),
            Verdict::Transient | Verdict::Unknown => SendResult::Transient(failure),
            Verdict::Ambiguous => SendResult::Ambiguous(failure),
            Verdict::Rejected => SendResult::Rejected(failure),
            Verdict::Unauthorized => SendResult::Unauthorized(failure),
        }
    }
}

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// 0 matches any code.
    pub code: u32,
    /// 0 matches any subcode without its own row.
    pub subcode: u32,
    /// How the step ended.
    pub verdict: Verdict,
    /// The category of the failure.
    pub category: Category,
    /// What happened, in one sentence.
    pub message: &'static str,
    /// What to do; empty if nothing can be done.
    pub fix: &'static str,
    /// In milliseconds; 0 if another attempt is useless.
    after: u32,
    /// The scope of the limit.
    pub pause: Option<Scope>,
}

impl Row {
    /// The delay before another attempt, in milliseconds.
    pub fn retry_after(&self) -> Option<u64> {
        (self.after > 0).then_some(u64::from(self.after))
    }

    /// The failure that the row describes, without the platform's codes.
    pub fn failure(&self) -> Failure {
        Failure {
            category: self.category,
            code: None,
            subcode: None,
            message: self.message.to_owned(),
            fix: (!self.fix.is_empty()).then(|| self.fix.to_owned()),
            retry_after: self.retry_after(),
            trace_id: None,
        }
    }
}

/// A second in milliseconds.
pub const SECOND: u32 = 1000;
/// A minute in milliseconds.
pub const MINUTE: u32 = 60 * SECOND;
/// An hour in milliseconds.
pub const HOUR: u32 = 60 * MINUTE;

/// A row with any verdict.
pub const fn row(
    code: u32,
    subcode: u32,
    verdict: Verdict,
    category: Category,
    message: &'static str,
    fix: &'static str,
) -> Row {
    Row { code, subcode, verdict, category, message, fix, after: 0, pause: None }
}

/// A rejection.
pub const fn rejected(code: u32, subcode: u32, category: Category, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Rejected, category, message, fix)
}

/// The credentials are no longer accepted.
pub const fn unauthorized(code: u32, subcode: u32, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Unauthorized, Category::AuthExpired, message, fix)
}

/// A permission is missing.
pub const fn forbidden(code: u32, subcode: u32, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Rejected, Category::PermissionMissing, message, fix)
}

/// A transient fault, to be retried after `after` milliseconds.
pub const fn later(code: u32, subcode: u32, message: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::Transient, Category::PlatformTransient, message, TRIED_AGAIN);
    row.after = after;
    row
}

/// A fault after which it is unknown whether the request was carried out. `message` is used if the step is retried; for
/// a message the channel has a separate row.
pub const fn unknown(code: u32, subcode: u32, message: &'static str, after: u32) -> Row {
    let mut row = later(code, subcode, message, after);
    row.verdict = Verdict::Unknown;
    row
}

/// A rate limit with its scope, to be retried after `after` milliseconds.
pub const fn limited(code: u32, subcode: u32, scope: Scope, message: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::RateLimited, Category::RateLimited, message, TRIED_AGAIN);
    row.after = after;
    row.pause = Some(scope);
    row
}

/// Adds a delay in milliseconds to a rejection, after which a person may try again.
pub const fn after(mut row: Row, time: u32) -> Row {
    row.after = time;
    row
}

const TRIED_AGAIN: &str = "Nothing needs to be done; it is tried again.";

/// The table of a platform.
#[derive(Debug)]
pub struct Table {
    /// Every row with a code or a subcode.
    pub rows: &'static [Row],
    /// From this number on, a subcode has the same meaning under every code.
    pub long_subcode: u32,
    /// For codes without a row.
    pub unknown: Row,
    /// For codes without a row that the platform calls transient.
    pub unknown_transient: Row,
    /// For codes without a row, if the status means that the platform failed.
    pub unknown_fault: Row,
}

impl Table {
    /// The row for a code and a subcode: a match of both, then of the subcode alone under any code, then of the code
    /// alone. Some pages print a subcode in place of a code, so either may match the other.
    ///
    /// `failed` is true if the status means that the platform failed (5xx, or a timeout) rather than refused. A code
    /// with its own row means what the row says, whatever the status.
    pub fn find(&self, code: Option<u64>, subcode: Option<u64>, is_transient: bool, failed: bool) -> &Row {
        let number = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
        let (code, subcode) = (number(code), number(subcode));
        let line = |code: u32, subcode: u32| self.rows.iter().find(|row| row.code == code && row.subcode == subcode);
        let anywhere = |number: u32| match number {
            0 => None,
            number if number >= self.long_subcode => self.rows.iter().find(|row| row.subcode == number),
            number => line(0, number),
        };
        let exact = (code != 0 && subcode != 0).then(|| line(code, subcode)).flatten();
        exact
            .or_else(|| anywhere(subcode))
            .or_else(|| anywhere(code))
            .or_else(|| (code != 0).then(|| line(code, 0)).flatten())
            .unwrap_or(match (failed, is_transient) {
                (true, _) => &self.unknown_fault,
                (false, true) => &self.unknown_transient,
                (false, false) => &self.unknown,
            })
    }
}
