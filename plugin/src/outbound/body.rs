//! Bodies: the JSON of each request, in the form that Meta documents.
//! What belongs here is writing it; checks come earlier.

use channel_sdk::json::Writer;

use super::Piece;
use super::media::{Item, Source};
use crate::types::{Button, ButtonAction, Card, QuickReply};

/// Writes the members of a button, for a template or the menu.
pub(crate) fn button(writer: &mut Writer, button: &Button) {
    match &button.action {
        ButtonAction::Url(url) => {
            writer.text("type", "web_url");
            writer.text("url", url);
            writer.text("title", &button.title);
        }
        // Already refused, like the kinds below.
        ButtonAction::Ask(_) => {}
        ButtonAction::Postback(payload)
        | ButtonAction::Call(payload)
        | ButtonAction::Copy(payload)
        | ButtonAction::App(payload)
        | ButtonAction::Other(payload) => {
            writer.text("type", "postback");
            writer.text("title", &button.title);
            writer.text("payload", payload);
        }
    }
}

/// The fields that surround every message.
pub(super) struct Frame<'m> {
    pub(super) contact: &'m str,
    pub(super) comment: Option<&'m str>,
    pub(super) human_tag: bool,
    pub(super) reply_to: Option<&'m str>,
    pub(super) quick_replies: &'m [QuickReply],
    pub(super) metadata: Option<&'m str>,
}

fn recipient(writer: &mut Writer, contact: &str, comment: Option<&str>) {
    writer.name("recipient").object(|writer| match comment {
        Some(comment) => writer.text("comment_id", comment),
        None => writer.text("id", contact),
    });
}

/// The body of a message.
pub(super) fn message(frame: &Frame<'_>, piece: &Piece<'_>) -> String {
    let mut writer = Writer::new();
    writer.object(|writer| {
        recipient(writer, frame.contact, frame.comment);
        if frame.human_tag {
            writer.text("messaging_type", "MESSAGE_TAG");
            writer.text("tag", "HUMAN_AGENT");
        } else if frame.comment.is_none() {
            writer.text("messaging_type", "RESPONSE");
        }
        writer.name("message").object(|writer| {
            content(writer, piece);
            if !frame.quick_replies.is_empty() {
                writer.name("quick_replies").list(frame.quick_replies, |writer, reply| {
                    writer.object(|writer| {
                        writer.text("content_type", "text");
                        writer.text("title", &reply.title);
                        if let ButtonAction::Postback(payload) = &reply.action {
                            writer.text("payload", payload);
                        }
                    });
                });
            }
            if let Some(metadata) = frame.metadata {
                writer.text("metadata", metadata);
            }
        });
        if let Some(mid) = frame.reply_to {
            writer.name("reply_to").object(|writer| writer.text("mid", mid));
        }
    });
    writer.finish()
}

fn content(writer: &mut Writer, piece: &Piece<'_>) {
    match piece {
        Piece::Text(text) => writer.text("text", text),
        Piece::Media(items) => match items.as_slice() {
            [item] => writer.name("attachment").object(|writer| file(writer, item)),
            items => writer.name("attachments").list(items, |writer, item| {
                writer.object(|writer| file(writer, item));
            }),
        },
        Piece::Sticker(id) => writer.name("attachment").object(|writer| writer.text("type", id)),
        Piece::Share(id) => writer.name("attachment").object(|writer| {
            writer.text("type", "MEDIA_SHARE");
            writer.name("payload").object(|writer| writer.text("id", id));
        }),
        Piece::Cards(cards) => template(writer, "generic", |writer| {
            writer.name("elements").list(cards, |writer, one| writer.object(|writer| card(writer, one)));
        }),
        Piece::Buttons(text, list) => template(writer, "button", |writer| {
            writer.text("text", text);
            buttons(writer, list);
        }),
        Piece::Products(ids) => template(writer, "product", |writer| {
            writer.name("elements").list(ids, |writer, id| writer.object(|writer| writer.text("id", id)));
        }),
        // Actions have their own bodies.
        Piece::React(..) | Piece::Unreact(_) | Piece::Typing(_) | Piece::MarkSeen => {}
    }
}

fn file(writer: &mut Writer, item: &Item<'_>) {
    writer.text("type", item.word);
    writer.name("payload").object(|writer| match &item.source {
        Source::Url(url) => writer.text("url", url),
        Source::Handle(id) => writer.text("attachment_id", id),
        // The host inserts the upload's id here.
        Source::Upload { .. } => writer.text("attachment_id", ""),
    });
}

fn template(writer: &mut Writer, kind: &str, content: impl FnOnce(&mut Writer)) {
    writer.name("attachment").object(|writer| {
        writer.text("type", "template");
        writer.name("payload").object(|writer| {
            writer.text("template_type", kind);
            content(writer);
        });
    });
}

fn card(writer: &mut Writer, card: &Card) {
    writer.text("title", &card.title);
    if let Some(subtitle) = &card.subtitle {
        writer.text("subtitle", subtitle);
    }
    if let Some(url) = &card.image_url {
        writer.text("image_url", url);
    }
    if let Some(url) = &card.url {
        writer.name("default_action").object(|writer| {
            writer.text("type", "web_url");
            writer.text("url", url);
        });
    }
    if !card.buttons.is_empty() {
        buttons(writer, &card.buttons);
    }
}

fn buttons(writer: &mut Writer, list: &[Button]) {
    writer.name("buttons").list(list, |writer, one| writer.object(|writer| button(writer, one)));
}

/// The body of an action. It may contain only the recipient and the action.
pub(super) fn action(contact: &str, piece: &Piece<'_>) -> String {
    let mut writer = Writer::new();
    writer.object(|writer| {
        recipient(writer, contact, None);
        let (name, target, emoji) = match piece {
            Piece::Typing(true) => ("typing_on", None, None),
            Piece::Typing(false) => ("typing_off", None, None),
            Piece::React(target, emoji) => ("react", Some(target), Some(*emoji)),
            Piece::Unreact(target) => ("unreact", Some(target), None),
            _ => ("mark_seen", None, None),
        };
        writer.text("sender_action", name);
        if let Some(target) = target {
            writer.name("payload").object(|writer| {
                writer.text("message_id", target);
                if let Some(emoji) = emoji {
                    // The heart is the only reaction that all of Meta's pages list, under this name.
                    let heart = matches!(emoji, "\u{2764}" | "\u{2764}\u{fe0f}");
                    writer.text("reaction", if heart { "love" } else { emoji });
                }
            });
        }
    });
    writer.finish()
}

/// The field `message` of an upload.
pub(super) fn upload(word: &str) -> String {
    let mut writer = Writer::new();
    writer.object(|writer| {
        writer.name("attachment").object(|writer| {
            writer.text("type", word);
            writer.name("payload").object(|writer| writer.flag("is_reusable"));
        });
    });
    writer.finish()
}
