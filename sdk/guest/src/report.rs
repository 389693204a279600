//! The report on a message: violations and degradations, collected until all checks are done.
//! Owns recording findings; not the rules, which the channel decides.

use crate::address::{self, Fault};
use crate::limit::{Count, Length, items};
use crate::names::violation_code;
use crate::text::is_blank;
use crate::types::{Degradation, FallbackPolicy, Severity, Unit, Validation, Violation};

/// Facts about the platform that reports use.
#[derive(Clone, Copy, Debug)]
pub struct Platform {
    /// Its name as people know it.
    pub name: &'static str,
    /// The maximum length of a message, post or upload id, in bytes.
    pub longest_id: usize,
}

/// The findings so far.
#[derive(Debug)]
pub struct Report {
    platform: Platform,
    fallback: FallbackPolicy,
    violations: Vec<Violation>,
    /// Each with the index of its part.
    degradations: Vec<(usize, Degradation)>,
}

impl Report {
    /// An empty report.
    pub fn new(platform: Platform, fallback: FallbackPolicy) -> Self {
        Self { platform, fallback, violations: Vec::new(), degradations: Vec::new() }
    }

    /// Whether the message cannot be sent.
    pub fn has_errors(&self) -> bool {
        self.violations.iter().any(|violation| matches!(violation.severity, Severity::Error))
    }

    /// Converts the report into the contract's validation.
    pub fn into_validation(self) -> Validation {
        Validation {
            violations: self.violations,
            degradations: self.degradations.into_iter().map(|(_, loss)| loss).collect(),
        }
    }

    /// The degradations of a part.
    pub fn degradations_of(&self, part: usize) -> Vec<Degradation> {
        let of_part = self.degradations.iter().filter(|(at, _)| *at == part);
        of_part.map(|(_, loss)| loss.clone()).collect()
    }

    /// Adds an error.
    pub fn error(&mut self, code: &str, path: &str, message: &str) {
        self.error_with(code, path, message, |_| {});
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: &str, path: &str, message: &str) {
        self.add(Severity::Warning, code, path, message);
    }

    /// Adds an error; `complete` sets its other fields.
    pub fn error_with(&mut self, code: &str, path: &str, message: &str, complete: impl FnOnce(&mut Violation)) {
        let violation = self.add(Severity::Error, code, path, message);
        complete(violation);
    }

    /// Adds a finding and returns it, so that the caller can set other fields.
    pub fn add(&mut self, severity: Severity, code: &str, path: &str, message: &str) -> &mut Violation {
        self.violations.push_mut(Violation {
            severity,
            code: code.to_owned(),
            path: path.to_owned(),
            message: message.to_owned(),
            limit: None,
            actual: None,
            accepted: Vec::new(),
            split_at: None,
        })
    }

    /// Adds an error that lists the accepted values.
    pub fn not_accepted(&mut self, code: &str, path: &str, message: &str, accepted: &[&str]) {
        let violation = self.add(Severity::Error, code, path, message);
        violation.accepted = accepted.iter().map(|one| (*one).to_owned()).collect();
    }

    /// Something that no one will see as requested: refused, or reported as a degradation.
    pub fn lost(&mut self, part: usize, feature: &str, path: &str, message: &str) {
        self.degrade(part, feature, violation_code::UNSUPPORTED_FEATURE, path, message, &[]);
    }

    /// Something that some surfaces do not show: reported, or refused under `strict`.
    pub fn hidden(&mut self, part: usize, feature: &str, path: &str, message: &str, surfaces: &[&str]) {
        self.degrade(part, feature, violation_code::NOT_SHOWN_EVERYWHERE, path, message, surfaces);
    }

