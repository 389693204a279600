//! `POST /{id}/message_attachments`: storing a file for later messages.
//! What belongs here: multipart and URL uploads. The rules about files are `messages::media`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::messages::media::{self, Source};
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome, fields};
use crate::state::Upload;

pub(crate) async fn upload(core: &Arc<Core>, request: &GraphRequest, account: &AccountConfig) -> Outcome {
    // A page also has uploads for Messenger, so the platform must be given.
    match (request.host, request.params.contains_key("platform")) {
        _ if request.names("platform", "instagram") => {}
        (Host::Instagram, false) => {}
        _ => return Err(GraphError::parameter("Param platform must be instagram")),
    }
    let message =
        request.params.get("message").ok_or_else(|| GraphError::parameter("The parameter message is required."))?;
    let attachment = fields::object(message, "message")?
        .get("attachment")
        .ok_or_else(|| GraphError::parameter("Param message[attachment] is required"))?;
    let attachment = fields::object(attachment, "message[attachment]")?;
    let kind = fields::word(attachment, "type", "message[attachment]")?;
    let rule = media::rule(&kind).ok_or_else(|| {
        GraphError::parameter(format!("Param message[attachment][type] has the unknown value {kind}"))
    })?;
    let url = attachment.get("payload").and_then(|payload| payload.get("url")).and_then(Value::as_str);
    let url = match (url, request.file()) {
        (Some(url), None) => {
            media::check(core, &Source { kind: rule.kind, url: url.to_owned() }).await?;
            url.to_owned()
        }
        (None, Some(file)) => {
            if !file.name.is_ascii() {
                return Err(GraphError::parameter("The file name must be ASCII"));
            }
            media::check_file(core, rule, &file.content_type, file.size)?;
            core.ids.cdn_url()
        }
        _ => return Err(GraphError::parameter("An upload needs either filedata or message[attachment][payload][url]")),
    };
    let id = core.ids.attachment();
    let upload = Upload { ig_id: account.ig_id.clone(), kind, url };
    core.world().uploads.insert(id.clone(), upload);
    Ok(Done::answering(json!({ "attachment_id": id })))
}
