//! Owns: typed errors of components: channel, export, reason.
//! Does not own: errors that a channel reports itself.

use std::time::Duration;

use harness_contract::text::shown;
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::{
    cache::{CacheError, Unloadable},
    count::ShapeError,
    inspect::InspectError,
};

/// Why a component could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Refused before compiling.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Its structure exceeds a limit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The compiler exceeded its limits or crashed.
    #[error(
        "the compiler did not come to an end with this component ({how}): it may take {memory_mib} MiB of memory and {cpu_seconds} s of processor time"
    )]
    CompilerEnded {
        /// How the process ended.
        how: String,
        /// The memory limit, in MiB.
        memory_mib: u64,
        /// The CPU time limit, in seconds.
        cpu_seconds: u64,
    },
    /// Refused by the compiler or the linker.
    #[error("the component does not implement the contract: {0}")]
    Incompatible(String),
    /// The compiled form could not be stored or read.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The engine could not be set up on this machine.
    #[error("the sandbox cannot be set up on this machine: {0}")]
    Engine(String),
    /// The first instantiation failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Unloadable> for LoadError {
    fn from(Unloadable(reason): Unloadable) -> Self {
        Self::Incompatible(reason)
    }
}

/// A call without a result.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the channel `{channel}` failed in `{export}`: {failure}")]
pub struct CallError {
    /// The channel's id.
    pub channel: String,
    /// The function.
    pub export: &'static str,
    /// The reason.
    pub failure: CallFailure,
}

/// Why a call has no result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallFailure {
    /// Over its deadline.
    #[error("it was stopped after {0:?}, its deadline")]
    Deadline(Duration),
    /// Over its memory limit.
    #[error("it wanted more than its {0} bytes of memory")]
    Memory(u64),
    /// Over its table limit.
    #[error("it wanted a table of more than {0} elements")]
    Table(usize),
    /// Stack overflow.
    #[error("it ran out of stack, which is what endless recursion does")]
    Stack,
    /// Over the limit of data passed to the host.
    #[error("it handed over more than the {0} bytes that one call may")]
    ResultTooLarge(usize),
    /// It used the network or storage in a pure function.
    #[error("it called `{0}`, which is not available in a pure function")]
    ImportInPureCall(&'static str),
    /// It aborted or trapped.
    #[error("it trapped: {0}")]
    Trap(String),
    /// Its result violates the contract's types.
    #[error("it returned something that is not what the contract says: {0}")]
    InvalidResult(String),
    /// Other calls use the resource it needs.
    #[error("all {0} that it may use are busy")]
    Busy(Scarce),
}

/// A resource that all channels share, and of which each gets a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Scarce {
    /// Concurrent calls.
    #[error("{0} sandboxes")]
    Sandboxes(u32),
    /// Linear memory of all calls, in bytes.
    #[error("{0} bytes of memory for calls")]
    Memory(u64),
}

/// Raised by the resource limiter and by imports, and recovered from wasmtime's error chain.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Raised(pub(crate) CallFailure);

/// The limits that a failed call may have exceeded.
pub(crate) struct Bounds {
    pub(crate) deadline: Duration,
    pub(crate) transfer_bytes: usize,
    pub(crate) instances: u32,
}

impl CallFailure {
    /// A label for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deadline(_) => "deadline",
            Self::Memory(_) => "memory",
            Self::Table(_) => "table",
            Self::Stack => "stack",
            Self::ResultTooLarge(_) => "result_too_large",
            Self::ImportInPureCall(_) => "import_in_pure_call",
            Self::Trap(_) => "trap",
            Self::InvalidResult(_) => "invalid_result",
            Self::Busy(_) => "busy",
        }
    }

    /// Whether the component is at fault, and not a slow or busy machine.
    pub fn is_crash(&self) -> bool {
        !matches!(self, Self::Deadline(_) | Self::Busy(_))
    }

    pub(crate) fn from_wasmtime(error: &wasmtime::Error, bounds: &Bounds) -> Self {
        if let Some(Raised(failure)) = error.downcast_ref::<Raised>() {
            return failure.clone();
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Self::Busy(Scarce::Sandboxes(bounds.instances));
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => Self::Deadline(bounds.deadline),
            Some(Trap::StackOverflow) => Self::Stack,
            Some(trap) => Self::Trap(trap.to_string()),
            None => {
                let text = shown(&format!("{error:#}"));
                // The canonical ABI reports an exhausted budget only as text.
                if text.contains("fuel allocated for hostcalls") {
                    Self::ResultTooLarge(bounds.transfer_bytes)
                } else {
                    Self::InvalidResult(text)
                }
            }
        }
    }
}
