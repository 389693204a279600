//! Past messages: pages of Meta's Conversations API, returned untranslated.
//! What belongs here is requesting and splitting them into items of the form
//! `{"account":…,"since":…,"conversation":…}`, which `webhook/archive.rs` parses.
//!
//! Source: Meta, "Conversations API" of the Instagram Platform. Only the newest 20 messages of each conversation can be
//! read, and message requests that were idle for 30 days are not listed.

use channel_sdk::json::{self, Json, push_quoted};

use super::call::{Answer, Call, Client, GET, elements, is_too_much, next_page, text};
use super::{Archived, HistoryPage, HistoryRequest, Outcome};
use crate::time;

/// The most messages of a conversation that Meta returns.
const READABLE: u32 = 20;
/// Conversations per response, which keeps it below the manifest's size limit.
const AT_ONCE: u32 = 10;

/// Messages per conversation in a retry, after Meta found the request too large.
const FEW: u32 = 5;

const MESSAGE: &str = "{id,created_time,from,to,message,attachments,shares,reactions,story,reply_to,is_unsupported}";

/// Reads one page of conversations, newest first; each becomes an item with its messages.
pub(super) fn read(client: &Client<'_>, request: &HistoryRequest) -> Outcome<HistoryPage> {
    let answer = ask(client, request)?;
    let since = request.since.unwrap_or(0);
    let body = answer.json();
    let mut page = HistoryPage { items: Vec::new(), next_cursor: next_page(&body) };
    for (conversation, raw) in elements(&body).iter().zip(raw_elements(answer.text())) {
        let updated = text(conversation, "updated_time").and_then(|text| time::of_archive(&text));
        // Known only to the second, so newer messages may have arrived within the same second.
        if updated.is_some_and(|updated| updated + 999 <= since) {
            // The list is newest first, so no later conversation has anything new.
            page.next_cursor = None;
        } else if conversation.get("messages").is_some() {
            let mut account = String::new();
            push_quoted(&mut account, client.account);
            let body = format!(r#"{{"account":{account},"since":{since},"conversation":{raw}}}"#);
            page.items.push(Archived { body: body.into_bytes() });
        }
    }
    Ok(page)
}

/// Requests a page, and a smaller one if Meta finds it too large.
fn ask(client: &Client<'_>, request: &HistoryRequest) -> Outcome<Answer> {
    let mut messages = request.limit.clamp(1, READABLE);
    let mut conversations = (request.limit / READABLE).clamp(1, AT_ONCE);
    loop {
        let fields = format!("id,updated_time,participants,messages.limit({messages}){}", MESSAGE);
        let limit = conversations.to_string();
        let mut parameters = vec![("platform", "instagram"), ("fields", fields.as_str()), ("limit", limit.as_str())];
        for (name, value) in [("user_id", &request.contact), ("after", &request.cursor)] {
            if let Some(value) = value {
                parameters.push((name, value.as_str()));
            }
        }
        let url = client.settings.url("conversations");
        let token = Some(client.settings.slot());
        let answer = client.send(&Call { url: &[&url], parameters: &parameters, token, ..GET });
        match answer {
            Err(error) if is_too_much(&error) && conversations > 1 => conversations = 1,
            Err(error) if is_too_much(&error) && messages > FEW => messages = FEW,
            answer => return answer,
        }
    }
}

/// The elements of `data` as raw JSON.
fn raw_elements(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    if let Ok(answer) = json::shallow(text, 2) {
        for element in elements(&answer) {
            if let Json::Raw(raw) = element {
                found.push(*raw);
            }
        }
    }
    found
}
