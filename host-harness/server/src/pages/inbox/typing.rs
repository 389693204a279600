//! Owns: showing the customer that somebody writes, where the channel can.
//! Does not own: who writes (`presence`).

use harness_contract::OutboundPart;
use harness_engine::HostError;
use harness_inbox::{ConversationId, PublicId as _};

use super::{Desk, can::Can, draft::written_by};
use crate::pages::reader::Reader;

/// What a platform is told again at the earliest, in milliseconds.
const LEAST: u32 = 5_000;

/// Shows that somebody writes, once for as long as the platform shows it, whoever writes and on however many pages.
/// What fails is not worth a word to whoever is writing.
pub(super) async fn show(desk: &Desk, conversation: ConversationId, reader: &Reader) {
    if let Err(error) = signal(desk, conversation, reader).await {
        tracing::debug!(%error, "the customer is not shown that somebody writes");
    }
}

async fn signal(desk: &Desk, conversation: ConversationId, reader: &Reader) -> Result<(), HostError> {
    let capabilities = desk.host.capabilities(conversation).await?;
    // A signal that also says "read" would say more than is true.
    let Some(rule) = capabilities.typing.as_ref().filter(|rule| !rule.marks_seen) else { return Ok(()) };
    let turn = desk.now().div_euclid(i64::from(rule.lasts.max(LEAST)));
    let message = written_by(reader, Some(Can(&capabilities)), vec![OutboundPart::Typing(true)]);
    match desk.host.reply(conversation, &format!("typing:{}:{turn}", conversation.public()), message).await {
        // Another page has said so, or nobody may write now.
        Ok(_) | Err(HostError::Inbox(harness_inbox::InboxError::KeyReused(_)) | HostError::NotSendable(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
