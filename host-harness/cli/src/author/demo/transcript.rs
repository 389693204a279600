//! Owns: printing a conversation on a terminal.
//! Does not own: which entries are printed.

use std::collections::HashMap;

use harness_contract::{Attachment, Message, OutboundPart, text};
use harness_inbox::{MessageId, TimelineEntry};

/// The lines that have been printed.
#[derive(Default)]
pub(crate) struct Shown(HashMap<MessageId, String>);

impl Shown {
    /// Prints the entries that are new or have changed.
    pub(crate) fn print_news(&mut self, timeline: &[TimelineEntry]) {
        for entry in timeline {
            let line = line(entry);
            if self.0.get(&entry.id) != Some(&line) {
                println!("{line}");
                self.0.insert(entry.id, line);
            }
        }
    }
}

/// One message on one line.
pub(crate) fn line(entry: &TimelineEntry) -> String {
    let who = if entry.direction == "inbound" { "customer" } else { "agent" };
    let mut line = format!("{who:>10} │ {}", text::shown(&content(entry).replace('\n', " ")));
    if let Some(state) = entry.state {
        line.push_str(&format!("  [{}]", state.name()));
    }
    for reaction in &entry.reactions {
        line.push_str(&format!("  {}", text::shown(reaction.emoji.as_deref().unwrap_or("(reaction)"))));
    }
    line
}

fn content(entry: &TimelineEntry) -> String {
    if entry.deleted_at.is_some() {
        return "(message was unsent)".into();
    }
    let body = entry.body.as_ref().and_then(|body| serde_json::from_str::<Message>(body.get()).ok());
    let mut words: Vec<String> = entry.text.iter().cloned().collect();
    let in_body = body.as_ref().is_some_and(|message| !message.attachments.is_empty());
    if let Some(message) = body {
        words.extend(message.attachments.iter().map(attachment));
        words.extend(
            message.answer.and_then(|answer| answer.payload).map(|payload| format!("(tapped, payload {payload})")),
        );
    }
    let part = entry.part.as_ref().and_then(|part| serde_json::from_str::<OutboundPart>(part.get()).ok());
    match part {
        // The body already has it, in the form of incoming messages.
        _ if in_body => {}
        Some(OutboundPart::Text(_)) | None => {}
        Some(other) => words.push(format!("({})", other.name())),
    }
    words.join(" ")
}

fn attachment(attachment: &Attachment) -> String {
    match attachment {
        Attachment::Media(media) => {
            format!(
                "({}: {})",
                media.kind.name(),
                media.url.as_deref().or(media.handle.as_deref()).unwrap_or("no address")
            )
        }
        other => format!("({})", other.name()),
    }
}
