//! Limits: the maximum length of a text, and the maximum number of items.
//! Owns counting in their units; not the numbers, which each channel defines.

use crate::text;
use crate::types::{Bound, Unit};

/// The maximum size of `native` in either direction, in bytes; the contract's own limit.
pub const NATIVE_BYTES: usize = 8 * 1024;

/// The maximum length of a text field.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The maximum, in the unit.
    pub max: usize,
    /// The unit of the limit.
    pub unit: Unit,
}

impl Length {
    /// A limit in characters, as Unicode counts them.
    pub const fn characters(max: usize) -> Self {
        Self { max, unit: Unit::Characters }
    }

    /// A limit in bytes of UTF-8.
    pub const fn bytes(max: usize) -> Self {
        Self { max, unit: Unit::Bytes }
    }

    /// The length of a text in the unit of the limit.
    pub fn of(self, text: &str) -> usize {
        match self.unit {
            Unit::Characters => text::characters(text),
            Unit::Utf16Units => text.encode_utf16().count(),
            _ => text.len(),
        }
    }

    /// The limit as a `bound` of the contract.
    pub fn bound(self) -> Bound {
        Bound { max: self.max as u64, unit: self.unit }
    }
}

/// How many items of a kind one message may hold.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The minimum.
    pub min: u32,
    /// The maximum.
    pub max: u32,
}

/// A maximum number of items as a `bound` of the contract.
pub fn items(max: u64) -> Bound {
    Bound { max, unit: Unit::Items }
}

/// The form of a numeric id.
#[derive(Clone, Copy, Debug)]
pub struct IdForm {
    /// The minimum number of digits.
    pub min: u32,
    /// The maximum number of digits.
    pub max: u32,
}

impl IdForm {
    /// Whether an id has this form.
    pub fn fits(&self, id: &str) -> bool {
        let range = self.min as usize..=self.max as usize;
        range.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
    }
}
