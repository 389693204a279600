//! Reading threads: `/{id}/conversations`, `/{conversation}`, `/{conversation}/messages`, `/{mid}`.
//! What belongs here: the Conversations API, newest first. The form of a message is `stored`.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::paging::Wanted;
use crate::graph::request::GraphRequest;
use crate::graph::select::{self, Field};
use crate::graph::stored::{node, time};
use crate::graph::unplayed::{self, Node};
use crate::graph::{Done, Outcome};
use crate::ids::{MessageId, conversation_id};
use crate::state::thread::{Thread, ThreadMessage};

/// Only the newest messages of a thread can be read in detail.
const READABLE: usize = 20;
/// Conversations API: two calls per second and account (Meta's documentation, rate limits).
const CALLS_PER_SECOND: usize = 2;

pub(crate) fn list(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    count(core, account)?;
    if !request.names("platform", "instagram") {
        return Err(GraphError::parameter("Param platform must be instagram"));
    }
    let user = request.text("user_id");
    let fields_text = request.fields().unwrap_or_else(|| "id,updated_time".to_owned());
    let fields = select::parse(&fields_text);
    let wanted = Wanted::of_request(core, request)?;
    let mut threads: Vec<((i64, u128), String, String)> = core
        .world()
        .threads
        .iter()
        .filter(|((ig_id, igsid), thread)| {
            *ig_id == account.ig_id && !thread.messages.is_empty() && user.as_ref().is_none_or(|user| user == igsid)
        })
        .map(|((_, igsid), thread)| (newest(thread), igsid.clone(), conversation_id(&account.ig_id, &thread.fbid)))
        .collect();
    threads.sort_by_key(|(newest, ..)| std::cmp::Reverse(*newest));
    let part = wanted.cut(threads.into_iter().map(|(_, igsid, id)| (id, igsid)).collect())?;
    let data: Result<Vec<Value>, GraphError> =
        part.entries.iter().map(|igsid| conversation(core, request, account, igsid, &fields)).collect();
    let mut parameters =
        vec![("platform", "instagram".to_owned()), ("fields", fields_text), ("limit", wanted.limit.to_string())];
    parameters.extend(user.map(|user| ("user_id", user)));
    let paging = part.paging(core, request, &request.path(), &parameters);
    Ok(Done::answering(json!({ "data": data?, "paging": paging })))
}

/// Whether an id names a conversation or a message.
pub(crate) fn is_id(id: &str) -> bool {
    // Both are base64 of a text with this prefix; every other node has a number.
    id.starts_with("aWdfZ")
}

/// Reads a conversation or a message.
pub(crate) fn read(core: &Core, request: &GraphRequest, account: &AccountConfig, id: &str) -> Outcome {
    count(core, account)?;
    let fields = request.fields();
    let Some(mid) = MessageId::decode(id) else {
        let igsid = customer(core, account, id)?;
        let fields = select::parse(&fields.unwrap_or_else(|| "id,updated_time".to_owned()));
        return conversation(core, request, account, &igsid, &fields).map(Done::answering);
    };
    let world = core.world();
    let mut own = world.threads.iter().filter(|((ig_id, _), _)| *ig_id == account.ig_id);
    let found = own.find(|(_, thread)| thread.fbid == mid.thread);
    let ((_, igsid), thread) = found.ok_or_else(|| GraphError::unknown_object("get", id))?;
    let position = thread.messages.iter().rev().position(|message| message.mid == id);
    let message = thread.message(id).ok_or_else(|| GraphError::unknown_object("get", id))?;
    if message.deleted || position.is_none_or(|position| position >= READABLE) {
        return Err(GraphError::new(100, Some(9_000_001)));
    }
    let fields = select::parse(&fields.unwrap_or_else(|| "id,created_time".to_owned()));
    node(account, igsid, message, &fields).map(Done::answering)
}

/// `GET /{conversation}/messages`, the target of a conversation's `paging.next`.
pub(crate) fn messages_of(core: &Core, request: &GraphRequest, account: &AccountConfig, id: &str) -> Outcome {
    count(core, account)?;
    let igsid = customer(core, account, id)?;
    let wanted = Wanted::of_request(core, request)?;
    let fields = request.fields().unwrap_or_else(|| "id,created_time".to_owned());
    messages(core, request, account, &igsid, &select::parse(&fields), &wanted).map(Done::answering)
}

