//! Owns: the messages that a message names (to answer, change, react to), with the context that their channel gave for them.
//! Does not own: where contexts are kept (the inbox).

use harness_contract::{MessageRef, OutboundMessage, OutboundPart};
use harness_inbox::{ConversationId, InboxError};

use super::Outbound;

impl Outbound {
    /// The message as its channel is to see it: with the context of each message that it names, as it is kept now.
    pub(super) async fn with_contexts(
        &self,
        conversation: ConversationId,
        message: &OutboundMessage,
    ) -> Result<OutboundMessage, InboxError> {
        let mut message = message.clone();
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
