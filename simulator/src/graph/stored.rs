//! A stored message in the Conversations API.
//! What belongs here: the fields of one message. Finding and paging are `conversations`.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::graph::error::GraphError;
use crate::graph::select::{self, Field};
use crate::graph::unplayed::{self, Node};
use crate::state::thread::{Author, ThreadMessage};

pub(crate) fn node(
    account: &AccountConfig,
    igsid: &str,
    message: &ThreadMessage,
    fields: &[Field],
) -> Result<Value, GraphError> {
    let business = json!({"id": account.ig_id, "username": account.username});
    let customer = json!({"id": igsid});
    let (from, to) = match message.from {
        Author::Business => (business, customer),
        Author::Customer => (customer, business),
    };
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(message.mid));
    for field in fields {
        let value = match field.name.as_str() {
            "id" => continue,
            "created_time" => Some(json!(time(message.at_ms))),
            "from" => Some(from.clone()),
            "to" => Some(json!({"data": [to]})),
            "message" => Some(json!(message.text.as_deref().unwrap_or(""))),
            "attachments" => attachments(message),
            "shares" => shares(message),
            "reactions" => reactions(account, igsid, message),
            "story" => message.story.clone(),
            "reply_to" => message.reply_to.as_ref().map(|mid| json!({ "mid": mid })),
            "is_unsupported" => Some(json!(message.unsupported)),
            other => return Err(unplayed::field(Node::Message, other)),
        };
        if let Some(value) = value {
            answer.insert(field.name.clone(), select::narrowed(value, field.inner.as_deref()));
        }
    }
    Ok(Value::Object(answer))
}

fn reactions(account: &AccountConfig, igsid: &str, message: &ThreadMessage) -> Option<Value> {
    let data: Vec<Value> = message
        .reactions
        .iter()
        .map(|standing| {
            let by = if standing.by == Author::Customer { igsid } else { account.ig_id.as_str() };
            json!({"reaction": standing.emoji, "users": [{"id": by}]})
        })
        .collect();
    (!data.is_empty()).then(|| json!({ "data": data }))
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

/// `2026-04-05T05:27:08+0000`, the platform's time format.
pub(crate) fn time(ms: i64) -> String {
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
}
