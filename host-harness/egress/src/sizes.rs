//! Owns: the limits on input from channels, platforms and clients. Declared sizes can only be lower.
//! Does not own: enforcing them (`policy`, `response`, `memory`).

/// Size limits, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sizes {
    /// A response of a platform.
    pub answer: u64,
    /// The body of a channel's request after injection, without its files.
    pub request: u64,
    /// A file of a message, in either direction.
    pub file: u64,
    /// All files of one request together.
    pub request_files: u64,
    /// Memory for everything in flight, of which half is reserved for webhooks.
    pub memory: u64,
}

/// Bytes of a mebibyte.
pub const MIB: u64 = 1 << 20;

impl Default for Sizes {
    fn default() -> Self {
        Self { answer: 4 * MIB, request: 32 * MIB, file: 64 * MIB, request_files: 128 * MIB, memory: 256 * MIB }
    }
}

impl Sizes {
    /// The upper limit of each setting.
    pub const MOST: Self =
        Self { answer: 16 * MIB, request: 64 * MIB, file: 1024 * MIB, request_files: 2048 * MIB, memory: 4096 * MIB };

    /// The minimum memory for one request of the largest size, which exists twice while it is sent, and its response.
    pub fn least_memory(&self) -> u64 {
        2 * (2 * self.request + self.answer)
    }
}
