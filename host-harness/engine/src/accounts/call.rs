//! Owns: one call of a channel's `account` interface on behalf of an account, and marking accounts whose credentials
//! the platform rejects.
//! Does not own: what the call may do (`effects`), when it is made.

use std::sync::Arc;

use harness_contract::{AccountError, AccountSettings, CheckResult, EntryPoints, FailureCategory, HttpError};
use harness_inbox::{AccountId, AccountState};
use harness_sandbox::{CallError, Channel, Effects};

use super::{Accounts, AccountsError, effects::AccountEffects};
use crate::{
    base::tasks::Worker,
    channels::{circuit_breaker::Part, loaded::LoadedChannel},
    error::{Disconnected, PlatformHold, sentence},
    network::CallScope,
};

impl Accounts {
    /// Makes one call on behalf of a scope.
    pub(super) async fn call_as<T: Send + 'static>(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        scope: CallScope,
        function: impl FnOnce(&Channel, Box<dyn Effects>) -> Result<Result<T, AccountError>, CallError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        self.call_in_scope(registered, scope, None, function).await
    }

    async fn call_in_scope<T: Send + 'static>(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        scope: CallScope,
        class: Option<&'static str>,
        function: impl FnOnce(&Channel, Box<dyn Effects>) -> Result<Result<T, AccountError>, CallError> + Send + 'static,
    ) -> Result<T, AccountsError> {
        self.not_held(registered, &scope).await?;
        let known = self.network.known(registered.channel.id(), &scope);
        let effects = AccountEffects::new(self, registered, scope, class);
        let called = self.channels.call(registered, Part::Account, Worker::Keeper, move |channel| {
            let mut answer = function(channel, Box::new(effects))?;
            if let Err(error) = &mut answer {
                known.redact_in_account_error(error);
            }
            Ok(answer)
        });
        called.await?.map_err(|error| AccountsError::Account(Box::new(error)))
    }

    /// Makes one call for a connected account. Marks the account if the platform rejects its credentials.
    pub(super) async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        row: AccountId,
        function: impl FnOnce(&Channel, Box<dyn Effects>, &AccountSettings) -> Result<Result<T, AccountError>, CallError>
        + Send
        + 'static,
    ) -> Result<T, AccountsError> {
        self.call_in_class(row, None, function).await
    }

    /// Like [`Self::call`], with requests that observe the rate limits of a class.
    pub(super) async fn call_in_class<T: Send + 'static>(
        self: &Arc<Self>,
        row: AccountId,
        class: Option<&'static str>,
        function: impl FnOnce(&Channel, Box<dyn Effects>, &AccountSettings) -> Result<Result<T, AccountError>, CallError>
        + Send
        + 'static,
    ) -> Result<T, AccountsError> {
        let inbox = &self.base.inbox;
        let ((channel, mut account), known) = {
            let _unchanged = self.credentials.unchanged.read().await;
            (inbox.account(row).await?, inbox.account_row(row).await?)
        };
        if known.state == AccountState::Disconnected {
            return Err(Disconnected(known.name).into());
        }
        let registered = self.channels.get(&channel)?;
        self.channels.complete(&registered, &mut account);
        let (id, settings) = (account.id.clone(), account.settings.as_slice().into());
        let scope = CallScope::Account { row, id, connection: known.connection, settings };
        let answer = self
            .call_in_scope(&registered, scope, class, move |channel, effects| function(channel, effects, &account))
            .await;
        if let Err(AccountsError::Account(error)) = &answer
            && let Some(problem) = dead_credential(error)
        {
            let (state, now) = (AccountState::NeedsReconnect, self.base.clock.now());
            inbox.mark_account(row, known.connection, state, Some(problem), now).await?;
        }
        answer
    }

    /// Sets an account's entry points on its platform.
    pub(crate) async fn configure(self: &Arc<Self>, row: AccountId, wanted: EntryPoints) -> Result<(), AccountsError> {
        let set = wanted.clone();
        self.call(row, move |channel, effects, account| channel.configure(effects, account, &wanted)).await?;
        Ok(self.base.inbox.note_entry_points(row, &set, self.base.clock.now()).await?)
    }

    /// The channel's own results for a health check.
    pub(super) async fn channel_lines(
        self: &Arc<Self>,
        registered: &LoadedChannel,
        row: AccountId,
    ) -> Result<Vec<CheckResult>, AccountsError> {
        let known = self.network.known_of(registered.channel.id());
        self.call(row, move |channel, effects, account| {
            let mut answer = channel.check(effects, account)?;
            answer.iter_mut().for_each(|lines| known.redact_in_checks(lines));
            Ok(answer)
        })
        .await
    }

    /// Fails if the platform asked for a pause that applies to this scope.
    async fn not_held(&self, registered: &LoadedChannel, scope: &CallScope) -> Result<(), AccountsError> {
        let now = self.base.clock.now();
        let until = match scope {
            CallScope::Account { row, .. } => self.base.inbox.paused_until(*row, None, now).await?,
            CallScope::Connecting(_) => self.base.inbox.channel_paused_until(registered.channel.id(), now).await?,
        };
        until.map_or(Ok(()), |until| Err(PlatformHold(until.saturating_sub(now).div_ceil(1000)).into()))
    }
}

/// What to tell people if the error means that the account must be connected again.
fn dead_credential(error: &AccountError) -> Option<String> {
    match error {
        AccountError::Platform(failure) if failure.category == FailureCategory::AuthExpired => Some(sentence(error)),
        AccountError::Http(HttpError::MissingSlot(slot)) => {
            Some(format!("The credential `{slot}` is not there. Connect the account again."))
        }
        _ => None,
    }
}
