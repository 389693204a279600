//! `GET /me` and the account's own node, with the fields that connecting an account reads.
//! What belongs here: the page on graph.facebook.com, the account on graph.instagram.com.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome};

/// Whether an id in a path is the account itself, as its token's host names it.
pub(crate) fn is_own(host: Host, account: &AccountConfig, id: &str) -> bool {
    match host {
        Host::Facebook => account.ig_id == id || account.page.as_ref().is_some_and(|page| page.id == id),
        Host::Instagram => account.ig_id == id,
    }
}

pub(crate) fn me(core: &Core, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    let known = match request.host {
        Host::Facebook => page_node(account),
        Host::Instagram => instagram_node(core, account),
    };
    let fields = request.text("fields").unwrap_or_default();
    let mut answer = Map::new();
    answer.insert("id".to_owned(), known.get("id").cloned().unwrap_or_default());
    for field in top_level(&fields) {
        let value = known
            .get(field)
            .ok_or_else(|| GraphError::parameter(format!("Tried accessing nonexisting field ({field})")))?;
        answer.insert(field.to_owned(), value.clone());
    }
    Ok(Done::answering(Value::Object(answer)))
}

fn page_node(account: &AccountConfig) -> Value {
    let page = account.page.as_ref();
    json!({
        "id": page.map(|page| page.id.as_str()),
        "name": page.map(|page| page.name.as_str()),
        "username": account.username,
        "instagram_business_account": {"id": account.ig_id, "username": account.username},
    })
}

/// `user_id` is the id of webhooks; `id` is app-scoped and different (Meta's get-started page).
fn instagram_node(core: &Core, account: &AccountConfig) -> Value {
    let scoped: String = account.ig_id.chars().rev().take(10).collect();
    let app: String = core.config.instagram_app_id.chars().take(6).collect();
    json!({
        "id": format!("2{app}{scoped}"),
        "user_id": account.ig_id,
        "username": account.username,
        "name": account.name,
        "account_type": "BUSINESS",
        "profile_picture_url": format!("https://scontent.cdninstagram.com/profile/{}.jpg", account.ig_id),
        "followers_count": 1000,
        "media_count": account.own_posts.len(),
    })
}

/// The names at the top level of a `fields` parameter: `a,b{c,d}` gives `a` and `b`.
pub(crate) fn top_level(fields: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, symbol) in fields.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                names.push(fields.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.push(fields.get(start..).unwrap_or(""));
    names
        .into_iter()
        .map(|name| name.split(['{', '.']).next().unwrap_or("").trim())
        .filter(|name| !name.is_empty() && *name != "id")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_count_once() {
        assert_eq!(top_level("id,messages{id,from{id}},updated_time"), ["messages", "updated_time"]);
        assert_eq!(top_level(""), Vec::<&str>::new());
        assert_eq!(top_level("messages.limit(5){id}"), ["messages"]);
    }
}
