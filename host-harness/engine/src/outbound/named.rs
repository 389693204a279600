//! Owns: preparing a message for its channel: adding the contexts of the messages that it refers to (to answer, change,
//! react to), and presenting its files in a way that the channel can send.
//! Does not own: where contexts are stored (the inbox), addresses of files (`media`).

use harness_contract::{AccountSettings, MessageRef, OutboundMessage, OutboundPart};
use harness_inbox::{ConversationId, InboxError};

use super::Outbound;
use crate::{channels::loaded::LoadedChannel, media::names_files};

impl Outbound {
    /// The message with current contexts and file addresses.
    pub(super) async fn as_channel_sees_it(
        &self,
        registered: &LoadedChannel,
        (conversation, account): (ConversationId, &AccountSettings),
        message: &OutboundMessage,
    ) -> Result<OutboundMessage, InboxError> {
        let mut message = message.clone();
        if names_files(&mut message) {
            self.media.give_addresses(&mut message, &*self.channels.capabilities_of(registered, account).await);
        }
        for named in named_in(&mut message) {
            named.context = self.base.inbox.message_context(conversation, &named.id).await?;
        }
        Ok(message)
    }
}

fn named_in(message: &mut OutboundMessage) -> Vec<&mut MessageRef> {
    let parts = message.parts.iter_mut().filter_map(|part| match part {
        OutboundPart::Reaction(reaction) => Some(&mut reaction.target),
        OutboundPart::Edit(edit) => Some(&mut edit.target),
        OutboundPart::Delete(target) | OutboundPart::MarkSeen(Some(target)) => Some(target),
        _ => None,
    });
    message.reply_to.iter_mut().chain(parts).collect()
}
