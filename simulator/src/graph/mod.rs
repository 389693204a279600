//! The Graph API of both hosts, from request to answer.
//! What belongs here: the order of steps and the routing; each endpoint has a module of its own.

pub(crate) mod account;
pub(crate) mod answer;
mod app_subscriptions;
mod auth;
mod batch;
mod catalogue;
mod comments;
mod conversations;
mod debug_token;
pub(crate) mod error;
mod fields;
mod messages;
mod messenger_profile;
mod nodes;
pub(crate) mod oauth;
mod paging;
mod params;
mod permissions;
mod person;
mod profile;
pub(crate) mod request;
mod routing;
mod select;
mod stored;
pub(crate) mod subscriptions;
mod unplayed;
mod uploads;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::config::{AccountConfig, Login, PageConfig};
use crate::core::Core;
use crate::faults::{Fault, FaultKind, Scope};
use crate::graph::auth::{Caller, Who};
use crate::graph::error::GraphError;
use crate::graph::permissions::{Need, open_for_messages, require};
use crate::graph::request::GraphRequest;
use crate::webhook::hold::Outgoing;

/// The two hosts that answer Graph requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Facebook,
    Instagram,
}

impl Host {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Facebook, Self::Instagram].into_iter().find(|host| host.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Facebook => "graph.facebook.com",
            Self::Instagram => "graph.instagram.com",
        }
    }

    pub(crate) fn login(self) -> Login {
        match self {
            Self::Facebook => Login::Facebook,
            Self::Instagram => Login::Instagram,
        }
    }
}

/// A request that was executed.
pub(crate) struct Done {
    pub(crate) body: Value,
    /// The mid of an accepted message.
    pub(crate) message_id: Option<String>,
    /// The resulting webhooks: echoes, own comments.
    pub(crate) webhooks: Vec<Outgoing>,
}

impl Done {
    pub(crate) fn answering(body: Value) -> Self {
        Self { body, message_id: None, webhooks: Vec::new() }
    }
}

pub(crate) type Outcome = Result<Done, GraphError>;

pub(crate) async fn serve(core: Arc<Core>, host: Host, path: &str, request: Request) -> Response {
    if request.method() == http::Method::OPTIONS {
        return answer::preflight();
    }
    let request = GraphRequest::read(host, path, request).await;
    if batch::is(&request) {
        return batch::serve(&core, request).await;
    }
    one(&core, request).await
}

/// Serves one request, possibly an entry of a batch.
async fn one(core: &Arc<Core>, request: GraphRequest) -> Response {
    let caller = auth::authenticate(core, &request);
    let fault = core.world().take_fault(request.scope());
    if let (Some(FaultKind::TokenDead { subcode }), Ok(caller)) = (fault.as_ref().map(|fault| &fault.what), &caller) {
        caller.kill(&mut core.world(), request.host.login(), *subcode);
    }
    let runs = fault.as_ref().is_none_or(Fault::lets_run);
    let outcome = if runs { Some(run(core, &request, caller).await) } else { None };
    answer::conclude(core, request, outcome, fault).await
}

async fn run(core: &Arc<Core>, request: &GraphRequest, caller: Result<Caller, GraphError>) -> Outcome {
    // These return tokens, so they require none.
    if let Some(endpoint) = oauth::endpoint(request) {
        return oauth::handle(core, request, endpoint);
    }
    let caller = auth::alive(core, request, caller?)?;
    if let Some(problem) = &request.problem {
        return Err(GraphError::parameter(problem.clone()));
    }
    unplayed::parameters(request)?;
    match request.text("ids").filter(|_| request.method == "GET" && request.segments.is_empty()) {
        Some(ids) => several(core, request, &caller, &ids).await,
        None => dispatch(core, request, &caller).await,
    }
}

/// `GET /?ids=a,b`: several nodes in one answer, with any token.
async fn several(core: &Arc<Core>, request: &GraphRequest, caller: &Caller, ids: &str) -> Outcome {
    let mut answer = Map::new();
    for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        answer.insert(id.to_owned(), dispatch(core, &request.for_node(id), caller).await?.body);
    }
    if answer.is_empty() {
        return Err(GraphError::parameter("Param ids must name at least one object"));
    }
    Ok(Done::answering(Value::Object(answer)))
}

async fn dispatch(core: &Arc<Core>, request: &GraphRequest, caller: &Caller) -> Outcome {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    if request.host == Host::Facebook && request.method == "GET" && segments == ["debug_token"] {
        return debug_token::handle(core, request, caller);
    }
    match &caller.who {
        Who::App if segments == ["app"] || segments == [core.app_id(request.host.login())] => app_node(core, request),
        Who::App if request.host == Host::Facebook && segments == [core.config.app_id.as_str(), "subscriptions"] => {
            app_subscriptions::handle(core, request).await
        }
        Who::App if segments.first() == Some(&"me") => Err(auth::no_current_user()),
        Who::App => Err(GraphError::unknown_object(request.method.as_str(), segments.first().unwrap_or(&""))),
        Who::Person => person::handle(core, request, caller),
        Who::Page(page) => of_page(core, request, caller, page, &segments),
        Who::Account(account) => of_account(core, request, caller, account, &segments).await,
    }
}

