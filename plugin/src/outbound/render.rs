//! Rendering: the plan of a message becomes requests in sending order.
//! What belongs here is steps with their fills and captures; `body` writes the bodies.

use channel_sdk::report::Report;
use channel_sdk::text::characters;

use super::body::{self, Frame};
use super::media::{Item, Source};
use super::settings::{Login, Settings};
use super::{Piece, Plan, native};
use crate::limits::{METADATA, RATE_ACTION, RATE_MEDIA, RATE_PRIVATE_REPLY, RATE_TEXT, RATE_UPLOAD};
use crate::types::{
    Capture, CaptureTarget, ConversationContext, FieldValue, Fill, FillPlace, FillSource, FormField, HttpBody,
    HttpMethod, HttpRequest, OutboundMessage, SendStep, StepKind,
};

/// The steps of a message.
pub(super) fn steps(message: &OutboundMessage, context: &ConversationContext, plan: Plan<'_>) -> Vec<SendStep> {
    let Plan { pieces, settings, human_tag, mut reply_to, report } = plan;
    let last_message = pieces.iter().rposition(|(_, piece)| piece.is_message());
    let last = pieces.len().saturating_sub(1);
    let contact = context.contact.as_deref().unwrap_or_default();
    let mut steps = Vec::new();
    let mut sent = 0;
    for (at, (part, piece)) in pieces.iter().enumerate() {
        // A part's degradations are reported on its last step.
        let ends_part = pieces.get(at + 1).is_none_or(|(next, _)| next != part);
        if !piece.is_message() {
            let body = body::action(contact, piece);
            let request = post(&settings, body, Vec::new());
            steps.push(step(*part, StepKind::Action, RATE_ACTION, request, &report, ends_part));
            continue;
        }
        let mut fills = Vec::new();
        if let Piece::Media(items) = piece {
            uploads(&settings, &report, *part, items, &mut steps, &mut fills);
        }
        let correlation = correlation(&message.id, sent);
        sent += 1;
        let frame = Frame {
            contact,
            comment: message.private_reply_to.as_deref(),
            human_tag,
            reply_to: reply_to.take(),
            quick_replies: if at == last { &message.quick_replies } else { &[] },
            metadata: correlation.as_deref(),
        };
        let mut body = body::message(&frame, piece);
        if let Some(native) = message.native.as_deref().filter(|_| Some(at) == last_message) {
            body = native::merge(&body, native);
        }
        let class = match piece {
            _ if message.private_reply_to.is_some() => RATE_PRIVATE_REPLY,
            Piece::Media(_) => RATE_MEDIA,
            _ => RATE_TEXT,
        };
        let request = post(&settings, body, fills);
        let mut step = step(*part, StepKind::Message, class, request, &report, ends_part);
        let text = match piece {
            Piece::Text(text) => Some(*text),
            Piece::Buttons(text, _) => Some(text.as_str()),
            _ => None,
        };
        step.text = text.map(str::to_owned);
        step.correlation = correlation;
        steps.push(step);
    }
    steps
}

/// The value of `metadata`: the message's id, with a number appended from the second request on, so that each echo
/// identifies its step.
fn correlation(id: &str, sent: u64) -> Option<String> {
    let text = if sent == 0 { id.to_owned() } else { format!("{id}#{sent}") };
    (!id.is_empty() && characters(&text) <= METADATA).then_some(text)
}

fn step(part: usize, kind: StepKind, class: &str, request: HttpRequest, report: &Report, ends_part: bool) -> SendStep {
    let is_message = matches!(kind, StepKind::Message);
    SendStep {
        parts: vec![u32::try_from(part).unwrap_or(u32::MAX)],
        kind,
        rate_class: class.to_owned(),
        request,
        // A repeated message would be seen twice; repeating anything else does no harm.
        repeatable: !is_message,
        echoed: is_message,
        correlation: None,
        text: None,
        context: None,
        degradations: if ends_part { report.degradations_of(part) } else { Vec::new() },
    }
}

fn post(settings: &Settings<'_>, body: String, fills: Vec<Fill>) -> HttpRequest {
    let mut request = settings.request(HttpMethod::Post, "messages", body);
    request.fills.extend(fills);
    request
}

/// Adds the steps that upload files, and the captures and fills that pass on their ids.
fn uploads(
    settings: &Settings<'_>,
    report: &Report,
    part: usize,
    items: &[Item<'_>],
    steps: &mut Vec<SendStep>,
    fills: &mut Vec<Fill>,
) {
    for (at, item) in items.iter().enumerate() {
        let Source::Upload { file, mime, name } = &item.source else {
            continue;
        };
        let value = format!("attachment-{part}-{at}");
        let pointer = match items.len() {
            1 => "/message/attachment/payload/attachment_id".to_owned(),
            _ => format!("/message/attachments/{at}/payload/attachment_id"),
        };
        fills.push(Fill { source: FillSource::Captured(value.clone()), place: FillPlace::Json(pointer) });
        let text = |name: &str, value: String| FormField {
            name: name.to_owned(),
            value: FieldValue::Text(value),
            file_name: None,
            content_type: None,
        };
        let mut fields = Vec::with_capacity(3);
        // Through a page, Meta must be told that the file is for Instagram.
        if settings.login == Login::Facebook {
            fields.push(text("platform", "instagram".to_owned()));
        }
        fields.push(text("message", body::upload(item.word)));
        fields.push(FormField {
            name: "filedata".to_owned(),
            value: FieldValue::File((*file).clone()),
            file_name: Some(name.clone()),
            content_type: Some((*mime).to_owned()),
        });
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: settings.url("message_attachments"),
            headers: Vec::new(),
            body: HttpBody::Multipart(fields),
            fills: settings.credentials(),
            captures: vec![Capture {
                pointer: "/attachment_id".to_owned(),
                target: CaptureTarget::Value(value),
                key: None,
            }],
        };
        steps.push(step(part, StepKind::Upload, RATE_UPLOAD, request, report, false));
    }
}
