//! The `message` object of the Send API: text, attachments, quick replies, metadata.
//! What belongs here: form and limits. Templates are in `template`, files in `media`.

use serde_json::{Map, Value, json};

use crate::config::AccountConfig;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::messages::media::{self, Source};
use crate::graph::messages::template;
use crate::graph::{Host, fields};
use crate::webhook::attachment::Attachment;

/// Text: UTF-8, at most 1000 bytes. The same page of Meta's documentation also says characters.
const MAX_TEXT_BYTES: usize = 1000;
const MAX_QUICK_REPLIES: usize = 13;
const QUICK_REPLY_TITLE_CHARS: usize = 20;
const MAX_PAYLOAD_CHARS: usize = 1000;
const MAX_METADATA_CHARS: usize = 1000;
const MAX_IMAGES: usize = 10;

/// A well-formed message within the limits.
pub(crate) struct Content {
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<SentAttachment>,
    pub(crate) quick_replies: Vec<Value>,
    pub(crate) metadata: Option<String>,
}

/// An attachment as the customer sees it, and as the echo shows it.
pub(crate) struct SentAttachment {
    pub(crate) shown: Attachment,
    pub(crate) echoed: Attachment,
    /// The URL to fetch, if it was sent by URL.
    pub(crate) source: Option<Source>,
    /// `is_reusable`: answer with an attachment id.
    pub(crate) keep: bool,
}

impl SentAttachment {
    pub(crate) fn plain(attachment: Attachment) -> Self {
        Self { shown: attachment.clone(), echoed: attachment, source: None, keep: false }
    }
}

impl Content {
    pub(crate) fn read(
        core: &Core,
        account: &AccountConfig,
        host: Host,
        message: &Map<String, Value>,
    ) -> Result<Self, GraphError> {
        fields::only(message, &["text", "attachment", "attachments", "quick_replies", "metadata"], "message")?;
        let text = fields::optional_text(message, "text", "message")?;
        if let Some(text) = text {
            check_text(text)?;
        }
        let attachments = attachments(core, account, host, message)?;
        match (text.is_some(), attachments.is_empty()) {
            (false, true) => return Err(GraphError::parameter("Param message must hold text or an attachment")),
            // Captions do not exist: text and media are two messages.
            (true, false) => return Err(GraphError::message_data("text and attachment cannot stand together")),
            _ => {}
        }
        let metadata = fields::optional_text(message, "metadata", "message")?;
        if let Some(metadata) = metadata {
            fields::at_most(metadata, MAX_METADATA_CHARS, "metadata")?;
        }
        Ok(Self {
            text: text.map(str::to_owned),
            attachments,
            quick_replies: quick_replies(message)?,
            metadata: metadata.map(str::to_owned),
        })
    }
}

fn check_text(text: &str) -> Result<(), GraphError> {
    if text.is_empty() {
        return Err(GraphError::parameter("Param message[text] must be a non-empty UTF-8 encoded string"));
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(GraphError::message_data(format!(
            "message[text] has {} bytes, at most {MAX_TEXT_BYTES} are allowed",
            text.len()
        )));
    }
    Ok(())
}

fn attachments(
    core: &Core,
    account: &AccountConfig,
    host: Host,
    message: &Map<String, Value>,
) -> Result<Vec<SentAttachment>, GraphError> {
    match (message.get("attachment"), message.get("attachments")) {
        (None, None) => Ok(Vec::new()),
        (Some(_), Some(_)) => Err(GraphError::parameter("Param message holds both attachment and attachments")),
        (Some(one), None) => Ok(vec![attachment(core, account, host, one)?]),
        // One sample of Meta's documentation has a single object here, so it is accepted.
        (None, Some(one @ Value::Object(_))) => Ok(vec![attachment(core, account, host, one)?]),
        (None, Some(several)) => {
            let several = fields::array(several, "message[attachments]")?;
            if several.is_empty() || several.len() > MAX_IMAGES {
                return Err(GraphError::message_data(format!(
                    "message[attachments] has {} elements, 1 to {MAX_IMAGES} are allowed",
                    several.len()
                )));
            }
            if several.iter().any(|one| {
                one.get("type").and_then(Value::as_str).is_none_or(|kind| !kind.eq_ignore_ascii_case("image"))
            }) {
                return Err(GraphError::message_data("message[attachments] may hold images only"));
            }
            several.iter().map(|one| attachment(core, account, host, one)).collect()
        }
    }
}

