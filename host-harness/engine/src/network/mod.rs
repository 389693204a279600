//! Owns: sending a channel's requests on behalf of an account, with its grants and credentials.
//! Does not own: which requests are allowed (egress), when they are sent (the rooms).

pub(crate) mod credentials;
mod generated;
mod hosts;
mod locate;
mod scope;

use std::sync::Arc;

use harness_contract::{HttpRequest, HttpResponse};
use harness_egress::{
    Caller, Captured, DirectClient, DownloadError, Downloaded, Egress, EgressError, FileSink, Files, Held, Known,
    Memory, Sizes,
    credentials::{Secret, Secrets},
};
use tracing::Instrument as _;

pub use self::credentials::TooManyCredentials;
pub(crate) use self::{
    credentials::CredentialsError,
    locate::{LocateMedia, Located, NotLocated},
    scope::{CallScope, PendingAccount, SCRATCH_BYTES},
};
use crate::{
    base::{clock::Clock, metrics::Metrics, signals::Signals},
    channels::loaded::LoadedChannel,
};

/// Outbound requests. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) egress: Arc<Egress>,
    pub(crate) direct: Arc<DirectClient>,
    pub(crate) secrets: Secrets,
    pub(crate) memory: Memory,
    pub(crate) sizes: Sizes,
    pub(crate) signals: Arc<Signals>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Clock,
}

impl Network {
    /// The secrets known to a channel in this scope, for redaction.
    pub(crate) fn known(&self, channel: &str, scope: &CallScope) -> Known {
        let pending = if let CallScope::Connecting(pending) = scope { Some(&pending.credentials) } else { None };
        Known::new(&self.secrets, channel, pending)
    }

    /// The secrets known to a channel without an account that is being connected, for redaction.
    pub(crate) fn known_of(&self, channel: &str) -> Known {
        Known::new(&self.secrets, channel, None)
    }

    /// Downloads a file with a channel's request, on behalf of an account.
    pub(crate) async fn download<S: FileSink, B: Future<Output = Result<S, S::Error>> + Send>(
        &self,
        registered: &LoadedChannel,
        scope: &CallScope,
        request: HttpRequest,
        max: u64,
        memory: &mut Held,
        begin: impl FnOnce() -> B + Send,
    ) -> Result<Downloaded<S>, DownloadError<S::Error>> {
        let secret = |slot: &str| self.secret(registered.channel.id(), scope, slot);
        let slots = &registered.channel.manifest().slots;
        let (rules, slots) = hosts::for_account(&registered.egress, slots, &scope.settings());
        let caller =
            Caller { rules: &rules, slots: &slots, secret: &secret, known: self.known(registered.channel.id(), scope) };
        self.egress.download_as(&caller, &registered.media_hosts, request, max, memory, begin).await
    }

    fn secret(&self, channel: &str, scope: &CallScope, slot: &str) -> Option<Secret> {
        match scope {
            CallScope::Account { id, .. } => self.secrets.find(channel, id, slot),
            CallScope::Connecting(pending) => {
                pending.credentials.find(slot).or_else(|| self.secrets.of_app(channel, slot))
            }
        }
    }

    /// Sends a channel's request on behalf of the scope's account.
    pub(crate) async fn send(
        &self,
        registered: &LoadedChannel,
        scope: &CallScope,
        request: HttpRequest,
        files: Files,
        memory: &mut Held,
        captured: &mut Captured,
    ) -> Result<HttpResponse, EgressError> {
        let channel = registered.channel.id();
        let known = self.known(channel, scope);
        let secret = |slot: &str| self.secret(channel, scope, slot);
        let slots = &registered.channel.manifest().slots;
        let (rules, slots) = hosts::for_account(&registered.egress, slots, &scope.settings());
        let caller = Caller { rules: &rules, slots: &slots, secret: &secret, known };
        let started = std::time::Instant::now();
        let span = tracing::info_span!("request", channel, method = ?request.method);
        let answered = self.egress.send(&caller, request, files, memory, captured).instrument(span).await;
        let outcome = match &answered {
            Ok(shown) => class_of(shown.response().status),
            Err(error) => error.kind(),
        };
        self.metrics.request(channel, outcome, started.elapsed());
        let shown = answered?;
        self.signals.answered(channel, shown.response(), self.clock.now());
        Ok(shown.into_response())
    }
}

/// The status class, as a metric label.
fn class_of(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}
