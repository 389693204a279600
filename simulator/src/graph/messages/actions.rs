//! `sender_action`: typing, seen, reactions of the business.
//! What belongs here: the exclusive body of actions and their effect. None of them has an echo.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::messages::admission::{self, Recipient, Sending};
use crate::graph::{Done, Outcome, fields};
use crate::state::thread::Author;

pub(crate) fn act(core: &Core, params: &Map<String, Value>, account: &AccountConfig, recipient: &Recipient) -> Outcome {
    let action = fields::word(params, "sender_action", "sender_action")?;
    let action = action.as_str();
    // An action must be sent without a message; other parameters, such as the messaging_type that SDKs always send, are
    // ignored.
    if params.contains_key("message") {
        return Err(GraphError::parameter(format!("message cannot stand beside sender_action {action}")));
    }
    let Recipient::Customer(igsid) = recipient else {
        return Err(GraphError::parameter("sender_action needs recipient[id]"));
    };
    let now_ms = core.clock.now_ms();
    let mut world = core.world();
    match action {
        // Visible to the customer immediately, so only while a message could be sent.
        "typing_on" | "react" => {
            let sending = Sending { tag: None, thread_control: None };
            admission::admit_customer(&world, account, igsid, &sending, now_ms)?;
        }
        _ => admission::reachable(&world, account, igsid)?,
    }
    let thread = world.thread_mut(&account.ig_id, igsid).ok_or_else(|| GraphError::new(100, Some(2_534_014)))?;
    match action {
        "typing_on" => thread.business_is_typing = true,
        "typing_off" => thread.business_is_typing = false,
        "mark_seen" => thread.business_saw_ms = Some(now_ms),
        "react" | "unreact" => {
            let payload = params
                .get("payload")
                .ok_or_else(|| GraphError::parameter("Param payload is required for reactions"))?;
            let payload = fields::object(payload, "payload")?;
            let emoji = if action == "react" { Some(emoji(payload)?) } else { None };
            let mid = fields::text(payload, "message_id", "payload")?;
            let message = thread
                .message_mut(mid)
                .ok_or_else(|| GraphError::message_data("payload[message_id] is not in this thread"))?;
            message.react(Author::Business, emoji.as_deref());
        }
        other => return Err(GraphError::parameter(format!("sender_action has the unknown value {other}"))),
    }
    Ok(Done::answering(json!({ "recipient_id": igsid })))
}

/// `love`, or any emoji (since December 2025).
fn emoji(payload: &Map<String, Value>) -> Result<String, GraphError> {
    fields::only(payload, &["message_id", "reaction"], "payload")?;
    match fields::text(payload, "reaction", "payload")? {
        love if love.eq_ignore_ascii_case("love") => Ok("❤️".to_owned()),
        emoji if !emoji.is_ascii() => Ok(emoji.to_owned()),
        other => Err(GraphError::parameter(format!("Param payload[reaction] has the unknown value {other}"))),
    }
}
