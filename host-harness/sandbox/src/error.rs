//! Owns: what can go wrong with a component, as types: which channel, which export, why.
//! Does not own: what a channel reports of its own.

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
    /// It was refused before it was compiled.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Compiling it was not begun.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The compiler took more than it may, or hit a fault of its own.
    #[error(
        "the compiler did not come to an end with this component ({how}): it may take {memory_mib} MiB of memory and {cpu_seconds} s of processor time"
    )]
    CompilerEnded {
        /// How its process ended.
        how: String,
        /// What it may take, in MiB.
        memory_mib: u64,
        /// What it may take, in seconds.
        cpu_seconds: u64,
    },
    /// The compiler or the linker refused it.
    #[error("the component does not implement the contract: {0}")]
    Incompatible(String),
    /// The compiled form could not be kept or read.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The engine could not be set up on this machine.
    #[error("the sandbox cannot be set up on this machine: {0}")]
    Engine(String),
    /// It does not survive a first instantiation.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Unloadable> for LoadError {
    fn from(Unloadable(reason): Unloadable) -> Self {
        Self::Incompatible(reason)
    }
}

/// A call of a channel that did not return a result.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the channel `{channel}` failed in `{export}`: {failure}")]
pub struct CallError {
    /// The channel's id.
    pub channel: String,
    /// The function that was called.
    pub export: &'static str,
    /// What happened.
    pub failure: CallFailure,
}

/// Why a call did not return a result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallFailure {
    /// It did not end in time.
    #[error("it was stopped after {0:?}, its deadline")]
    Deadline(Duration),
    /// It wanted more memory than it may have.
    #[error("it wanted more than its {0} bytes of memory")]
    Memory(u64),
    /// It wanted a larger table than it may have.
    #[error("it wanted a table of more than {0} elements")]
    Table(usize),
    /// Its calls are nested too deeply.
    #[error("it ran out of stack, which is what endless recursion does")]
    Stack,
    /// It handed over more data than a call may.
    #[error("it handed over more than the {0} bytes that one call may")]
    ResultTooLarge(usize),
    /// It used the network or its storage in a function that must be pure.
    #[error("it called `{0}`, which is not available in a pure function")]
    ImportInPureCall(&'static str),
    /// It gave up, or did something that no program may.
    #[error("it trapped: {0}")]
    Trap(String),
    /// What it returned is not of the contract's types.
    #[error("it returned something that is not what the contract says: {0}")]
    InvalidResult(String),
    /// Other calls have what it needs.
    #[error("all {0} that it may use are busy")]
    Busy(Scarce),
}

/// What all channels share, and one channel has a part of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Scarce {
    /// Calls at the same time.
    #[error("{0} sandboxes")]
    Sandboxes(u32),
    /// Linear memory of all calls, in bytes.
    #[error("{0} bytes of memory for calls")]
    Memory(u64),
}

/// Raised by the resource limiter and by imports; found again in wasmtime's error chain.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Raised(pub(crate) CallFailure);

/// The bounds that a failed call may have run into.
pub(crate) struct Bounds {
    pub(crate) deadline: Duration,
    pub(crate) transfer_bytes: usize,
    pub(crate) instances: u32,
}

impl CallFailure {
    /// A word for counters.
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

    /// Whether the component did what it must not, rather than that the machine was slow or busy.
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
                // The canonical ABI reports an exhausted transfer budget as a plain message.
                if text.contains("fuel allocated for hostcalls") {
                    Self::ResultTooLarge(bounds.transfer_bytes)
                } else {
                    Self::InvalidResult(text)
                }
            }
        }
    }
}