    /// Under `strict`, anything that cannot be shown as requested is an error. Under `allow` it is sent, with a warning
    /// and a degradation. Under the usual policy it is sent if some surfaces show it as requested.
    pub fn degrade(&mut self, part: usize, feature: &str, code: &str, path: &str, message: &str, surfaces: &[&str]) {
        let refuses = match self.fallback {
            FallbackPolicy::Usual => surfaces.is_empty(),
            FallbackPolicy::Strict => true,
            FallbackPolicy::Allow => false,
        };
        if refuses {
            let advice = format!("{message} Allow a fallback to send it all the same.");
            return self.error(code, path, &advice);
        }
        self.warning(code, path, message);
        let degradation = Degradation {
            feature: feature.to_owned(),
            path: path.to_owned(),
            message: message.to_owned(),
            surfaces: surfaces.iter().map(|surface| (*surface).to_owned()).collect(),
        };
        self.degradations.push((part, degradation));
    }

    /// Checks that a text is not blank and not too long. `name` begins the message.
    pub fn field(&mut self, code: &str, path: &str, name: &str, text: &str, limit: Length) {
        if self.present(path, name, text) {
            self.length(code, path, name, text, limit);
        }
    }

    /// Checks the length of a text, and reports by how much it is too long. `name` begins the message.
    pub fn length(&mut self, code: &str, path: &str, name: &str, text: &str, limit: Length) -> bool {
        let actual = limit.of(text);
        if actual <= limit.max {
            return true;
        }
        let unit = match limit.unit {
            Unit::Bytes => "bytes",
            _ => "characters",
        };
        let (over, max) = (actual - limit.max, limit.max);
        let message = format!("{name} is {over} {unit} too long. Shorten it to {max} {unit}.");
        self.error_with(code, path, &message, |violation| {
            violation.limit = Some(limit.bound());
            violation.actual = Some(actual as u64);
        });
        false
    }

    /// Checks the number of items. `name` is their plural.
    pub fn count(&mut self, path: &str, name: &str, actual: usize, limit: Count) {
        let (code, verb, max) = match actual as u64 {
            actual if actual > u64::from(limit.max) => (violation_code::TOO_MANY, "at most", limit.max),
            actual if actual < u64::from(limit.min) => (violation_code::TOO_FEW, "at least", limit.min),
            _ => return,
        };
        let message = format!("{} takes {verb} {max} {name} in one message; there are {actual}.", self.platform.name);
        self.error_with(code, path, &message, |violation| {
            violation.limit = Some(items(u64::from(max)));
            violation.actual = Some(actual as u64);
        });
    }

    /// Checks that a text is not blank. `name` begins the message.
    pub fn present(&mut self, path: &str, name: &str, text: &str) -> bool {
        let there = !is_blank(text);
        if !there {
            let message = format!("{name} is empty. Fill it in.");
            self.error(violation_code::MISSING_FIELD, path, &message);
        }
        there
    }

    /// Checks a non-numeric id of the platform: it must be present, within the length limit, and free of invalid
    /// characters. `name` begins the message.
    pub fn reference(&mut self, path: &str, name: &str, id: &str) -> bool {
        if !self.present(path, name, id) {
            return false;
        }
        let fits =
            id.len() <= self.platform.longest_id && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        if !fits {
            let message = format!("{name} is not one of {}'s. Choose it again.", self.platform.name);
            self.error(violation_code::INVALID_FIELD, path, &message);
        }
        fits
    }

    /// Checks a URL that the platform fetches or a customer opens. `name` begins the message.
    pub fn address(&mut self, path: &str, name: &str, url: &str, schemes: &[&str]) {
        let Err(fault) = address::check(url, schemes) else {
            return;
        };
        let scheme = schemes.first().copied().unwrap_or_default();
        let message = match fault {
            Fault::Form => {
                format!("{name} cannot be used. Give a complete public address that begins with {scheme}://.")
            }
            Fault::Login => format!("{name} names a user or a password. Give an address that opens without."),
            Fault::NotPublic => format!(
                "{name} cannot be reached from the public internet. Give a public address that begins with {scheme}://."
            ),
        };
        let violation = self.add(Severity::Error, violation_code::INVALID_URL, path, &message);
        violation.accepted = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
    }
}
