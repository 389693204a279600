//! Whether the platform sends a webhook at all: subscription, the app's mode, the owner's switch.
//! What belongs here: the rule. Bodies that a test sends itself bypass it.

use crate::state::World;
use crate::webhook::hold::{Outgoing, Part};
use crate::webhook::item::Item;

/// Meta's documentation, webhooks: the account must be subscribed, an app in development receives webhooks only about
/// people with a role, and messages need the owner's "Allow access to messages".
pub(crate) fn opens(world: &World, outgoing: &Outgoing) -> bool {
    let Some(account) = world.account(&outgoing.ig_id) else { return true };
    let key = (account.ig_id.clone(), account.webhook_login);
    if account.requires_subscription && !world.subscriptions.contains_key(&key) {
        return false;
    }
    let customer = match &outgoing.part {
        Part::Messaging(item) | Part::Standby(item) => {
            if !account.message_access {
                return false;
            }
            customer_of(item, &account.ig_id)
        }
        Part::Change(change) | Part::Flat(change) => {
            let from = change.value.get("from").and_then(|from| from.get("id")).and_then(|id| id.as_str());
            // The account's own comment has no customer.
            from.filter(|from| *from != account.ig_id)
        }
    };
    customer.is_none_or(|igsid| world.app.serves(igsid))
}

/// The party of an item that is not the account; captured items may have no parties.
fn customer_of<'a>(item: &'a Item, ig_id: &str) -> Option<&'a str> {
    let parties = [&item.sender, &item.recipient];
    parties.into_iter().flatten().map(|party| party.id.as_str()).find(|id| *id != ig_id)
}
