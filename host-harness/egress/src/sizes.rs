//! Owns: how large what a channel, a platform or a client hands in may be. What a channel declares can only ask for less.
//! Does not own: counting (`policy`, `response`, `memory`).

/// Bounds of sizes, in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sizes {
    /// An answer of a platform.
    pub answer: u64,
    /// The body of a request of a channel with what the host puts into it, and without its files.
    pub request: u64,
    /// A file of a message, in either direction.
    pub file: u64,
    /// All files of one request together.
    pub request_files: u64,
    /// Memory for everything in flight: webhooks have half of it for themselves.
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
    /// The most that each may be raised to.
    pub const MOST: Self =
        Self { answer: 16 * MIB, request: 64 * MIB, file: 1024 * MIB, request_files: 2048 * MIB, memory: 4096 * MIB };

    /// The least memory with which a request of the largest size, which is kept twice while it leaves, and its answer
    /// find room.
    pub fn least_memory(&self) -> u64 {
        2 * (2 * self.request + self.answer)
    }
}
