//! Reading threads: `/{id}/conversations`, `/{conversation}`, `/{mid}`.
//! What belongs here: the Conversations API, in its simple form (one page, newest first).

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::account::top_level;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome};
use crate::ids::{MessageId, conversation_id};
use crate::state::thread::{Author, Thread, ThreadMessage};

/// Only the newest messages of a thread can be read in detail.
const READABLE: usize = 20;
const PAGE: usize = 25;

pub(crate) fn list(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    if request.text("platform").as_deref() != Some("instagram") {
        return Err(GraphError::parameter("Param platform must be instagram"));
    }
    let wanted = request.text("user_id");
    let fields = request.text("fields").unwrap_or_else(|| "id,updated_time".to_owned());
    let world = core.world();
    let mut threads: Vec<(&String, &Thread)> = world
        .threads
        .iter()
        .filter(|((ig_id, igsid), thread)| {
            *ig_id == account.ig_id
                && !thread.messages.is_empty()
                && wanted.as_ref().is_none_or(|wanted| wanted == igsid)
        })
        .map(|((_, igsid), thread)| (igsid, thread))
        .collect();
    threads.sort_by_key(|(_, thread)| std::cmp::Reverse(updated_ms(thread)));
    let data: Result<Vec<Value>, GraphError> =
        threads.into_iter().take(PAGE).map(|(igsid, thread)| conversation(account, igsid, thread, &fields)).collect();
    Ok(Done::answering(json!({ "data": data?, "paging": {} })))
}

/// Reads a conversation or a message; `None` when the id is neither.
pub(crate) fn read(
    core: &Core,
    request: &GraphRequest,
    account: &AccountConfig,
    id: &str,
) -> Result<Option<Done>, GraphError> {
    let fields = request.text("fields");
    let world = core.world();
    let mut own = world.threads.iter().filter(|((ig_id, _), _)| *ig_id == account.ig_id);
    if let Some(mid) = MessageId::decode(id) {
        let found = own.find(|(_, thread)| thread.fbid == mid.thread);
        let ((_, igsid), thread) = found.ok_or_else(|| GraphError::unknown_object("get", id))?;
        let position = thread.messages.iter().rev().position(|message| message.mid == id);
        let message = thread.message(id).ok_or_else(|| GraphError::unknown_object("get", id))?;
        if message.deleted || position.is_none_or(|position| position >= READABLE) {
            return Err(GraphError::new(100, Some(9_000_001)));
        }
        let fields = fields.unwrap_or_else(|| "id,created_time".to_owned());
        return Ok(Some(Done::answering(node(account, igsid, message, &fields)?)));
    }
    let conversation_found = own.find(|(_, thread)| conversation_id(&account.ig_id, &thread.fbid) == id);
    let Some(((_, igsid), thread)) = conversation_found else { return Ok(None) };
    let fields = fields.unwrap_or_else(|| "id,updated_time".to_owned());
    Ok(Some(Done::answering(conversation(account, igsid, thread, &fields)?)))
}

fn conversation(account: &AccountConfig, igsid: &str, thread: &Thread, fields: &str) -> Result<Value, GraphError> {
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(conversation_id(&account.ig_id, &thread.fbid)));
    for field in top_level(fields) {
        let value = match field {
            "updated_time" => json!(time(updated_ms(thread))),
            "participants" => json!({"data": [
                {"id": account.ig_id, "username": account.username},
                {"id": igsid, "username": thread.profile.username},
            ]}),
            "is_owner" => json!(thread.owner.is_none()),
            "messages" => {
                let inner = nested(fields, "messages").unwrap_or("id,created_time");
                let newest = thread.messages.iter().rev().filter(|message| !message.deleted).take(PAGE);
                let nodes: Result<Vec<Value>, GraphError> =
                    newest.map(|message| node(account, igsid, message, inner)).collect();
                json!({"data": nodes?})
            }
            // `unread_count` does not exist here, whatever other products know.
            other => return Err(nonexisting(other)),
        };
        answer.insert(field.to_owned(), value);
    }
    Ok(Value::Object(answer))
}