fn attachment(core: &Core, account: &AccountConfig, host: Host, value: &Value) -> Result<SentAttachment, GraphError> {
    let param = "message[attachment]";
    let object = fields::object(value, param)?;
    // One of Meta's samples has `is_reusable` beside `payload`.
    fields::only(object, &["type", "payload", "is_reusable"], param)?;
    let kind = fields::word(object, "type", param)?;
    let kind = kind.as_str();
    if kind == "like_heart" {
        return Ok(SentAttachment::plain(Attachment::like_heart()));
    }
    let empty = Value::Object(Map::new());
    let payload = fields::object(object.get("payload").unwrap_or(&empty), "message[attachment][payload]")?;
    match kind {
        "template" => template::read(host, payload).map(SentAttachment::plain),
        "media_share" => media_share(core, account, payload),
        _ => {
            let rule = media::rule(kind)
                .ok_or_else(|| GraphError::parameter(format!("Param {param}[type] has the unknown value {kind}")))?;
            let beside = object.get("is_reusable");
            media_attachment(core, account, rule.kind, payload, beside)
        }
    }
}

fn media_attachment(
    core: &Core,
    account: &AccountConfig,
    kind: &'static str,
    payload: &Map<String, Value>,
    reusable_beside: Option<&Value>,
) -> Result<SentAttachment, GraphError> {
    fields::only(payload, &["url", "attachment_id", "is_reusable"], "message[attachment][payload]")?;
    let url = fields::optional_text(payload, "url", "message[attachment][payload]")?;
    let id = payload.get("attachment_id").and_then(fields::id);
    let keep = payload.get("is_reusable").or(reusable_beside).is_some_and(is_true);
    match (url, id) {
        (Some(url), None) => Ok(SentAttachment {
            shown: Attachment::other(kind, Some(json!({ "url": url }))),
            echoed: Attachment::other(kind, Some(json!({ "url": core.ids.cdn_url() }))),
            source: Some(Source { kind, url: url.to_owned() }),
            keep,
        }),
        (None, Some(id)) => {
            let url = uploaded(core, account, &id, Some(kind))?;
            Ok(SentAttachment {
                shown: Attachment::other(kind, Some(json!({ "url": url }))),
                echoed: Attachment::other(kind, Some(json!({ "url": core.ids.cdn_url() }))),
                source: None,
                keep: false,
            })
        }
        _ => Err(GraphError::parameter("Param message[attachment][payload] needs either url or attachment_id")),
    }
}

/// The account's own upload, which must be of the kind that is sent.
fn uploaded(core: &Core, account: &AccountConfig, id: &str, kind: Option<&str>) -> Result<String, GraphError> {
    let world = core.world();
    let upload = world
        .uploads
        .get(id)
        .filter(|upload| upload.ig_id == account.ig_id)
        .ok_or_else(|| GraphError::new(100, Some(2_018_074)))?;
    if kind.is_some_and(|kind| kind != upload.kind) {
        return Err(GraphError::new(100, Some(2_018_047)));
    }
    Ok(upload.url.clone())
}

/// A post of the account. The upload page also documents uploads in this form, with `attachment_id`.
fn media_share(
    core: &Core,
    account: &AccountConfig,
    payload: &Map<String, Value>,
) -> Result<SentAttachment, GraphError> {
    fields::only(payload, &["id", "attachment_id"], "message[attachment][payload]")?;
    if let Some(id) = payload.get("attachment_id").and_then(fields::id) {
        let url = uploaded(core, account, &id, None)?;
        return Ok(SentAttachment::plain(Attachment::share(&url)));
    }
    let id = payload
        .get("id")
        .and_then(fields::id)
        .ok_or_else(|| GraphError::parameter("Param message[attachment][payload][id] is required"))?;
    if !account.own_posts.contains(&id) {
        return Err(GraphError::unknown_object("post", &id));
    }
    let url = format!("https://www.instagram.com/p/{id}/");
    Ok(SentAttachment::plain(Attachment::ig_post(&id, "", &url)))
}

fn quick_replies(message: &Map<String, Value>) -> Result<Vec<Value>, GraphError> {
    let param = "message[quick_replies]";
    let Some(value) = message.get("quick_replies") else { return Ok(Vec::new()) };
    let list = fields::array(value, param)?;
    if list.is_empty() || list.len() > MAX_QUICK_REPLIES {
        return Err(GraphError::message_data(format!(
            "{param} has {} elements, 1 to {MAX_QUICK_REPLIES} are allowed",
            list.len()
        )));
    }
    let mut shown = Vec::new();
    for value in list {
        let reply = fields::object(value, param)?;
        fields::only(reply, &["content_type", "title", "payload", "image_url"], param)?;
        match fields::word(reply, "content_type", param)?.as_str() {
            "text" => {
                let title = fields::text(reply, "title", param)?;
                let payload = fields::text(reply, "payload", param)?;
                fields::at_most(payload, MAX_PAYLOAD_CHARS, "the payload of a quick reply")?;
                let title: String = title.chars().take(QUICK_REPLY_TITLE_CHARS).collect();
                shown.push(json!({"title": title, "payload": payload}));
            }
            // Accepted but not shown since October 2026.
            "user_phone_number" | "user_email" => {}
            other => {
                return Err(GraphError::parameter(format!("Param {param}[content_type] is not {other}")));
            }
        }
    }
    Ok(shown)
}

/// Clients send booleans, Meta's own samples the text "true".
pub(crate) fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or(value == "true")
}