/// The app itself, readable with its own token.
fn app_node(core: &Core, request: &GraphRequest) -> Outcome {
    if request.method != "GET" {
        return Err(GraphError::unsupported_method(request.method.as_str()));
    }
    let node = json!({"id": core.app_id(request.host.login()), "name": core.world().app.name, "link": null});
    let wanted = select::parse(&request.fields().unwrap_or_else(|| "name".to_owned()));
    select::pick(unplayed::Node::App, &node, &wanted).map(Done::answering)
}

/// A page without an Instagram account: it can be read and subscribed, but has no messages.
fn of_page(core: &Arc<Core>, request: &GraphRequest, caller: &Caller, page: &PageConfig, segments: &[&str]) -> Outcome {
    let own = |id: &str| id == "me" || id == page.id;
    match (request.method.as_str(), segments) {
        ("GET", [id]) if own(id) => account::own_page(request, caller, page, None),
        (_, [id, "subscribed_apps"]) if own(id) => {
            require(caller, request.host, Need::Subscription)?;
            subscriptions::handle(core, request, &page.id, Some(&page.id))
        }
        (_, [id, "messages" | "message_attachments" | "conversations" | "messenger_profile"]) if own(id) => {
            Err(GraphError::new(100, Some(2_534_013)))
        }
        (_, [id, edge, ..]) if own(id) => Err(unplayed::path(request, edge)),
        (method, [id, ..]) => Err(GraphError::unknown_object(method, id)),
        (method, []) => Err(GraphError::unsupported_method(method)),
    }
}

async fn of_account(
    core: &Arc<Core>,
    request: &GraphRequest,
    caller: &Caller,
    account: &AccountConfig,
    segments: &[&str],
) -> Outcome {
    let method = request.method.as_str();
    let own = |id: &str, need: Need| {
        auth::own_path(request, account, id)?;
        require(caller, request.host, need)
    };
    match (method, segments) {
        ("POST", [id, "messages"]) => {
            own(id, Need::Messaging)?;
            open_for_messages(account)?;
            messages::send(core, request, account).await
        }
        ("POST", [id, "message_attachments"]) => {
            own(id, Need::Messaging)?;
            open_for_messages(account)?;
            uploads::upload(core, request, account).await
        }
        (_, [id, "subscribed_apps"]) => {
            own(id, Need::Subscription)?;
            let page = account.page.as_ref().map(|page| page.id.as_str());
            subscriptions::handle(core, request, &account.ig_id, page)
        }
        (_, [id, "messenger_profile"]) => {
            own(id, Need::Messaging)?;
            messenger_profile::handle(core, request, account)
        }
        ("GET", [id, "conversations"]) => {
            own(id, Need::Messaging)?;
            open_for_messages(account)?;
            conversations::list(core, request, account)
        }
        ("GET", [id, "messages"]) => {
            require(caller, request.host, Need::Messaging)?;
            open_for_messages(account)?;
            conversations::messages_of(core, request, account, id)
        }
        (_, [id, edge]) if routing::is_edge(edge) => {
            own(id, Need::Messaging)?;
            routing::handle(core, request, account, edge)
        }
        ("POST", [comment, "replies"]) => {
            require(caller, request.host, Need::Comments)?;
            comments::reply(core, request, account, comment)
        }
        ("GET", ["me"]) => account::own(core, request, caller, account, "me"),
        (_, [id]) if core.world().comments.contains_key(*id) => {
            Err(GraphError::not_played(&format!("{method} of a comment")))
        }
        ("GET", [id]) => read_node(core, request, caller, account, id),
        (_, [] | [_]) => Err(GraphError::unsupported_method(method)),
        (_, [_, edge, ..]) => Err(unplayed::path(request, edge)),
    }
}

/// `GET /{id}`: an account, a message, a conversation or a customer.
fn read_node(core: &Arc<Core>, request: &GraphRequest, caller: &Caller, account: &AccountConfig, id: &str) -> Outcome {
    if account::is_own(request.host, account, id) {
        return account::own(core, request, caller, account, id);
    }
    require(caller, request.host, Need::Messaging)?;
    if conversations::is_id(id) {
        open_for_messages(account)?;
        return conversations::read(core, request, account, id);
    }
    profile::read(core, request, account, id)
}

impl GraphRequest {
    /// The scope of faults for the request.
    fn scope(&self) -> Scope {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        if oauth::endpoint(self).is_some() {
            return Scope::Login;
        }
        match (self.method.as_str(), segments.as_slice()) {
            ("POST", [_, "messages"]) if self.params.contains_key("sender_action") => Scope::Actions,
            ("POST", [_, "messages"]) => Scope::Messages,
            ("POST", [_, "message_attachments"]) => Scope::Uploads,
            ("GET", [id]) if id.len() <= 17 && id.bytes().all(|byte| byte.is_ascii_digit()) => Scope::Profiles,
            ("GET", [_, "accounts"]) => Scope::Accounts,
            (_, [_, "subscribed_apps"]) => Scope::Subscriptions,
            (_, [_, "subscriptions"]) => Scope::AppSubscriptions,
            ("GET", [_, "conversations" | "messages"]) => Scope::Conversations,
            ("GET", [id]) if conversations::is_id(id) => Scope::Conversations,
            _ => Scope::Other,
        }
    }
}
