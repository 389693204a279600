//! Calls of a channel's `account` interface: what it may do meanwhile, and for whom. Belongs here: the
//! network and the storage of one call, and where what it captures goes. When calls are made: `connect`,
//! `keeper`, `health`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use harness_contract::{
    AccountError, AccountSettings, CheckResult, EntryPoints, FailureCategory, HttpError, HttpRequest, HttpResponse,
    settings::merge_settings, text::shown,
};
use harness_inbox::AccountState;
use harness_sandbox::{CallError, Channel, Effects, StorageError};
use tokio::{runtime::Handle, time::Instant};

use crate::{
    channels::circuit_breaker::Part, error::HostError, host::Shared, options::Registered, rate_limit::Asker,
    tasks::Worker,
};
use harness_egress::{
    Captured, EgressError, FIRST, Files, Known,
    credentials::{PendingCredentials, Secret},
    memory_of,
};

/// Requests of one call.
const MAX_REQUESTS: u32 = 64;
/// Uses of the storage in one call.
const MAX_STORAGE_CALLS: u32 = 1000;
/// How long a request waits for its pace: well below what a call may take.
const PATIENCE_MS: u64 = 15_000;
/// What a channel may remember before there is an account, in bytes.
const SCRATCH_BYTES: usize = 64 << 10;

