//! `POST /{id}/messages`: the Send API of both hosts.
//! What belongs here: the order of checks and the commit; each part of a body has its own module.

mod actions;
mod admission;
mod content;
pub(crate) mod media;
mod template;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::messages::admission::{Recipient, Sending};
use crate::graph::messages::content::Content;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Outcome, fields};
use crate::state::Upload;
use crate::state::thread::{Author, CustomerProfile, Thread, ThreadMessage};
use crate::webhook::hold::{Outgoing, Part};
use crate::webhook::item::{Item, Kind, MessageBody, ReplyTo};

pub(crate) async fn send(core: &Arc<Core>, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    let params = &request.params;
    // Unknown parameters are ignored, as everywhere in Graph; Meta's own SDK for Node adds an `id`. The message itself
    // is strict.
    if request.file().is_some() {
        return Err(GraphError::not_played("a file beside a message (message_attachments takes files)"));
    }
    let recipient = Recipient::read(params)?;
    if params.contains_key("sender_action") {
        return actions::act(core, params, account, &recipient);
    }
    let sending = Sending::read(params)?;
    let message = params.get("message").ok_or_else(|| GraphError::parameter("The parameter message is required."))?;
    let content = Content::read(core, account, request.host, fields::object(message, "message")?)?;
    let reply_to = reply_target(params)?;

    // Checked before the media are fetched, and again when the message is stored, because fetching takes time.
    admission::admit(&core.world(), account, &recipient, &sending, core.clock.now_ms())?;
    for attachment in &content.attachments {
        if let Some(source) = &attachment.source {
            media::check(core, source).await?;
        }
    }
    commit(core, request, account, Sent { recipient, sending, content, reply_to })
}

/// A message that passed every check.
struct Sent {
    recipient: Recipient,
    sending: Sending,
    content: Content,
    reply_to: Option<String>,
}

fn commit(core: &Core, request: &GraphRequest, account: &AccountConfig, sent: Sent) -> Outcome {
    let Sent { recipient, sending, content, reply_to } = sent;
    let micros = core.clock.now_micros();
    let mut world = core.world();
    let named = !world.app.bare_echoes;
    let igsid = admission::admit(&world, account, &recipient, &sending, micros / 1000)?;
    let key = (account.ig_id.clone(), igsid.clone());
    let thread =
        world.threads.entry(key).or_insert_with(|| Thread::new(core.ids.thread(), CustomerProfile::invented(&igsid)));
    if let Some(mid) = &reply_to
        && thread.message(mid).is_none()
    {
        return Err(GraphError::message_data("reply_to names a message that is not in this thread"));
    }
    let mid = core.ids.mid(&account.ig_id, &thread.fbid, micros);
    thread.messages.push(ThreadMessage {
        text: content.text.clone(),
        attachments: content.attachments.iter().map(|attachment| json!(attachment.shown)).collect(),
        quick_replies: content.quick_replies.clone(),
        reply_to: reply_to.clone(),
        metadata: content.metadata.clone(),
        tag: sending.tag.clone(),
        comment_id: recipient.comment_id().map(str::to_owned),
        ..ThreadMessage::new(mid.clone(), Author::Business, micros / 1000)
    });
    thread.business_is_typing = false;
    if let Some(control) = &sending.thread_control {
        thread.owner.clone_from(control);
    }
    if let Some(comment) = recipient.comment_id().and_then(|id| world.comments.get_mut(id)) {
        comment.answered_privately = true;
    }
    let mut body = Map::new();
    body.insert("recipient_id".to_owned(), json!(igsid));
    body.insert("message_id".to_owned(), json!(mid));
    if let Some(kept) = content.attachments.iter().find(|attachment| attachment.keep)
        && let Some(source) = &kept.source
    {
        let id = core.ids.attachment();
        let upload = Upload { ig_id: account.ig_id.clone(), kind: source.kind.to_owned(), url: source.url.clone() };
        world.uploads.insert(id.clone(), upload);
        body.insert("attachment_id".to_owned(), json!(id));
    }
    drop(world);

    let echo = MessageBody {
        mid: mid.clone(),
        text: content.text,
        attachments: content.attachments.into_iter().map(|attachment| attachment.echoed).collect(),
        reply_to: reply_to.map(ReplyTo::mid),
        is_echo: true,
        app_id: named.then(|| core.app_id(request.host.login()).to_owned()),
        metadata: content.metadata.filter(|_| named),
        ..MessageBody::default()
    };
    let item = Item::new(&account.ig_id, &igsid, micros / 1000, Kind::Message(echo));
    Ok(Done {
        body: Value::Object(body),
        message_id: Some(mid),
        webhooks: vec![Outgoing {
            ig_id: account.ig_id.clone(),
            login: core.webhook_login(&account.ig_id),
            part: Part::Messaging(item),
        }],
    })
}

/// `reply_to` stands at the top level (since December 2025, on graph.instagram.com since
/// September 2026).
fn reply_target(params: &Map<String, Value>) -> Result<Option<String>, GraphError> {
    let Some(value) = params.get("reply_to") else { return Ok(None) };
    let reply_to = fields::object(value, "reply_to")?;
    fields::only(reply_to, &["mid"], "reply_to")?;
    Ok(Some(fields::text(reply_to, "mid", "reply_to")?.to_owned()))
}
