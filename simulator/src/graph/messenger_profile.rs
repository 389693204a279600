//! `/{id}/messenger_profile`: ice breakers and the persistent menu.
//! What belongs here: storing, reading, removing, and the limits of both.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome, fields};

const PROPERTIES: &[&str] = &["ice_breakers", "persistent_menu"];
const MESSENGERS: &[&str] = &[
    "account_linking_url",
    "commands",
    "get_started",
    "greeting",
    "home_url",
    "payment_settings",
    "whitelisted_domains",
];
const MAX_ICE_BREAKERS: usize = 4;

pub(crate) fn handle(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    // Without a platform, the page's profile is Messenger's.
    if request.host == Host::Facebook && !request.names("platform", "instagram") {
        return Err(GraphError::parameter("Param platform must be instagram"));
    }
    match request.method.as_str() {
        "GET" => read(core, request, account),
        "POST" => write(core, request, account),
        "DELETE" => remove(core, request, account),
        other => Err(GraphError::unsupported_method(other)),
    }
}

fn read(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    let wanted = request.fields().unwrap_or_default();
    let world = core.world();
    let stored = world.messenger_profiles.get(&account.ig_id);
    let mut found = Map::new();
    for name in wanted.split(',').map(str::trim) {
        if let Some(value) = stored.and_then(|stored| stored.get(name)) {
            found.insert(name.to_owned(), value.clone());
        }
    }
    let data = if found.is_empty() { json!([]) } else { json!([found]) };
    Ok(Done::answering(json!({ "data": data })))
}

fn write(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    // Names of Messenger's profile that Instagram's lacks are refused; unknown names are ignored.
    if let Some(name) = MESSENGERS.iter().find(|name| request.params.contains_key(**name)) {
        return Err(GraphError::parameter(format!("{name} is not available for Instagram")));
    }
    let mut changes = Map::new();
    if let Some(value) = request.params.get("ice_breakers") {
        ice_breakers(value)?;
        changes.insert("ice_breakers".to_owned(), value.clone());
    }
    if let Some(value) = request.params.get("persistent_menu") {
        menu(value)?;
        changes.insert("persistent_menu".to_owned(), value.clone());
    }
    if changes.is_empty() {
        return Err(GraphError::parameter("One of ice_breakers and persistent_menu is required"));
    }
    core.world().messenger_profiles.entry(account.ig_id.clone()).or_default().extend(changes);
    Ok(Done::answering(json!({ "result": "success" })))
}

fn remove(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    let names: Vec<String> = match request.params.get("fields") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(list)) => list.split(',').map(|name| name.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    if names.is_empty() || names.iter().any(|name| !PROPERTIES.contains(&name.as_str())) {
        return Err(GraphError::parameter("Param fields must name ice_breakers or persistent_menu"));
    }
    if let Some(stored) = core.world().messenger_profiles.get_mut(&account.ig_id) {
        stored.retain(|name, _| !names.contains(name));
    }
    Ok(Done::answering(json!({ "result": "success" })))
}

/// `[{"call_to_actions":[{"question","payload"}],"locale":"default"}]`, or the old flat list.
fn ice_breakers(value: &Value) -> Result<(), GraphError> {
    let list = fields::array(value, "ice_breakers")?;
    let flat = list.iter().all(|entry| entry.get("question").is_some());
    if flat {
        return questions(list);
    }
    if !list.iter().any(|entry| entry.get("locale").is_some_and(|locale| locale == "default")) {
        return Err(GraphError::parameter("Param ice_breakers needs an entry with locale default"));
    }
    for entry in list {
        let entry = fields::object(entry, "ice_breakers")?;
        let actions = entry
            .get("call_to_actions")
            .ok_or_else(|| GraphError::parameter("Param ice_breakers[call_to_actions] is required"))?;
        questions(fields::array(actions, "ice_breakers[call_to_actions]")?)?;
    }
    Ok(())
}

fn questions(list: &[Value]) -> Result<(), GraphError> {
    if list.is_empty() || list.len() > MAX_ICE_BREAKERS {
        return Err(GraphError::parameter(format!("1 to {MAX_ICE_BREAKERS} ice breakers are allowed")));
    }
    for entry in list {
        let entry = fields::object(entry, "ice_breakers")?;
        fields::text(entry, "question", "ice_breakers")?;
        fields::text(entry, "payload", "ice_breakers")?;
    }
    Ok(())
}

fn menu(value: &Value) -> Result<(), GraphError> {
    for entry in fields::array(value, "persistent_menu")? {
        let entry = fields::object(entry, "persistent_menu")?;
        fields::only(entry, &["locale", "call_to_actions"], "persistent_menu")?;
        let actions = entry
            .get("call_to_actions")
            .ok_or_else(|| GraphError::parameter("Param persistent_menu[call_to_actions] is required"))?;
        for action in fields::array(actions, "persistent_menu[call_to_actions]")? {
            let action = fields::object(action, "persistent_menu[call_to_actions]")?;
            let known: &[&str] = match fields::word(action, "type", "persistent_menu")?.as_str() {
                "web_url" => &["type", "title", "url"],
                "postback" => &["type", "title", "payload"],
                other => return Err(GraphError::parameter(format!("A menu entry is not {other}"))),
            };
            fields::only(action, known, "persistent_menu[call_to_actions]")?;
            for key in known {
                fields::text(action, key, "persistent_menu[call_to_actions]")?;
            }
        }
    }
    Ok(())
}
