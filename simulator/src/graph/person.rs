//! Reads with a user token of the Facebook login: the person, their pages, their permissions.
//! What belongs here: `/me`, `/me/accounts`, `/me/permissions`, and pages by their id.

use serde_json::{Value, json};

use crate::callbacks::Subject;
use crate::config::{AccountConfig, Login, PageConfig};
use crate::core::Core;
use crate::graph::auth::Caller;
use crate::graph::error::GraphError;
use crate::graph::paging::Wanted;
use crate::graph::request::GraphRequest;
use crate::graph::select::{self, Field};
use crate::graph::unplayed::{self, Node};
use crate::graph::{Done, Host, Outcome, nodes, permissions};
use crate::login::FACEBOOK_SCOPES;
use crate::state::tokens::{Holder, Minted};

/// Edges that require a page token; a user token gets 210.
const PAGE_EDGES: &[&str] =
    &["messages", "message_attachments", "conversations", "subscribed_apps", "messenger_profile"];

pub(crate) fn handle(core: &Core, request: &GraphRequest, caller: &Caller) -> Outcome {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let own = |id: &str| id == "me" || id == core.world().person.id;
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", [id]) if own(id) => person(core, request, caller),
        ("GET", [id, "accounts"]) if own(id) => {
            let wanted = Wanted::of_request(core, request)?;
            accounts(core, request, caller, &fields(request, ACCOUNTS), &wanted).map(Done::answering)
        }
        ("GET", [id, "permissions"]) if own(id) => Ok(Done::answering(permissions_of(caller))),
        ("DELETE", [id, "permissions"]) if own(id) => {
            core.revoke(&Subject::Person).map_err(|_| GraphError::new(1, None))?;
            Ok(Done::answering(json!({ "success": true })))
        }
        ("GET", [id]) => node(core, request, caller, id).map(Done::answering),
        (_, [_, edge]) if PAGE_EDGES.contains(edge) => {
            Err(GraphError::new(210, None).saying("(#210) A page access token is required to request this resource."))
        }
        (method, [] | [_]) => Err(GraphError::unsupported_method(method)),
        (_, [_, edge, ..]) => Err(unplayed::path(request, edge)),
    }
}

fn fields(request: &GraphRequest, default: &str) -> Vec<Field> {
    select::parse(&request.fields().unwrap_or_else(|| default.to_owned()))
}

fn person(core: &Core, request: &GraphRequest, caller: &Caller) -> Outcome {
    let (id, name) = {
        let world = core.world();
        (world.person.id.clone(), world.person.name.clone())
    };
    let (lists, plain): (Vec<Field>, Vec<Field>) =
        fields(request, "id,name").into_iter().partition(|field| field.name == "accounts");
    let mut node = select::pick(Node::Person, &json!({"id": id, "name": name}), &plain)?;
    for list in &lists {
        let most = core.world().app.page_size;
        let wanted = Wanted::read(list.modifier("limit"), list.modifier("after"), list.modifier("before"), most)?;
        let inner = list.inner.clone().unwrap_or_else(|| select::parse(ACCOUNTS));
        if let Value::Object(node) = &mut node {
            node.insert("accounts".to_owned(), accounts(core, request, caller, &inner, &wanted)?);
        }
    }
    Ok(Done::answering(node))
}

/// The default fields of `/me/accounts`.
const ACCOUNTS: &str = "access_token,category,name,tasks";

