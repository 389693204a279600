//! Owns: the effects available to one call of an `account` function: network and storage, limited, on behalf of one
//! account.
//! Does not own: when such calls are made.

use std::sync::{Arc, PoisonError};

use harness_contract::{HttpError, HttpRequest, HttpResponse};
use harness_sandbox::{Effects, StorageError};
use tokio::{runtime::Handle, time::Instant};

use super::Accounts;
use crate::{
    base::rate_limit::RateKey,
    channels::loaded::LoadedChannel,
    network::{CallScope, CredentialsError, SCRATCH_BYTES},
};
use harness_egress::{Captured, EgressError, FIRST, Files, memory_of};

/// Maximum number of requests per call.
const MAX_REQUESTS: u32 = 64;
/// Maximum number of storage operations per call.
const MAX_STORAGE_CALLS: u32 = 1000;
/// How long a request waits for its rate limit, in milliseconds: well below the deadline of a call.
const PATIENCE_MS: u64 = 15_000;
/// The effects of one call. They block, so the call runs on its own thread.
pub(super) struct AccountEffects {
    room: Arc<Accounts>,
    registered: LoadedChannel,
    scope: CallScope,
    /// The class whose rate limits the requests observe.
    class: Option<&'static str>,
    requests: u32,
    /// Storage operations left. They are limited because each write waits for the disk.
    storage: u32,
    /// No request waits longer than this.
    deadline: Instant,
    captured: Captured,
    runtime: Handle,
}

impl AccountEffects {
    /// The effects of a call that starts now.
    pub(super) fn new(
        room: &Arc<Accounts>,
        registered: &LoadedChannel,
        scope: CallScope,
        class: Option<&'static str>,
    ) -> Self {
        Self {
            room: Arc::clone(room),
            registered: registered.clone(),
            scope,
            class,
            requests: 0,
            storage: MAX_STORAGE_CALLS,
            deadline: Instant::now() + registered.channel.effect_deadline(),
            captured: Captured::with_credentials(),
            runtime: Handle::current(),
        }
    }

    /// Counts a storage operation. Fails if the key is invalid.
    fn use_storage(&mut self, key: Option<&str>) -> Result<(), StorageError> {
        if key.is_some_and(|key| key.is_empty() || key.len() > harness_inbox::MAX_STORAGE_KEY) {
            return Err(StorageError::InvalidKey);
        }
        let budget = || StorageError::Other(format!("a call may use the storage {MAX_STORAGE_CALLS} times"));
        self.storage = self.storage.checked_sub(1).ok_or_else(budget)?;
        Ok(())
    }

    /// Waits until the rate limit of the call's class allows a request.
    async fn paced(&self) -> Result<(), HttpError> {
        let (Some(class), CallScope::Account { row, .. }) = (self.class, &self.scope) else { return Ok(()) };
        let clock = &self.room.base.clock;
        let patient_until = clock.now().saturating_add(PATIENCE_MS);
        let mut asker =
            RateKey { channel: self.registered.channel.id(), account: *row, conversation: None, again: false };
        loop {
            match self.room.rate_limits.take(&self.registered.capabilities.rates, class, asker) {
                Ok(()) => return Ok(()),
                Err(at) if at > patient_until => return Err(HttpError::BudgetExhausted),
                Err(at) => clock.until(at).await,
            }
            asker.again = true;
        }
    }

    async fn keep_captured(&mut self) -> Result<(), HttpError> {
        let Some(credentials) = &mut self.captured.credentials else { return Ok(()) };
        for (slot, secret) in std::mem::take(credentials) {
            let kept = match &self.scope {
                CallScope::Connecting(pending) => {
                    pending.credentials.set(slot, secret);
                    Ok(())
                }
                CallScope::Account { id, connection, .. } => {
                    self.room.credentials.keep(self.registered.channel.id(), id, *connection, slot, secret).await
                }
            };
            if let Err(CredentialsError::Overtaken(overtaken)) = kept {
                let reason = overtaken.to_string();
                tracing::warn!(reason, "a credential came too late");
                return Err(HttpError::Other(reason));
            }
            if let Err(error) = kept {
                tracing::error!(%error, "a credential could not be kept");
                return Err(HttpError::Other("the host could not keep the credential that was captured".into()));
            }
        }
        Ok(())
    }
}

