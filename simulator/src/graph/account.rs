//! `GET /me` and the account's own node, with the fields that connecting an account reads.
//! What belongs here: the page on graph.facebook.com, the account on graph.instagram.com.

use serde_json::{Value, json};

use crate::config::{AccountConfig, PageConfig};
use crate::core::Core;
use crate::graph::auth::Caller;
use crate::graph::error::GraphError;
use crate::graph::permissions::{Need, require};
use crate::graph::request::GraphRequest;
use crate::graph::unplayed::Node;
use crate::graph::{Done, Host, Outcome, nodes, select};
use crate::settings::AnswerForm;

/// Whether the id in a path is the account's own on the token's host.
pub(crate) fn is_own(host: Host, account: &AccountConfig, id: &str) -> bool {
    match host {
        Host::Facebook => account.ig_id == id || account.page.as_ref().is_some_and(|page| page.id == id),
        Host::Instagram => account.ig_id == id,
    }
}

/// Reads the caller's own node: `me`, the page's id, or the Instagram account's.
pub(crate) fn own(core: &Core, request: &GraphRequest, caller: &Caller, account: &AccountConfig, id: &str) -> Outcome {
    match (request.host, &account.page) {
        (Host::Facebook, Some(page)) if id != account.ig_id => own_page(request, caller, page, Some(account)),
        (Host::Facebook, _) if !account.is_professional() => Err(GraphError::unknown_object("get", id)),
        (Host::Facebook, _) => {
            require(caller, request.host, Need::Basic)?;
            chosen(request, Node::Instagram, &nodes::instagram(account), "id").map(Done::answering)
        }
        (Host::Instagram, _) => {
            require(caller, request.host, Need::Basic)?;
            let chosen = chosen(request, Node::Instagram, &instagram_node(core, account), "id,name")?;
            let form = core.world().app.instagram_me_answer;
            Ok(Done::answering(match form {
                AnswerForm::Wrapped if id == "me" => json!({ "data": [chosen] }),
                AnswerForm::Wrapped | AnswerForm::Flat => chosen,
            }))
        }
    }
}

/// Reads the page of a page token, with or without an account.
pub(crate) fn own_page(
    request: &GraphRequest,
    caller: &Caller,
    page: &PageConfig,
    account: Option<&AccountConfig>,
) -> Outcome {
    let sees_instagram = caller.grant.has("instagram_basic");
    let node = nodes::page(page, account, sees_instagram, Some(caller.token.clone()));
    chosen(request, Node::Page, &node, "id,name").map(Done::answering)
}

/// `default` applies without a `fields` parameter.
fn chosen(request: &GraphRequest, of: Node, node: &Value, default: &str) -> Result<Value, GraphError> {
    select::pick(of, node, &select::parse(&request.fields().unwrap_or_else(|| default.to_owned())))
}

/// `user_id` is the id of webhooks; `id` is app-scoped and different (Meta's get-started page).
fn instagram_node(core: &Core, account: &AccountConfig) -> Value {
    json!({
        "id": app_scoped_id(core, &account.ig_id),
        "user_id": account.ig_id,
        "username": account.username,
        "name": account.name,
        "account_type": account.account_type,
        "profile_picture_url": nodes::profile_picture(account),
        "followers_count": 1000,
        "media_count": account.own_posts.len(),
    })
}

/// The account's app-scoped id, 17 digits. Webhooks do not use it.
pub(crate) fn app_scoped_id(core: &Core, ig_id: &str) -> String {
    let scoped: String = ig_id.chars().rev().take(10).collect();
    let app: String = core.config.instagram_app_id.chars().take(6).collect();
    format!("2{app}{scoped}")
}
