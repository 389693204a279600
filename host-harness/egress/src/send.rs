//! Owns: the order of one exchange: policy, injection, the wire, then what of the answer the channel may see.
//! Does not own: any of these steps, nor what follows from an answer.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use harness_contract::{
    HttpRequest, HttpResponse,
    manifest::{EgressRule, Slot},
};
use reqwest::Client;
use url::Url;

use crate::{
    capture::{self, Captured},
    client::{Clients, Endpoints, Files, Timer},
    error::{EgressError, SetupError},
    inject::{FindSecret, Injected, Sources},
    known::Known,
    memory::Held,
    offload,
    policy::Admitted,
    response,
    sizes::Sizes,
};

/// Sends requests of channels.
pub struct Egress {
    pub(crate) clients: Clients,
    sizes: Sizes,
}

/// On whose behalf a request leaves.
pub struct Caller<'a> {
    /// What the operator granted.
    pub rules: &'a [EgressRule],
    /// Where the manifest lets each slot go.
    pub slots: &'a BTreeMap<String, Slot>,
    /// Finds a credential of the account, or of the channel.
    pub secret: &'a FindSecret<'a>,
    /// Every credential that is known for the channel: none may stand in the request before it is injected, and none in
    /// the answer.
    pub known: Known,
}

/// An answer without credentials: all of it that a channel may see. Only the exchange makes one.
#[derive(Debug)]
pub struct Shown(HttpResponse);

impl Shown {
    /// For the channel.
    pub fn into_response(self) -> HttpResponse {
        self.0
    }

    /// For the host's own counters.
    pub fn response(&self) -> &HttpResponse {
        &self.0
    }
}

impl Egress {
    /// Sets up the clients: no exchange takes longer than `longest`, which `timer` measures, and nothing that leaves or
    /// comes back is larger than `sizes`. `endpoints` must be empty outside development.
    pub fn new(
        endpoints: Endpoints,
        longest: Duration,
        timer: Arc<dyn Timer>,
        sizes: Sizes,
    ) -> Result<Self, SetupError> {
        Ok(Self { clients: Clients::new(endpoints, longest, timer)?, sizes })
    }

    /// The client for this host's own addresses.
    pub fn own(&self) -> &Client {
        self.clients.own()
    }

    /// Where a request to this address goes: in development, to what stands in for its origin.
    pub fn destination(&self, url: Url) -> Url {
        self.clients.route(url).1
    }

    /// Sends a request and gives what its channel may see of the answer. `memory` is what was set aside for it, and grows
    /// with what it takes; `captured` is read and filled. No error says anything that the host knows for the channel.
    pub async fn send(
        &self,
        caller: &Caller<'_>,
        request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<Shown, EgressError> {
        let error = match self.exchange(caller, request, files, memory, captured).await {
            Ok(shown) => return Ok(shown),
            Err(error) => error,
        };
        let arrived = error.may_have_arrived();
        let known = caller.known.clone();
        let redacted = offload::done(known.effort(0), move |_| known.redact_in_egress_error(error)).await;
        Err(redacted.unwrap_or_else(|_| if arrived { unsearched() } else { EgressError::Leak }))
    }

    async fn exchange(
        &self,
        caller: &Caller<'_>,
        mut request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<Shown, EgressError> {
        let captures = std::mem::take(&mut request.captures);
        let admitted = Admitted::new(caller.rules, &caller.known, &self.sizes, request, files.bytes()).await?;
        capture::check(&captures, caller.slots, captured)?;
        let rule = admitted.rule;
        let sources = Sources { rule, slots: caller.slots, secret: caller.secret, captured };
        let (injected, filled) = Injected::new(admitted, &sources, &self.sizes, memory).await?;
        let max = rule.max_response_bytes.min(self.sizes.answer);
        let answer = self.clients.exchange(injected, files, max, memory).await?;
        // What is left to do is work on what a server sent.
        let (known, shows, so_far) = (caller.known.clone(), rule.shown.clone(), std::mem::take(captured));
        let headers: usize = answer.headers.iter().map(|header| header.value.len()).sum();
        let bytes = known.effort(answer.body.len() + headers);
        let redacted = offload::done(bytes, move |given_up| {
            response::redacted(answer, &filled, &known, &captures, shows.as_deref(), so_far, given_up)
        });
        let (ended, taken) = redacted.await.map_err(|_| unsearched())?;
        *captured = taken;
        ended.map(Shown)
    }
}

fn unsearched() -> EgressError {
    EgressError::NoAnswer("it could not be searched".into())
}