impl Effects for AccountEffects {
    fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests += 1;
        if self.requests > MAX_REQUESTS {
            return Err(HttpError::BudgetExhausted);
        }
        let runtime = self.runtime.clone();
        // For channel authors: exactly what the channel sees.
        tracing::trace!(method = ?request.method, url = request.url, "a channel sends a request");
        runtime.block_on(async {
            tokio::time::timeout_at(self.deadline, self.paced()).await.map_err(|_| HttpError::TimedOut)??;
            let Self { room, registered, scope, captured, deadline, .. } = self;
            let bytes = memory_of(&request).saturating_add(FIRST);
            // Held until the channel has the response in its own memory.
            let memory = tokio::time::timeout_at(*deadline, room.network.memory.take(registered.channel.id(), bytes));
            let mut memory = memory.await.map_err(|_| HttpError::TimedOut)?.map_err(|_| HttpError::BudgetExhausted)?;
            let sent = room.network.send(registered, scope, request, Files::default(), &mut memory, captured);
            let response = tokio::time::timeout_at(*deadline, sent).await.map_err(|_| HttpError::TimedOut)?;
            let response = response.map_err(|error| http_error(&error))?;
            self.keep_captured().await?;
            tracing::trace!(
                status = response.status,
                headers = ?response.headers,
                body = %String::from_utf8_lossy(&response.body).escape_debug(),
                "a channel gets a response"
            );
            Ok(response)
        })
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.use_storage(Some(key))?;
        match &self.scope {
            CallScope::Account { row, .. } => self.runtime.block_on(self.room.base.inbox.storage_get(*row, key)),
            CallScope::Connecting(pending) => {
                Ok(pending.storage.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
            }
        }
    }

    fn set(&mut self, key: &str, value: Vec<u8>) -> Result<(), StorageError> {
        self.use_storage(Some(key))?;
        match &self.scope {
            CallScope::Account { row, connection, .. } => {
                self.runtime.block_on(self.room.base.inbox.storage_set(*row, *connection, key, value))
            }
            CallScope::Connecting(pending) => {
                let mut storage = pending.storage.lock().unwrap_or_else(PoisonError::into_inner);
                let others = storage.iter().filter(|(other, _)| *other != key);
                let size: usize = others.map(|(key, value)| key.len() + value.len()).sum();
                if size + key.len() + value.len() > SCRATCH_BYTES {
                    return Err(StorageError::QuotaExceeded(SCRATCH_BYTES as u64));
                }
                storage.insert(key.to_owned(), value);
                Ok(())
            }
        }
    }

    fn delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.use_storage(Some(key))?;
        match &self.scope {
            CallScope::Account { row, connection, .. } => {
                self.runtime.block_on(self.room.base.inbox.storage_delete(*row, *connection, key))
            }
            CallScope::Connecting(pending) => {
                pending.storage.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
                Ok(())
            }
        }
    }

    fn keys(&mut self, prefix: &str) -> Result<Vec<String>, StorageError> {
        self.use_storage(None)?;
        match &self.scope {
            CallScope::Account { row, .. } => self.runtime.block_on(self.room.base.inbox.storage_keys(*row, prefix)),
            CallScope::Connecting(pending) => {
                let storage = pending.storage.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(storage.keys().filter(|key| key.starts_with(prefix)).cloned().collect())
            }
        }
    }
}

fn http_error(error: &EgressError) -> HttpError {
    match error {
        EgressError::Denied(_) | EgressError::Leak | EgressError::SlotNotAllowed { .. } => {
            HttpError::Denied(error.to_string())
        }
        EgressError::MissingSlot(slot) => HttpError::MissingSlot(slot.clone()),
        EgressError::Invalid(reason) => HttpError::InvalidRequest(reason.clone()),
        EgressError::NoMemory => HttpError::BudgetExhausted,
        EgressError::Unreachable(reason) => HttpError::Unreachable(reason.clone()),
        EgressError::NoAnswer(_) => HttpError::TimedOut,
        EgressError::TooLarge(max) => HttpError::TooLarge(*max),
        EgressError::Encoded => HttpError::Other(error.to_string()),
        EgressError::CaptureFailed(pointer) => HttpError::CaptureFailed(pointer.clone()),
    }
}