/// The pages that the person selected and has a task on. Empty without `pages_show_list`.
fn accounts(
    core: &Core,
    request: &GraphRequest,
    caller: &Caller,
    fields: &[Field],
    wanted: &Wanted,
) -> Result<Value, GraphError> {
    let pages = if caller.grant.has("pages_show_list") { granted_pages(core, caller) } else { Vec::new() };
    let total = pages.len();
    let part = wanted.cut(pages.into_iter().map(|found| (found.0.id.clone(), found)).collect())?;
    let data: Result<Vec<Value>, GraphError> =
        part.entries.iter().map(|(page, account)| page_node(core, caller, page, account.as_ref(), fields)).collect();
    let parameters = [("fields", select::written(fields)), ("limit", wanted.limit.to_string())];
    let path = format!("/{}/accounts", core.world().person.id);
    let mut list = json!({ "data": data?, "paging": part.paging(core, request, &path, &parameters) });
    if request.is_set("summary")
        && let Value::Object(list) = &mut list
    {
        list.insert("summary".to_owned(), json!({ "total_count": total }));
    }
    Ok(list)
}

fn granted_pages(core: &Core, caller: &Caller) -> Vec<(PageConfig, Option<AccountConfig>)> {
    let world = core.world();
    world
        .pages()
        .filter(|page| caller.grant.covers_page(&page.id) && !page.tasks.is_empty())
        .map(|page| (page.clone(), world.account_of_page(&page.id).cloned()))
        .collect()
}

/// The page token is created on request.
fn page_node(
    core: &Core,
    caller: &Caller,
    page: &PageConfig,
    account: Option<&AccountConfig>,
    fields: &[Field],
) -> Result<Value, GraphError> {
    let token = fields.iter().any(|field| field.name == "access_token").then(|| page_token(core, caller, &page.id));
    select::pick(Node::Page, &nodes::page(page, account, caller.grant.has("instagram_basic"), token), fields)
}

/// Page tokens of a long-lived user token do not expire; those of a short-lived one die with it
/// (Meta's documentation, long-lived tokens).
fn page_token(core: &Core, caller: &Caller, page: &str) -> String {
    let now_ms = core.clock.now_ms();
    let mut world = core.world();
    let known = world.tokens.page_token(&caller.token, page);
    if let Some(known) = known.filter(|known| world.death(Login::Facebook, known, now_ms).is_none()) {
        return known;
    }
    let parent = world.tokens.get(&caller.token);
    let (long_lived, expires_ms) = match parent {
        Some(parent) if !parent.long_lived => (false, parent.expires_ms),
        Some(_) | None => (true, None),
    };
    let minted = Minted {
        holder: Holder::Page(page.to_owned()),
        grant: caller.grant.clone(),
        issued_ms: now_ms,
        expires_ms,
        long_lived,
        serial: 0,
    };
    let token = core.mint.facebook_token();
    world.tokens.add(token.clone(), minted);
    world.tokens.remember_page_token(&caller.token, page, &token);
    token
}

/// A selected page, or its Instagram account.
fn node(core: &Core, request: &GraphRequest, caller: &Caller, id: &str) -> Result<Value, GraphError> {
    let pages = granted_pages(core, caller);
    if let Some((page, account)) = pages.iter().find(|(page, _)| page.id == id) {
        return page_node(core, caller, page, account.as_ref(), &fields(request, "id,name"));
    }
    let linked = pages.into_iter().filter_map(|(_, account)| account);
    match linked.into_iter().find(|account| account.ig_id == id && account.is_professional()) {
        Some(account) => {
            permissions::require(caller, Host::Facebook, permissions::Need::Basic)?;
            select::pick(Node::Instagram, &nodes::instagram(&account), &fields(request, "id"))
        }
        None => Err(GraphError::unknown_object("get", id)),
    }
}

fn permissions_of(caller: &Caller) -> Value {
    let entry = |permission: &str, status: &str| json!({"permission": permission, "status": status});
    let mut data: Vec<Value> = match &caller.grant.scopes {
        Some(scopes) => scopes.iter().map(|scope| entry(scope, "granted")).collect(),
        None => FACEBOOK_SCOPES.iter().map(|scope| entry(scope, "granted")).collect(),
    };
    data.extend(caller.grant.declined.iter().map(|scope| entry(scope, "declined")));
    json!({ "data": data })
}
