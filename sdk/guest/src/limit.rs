//! Limits: how long a text may be, and how many of a thing there may be.
//! Owns counting in their units; not the numbers, which each channel lists.

use crate::types::{Bound, Unit};

/// The largest `native` in either direction, in bytes; the contract's own bound.
pub const NATIVE_BYTES: usize = 8 * 1024;

/// The longest text of a field.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The most, in the unit.
    pub max: usize,
    /// What is counted.
    pub unit: Unit,
}

impl Length {
    /// So many characters, as Unicode counts them.
    pub const fn characters(max: usize) -> Self {
        Self { max, unit: Unit::Characters }
    }

    /// So many bytes of UTF-8.
    pub const fn bytes(max: usize) -> Self {
        Self { max, unit: Unit::Bytes }
    }

    /// How long a text is in the unit of the limit.
    pub fn of(self, text: &str) -> usize {
        match self.unit {
            Unit::Characters => text.chars().count(),
            Unit::Utf16Units => text.encode_utf16().count(),
            _ => text.len(),
        }
    }

    /// As the contract writes it.
    pub fn bound(self) -> Bound {
        Bound { max: self.max as u64, unit: self.unit }
    }
}

/// How many of a thing fit into one message.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The fewest.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// A number of items as the contract writes it.
pub fn items(max: u64) -> Bound {
    Bound { max, unit: Unit::Items }
}

/// The form of an id that is a number.
#[derive(Clone, Copy, Debug)]
pub struct IdForm {
    /// The fewest digits.
    pub min: u32,
    /// The most digits.
    pub max: u32,
}

impl IdForm {
    /// Whether an id has this form.
    pub fn fits(&self, id: &str) -> bool {
        let range = self.min as usize..=self.max as usize;
        range.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
    }
}
