//! Owns: asking a channel how to download a file, on behalf of an account.
//! Does not own: downloading it.

use std::{pin::Pin, sync::Arc};

use harness_contract::{AccountError, FailureCategory, HttpError, Media};
use harness_inbox::AccountId;

use super::{Accounts, AccountsError};
use crate::{
    error::sentence,
    network::{CallScope, LocateMedia, Located, NotLocated},
};

/// The implementation that `media` uses.
pub(crate) struct Locator(pub(crate) Arc<Accounts>);

impl LocateMedia for Locator {
    fn locate(&self, account: AccountId, media: Media) -> Pin<Box<dyn Future<Output = Located> + Send + '_>> {
        Box::pin(async move {
            let room = &self.0;
            let row =
                room.base.inbox.account_row(account).await.map_err(|error| NotLocated::Passing(error.to_string()))?;
            let located = room
                .call(account, move |channel, effects, account| channel.locate_media(effects, account, &media))
                .await;
            match located {
                Ok(location) => {
                    let (id, connection) = (row.platform_id, row.connection);
                    let settings = room.base.inbox.account(account).await;
                    let settings = settings.map_err(|error| NotLocated::Passing(error.to_string()))?.1.settings;
                    let scope = CallScope::Account { row: account, id, connection, settings: settings.into() };
                    Ok((scope, location))
                }
                Err(AccountsError::Account(error)) if lasts(&error) => Err(NotLocated::Final(sentence(&error))),
                Err(AccountsError::Account(error)) => Err(NotLocated::Passing(sentence(&error))),
                Err(error) => Err(NotLocated::Passing(error.to_string())),
            }
        })
    }
}

/// Whether a retry would fail the same way.
fn lasts(error: &AccountError) -> bool {
    match error {
        AccountError::Platform(failure) => {
            !matches!(failure.category, FailureCategory::RateLimited | FailureCategory::PlatformTransient)
        }
        AccountError::Http(HttpError::Unreachable(_) | HttpError::TimedOut) | AccountError::Storage(_) => false,
        _ => true,
    }
}
