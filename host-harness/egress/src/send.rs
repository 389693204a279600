//! Owns: the order of an exchange: policy, injection, sending, redaction.
//! Does not own: the steps themselves, or the use of the response.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use harness_contract::{
    HttpRequest, HttpResponse,
    manifest::{EgressRule, Slot},
};
use reqwest::Client;
use url::Url;

use crate::{
    body::Files,
    capture::{self, Captured},
    client::{Clients, Endpoints, Timer},
    error::{EgressError, SetupError},
    inject::{FindSecret, Injected, Sources},
    known::Known,
    memory::Held,
    offload,
    policy::Admitted,
    response,
    sizes::Sizes,
};

/// Sends the requests of channels.
pub struct Egress {
    pub(crate) clients: Clients,
    sizes: Sizes,
}

/// The channel and account of a request.
pub struct Caller<'a> {
    /// The operator's grant.
    pub rules: &'a [EgressRule],
    /// Where the manifest allows each slot.
    pub slots: &'a BTreeMap<String, Slot>,
    /// Finds a credential of the account or the channel.
    pub secret: &'a FindSecret<'a>,
    /// All credentials known for the channel: none may occur in the request before injection, or in the response.
    pub known: Known,
}

/// A response without credentials, which the channel may see. Only the exchange constructs it.
#[derive(Debug)]
pub struct Shown(HttpResponse);

impl Shown {
    /// For the channel.
    pub fn into_response(self) -> HttpResponse {
        self.0
    }

    /// For the host's metrics.
    pub fn response(&self) -> &HttpResponse {
        &self.0
    }
}

impl Egress {
    /// Sets up the clients. Exchanges take at most `longest`, measured by `timer`; sizes are bounded by `sizes`.
    /// `endpoints` must be empty outside development.
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

    /// The destination of an address after endpoint overrides.
    pub fn destination(&self, url: Url) -> Url {
        self.clients.route(url).1
    }

    /// Sends a request and returns what its channel may see of the response. `memory` is its reservation and grows as
    /// needed; `captured` is read and extended. Errors contain nothing known for the channel.
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

    /// Injects a request that has no captures and no files.
    pub(crate) async fn injected(
        &self,
        caller: &Caller<'_>,
        request: HttpRequest,
        memory: &mut Held,
    ) -> Result<Injected, EgressError> {
        let captured = Captured::default();
        let admitted = Admitted::new(caller.rules, &caller.known, &self.sizes, request, 0).await?;
        let (rule, now) = (admitted.rule, self.clients.now());
        let sources = Sources { rule, slots: caller.slots, secret: caller.secret, captured: &captured, now };
        Ok(Injected::new(admitted, &sources, Files::default(), &self.sizes, memory).await?.0)
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
        let file_bytes = files.bytes(&request);
        let admitted = Admitted::new(caller.rules, &caller.known, &self.sizes, request, file_bytes).await?;
        capture::check(&captures, caller.slots, captured)?;
        let rule = admitted.rule;
        let sources = Sources { rule, slots: caller.slots, secret: caller.secret, captured, now: self.clients.now() };
        let (injected, credentials) = Injected::new(admitted, &sources, files, &self.sizes, memory).await?;
        let max = rule.max_response_bytes.min(self.sizes.answer);
        let answer = self.clients.exchange(injected, max, memory).await?;
        // From here on it is CPU work on a server's response.
        let (known, shows, so_far) = (caller.known.clone(), rule.shown.clone(), std::mem::take(captured));
        let headers: usize = answer.headers.iter().map(|header| header.value.len()).sum();
        let bytes = known.effort(answer.body.len() + headers);
        let redacted = offload::done(bytes, move |given_up| {
            response::redacted(answer, &credentials, &known, &captures, shows.as_deref(), so_far, given_up)
        });
        let (ended, taken) = redacted.await.map_err(|_| unsearched())?;
        *captured = taken;
        ended.map(Shown)
    }
}

fn unsearched() -> EgressError {
    EgressError::NoAnswer("it could not be searched".into())
}