fn node(account: &AccountConfig, igsid: &str, message: &ThreadMessage, fields: &str) -> Result<Value, GraphError> {
    let business = json!({"id": account.ig_id, "username": account.username});
    let customer = json!({"id": igsid});
    let (from, to) = match message.from {
        Author::Business => (business, customer),
        Author::Customer => (customer, business),
    };
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(message.mid));
    for field in top_level(fields) {
        let value = match field {
            "created_time" => json!(time(message.at_ms)),
            "from" => from.clone(),
            "to" => json!({"data": [to]}),
            "message" => json!(message.text.as_deref().unwrap_or("")),
            "attachments" => match attachments(message) {
                Some(value) => value,
                None => continue,
            },
            "shares" => match shares(message) {
                Some(value) => value,
                None => continue,
            },
            "reactions" if message.reactions.is_empty() => continue,
            "reactions" => json!({"data": message.reactions.iter().map(|standing| json!({
                "reaction": standing.emoji,
                "users": [{"id": if standing.by == Author::Customer { igsid } else { account.ig_id.as_str() }}],
            })).collect::<Vec<_>>()}),
            "story" => match &message.story {
                Some(story) => story.clone(),
                None => continue,
            },
            "reply_to" => match &message.reply_to {
                Some(mid) => json!({ "mid": mid }),
                None => continue,
            },
            "is_unsupported" => json!(message.unsupported),
            other => return Err(nonexisting(other)),
        };
        answer.insert(field.to_owned(), value);
    }
    Ok(Value::Object(answer))
}

fn attachments(message: &ThreadMessage) -> Option<Value> {
    let data: Vec<Value> = urls(message)
        .filter_map(|(kind, url)| match kind {
            "image" => Some(json!({"image_data": {"url": url}})),
            "video" => Some(json!({"video_data": {"url": url}})),
            "audio" | "file" => Some(json!({"file_url": url})),
            _ => None,
        })
        .collect();
    (!data.is_empty()).then(|| json!({ "data": data }))
}

fn shares(message: &ThreadMessage) -> Option<Value> {
    let data: Vec<Value> = urls(message)
        .filter(|(kind, _)| matches!(*kind, "share" | "ig_post" | "ig_reel" | "reel"))
        .map(|(_, url)| json!({ "link": url }))
        .collect();
    (!data.is_empty()).then(|| json!({ "data": data }))
}

fn urls(message: &ThreadMessage) -> impl Iterator<Item = (&str, &str)> {
    message.attachments.iter().filter_map(|attachment| {
        let kind = attachment.get("type")?.as_str()?;
        Some((kind, attachment.get("payload")?.get("url")?.as_str()?))
    })
}

fn nonexisting(field: &str) -> GraphError {
    GraphError::parameter(format!("Tried accessing nonexisting field ({field})"))
}

/// The inside of `name{…}`.
fn nested<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = fields.split_once(name)?;
    let rest = rest.get(rest.find('{')? + 1..)?;
    let mut depth = 1_usize;
    for (at, symbol) in rest.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return rest.get(..at);
        }
    }
    None
}

fn updated_ms(thread: &Thread) -> i64 {
    thread.messages.last().map_or(0, |message| message.at_ms)
}

/// `2026-04-05T05:27:08+0000`, the platform's form of a time.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_platform_writes_them() {
        assert_eq!(time(1_775_366_828_000), "2026-04-05T05:27:08+0000");
    }

    #[test]
    fn the_inside_of_a_nested_field_is_found() {
        assert_eq!(nested("id,messages{id,from{id}},x", "messages"), Some("id,from{id}"));
        assert_eq!(nested("messages.limit(5){id}", "messages"), Some("id"));
        assert_eq!(nested("messages", "messages"), None);
    }
}