/// What is captured and remembered while an account is being connected.
#[derive(Debug, Default)]
pub(crate) struct PendingAccount {
    pub(crate) credentials: Arc<PendingCredentials>,
    storage: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl PendingAccount {
    /// What was captured and remembered before.
    pub(crate) fn of(secrets: HashMap<String, Secret>, storage: BTreeMap<String, Vec<u8>>) -> Self {
        Self { credentials: Arc::new(PendingCredentials::new(secrets)), storage: Mutex::new(storage) }
    }

    /// What the channel remembers.
    pub(crate) fn storage(&self) -> Vec<(String, Vec<u8>)> {
        let storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
        storage.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// In whose name a request leaves.
#[derive(Clone)]
pub(crate) enum CallScope {
    /// A connected account's.
    Account {
        /// Its row.
        row: i64,
        /// The platform's id.
        id: String,
        /// The row's connection when the call began: what comes of it belongs to no other.
        connection: i64,
    },
    /// Somebody's who is connecting one.
    Connecting(Arc<PendingAccount>),
}

/// The world as one call sees it. It blocks, so the call runs on a thread of its own.
struct AccountEffects {
    shared: Arc<Shared>,
    registered: Registered,
    scope: CallScope,
    /// The class scope pace its requests keep to.
    class: Option<&'static str>,
    requests: u32,
    /// Uses of the storage that are left: each one that writes waits for the disk.
    storage: u32,
    /// No request waits for longer.
    deadline: Instant,
    captured: Captured,
    runtime: Handle,
}

impl AccountEffects {
    /// Counts one use of the storage; a key must be one that may stand in it.
    fn use_storage(&mut self, key: Option<&str>) -> Result<(), StorageError> {
        if key.is_some_and(|key| key.is_empty() || key.len() > harness_inbox::MAX_STORAGE_KEY) {
            return Err(StorageError::InvalidKey);
        }
        let budget = || StorageError::Other(format!("a call may use the storage {MAX_STORAGE_CALLS} times"));
        self.storage = self.storage.checked_sub(1).ok_or_else(budget)?;
        Ok(())
    }

    /// Waits until the pace of the call's class lets a request leave.
    async fn paced(&self) -> Result<(), HttpError> {
        let (Some(class), CallScope::Account { row, .. }) = (self.class, &self.scope) else { return Ok(()) };
        let clock = &self.shared.clock;
        let patient_until = clock.now().saturating_add(PATIENCE_MS);
        let mut asker =
            Asker { channel: self.registered.channel.id(), account: *row, conversation: None, again: false };
        loop {
            match self.shared.paces.take(&self.registered.capabilities.rates, class, asker) {
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
                    self.shared.keep_credential(&self.registered, id, *connection, slot, secret).await
                }
            };
            if let Err(HostError::Overtaken) = kept {
                let reason = HostError::Overtaken.to_string();
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
        // For authors of channels, who ask for it: everything that a channel sees, and nothing that it does not.
        tracing::trace!(method = ?request.method, url = request.url, "a channel sends a request");
        runtime.block_on(async {
            tokio::time::timeout_at(self.deadline, self.paced()).await.map_err(|_| HttpError::TimedOut)??;
            let Self { shared, registered, scope, captured, deadline, .. } = self;
            let bytes = memory_of(&request).saturating_add(FIRST);
            // Until the channel has the answer in its own memory.
            let memory = tokio::time::timeout_at(*deadline, shared.memory.take(registered.channel.id(), bytes));
            let mut memory = memory.await.map_err(|_| HttpError::TimedOut)?.map_err(|_| HttpError::BudgetExhausted)?;
            let sent = shared.send(registered, scope, request, Files::default(), &mut memory, captured);
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
            CallScope::Account { row, .. } => self.runtime.block_on(self.shared.inbox.storage_get(*row, key)),
            CallScope::Connecting(pending) => {
                Ok(pending.storage.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
            }
        }
    }

    fn set(&mut self, key: &str, value: Vec<u8>) -> Result<(), StorageError> {
        self.use_storage(Some(key))?;
        match &self.scope {
            CallScope::Account { row, connection, .. } => {
                self.runtime.block_on(self.shared.inbox.storage_set(*row, *connection, key, value))
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
                self.runtime.block_on(self.shared.inbox.storage_delete(*row, *connection, key))
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
            CallScope::Account { row, .. } => self.runtime.block_on(self.shared.inbox.storage_keys(*row, prefix)),
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

/// Makes one call in somebody's name, on a thread that may block.
pub(crate) async fn call_as<T: Send + 'static>(
    shared: &Arc<Shared>,
    registered: &Registered,
    scope: CallScope,
    function: impl FnOnce(&Channel, Box<dyn Effects>) -> Result<Result<T, AccountError>, CallError> + Send + 'static,
) -> Result<T, HostError> {
    call_paced(shared, registered, scope, None, function).await
}

async fn call_paced<T: Send + 'static>(
    shared: &Arc<Shared>,
    registered: &Registered,
    scope: CallScope,
    class: Option<&'static str>,
    function: impl FnOnce(&Channel, Box<dyn Effects>) -> Result<Result<T, AccountError>, CallError> + Send + 'static,
) -> Result<T, HostError> {
    let registered = registered.clone();
    shared.not_held(&registered, &scope).await?;
    let effects = AccountEffects {
        shared: Arc::clone(shared),
        registered: registered.clone(),
        scope,
        class,
        requests: 0,
        storage: MAX_STORAGE_CALLS,
        deadline: Instant::now() + registered.channel.effect_deadline(),
        captured: Captured::with_credentials(),
        runtime: Handle::current(),
    };
    let pass = shared.breakers.admit(registered.channel.id(), Part::Account, shared.clock.now())?;
    let digest = registered.channel.inspection().digest.clone();
    let channel = registered.channel.id().to_owned();
    let known = shared.known(&channel, &effects.scope);
    let called = tokio::task::spawn_blocking(move || {
        let mut answer = function(&registered.channel, Box::new(effects))?;
        if let Err(error) = &mut answer {
            known.redact_in_account_error(error);
        }
        Ok::<_, CallError>(answer)
    });
    let called = called.await.map_err(|error| {
        shared.note_panic(Worker::Keeper, &error.to_string());
        shared.blame(&channel, Part::Account);
        HostError::Busy
    })?;
    match &called {
        Ok(_) => pass.succeeded(shared.clock.now()),
        Err(error) => shared.failed(pass, &digest, error, true),
    }
    called?.map_err(|error| HostError::Account(Box::new(error)))
}

/// Makes one call for a connected account. What the platform says of its credentials is noted.
pub(crate) async fn call<T: Send + 'static>(
    shared: &Arc<Shared>,
    row: i64,
    function: impl FnOnce(&Channel, Box<dyn Effects>, &AccountSettings) -> Result<Result<T, AccountError>, CallError>
    + Send
    + 'static,
) -> Result<T, HostError> {
    call_in_class(shared, row, None, function).await
}

/// The same, with requests that keep to the pace of a class.
pub(crate) async fn call_in_class<T: Send + 'static>(
    shared: &Arc<Shared>,
    row: i64,
    class: Option<&'static str>,
    function: impl FnOnce(&Channel, Box<dyn Effects>, &AccountSettings) -> Result<Result<T, AccountError>, CallError>
    + Send
    + 'static,
) -> Result<T, HostError> {
    let ((channel, mut account), known) = {
        let _unchanged = shared.bindings.read().await;
        (shared.inbox.account(row).await?, shared.inbox.account_row(row).await?)
    };
    if known.state == AccountState::Disconnected {
        return Err(HostError::Disconnected(known.name));
    }
    let registered = shared.channel(&channel)?;
    merge_settings(&mut account.settings, &registered.settings);
    let scope = CallScope::Account { row, id: account.id.clone(), connection: known.connection };
    let answer =
        call_paced(shared, &registered, scope, class, move |channel, effects| function(channel, effects, &account))
            .await;
    if let Err(HostError::Account(error)) = &answer
        && let Some(problem) = dead_credential(error)
    {
        shared.inbox.mark_account(row, known.connection, AccountState::NeedsReconnect, Some(problem)).await?;
    }
    answer
}

/// What to tell people where an error means that the account must be connected again.
fn dead_credential(error: &AccountError) -> Option<String> {
    match error {
        AccountError::Platform(failure) if failure.category == FailureCategory::AuthExpired => Some(sentence(error)),
        AccountError::Http(HttpError::MissingSlot(slot)) => {
            Some(format!("The credential `{slot}` is not there. Connect the account again."))
        }
        _ => None,
    }
}

/// Writes an account's entry points on its platform.
pub(crate) async fn configure(shared: &Arc<Shared>, row: i64, wanted: EntryPoints) -> Result<(), HostError> {
    call(shared, row, move |channel, effects, account| channel.configure(effects, account, &wanted)).await
}

/// The channel's own lines of a health check.
pub(crate) async fn check(shared: &Arc<Shared>, row: i64) -> Result<Vec<CheckResult>, HostError> {
    let known = Known::new(&shared.secrets, &shared.inbox.account(row).await?.0, None);
    call(shared, row, move |channel, effects, account| {
        let mut answer = channel.check(effects, account)?;
        answer.iter_mut().for_each(|lines| known.redact_in_checks(lines));
        Ok(answer)
    })
    .await
}

impl Shared {
    /// Whether the platform may be asked anything in somebody's name now: it may have asked to be left alone.
    async fn not_held(&self, registered: &Registered, scope: &CallScope) -> Result<(), HostError> {
        let now = self.clock.now();
        let until = match scope {
            CallScope::Account { row, .. } => self.inbox.paused_until(*row, None, now).await?,
            CallScope::Connecting(_) => self.inbox.channel_paused_until(registered.channel.id(), now).await?,
        };
        until.map_or(Ok(()), |until| Err(HostError::Held(until.saturating_sub(now).div_ceil(1000))))
    }
}

/// What went wrong, for a person.
pub(crate) fn sentence(error: &AccountError) -> String {
    shown(&words(error))
}

fn words(error: &AccountError) -> String {
    match error {
        AccountError::Unsupported => "This channel does not do that.".to_owned(),
        AccountError::Denied(reason) => format!("It was not permitted: {reason}"),
        AccountError::Expired => "The link or the choice is too old, or was used before: begin again.".to_owned(),
        AccountError::InvalidInput(sentence) | AccountError::Other(sentence) => sentence.clone(),
        AccountError::Platform(failure) => match &failure.fix {
            Some(fix) => format!("{} {fix}", failure.sentence),
            None => failure.sentence.clone(),
        },
        AccountError::Http(error) => format!("The platform could not be asked: {}.", http_words(error)),
        AccountError::Storage(error) => format!("The channel's storage did not answer: {error:?}."),
    }
}

fn http_words(error: &HttpError) -> String {
    match error {
        HttpError::Denied(rule) => rule.clone(),
        HttpError::Unreachable(reason) => format!("no connection could be made ({reason})"),
        HttpError::TimedOut => "no answer came in time".to_owned(),
        HttpError::TooLarge(max) => format!("the answer is longer than {max} bytes"),
        HttpError::BudgetExhausted => "the channel made too many requests".to_owned(),
        HttpError::MissingSlot(slot) => format!("the credential `{slot}` is not there; fill it in the configuration"),
        HttpError::CaptureFailed(pointer) => format!("the answer holds no credential at `{pointer}`"),
        HttpError::InvalidRequest(reason) | HttpError::Other(reason) => reason.clone(),
    }
}