/// The customer of a conversation.
fn customer(core: &Core, account: &AccountConfig, id: &str) -> Result<String, GraphError> {
    let world = core.world();
    let mut own = world.threads.iter().filter(|((ig_id, _), _)| *ig_id == account.ig_id);
    own.find(|(_, thread)| conversation_id(&account.ig_id, &thread.fbid) == id)
        .map(|((_, igsid), _)| igsid.clone())
        .ok_or_else(|| GraphError::unknown_object("get", id))
}

/// Counts the calls of the last second, if the limit is on.
fn count(core: &Core, account: &AccountConfig) -> Result<(), GraphError> {
    let now_ms = core.clock.now_ms();
    let mut world = core.world();
    if !world.app.conversations_rate_limit {
        return Ok(());
    }
    let calls = world.conversation_calls.entry(account.ig_id.clone()).or_default();
    calls.retain(|at_ms| (0..1000).contains(&now_ms.saturating_sub(*at_ms)));
    if calls.len() >= CALLS_PER_SECOND {
        return Err(GraphError::new(613, Some(2_534_040)));
    }
    calls.push_back(now_ms);
    Ok(())
}

fn conversation(
    core: &Core,
    request: &GraphRequest,
    account: &AccountConfig,
    igsid: &str,
    fields: &[Field],
) -> Result<Value, GraphError> {
    let mut answer = Map::new();
    let (id, updated_ms, username, is_owner) = of_thread(core, account, igsid, |thread| {
        let id = conversation_id(&account.ig_id, &thread.fbid);
        (id, updated_ms(thread), thread.profile.username.clone(), thread.owner.is_none())
    })?;
    answer.insert("id".to_owned(), json!(id));
    for field in fields {
        let value = match field.name.as_str() {
            "id" => continue,
            "updated_time" => json!(time(updated_ms)),
            "participants" => json!({"data": [
                {"id": account.ig_id, "username": account.username},
                {"id": igsid, "username": username},
            ]}),
            "is_owner" => json!(is_owner),
            "messages" => {
                let most = core.world().app.page_size;
                let wanted =
                    Wanted::read(field.modifier("limit"), field.modifier("after"), field.modifier("before"), most)?;
                let plain = select::parse("id,created_time");
                messages(core, request, account, igsid, field.inner.as_deref().unwrap_or(&plain), &wanted)?
            }
            other => return Err(unplayed::field(Node::Conversation(request.host), other)),
        };
        answer.insert(field.name.clone(), value);
    }
    Ok(Value::Object(answer))
}

/// A page of a thread's messages, newest first. Beyond the newest 20 only id and time are shown.
fn messages(
    core: &Core,
    request: &GraphRequest,
    account: &AccountConfig,
    igsid: &str,
    fields: &[Field],
    wanted: &Wanted,
) -> Result<Value, GraphError> {
    let (id, newest) = of_thread(core, account, igsid, |thread| {
        let newest: Vec<(String, (usize, ThreadMessage))> = thread
            .messages
            .iter()
            .rev()
            .enumerate()
            .filter(|(_, message)| !message.deleted)
            .map(|(position, message)| (message.mid.clone(), (position, message.clone())))
            .collect();
        (conversation_id(&account.ig_id, &thread.fbid), newest)
    })?;
    let part = wanted.cut(newest)?;
    let old: Vec<Field> =
        fields.iter().filter(|field| matches!(field.name.as_str(), "id" | "created_time")).cloned().collect();
    let nodes: Result<Vec<Value>, GraphError> = part
        .entries
        .iter()
        .map(|(position, message)| node(account, igsid, message, if *position < READABLE { fields } else { &old }))
        .collect();
    let parameters = [("fields", select::written(fields)), ("limit", wanted.limit.to_string())];
    let paging = part.paging(core, request, &format!("/{id}/messages"), &parameters);
    Ok(json!({ "data": nodes?, "paging": paging }))
}

fn of_thread<T>(
    core: &Core,
    account: &AccountConfig,
    igsid: &str,
    read: impl FnOnce(&Thread) -> T,
) -> Result<T, GraphError> {
    core.world().thread(&account.ig_id, igsid).map(read).ok_or_else(|| GraphError::unknown_object("get", igsid))
}

/// The sort key of conversations. Within a millisecond, the number of the newest message decides.
fn newest(thread: &Thread) -> (i64, u128) {
    let item = thread.messages.last().and_then(|message| MessageId::decode(&message.mid));
    (updated_ms(thread), item.map_or(0, |id| id.item))
}

fn updated_ms(thread: &Thread) -> i64 {
    thread.messages.last().map_or(0, |message| message.at_ms)
}
