//! The Graph API of both hosts: one request from the wire to its answer.
//! What belongs here: the order of steps and the routing; each endpoint has a module of its own.

mod account;
mod answer;
mod auth;
mod catalogue;
mod comments;
mod conversations;
pub(crate) mod error;
mod fields;
mod messages;
mod messenger_profile;
mod profile;
mod request;
mod routing;
mod subscriptions;
mod uploads;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use serde_json::Value;

use crate::config::{AccountConfig, Login};
use crate::core::Core;
use crate::faults::{FaultKind, Scope};
use crate::graph::error::GraphError;
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

/// A request that was done.
pub(crate) struct Done {
    pub(crate) body: Value,
    /// The mid, when a message was accepted.
    pub(crate) message_id: Option<String>,
    /// Webhooks that follow from it: echoes, own comments.
    pub(crate) webhooks: Vec<Outgoing>,
}

impl Done {
    pub(crate) fn answering(body: Value) -> Self {
        Self { body, message_id: None, webhooks: Vec::new() }
    }
}

pub(crate) type Outcome = Result<Done, GraphError>;

pub(crate) async fn serve(core: Arc<Core>, host: Host, path: &str, request: Request) -> Response {
    let request = GraphRequest::read(host, path, request).await;
    let caller = auth::authenticate(&core, &request);
    let fault = core.world().take_fault(request.scope());
    if let (Some(FaultKind::TokenDead { subcode }), Ok(account)) = (fault.as_ref().map(|fault| &fault.what), &caller) {
        core.world().dead_accounts.insert((account.ig_id.clone(), host.login()), *subcode);
    }
    let runs = fault
        .as_ref()
        .is_none_or(|fault| fault.takes_effect || matches!(fault.what, FaultKind::Truth | FaultKind::TokenDead { .. }));
    let outcome = if runs { Some(run(&core, &request, caller).await) } else { None };
    answer::conclude(&core, request, outcome, fault).await
}

async fn run(core: &Arc<Core>, request: &GraphRequest, caller: Result<AccountConfig, GraphError>) -> Outcome {
    let account = auth::alive(core, request, caller?)?;
    if let Some(problem) = &request.problem {
        return Err(GraphError::parameter(problem.clone()));
    }
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let method = request.method.as_str();
    match (method, segments.as_slice()) {
        ("POST", [id, "messages"]) => {
            auth::own_path(request, &account, id)?;
            messages::send(core, request, &account).await
        }
        ("POST", [id, "message_attachments"]) => {
            auth::own_path(request, &account, id)?;
            uploads::upload(core, request, &account).await
        }
        (_, [id, "subscribed_apps"]) => {
            auth::own_path(request, &account, id)?;
            subscriptions::handle(core, request, &account)
        }
        (_, [id, "messenger_profile"]) => {
            auth::own_path(request, &account, id)?;
            messenger_profile::handle(core, request, &account)
        }
        ("GET", [id, "conversations"]) => {
            auth::own_path(request, &account, id)?;
            conversations::list(core, request, &account)
        }
        (_, [id, edge]) if routing::is_edge(edge) => {
            auth::own_path(request, &account, id)?;
            routing::handle(core, request, &account, edge)
        }
        ("POST", [comment, "replies"]) => comments::reply(core, request, &account, comment),
        ("GET", ["me"]) => account::me(core, request, &account),
        ("GET", [id]) => read_node(core, request, &account, id),
        (_, []) => Err(GraphError::unsupported_method(method)),
        (_, [_]) => Err(GraphError::unsupported_method(method)),
        (_, [_, edge, ..]) => Err(GraphError::unknown_path(edge)),
    }
}

/// `GET /{id}`: an account, a message, a conversation or a customer.
fn read_node(core: &Arc<Core>, request: &GraphRequest, account: &AccountConfig, id: &str) -> Outcome {
    if account::is_own(request.host, account, id) {
        return account::me(core, request, account);
    }
    if let Some(done) = conversations::read(core, request, account, id)? {
        return Ok(done);
    }
    profile::read(core, request, account, id)
}

impl GraphRequest {
    /// Which faults apply to the request.
    fn scope(&self) -> Scope {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        match (self.method.as_str(), segments.as_slice()) {
            ("POST", [_, "messages"]) if self.params.contains_key("sender_action") => Scope::Actions,
            ("POST", [_, "messages"]) => Scope::Messages,
            ("POST", [_, "message_attachments"]) => Scope::Uploads,
            ("GET", [id]) if id.len() <= 17 && id.bytes().all(|byte| byte.is_ascii_digit()) => Scope::Profiles,
            _ => Scope::Other,
        }
    }
}
