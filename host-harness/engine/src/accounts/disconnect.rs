//! Owns: disconnecting an account: the platform is told, the credentials are forgotten whatever it says.
//! Does not own: what is deleted with it (the inbox).

use std::sync::Arc;

use harness_contract::AccountError;

use super::Accounts;
use harness_inbox::AccountId;

use crate::error::{HostError, sentence};

impl Accounts {
    /// Disconnects an account: the platform is told, the credentials are forgotten whatever it says.
    pub(crate) async fn disconnect(
        self: &Arc<Self>,
        account: AccountId,
        delete_conversations: bool,
    ) -> Result<Option<String>, HostError> {
        let row = self.base.inbox.account_row(account).await?;
        let told = self.call(account, |channel, effects, account| channel.unsubscribe(effects, account)).await;
        let not_done = match told {
            Ok(()) | Err(HostError::Disconnected(_)) => None,
            Err(HostError::Account(error)) if matches!(*error, AccountError::Unsupported) => None,
            Err(HostError::Account(error)) => Some(sentence(&error)),
            Err(error) => Some(error.to_string()),
        };
        {
            let _alone = self.credentials.unchanged.write().await;
            let delete = delete_conversations.then(|| self.base.clock.now());
            self.base.inbox.disconnect_account(account, delete).await?;
            self.network.secrets.forget(&row.channel, &row.platform_id);
        }
        self.base.wake.media_due.notify_one();
        Ok(not_done)
    }
}
