//! Calls of a channel's `account` interface: what it may do meanwhile, and for whom. Belongs here: the
//! network and the storage of one account, for one call. When such a call is made is said by its callers.

use std::{collections::HashMap, sync::Arc};

use harness_contract::{AccountError, AccountSettings, EntryPoints, HttpError, HttpRequest, HttpResponse};
use harness_sandbox::{CallError, Channel, Effects, StorageError};
use tokio::runtime::Handle;

use crate::{
    egress::EgressError,
    fill::Captured,
    host::{HostError, Registered, Shared},
};

/// Requests of one call.
const MAX_REQUESTS: u32 = 32;

/// The world as one call sees it. It blocks, so the call runs on a thread of its own.
struct AccountEffects {
    shared: Arc<Shared>,
    registered: Registered,
    /// The account's row.
    row: i64,
    account: String,
    requests: u32,
    captured: Captured,
    runtime: Handle,
}

impl Effects for AccountEffects {
    fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests += 1;
        if self.requests > MAX_REQUESTS {
            return Err(HttpError::BudgetExhausted);
        }
        let Self { shared, registered, account, captured, runtime, .. } = self;
        let files = HashMap::new();
        runtime
            .block_on(shared.send(registered, account, request, &files, captured))
            .map_err(|error| http_error(&error))
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.runtime.block_on(self.shared.inbox.storage_get(self.row, key))
    }

    fn set(&mut self, key: &str, value: Vec<u8>) -> Result<(), StorageError> {
        self.runtime.block_on(self.shared.inbox.storage_set(self.row, key, value))
    }

    fn delete(&mut self, key: &str) -> Result<(), StorageError> {
        self.runtime.block_on(self.shared.inbox.storage_delete(self.row, key))
    }

    fn keys(&mut self, prefix: &str) -> Result<Vec<String>, StorageError> {
        self.runtime.block_on(self.shared.inbox.storage_keys(self.row, prefix))
    }
}

fn http_error(error: &EgressError) -> HttpError {
    match error {
        EgressError::Denied(_) | EgressError::Leak | EgressError::SlotNotAllowed { .. } => {
            HttpError::Denied(error.to_string())
        }
        EgressError::MissingSlot(slot) => HttpError::MissingSlot(slot.clone()),
        EgressError::Invalid(reason) => HttpError::InvalidRequest(reason.clone()),
        EgressError::Unreachable(reason) => HttpError::Unreachable(reason.clone()),
        EgressError::NoAnswer(_) => HttpError::TimedOut,
        EgressError::TooLarge(max) => HttpError::TooLarge(*max),
        EgressError::CaptureFailed(pointer) => HttpError::CaptureFailed(pointer.clone()),
    }
}

/// Makes one call for an account, on a thread that may block.
async fn call<T: Send + 'static>(
    shared: &Arc<Shared>,
    row: i64,
    function: impl FnOnce(&Channel, Box<dyn Effects>, &AccountSettings) -> Result<Result<T, AccountError>, CallError>
    + Send
    + 'static,
) -> Result<T, HostError> {
    let (channel, account) = shared.inbox.account(row).await?;
    let registered = shared.channel(&channel)?;
    let effects = AccountEffects {
        shared: Arc::clone(shared),
        registered: registered.clone(),
        row,
        account: account.id.clone(),
        requests: 0,
        captured: Captured::new(),
        runtime: Handle::current(),
    };
    let called = tokio::task::spawn_blocking(move || function(&registered.channel, Box::new(effects), &account));
    called.await.map_err(|_| HostError::Busy)??.map_err(|error| HostError::Account(Box::new(error)))
}

/// Writes an account's entry points on its platform.
pub(crate) async fn configure(shared: &Arc<Shared>, row: i64, wanted: EntryPoints) -> Result<(), HostError> {
    call(shared, row, move |channel, effects, account| channel.configure(effects, account, &wanted)).await
}

/// What went wrong, for a person.
pub(crate) fn sentence(error: &AccountError) -> String {
    match error {
        AccountError::Unsupported => "This channel does not do that.".to_owned(),
        AccountError::Denied(reason) => format!("The person or the platform refused: {reason}."),
        AccountError::Expired => "The link or the choice is too old: begin again.".to_owned(),
        AccountError::InvalidInput(sentence) | AccountError::Other(sentence) => sentence.clone(),
        AccountError::Platform(failure) => match &failure.fix {
            Some(fix) => format!("{} {fix}", failure.sentence),
            None => failure.sentence.clone(),
        },
        AccountError::Http(error) => format!("The request was not carried out: {error:?}."),
        AccountError::Storage(error) => format!("The channel's storage did not answer: {error:?}."),
    }
}
