//! Authorization: permissions of the token, tasks of the page, the owner's switch, the app's mode. What belongs here:
//! these checks and their codes.

use crate::config::AccountConfig;
use crate::graph::Host;
use crate::graph::auth::Caller;
use crate::graph::error::GraphError;

/// What a request accesses, as permissions and page tasks divide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Sends, uploads, conversations, customers' profiles, the messenger profile, thread control.
    Messaging,
    /// `subscribed_apps`.
    Subscription,
    /// Answers to comments.
    Comments,
    /// The account's own fields.
    Basic,
}

impl Need {
    /// The permission of each login (Meta's documentation, permissions reference).
    fn scope(self, host: Host) -> &'static str {
        match (self, host) {
            (Self::Messaging, Host::Facebook) => "instagram_manage_messages",
            (Self::Subscription, Host::Facebook) => "pages_manage_metadata",
            (Self::Messaging | Self::Subscription, Host::Instagram) => "instagram_business_manage_messages",
            (Self::Comments, Host::Facebook) => "instagram_manage_comments",
            (Self::Comments, Host::Instagram) => "instagram_business_manage_comments",
            (Self::Basic, Host::Facebook) => "instagram_basic",
            (Self::Basic, Host::Instagram) => "instagram_business_basic",
        }
    }

    /// The task that the person needs on the page (Meta's documentation: MESSAGING for the inbox, MODERATE for webhooks
    /// of the page).
    fn task(self) -> Option<&'static str> {
        match self {
            Self::Messaging => Some("MESSAGING"),
            Self::Subscription => Some("MODERATE"),
            Self::Comments | Self::Basic => None,
        }
    }
}

/// Checks permission and task. A missing permission is 10, for `subscribed_apps` 200; a missing
/// task is 200.
pub(crate) fn require(caller: &Caller, host: Host, need: Need) -> Result<(), GraphError> {
    let scope = need.scope(host);
    if !caller.grant.has(scope) {
        return Err(match need {
            Need::Subscription => {
                GraphError::new(200, None).saying(format!("(#200) Requires {scope} permission to manage the object"))
            }
            Need::Messaging | Need::Comments | Need::Basic => GraphError::new(10, None),
        });
    }
    if host == Host::Facebook
        && let (Some(task), Some(page)) = (need.task(), caller.page())
        && !page.allows(task)
    {
        return Err(GraphError::new(200, None)
            .saying(format!("(#200) The user must have the {task} task on the Page to perform this action")));
    }
    Ok(())
}

/// Whether the account's messages can be used at all: 100/2534013 for a page whose account is not
/// professional, 200/2534041 while the owner does not allow access to messages.
pub(crate) fn open_for_messages(account: &AccountConfig) -> Result<(), GraphError> {
    if !account.is_professional() {
        return Err(GraphError::new(100, Some(2_534_013)));
    }
    if !account.message_access {
        return Err(GraphError::new(200, Some(2_534_041)));
    }
    Ok(())
}
