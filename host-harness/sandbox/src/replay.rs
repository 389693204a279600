//! Owns: making a recorded call of a pure function again.
//! Does not own: recording it (`observe`).

use harness_contract::AccountSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{channel::Channel, error::CallError, observe::form};

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

impl Channel {
    /// Makes a recorded call of a pure function again.
    pub fn replay(&self, export: &str, input: &Value) -> Result<Value, ReplayError> {
        let (interface, function) = export.split_once('.').unwrap_or_default();
        if interface != "messaging-channel" {
            return Err(ReplayError::NotPure(export.to_owned()));
        }
        Ok(match function {
            "capabilities" => {
                let (account,): (Option<AccountSettings>,) = typed(export, input)?;
                form(&self.capabilities(account.as_ref())?)
            }
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
