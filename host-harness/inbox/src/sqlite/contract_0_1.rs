//! Owns: converting stored JSON from contract 0.1 to 0.2, for the migration of that name.
//! Does not own: the columns that hold it (`migrations`).

use serde_json::{Value, json};

/// The document in its new form. One that cannot be parsed is left as it is, for a later reader to report.
pub(crate) fn to_0_2(kind: &str, document: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(document) else { return document.to_owned() };
    match kind {
        "author" => sender(&mut value),
        "part" => part(&mut value),
        "outbound_message" => outbound_message(&mut value),
        "findings" => value.as_array_mut().into_iter().flatten().for_each(sentence),
        "send_result" => send_result(&mut value),
        "event_body" => event_body(&mut value),
        "contact_profile" => contact_profile(&mut value),
        _ => {}
    }
    value.to_string()
}

fn rename(value: &mut Value, from: &str, to: &str) {
    if let Some(object) = value.as_object_mut()
        && let Some(held) = object.remove(from)
    {
        object.insert(to.to_owned(), held);
    }
}

fn sentence(value: &mut Value) {
    rename(value, "sentence", "message");
}

/// `{"human": "id"}` was a variant; now it is a record.
fn sender(value: &mut Value) {
    let old =
        ["human", "bot", "automation"].into_iter().find_map(|kind| Some((kind, value.get(kind)?.as_str()?.to_owned())));
    if let Some((kind, id)) = old {
        *value = json!({ "kind": kind, "id": id });
    }
}

/// A message id was a string; now it is a reference.
fn reference(value: &mut Value) {
    if let Some(id) = value.as_str() {
        *value = json!({ "id": id });
    }
}

fn part(value: &mut Value) {
    for kind in ["mark_seen", "delete"] {
        if let Some(target) = value.get_mut(kind) {
            reference(target);
        }
    }
    for kind in ["reaction", "edit"] {
        if let Some(target) = value.get_mut(kind).and_then(|part| part.get_mut("target")) {
            reference(target);
        }
    }
}

fn outbound_message(value: &mut Value) {
    if let Some(found) = value.get_mut("sender") {
        sender(found);
    }
    if let Some(target) = value.get_mut("reply_to") {
        reference(target);
    }
    for found in value.get_mut("parts").and_then(Value::as_array_mut).into_iter().flatten() {
        part(found);
    }
    for reply in value.get_mut("quick_replies").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(payload) = reply.as_object_mut().and_then(|reply| reply.remove("payload"))
            && let Some(reply) = reply.as_object_mut()
        {
            reply.insert("action".into(), json!({ "postback": payload }));
        }
    }
}

fn send_result(value: &mut Value) {
    let Some((case, payload)) = value.as_object_mut().and_then(|object| object.iter_mut().next()) else { return };
    if case != "sent" {
        return sentence(payload);
    }
    let Some(receipt) = payload.as_object_mut() else { return };
    if let Some(Value::Array(ids)) = receipt.remove("message_ids") {
        let messages: Vec<_> = ids.into_iter().map(|id| json!({ "part": 0, "message": { "id": id } })).collect();
        receipt.insert("messages".into(), messages.into());
    }
}

fn event_body(value: &mut Value) {
    if let Some(policy) = value.get("policy") {
        let word = |name: &str| policy.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
        let detail = [word("action"), word("reason")].into_iter().flatten().collect::<Vec<_>>().join(": ");
        *value = json!({ "account_update": { "change": "policy", "detail": detail } });
    }
    if let Some(status) = value.get_mut("delivery_status") {
        if let Some(failure) = status.get_mut("failure") {
            sentence(failure);
        }
        if let Some(target) = status.get_mut("target")
            && let Some(id) = target.as_str()
        {
            *target = json!({ "message": id });
        }
    }
}

/// Details that are specific to one platform are now generic details of the contact.
fn contact_profile(value: &mut Value) {
    const DETAILS: [(&str, &str); 4] = [
        ("follower_count", "Followers"),
        ("follows_business", "Follows the business"),
        ("followed_by_business", "Followed by the business"),
        ("verified", "Verified"),
    ];
    let Some(profile) = value.as_object_mut() else { return };
    let details: Vec<Value> = DETAILS
        .into_iter()
        .filter_map(|(key, label)| {
            let value = match profile.remove(key)? {
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                Value::Null => return None,
                Value::String(text) => text,
                other => other.to_string(),
            };
            Some(json!({ "key": key, "label": label, "value": value }))
        })
        .collect();
    if let Some(contact) = profile.get_mut("contact").and_then(Value::as_object_mut) {
        contact.insert("details".into(), details.into());
    }
}
