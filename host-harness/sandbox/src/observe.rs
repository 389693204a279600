//! Who watches calls: for counting, for recording, for noticing that a component fails again and again.
//! Belongs here: what is told of a call, and running a recorded one again.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{CallError, CallFailure, Channel};

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

/// Why a recorded call could not be made again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Only pure functions can be.
    #[error("`{0}` is not a pure function of the contract")]
    NotPure(String),
    /// The parameters are not the function's.
    #[error("the recorded parameters of `{export}` are not what the contract says: {source}")]
    Input {
        /// The function.
        export: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

pub(crate) fn form(value: &impl Serialize) -> Value {
    // Every type of the contract has a JSON form.
    serde_json::to_value(value).unwrap_or(Value::Null)
}

impl Channel {
    /// Makes a recorded call of a pure function again.
    pub fn replay(&self, export: &str, input: &Value) -> Result<Value, ReplayError> {
        let (interface, function) = export.split_once('.').unwrap_or_default();
        if interface != "messaging-channel" {
            return Err(ReplayError::NotPure(export.to_owned()));
        }
        Ok(match function {
            "capabilities" => form(&self.capabilities()?),
            "parse-webhook" => {
                let (delivery,) = typed(export, input)?;
                form(&self.parse_webhook(&delivery)?)
            }
            "validate-outbound" => {
                let (message, context) = typed(export, input)?;
                form(&self.validate_outbound(&message, &context)?)
            }
            "build-send-request" => {
                let (message, context) = typed(export, input)?;
                form(&self.build_send_request(&message, &context)?)
            }
            "parse-send-response" => {
                let (step, response) = typed(export, input)?;
                form(&self.parse_send_response(&step, &response)?)
            }
            _ => return Err(ReplayError::NotPure(export.to_owned())),
        })
    }
}

fn typed<T: DeserializeOwned>(export: &str, input: &Value) -> Result<T, ReplayError> {
    T::deserialize(input).map_err(|source| ReplayError::Input { export: export.to_owned(), source })
}
