//! Owns: what an observer learns of every call, for metrics and recordings.
//! Does not own: replaying a recorded call (`replay`).

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::CallFailure;

/// Observes calls. It runs on the call's thread, so it must not block.
pub trait Observer: Send + Sync {
    /// Whether it needs inputs and outputs. Converting them costs more than most calls.
    fn wants_contents(&self) -> bool {
        false
    }

    /// Called after every call.
    fn called(&self, call: &Called<'_>);
}

/// A finished call.
#[derive(Clone, Debug)]
pub struct Called<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// SHA-256 of the component, in hex.
    pub digest: &'a str,
    /// The function.
    pub export: &'static str,
    /// Whether it had neither network nor storage, so that the same input gives the same output.
    pub pure: bool,
    /// Its duration.
    pub took: Duration,
    /// The guest's executed instructions, instantiation included, if the sandbox counts them. The same component and
    /// input give the same number on every machine.
    pub instructions: Option<u64>,
    /// Why it has no result.
    pub failure: Option<&'a CallFailure>,
    /// Input and output in the contract's JSON form, if wanted.
    pub contents: Option<Contents>,
}

/// Input and output. A `result` is `{"Ok": …}` or `{"Err": …}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The parameters, as a list.
    pub input: Value,
    /// The result; `None` if the call failed.
    pub output: Option<Value>,
}

pub(crate) fn form(value: &impl Serialize) -> Value {
    // Every type of the contract has a JSON form.
    serde_json::to_value(value).unwrap_or(Value::Null)
}
