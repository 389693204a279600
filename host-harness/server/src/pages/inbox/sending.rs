//! Owns: what the composer's form does: sending, checking what is typed, deciding about what may have been delivered,
//! writing again what was not sent.
//! Does not own: the form (`form`, `composer`), the outbox (the engine).

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
};
use harness_contract::OutboundMessage;
use harness_engine::{Host, HostError};
use harness_inbox::{
    ConversationId, InboxError, MessageId, PublicId as _, ReplyId, ReplyVerdict, Settlement, TimelineEntry, UserId,
};
use serde::Deserialize;

use super::{
    Desk,
    asked::Asked,
    can::Can,
    composer,
    draft::{Draft, written_by},
    form::Filled,
    here::Here,
    load::{self, Opened, Part},
    part,
    remarks::Remarks,
    shown,
};
use crate::pages::{error, lenient::Lenient, reader::Reader, redirect::see};

/// How often a message that was not sent is tried again.
const MOST_AGAIN: usize = 100;

/// `POST …/reply`: sends what is in the composer, or makes the change of it that a button asked for. With `part=check`
/// nothing is sent: the composer is drawn with what the channel says about it.
pub(super) async fn reply(
    State(desk): State<Desk>,
    Here(mut summary): Here,
    Lenient(asked): Lenient<Asked>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    let (host, id) = (&desk.host, summary.id);
    let capabilities = match host.capabilities(id).await {
        Ok(capabilities) => capabilities,
        Err(error) => return error::failed(&reader, &error),
    };
    let can = Can(&capabilities);
    let Filled { mut draft, changed } = Filled::read(host, can, fields, &reader).await;
    let checked = asked.part.as_deref() == Some("check");
    let mut status = StatusCode::OK;
    if checked || changed {
        if !draft.is_empty() {
            match host.preview(id, draft.message(can, &reader)).await {
                Ok(preview) => draft.remarks = Remarks::from(preview).of_what_is_typed(),
                // Whoever writes is not stopped by a channel that cannot be asked now: it is asked again for sending.
                Err(error) => tracing::debug!(%error, "a message could not be checked while it is typed"),
            }
        }
    } else if draft.is_empty() {
        draft.remarks = vec![load::nothing_to_send(&reader)].into();
        status = StatusCode::UNPROCESSABLE_ENTITY;
    } else {
        // What is being written beside a heart is sent under the form's key later.
        let key = if draft.sticker.is_some() { format!("{}-heart", draft.key) } else { draft.key.clone() };
        match host.reply_as(reader.user, id, &key, draft.message(can, &reader)).await {
            Ok(_) if asked.part.is_none() => return see(&format!("/inbox/{}{}", id.public(), asked.query())),
            Ok(_) => match Draft::new() {
                Ok(new) => draft = new,
                Err(error) => return error::failed(&reader, &error),
            },
            Err(HostError::NotSendable(violations)) => {
                draft.remarks = violations.into();
                status = StatusCode::UNPROCESSABLE_ENTITY;
            }
            // The answer to the earlier one was lost on its way. A new key makes this one another message.
            Err(HostError::Inbox(InboxError::KeyReused(_))) => match Draft::new() {
                Ok(new) => {
                    draft.key = new.key;
                    draft.remarks = vec![load::sent_before(&reader)].into();
                    status = StatusCode::CONFLICT;
                }
                Err(error) => return error::failed(&reader, &error),
            },
            // The customer was faster: what was written is shown, beside the way to where it is to be sent.
            Err(HostError::Inbox(InboxError::Continued { .. })) => {
                status = StatusCode::CONFLICT;
                summary = match host.inbox().conversation(id).await {
                    Ok(summary) => summary,
                    Err(error) => return error::failed(&reader, &error.into()),
                };
            }
            Err(error) => return error::failed(&reader, &error),
        }
    }
    if asked.part.is_none() {
        return shown(&desk, summary, &asked, &draft, status, &reader).await;
    }
    let opened = async {
        let opened = Opened::load(host, summary, Part::Newest, &reader).await?;
        Ok::<_, HostError>(opened.with_posts(host, draft.share.is_some()).await?)
    };
    match opened.await {
        Ok(opened) => part(status, composer::composer(&opened, &draft, desk.now(), &reader)),
        Err(error) => error::failed(&reader, &error),
    }
}

