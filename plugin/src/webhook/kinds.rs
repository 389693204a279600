//! The content of all kinds of items except messages: edits, reactions, receipts, opt-ins, control.
//! What belongs here is one parser per kind; `item` determines the consequence for the conversation.

use channel_sdk::json::Json;
use channel_sdk::lenient::{Notes, milliseconds};
use channel_sdk::names::account_change;

use super::id;
use crate::types::{
    AccountUpdate, Edited, Handover, HandoverAction, OptIn, OptInAction, Position, Reaction, ReactionAction,
};

/// A hash of the whole content of a value, for an id that needs more than a time.
pub(super) fn describe(value: &Json<'_>) -> String {
    fn pieces(value: &Json<'_>, into: &mut String) {
        match value {
            Json::Text(text) => into.push_str(text),
            Json::Unsigned(number) => into.push_str(&number.to_string()),
            Json::Object(members) => {
                for (name, value) in members {
                    into.push_str(name);
                    into.push('\u{1f}');
                    pieces(value, into);
                    into.push('\u{1e}');
                }
            }
            _ => {}
        }
    }
    let mut text = String::new();
    pieces(value, &mut text);
    id::hash(&[&text])
}

/// Parses `message_edit`. Both text and revision are optional: captures show events without either.
pub(super) fn edit(notes: &mut Notes, value: &Json<'_>) -> Option<Edited> {
    let [mid, text, revision] = notes.pick(value, &["mid", "text", "num_edit"]);
    Some(Edited {
        target: notes.id(mid)?,
        context: None,
        text: notes.text(text),
        formatted: None,
        attachments: None,
        revision: notes.count(revision).map(u64::from),
    })
}

/// Parses `reaction`, and returns its action as spelled by Meta.
pub(super) fn reaction(notes: &mut Notes, value: &Json<'_>) -> Option<(Reaction, String)> {
    let [mid, action, emoji, name] = notes.pick(value, &["mid", "action", "emoji", "reaction"]);
    let word = notes.text(action).unwrap_or_default();
    let action = match word.as_str() {
        "react" => ReactionAction::Added,
        "unreact" => ReactionAction::Removed,
        _ => {
            notes.unknown_member();
            ReactionAction::Other
        }
    };
    let target = notes.id(mid)?;
    Some((Reaction { target, action, emoji: notes.text(emoji), name: notes.text(name) }, word))
}

/// Parses `read`. `watermark` is Messenger's form; Instagram's pages mention only `mid`.
pub(super) fn seen(notes: &mut Notes, value: &Json<'_>) -> Option<Position> {
    let [mid, watermark] = notes.pick(value, &["mid", "watermark"]);
    match notes.id(mid) {
        Some(mid) => Some(Position::Message(mid)),
        None => notes.time(watermark).map(Position::Time),
    }
}

/// Parses `optin`.
pub(super) fn opt_in(notes: &mut Notes, value: &Json<'_>) -> OptIn {
    // The token is a credential and is discarded, along with its time zone and status.
    let [kind, payload, reference, title, frequency, expires, _, _, _] = notes.pick(
        value,
        &[
            "type",
            "payload",
            "ref",
            "title",
            "notification_messages_frequency",
            "token_expiry_timestamp",
            "notification_messages_token",
            "notification_messages_timezone",
            "user_token_status",
        ],
    );
    OptIn {
        action: OptInAction::Given,
        kind: notes.text(kind).unwrap_or_default(),
        payload: notes.text(payload).or_else(|| notes.text(reference)),
        title: notes.text(title),
        frequency: notes.text(frequency),
        expires: milliseconds(expires),
    }
}

/// Parses one of the members about thread control.
pub(super) fn handover(notes: &mut Notes, action: HandoverAction, value: &Json<'_>) -> Handover {
    let [previous, new, requested, metadata] =
        notes.pick(value, &["previous_owner_app_id", "new_owner_app_id", "requested_owner_app_id", "metadata"]);
    Handover {
        action,
        previous_app: notes.id(previous),
        new_app: notes.id(new).or_else(|| notes.id(requested)),
        metadata: notes.text(metadata),
    }
}

/// Parses a notice that the platform enforces a rule.
pub(super) fn policy(notes: &mut Notes, value: &Json<'_>) -> AccountUpdate {
    let [action, reason] = notes.pick(value, &["action", "reason"]);
    let words = [notes.text(action), notes.text(reason)].into_iter().flatten().collect::<Vec<_>>();
    AccountUpdate { change: account_change::POLICY.to_owned(), detail: (!words.is_empty()).then(|| words.join(": ")) }
}
