//! Owns: disconnecting an account: the platform is told, and the credentials are forgotten whatever it answers.
//! Does not own: what is deleted with it (the inbox).

use std::sync::Arc;

use harness_contract::AccountError;
use harness_inbox::AccountId;

use super::{Accounts, AccountsError};
use crate::error::sentence;

impl Accounts {
    /// Disconnects an account. Returns why the platform could not be told, if so; the credentials are forgotten anyway.
    pub(crate) async fn disconnect(
        self: &Arc<Self>,
        account: AccountId,
        delete_conversations: bool,
    ) -> Result<Option<String>, AccountsError> {
        let row = self.base.inbox.account_row(account).await?;
        let told = self.call(account, |channel, effects, account| channel.unsubscribe(effects, account)).await;
        let not_done = match told {
            Ok(()) | Err(AccountsError::Disconnected(_)) => None,
            Err(AccountsError::Account(error)) if matches!(*error, AccountError::Unsupported) => None,
            Err(AccountsError::Account(error)) => Some(sentence(&error)),
            Err(error) => Some(error.to_string()),
        };
        {
            let _alone = self.credentials.unchanged.write().await;
            let now = self.base.clock.now();
            self.base.inbox.disconnect_account(account, delete_conversations, now).await?;
            self.network.secrets.forget(&row.channel, &row.platform_id);
        }
        // Wakes the workers that reject its replies and delete its files.
        self.base.wake.rescheduled();
        Ok(not_done)
    }
}
