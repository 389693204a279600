//! Owns: what a person asks for ahead of its time: renewing an account's credentials, reading its history again.
//! Does not own: doing it (`jobs`).

use std::sync::Arc;

use harness_contract::AccountError;
use harness_inbox::{AccountId, AccountRow, AccountState};

use super::{Accounts, AccountsError, activate::HISTORY_MS, alone::Kind, jobs};
use crate::error::Disconnected;

impl Accounts {
    /// Renews an account's credentials now. Returns when the new ones expire, if they do.
    pub(crate) async fn renew(self: &Arc<Self>, account: AccountId) -> Result<Option<u64>, AccountsError> {
        let row = self.in_use(account).await?;
        if row.refresh_at.is_none() {
            return Err(AccountsError::Account(Box::new(AccountError::Unsupported)));
        }
        let _alone = self.under_way.alone(Kind::Credentials, account).await;
        jobs::refresh(self, account).await?.map(|renewed| renewed.before)
    }

    /// Has an account's history read again, as far back as when it is connected. What is in the inbox stays as it is.
    /// Reading that is under way goes on where it is.
    pub(crate) async fn fetch_history(self: &Arc<Self>, account: AccountId) -> Result<(), AccountsError> {
        let _alone = self.under_way.alone(Kind::Archive, account).await;
        let row = self.in_use(account).await?;
        if row.history_at.is_none() {
            return Err(AccountsError::Account(Box::new(AccountError::Unsupported)));
        }
        let now = self.base.clock.now();
        self.base.inbox.read_history_again(account, row.connection, now.saturating_sub(HISTORY_MS), now).await?;
        self.base.wake.accounts_due.notify_waiters();
        Ok(())
    }

    async fn in_use(&self, account: AccountId) -> Result<AccountRow, AccountsError> {
        let row = self.base.inbox.account_row(account).await?;
        if row.state == AccountState::Disconnected { Err(Disconnected(row.name).into()) } else { Ok(row) }
    }
}
