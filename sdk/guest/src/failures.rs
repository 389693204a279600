//! The table of a platform's error codes: what each means for a message, and what to do about it.
//! Owns the form of a line and how one is found; not the lines, which the channel lists.

use crate::types::{Failure, FailureCategory as Category, Scope, SendResult};

/// How a failed step ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Too much was sent.
    RateLimited,
    /// It may work later.
    Transient,
    /// The platform failed without saying at what: what can be repeated is, and a message may have been delivered.
    Unknown,
    /// It may have been done.
    Ambiguous,
    /// It was refused.
    Rejected,
    /// The credentials were refused.
    Unauthorized,
}

impl Verdict {
    /// The result of a step that ended so.
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

/// A line of a table.
#[derive(Debug)]
pub struct Row {
    /// 0 stands for any code.
    pub code: u32,
    /// 0 stands for any subcode that has no line of its own.
    pub subcode: u32,
    /// How the step ended.
    pub verdict: Verdict,
    /// Of which kind the failure is.
    pub category: Category,
    /// What happened, in one message.
    pub message: &'static str,
    /// What to do; empty where nothing can be done.
    pub fix: &'static str,
    /// In milliseconds; 0 where there is no use in another attempt.
    after: u32,
    /// Whom the limit concerns.
    pub pause: Option<Scope>,
}

impl Row {
    /// When to try again, in milliseconds.
    pub fn retry_after(&self) -> Option<u64> {
        (self.after > 0).then_some(u64::from(self.after))
    }

    /// The failure that the line describes, without the platform's codes.
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

/// In milliseconds.
pub const SECOND: u32 = 1000;
/// In milliseconds.
pub const MINUTE: u32 = 60 * SECOND;
/// In milliseconds.
pub const HOUR: u32 = 60 * MINUTE;

/// A line of any verdict.
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

/// A refusal.
pub const fn rejected(code: u32, subcode: u32, category: Category, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Rejected, category, message, fix)
}

/// The credentials are not taken any more.
pub const fn unauthorized(code: u32, subcode: u32, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Unauthorized, Category::AuthExpired, message, fix)
}

/// A permission is missing.
pub const fn forbidden(code: u32, subcode: u32, message: &'static str, fix: &'static str) -> Row {
    row(code, subcode, Verdict::Rejected, Category::PermissionMissing, message, fix)
}

/// A passing fault, and when to try again, in milliseconds.
pub const fn later(code: u32, subcode: u32, message: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::Transient, Category::PlatformTransient, message, TRIED_AGAIN);
    row.after = after;
    row
}

/// A fault that says nothing about whether the request was carried out. `message` is for what is tried again; of a
/// message the channel says something else.
pub const fn unknown(code: u32, subcode: u32, message: &'static str, after: u32) -> Row {
    let mut row = later(code, subcode, message, after);
    row.verdict = Verdict::Unknown;
    row
}

/// A limit that was reached, for whom, and when to try again, in milliseconds.
pub const fn limited(code: u32, subcode: u32, scope: Scope, message: &'static str, after: u32) -> Row {
    let mut row = row(code, subcode, Verdict::RateLimited, Category::RateLimited, message, TRIED_AGAIN);
    row.after = after;
    row.pause = Some(scope);
    row
}

/// A rejection that may be worth another attempt by a person after a while, in milliseconds.
pub const fn after(mut row: Row, time: u32) -> Row {
    row.after = time;
    row
}

const TRIED_AGAIN: &str = "Nothing needs to be done; it is tried again.";

/// A platform's lines.
#[derive(Debug)]
pub struct Table {
    /// Every line with a code or a subcode.
    pub rows: &'static [Row],
    /// From here on a subcode means the same under every code.
    pub long_subcode: u32,
    /// What has no line.
    pub unknown: Row,
    /// What has no line and is called transient by the platform.
    pub unknown_transient: Row,
    /// What has no line and came with a status that says that the platform failed.
    pub unknown_fault: Row,
}

impl Table {
    /// The line for a code and a subcode: both, then the subcode alone under whatever code, then the
    /// code alone. Some pages print a subcode where a code stands, so each may stand for the other.
    ///
    /// `failed`: the status says that the platform failed (5xx, or no end within its time), not that it refused. A code
    /// that has a line means what the line says, whatever the status.
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
