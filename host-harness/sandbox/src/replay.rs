//! Owns: replaying recorded calls of pure functions.
//! Does not own: recording them (`observe`).

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{channel::Channel, error::CallError, observe::form};

/// Why a call could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Only pure functions can be replayed.
    #[error("`{0}` is not a pure function of the contract")]
    NotPure(String),
    /// The parameters do not fit the function.
    #[error("the recorded parameters of `{export}` are not what the contract says: {source}")]
    Input {
        /// The function.
        export: String,
        /// The reason.
        #[source]
        source: serde_json::Error,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Channel {
    /// Replays a recorded call of a pure function.
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
