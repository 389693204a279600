//! Owns: the one guarded call of a channel: permit, blocking thread, report; and blaming the channel for a panic of the
//! host.
//! Does not own: which function is called, and what follows from its result.

use harness_contract::{AccountSettings, Delivery, DeliverySource, Event};
use harness_sandbox::{CallError, CallFailure, Channel};

use super::{
    Channels,
    circuit_breaker::{Part, Permit},
    loaded::LoadedChannel,
};
use crate::{base::tasks::Worker, error::Paused};

/// Why a call has no result.
#[derive(Debug)]
pub(crate) enum CallProblem {
    /// The circuit is open, so the call was not made.
    Open(Paused),
    /// The component failed.
    Failed(CallError),
    /// The host panicked during the call.
    Panicked,
}

impl Channels {
    /// Makes a call on a blocking thread and reports its result to the circuit breaker.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        registered: &LoadedChannel,
        part: Part,
        worker: Worker,
        function: impl FnOnce(&Channel) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, CallProblem> {
        let (value, permit) = self.call_unreported(registered, part, worker, function).await?;
        permit.succeeded(self.clock.now());
        Ok(value)
    }

    /// Like [`Self::call`], but returns the permit, for when a later call decides whether this one succeeded.
    pub(crate) async fn call_unreported<T: Send + 'static>(
        &self,
        registered: &LoadedChannel,
        part: Part,
        worker: Worker,
        function: impl FnOnce(&Channel) -> Result<T, CallError> + Send + 'static,
    ) -> Result<(T, Permit), CallProblem> {
        let id = registered.channel.id();
        let permit = self.breakers.admit(id, part, self.clock.now()).map_err(CallProblem::Open)?;
        let (channel, span) = (registered.channel.clone(), tracing::Span::current());
        match tokio::task::spawn_blocking(move || span.in_scope(|| function(&channel))).await {
            Ok(Ok(value)) => Ok((value, permit)),
            Ok(Err(error)) => {
                self.failed(permit, &registered.channel.inspection().digest, &error, true);
                Err(CallProblem::Failed(error))
            }
            Err(panic) => {
                drop(permit);
                self.tasks.note_panic(worker, &panic.to_string());
                self.blame(id, part);
                Err(CallProblem::Panicked)
            }
        }
    }

    /// Makes a call on this thread, which may block. A failure counts against the circuit only if `counts` is set.
    pub(crate) fn call_here<T>(
        &self,
        registered: &LoadedChannel,
        part: Part,
        counts: bool,
        function: impl FnOnce(&Channel) -> Result<T, CallError>,
    ) -> Result<T, CallProblem> {
        let id = registered.channel.id();
        let permit = self.breakers.admit(id, part, self.clock.now()).map_err(CallProblem::Open)?;
        match function(&registered.channel) {
            Ok(value) => {
                permit.succeeded(self.clock.now());
                Ok(value)
            }
            Err(error) => {
                self.failed(permit, &registered.channel.inspection().digest, &error, counts);
                Err(CallProblem::Failed(error))
            }
        }
    }

    /// Counts a panic in the host's work for a channel as a failure of the channel: its data caused the panic and would
    /// cause it again.
    pub(crate) fn blame(&self, channel: &str, part: Part) {
        let Ok(registered) = self.get(channel) else { return };
        if let Ok(permit) = self.breakers.admit(channel, part, self.clock.now()) {
            self.failed(permit, &registered.channel.inspection().digest, &blamed(channel), true);
        }
    }

    /// Parses history items for inspection, without recording or applying anything. Items that the channel cannot parse
    /// are left out.
    pub(crate) async fn read_archived(
        &self,
        registered: &LoadedChannel,
        account: String,
        items: Vec<Vec<u8>>,
    ) -> Result<Vec<Event>, CallProblem> {
        let (channel, now) = (registered.channel.clone(), self.clock.now());
        let account = AccountSettings { id: account, settings: Vec::new(), webhook_url: None };
        let parsed = tokio::task::spawn_blocking(move || {
            let mut events = Vec::new();
            for body in items {
                let delivery = Delivery {
                    source: DeliverySource::History,
                    body,
                    headers: Vec::new(),
                    received_at: now,
                    query: String::new(),
                    account: Some(account.clone()),
                };
                if let Ok(parsed) = channel.parse_webhook(&delivery)? {
                    events.extend(parsed);
                }
            }
            Ok::<_, CallError>(events)
        });
        parsed.await.map_err(|_| CallProblem::Panicked)?.map_err(CallProblem::Failed)
    }
}

/// A panic of the host, as a failure of the channel.
pub(crate) fn blamed(channel: &str) -> CallError {
    let failure = CallFailure::Trap("the host failed while it did what the channel asked for".into());
    CallError { channel: channel.to_owned(), export: "the host", failure }
}
