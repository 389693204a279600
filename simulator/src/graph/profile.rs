//! `GET /{IGSID}`: a customer's profile.
//! What belongs here: consent, fields, and their nulls.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome};

/// Reads a profile. It needs consent: the customer wrote, or tapped an ice breaker or menu entry;
/// otherwise 230. A customer who blocked the account cannot be read either.
pub(crate) fn read(core: &Core, request: &GraphRequest, account: &AccountConfig, igsid: &str) -> Outcome {
    let world = core.world();
    let thread = world.thread(&account.ig_id, igsid).ok_or_else(|| GraphError::unknown_object("get", igsid))?;
    if !thread.consented || thread.blocked {
        return Err(GraphError::new(230, None));
    }
    let profile = serde_json::to_value(&thread.profile).unwrap_or_default();
    let fields = request.fields().unwrap_or_else(|| "name,username,profile_pic".to_owned());
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(igsid));
    for field in fields.split(',').map(str::trim).filter(|field| !field.is_empty() && *field != "id") {
        let value = profile
            .get(field)
            .ok_or_else(|| GraphError::parameter(format!("Tried accessing nonexisting field ({field})")))?;
        answer.insert(field.to_owned(), value.clone());
    }
    Ok(Done::answering(Value::Object(answer)))
}