#[derive(Deserialize)]
pub(super) struct Settle {
    reply: String,
    how: String,
}

/// `POST …/settle`: takes a person's decision about what may have been delivered.
pub(super) async fn settle(
    State(desk): State<Desk>,
    Here(summary): Here,
    reader: Reader,
    form: Result<Form<Settle>, FormRejection>,
) -> Response {
    let Ok(Form(settle)) = form else { return error::no_form(&reader) };
    let settlement = match settle.how.as_str() {
        "arrived" => Settlement::Arrived,
        "not" => Settlement::NotArrived,
        "again" => Settlement::SendAgain,
        "look" => Settlement::Look,
        _ => return error::no_form(&reader),
    };
    let Ok(reply) = ReplyId::from_public(&settle.reply) else { return error::no_form(&reader) };
    // A reply of this conversation, and so of the reader's workspace.
    match desk.host.inbox().reply(reply).await {
        Ok(view) if view.conversation == summary.id => {}
        Ok(_) => return error::no_conversation(&reader),
        Err(failed) => return error::failed(&reader, &failed.into()),
    }
    match desk.host.settle(reply, settlement).await {
        Ok(()) => see(&format!("/inbox/{}", summary.id.public())),
        Err(error) => error::failed(&reader, &error),
    }
}

#[derive(Deserialize)]
pub(super) struct Again {
    message: String,
}

/// `POST …/again`: writes a message that was not sent once more, as a new reply.
pub(super) async fn again(
    State(desk): State<Desk>,
    Here(summary): Here,
    reader: Reader,
    form: Result<Form<Again>, FormRejection>,
) -> Response {
    let Ok(Form(again)) = form else { return error::no_form(&reader) };
    let Ok(id) = MessageId::from_public(&again.message) else { return error::no_form(&reader) };
    let drawn = async {
        let missing = || InboxError::NotFound { what: "message", id: id.to_string() };
        let row = message(&desk.host, summary.id, id).await?.ok_or_else(missing)?;
        let part = row.part.as_ref().and_then(|part| serde_json::from_str(part.get()).ok()).ok_or_else(missing)?;
        once_more(&desk.host, summary.id, id, &written_by(&reader, None, vec![part]), reader.user).await
    };
    match drawn.await {
        Ok(true) => see(&format!("/inbox/{}", summary.id.public())),
        Ok(false) => {
            let words = &reader.words.composer;
            error::page(&reader, StatusCode::CONFLICT, &words.went_out_since, &words.went_out_since_hint)
        }
        Err(HostError::NotSendable(violations)) => {
            let sentence = violations.first().map(|violation| violation.message.as_str()).unwrap_or_default();
            error::page(&reader, StatusCode::UNPROCESSABLE_ENTITY, sentence, &reader.words.composer.stays_not_sent)
        }
        Err(error) => error::failed(&reader, &error),
    }
}

/// Queues it as a reply. Pressed twice, it is one; once that one was not sent either, it is another. `false`: it went out
/// since.
async fn once_more(
    host: &Host,
    conversation: ConversationId,
    id: MessageId,
    message: &OutboundMessage,
    user: Option<UserId>,
) -> Result<bool, HostError> {
    let mut key = format!("again-{}", id.public());
    for time in 2..MOST_AGAIN {
        let queued = host.reply_as(user, conversation, &key, message.clone()).await?;
        if queued.new {
            return Ok(true);
        }
        match host.inbox().reply(queued.reply).await?.verdict {
            ReplyVerdict::Failed | ReplyVerdict::Refused | ReplyVerdict::Cancelled => {}
            ReplyVerdict::Queued | ReplyVerdict::Sending => return Ok(true),
            ReplyVerdict::Sent | ReplyVerdict::PartlySent | ReplyVerdict::Ambiguous => return Ok(false),
        }
        key = format!("again-{}-{time}", id.public());
    }
    Err(HostError::Inbox(InboxError::TooMany { what: "tries", most: MOST_AGAIN }))
}

/// A message of a conversation.
pub(super) async fn message(
    host: &Host,
    conversation: ConversationId,
    id: MessageId,
) -> Result<Option<TimelineEntry>, HostError> {
    match host.inbox().message(id).await {
        Ok((of, row)) => Ok(Some(row).filter(|_| of == conversation)),
        Err(InboxError::NotFound { .. }) => Ok(None),
        Err(failed) => Err(failed.into()),
    }
}
