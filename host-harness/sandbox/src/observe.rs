//! Owns: what an observer is told of every call, for counting and for recording.
//! Does not own: making a recorded call again (`replay`).

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::CallFailure;

/// Watches calls. It is asked on the thread of the call, so it must not wait.
pub trait Observer: Send + Sync {
    /// Whether it wants to see what goes in and comes out. That costs more than most calls.
    fn wants_contents(&self) -> bool {
        false
    }

    /// A call ended.
    fn called(&self, call: &Called<'_>);
}

/// A call that ended.
#[derive(Clone, Debug)]
pub struct Called<'a> {
    /// The channel's id.
    pub channel: &'a str,
    /// SHA-256 of the component, in hex.
    pub digest: &'a str,
    /// The function.
    pub export: &'static str,
    /// Whether it had neither network nor storage: the same input gives the same output again.
    pub pure: bool,
    /// How long it took.
    pub took: Duration,
    /// How many instructions the guest executed, instantiating included, where the sandbox counts them. For the
    /// same component and input it is the same on every machine.
    pub instructions: Option<u64>,
    /// Why it returned nothing.
    pub failure: Option<&'a CallFailure>,
    /// What went in and came out, in the contract's JSON form, for who wants it.
    pub contents: Option<Contents>,
}

/// What went in and came out. A function that returns a `result` gives `{"Ok": …}` or `{"Err": …}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// The parameters, as a list.
    pub input: Value,
    /// The result; none when the call failed.
    pub output: Option<Value>,
}

pub(crate) fn form(value: &impl Serialize) -> Value {
    // Every type of the contract has a JSON form.
    serde_json::to_value(value).unwrap_or(Value::Null)
}
