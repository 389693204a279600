//! The platform's own JSON: what an agent's tool may add to the last message's body.
//! What belongs here is the members that `native` may set, and merging them by RFC 7396 as raw text.

use channel_sdk::json::{self, Json, Members};
use channel_sdk::limit::NATIVE_BYTES;
use channel_sdk::names::violation_code;
use channel_sdk::report::Report;
use channel_sdk::text::clip;

use super::Piece;
use crate::limits::NATIVE_DEPTH;
use crate::types::{Bound, OutboundMessage, Severity, Unit};

/// All members that `native` may set, with the JSON values allowed. Everything else in a body comes from the typed
/// message, which is checked against the window, the limits and Instagram's features; `native` must not bypass these
/// checks. None of these members names a person, a text, a URL, a tag or another application.
const ALLOWED: &[(&[&str], &[&str])] = &[
    (&["messaging_type"], &["\"RESPONSE\"", "\"UPDATE\""]),
    (&["message", "attachment", "payload", "is_reusable"], FLAGS),
    (&["message", "attachment", "payload", "sharable"], FLAGS),
    (&["message", "attachment", "payload", "image_aspect_ratio"], &["\"horizontal\"", "\"square\""]),
];
const FLAGS: &[&str] = &["true", "false"];

/// Checks `native`. `human_tag` says whether the message is sent with the tag for people.
pub(super) fn check(report: &mut Report, message: &OutboundMessage, human_tag: bool, pieces: &[(usize, Piece<'_>)]) {
    let Some(native) = &message.native else {
        return;
    };
    let last = pieces.iter().rev().map(|(_, piece)| piece).find(|piece| piece.is_message());
    let sentence = match members(native) {
        _ if native.len() > NATIVE_BYTES => {
            let sentence = "The platform's own JSON is longer than 8 KiB. Shorten it.";
            return report.error_with(violation_code::NATIVE_INVALID, "native", sentence, |violation| {
                violation.limit = Some(Bound { max: NATIVE_BYTES as u64, unit: Unit::Bytes });
                violation.actual = Some(native.len() as u64);
            });
        }
        None => "The platform's own JSON is not a JSON object. Correct it.",
        Some(_) if depth(native) > usize::from(NATIVE_DEPTH) => {
            "The platform's own JSON is nested too deeply. Make it flatter."
        }
        Some(_) if last.is_none() && !pieces.is_empty() => {
            "The platform's own JSON needs a message to be merged into. Add a text."
        }
        Some(_) => {
            // A tag or a private reply already determines the messaging type.
            let typed = human_tag || message.private_reply_to.is_some();
            let mut path = Vec::new();
            let Some(refused) = refusal(native, &mut path, &|path| match path {
                ["messaging_type"] => !typed,
                _ => last.is_none_or(Piece::has_payload),
            }) else {
                return;
            };
            let allowed = ALLOWED.iter().map(|(path, _)| path.join(".")).collect::<Vec<_>>();
            let listed = allowed.join(", ");
            let named = clip(&refused, NAMED);
            let sentence = format!(
                "The platform's own JSON may not set `{named}` to that, for this message. Remove it; what may be set \
                 is: {listed}."
            );
            let violation = report.add(Severity::Error, violation_code::NATIVE_INVALID, "native", &sentence);
            violation.accepted = allowed;
            return;
        }
    };
    report.error(violation_code::NATIVE_INVALID, "native", sentence);
}

/// The most characters of a refused path that are quoted.
const NAMED: usize = 100;

/// The path of the first member of an object that may not be set, or not to its value. Duplicate members are all
/// checked, and names are compared unescaped.
fn refusal(text: &str, path: &mut Vec<String>, fits: &dyn Fn(&[&str]) -> bool) -> Option<String> {
    for (name, value) in members(text)? {
        path.push(name.to_string());
        let names = path.iter().map(String::as_str).collect::<Vec<_>>();
        let value = raw(&value);
        let refused = match ALLOWED.iter().find(|(allowed, _)| allowed.starts_with(&names)) {
            // A parent of a permitted member: it must be an object, not a value that would remove members.
            Some((allowed, _)) if allowed.len() > names.len() => match members(value) {
                // A patch must not create objects that the body does not have.
                Some(_) if names.len() == 1 || fits(allowed) => refusal(value, path, fits),
                _ => Some(path.join(".")),
            },
            Some((allowed, values)) if values.contains(&value) && fits(allowed) => None,
            _ => Some(path.join(".")),
        };
        if refused.is_some() {
            return refused;
        }
        path.pop();
    }
    None
}

/// Merges a checked patch into a body.
pub(super) fn merge(body: &str, patch: &str) -> String {
    let Some(changes) = members(patch) else {
        return patch.to_owned();
    };
    let mut merged: Vec<(String, String)> = Vec::new();
    let known = members(body).unwrap_or_default();
    for (name, value) in &known {
        if json::last(&changes, name).is_none() {
            merged.push((name.to_string(), raw(value).to_owned()));
        }
    }
    for (name, value) in &changes {
        // Of two changes to the same name the last one wins.
        merged.retain(|(known, _)| known != &**name);
        if raw(value) != "null" {
            let before = json::last(&known, name).map_or("", raw);
            merged.push((name.to_string(), merge(before, raw(value))));
        }
    }
    let mut out = String::from("{");
    for (at, (name, value)) in merged.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        json::push_quoted(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

fn members(text: &str) -> Option<Members<'_>> {
    match json::shallow(text, 1) {
        Ok(Json::Object(members)) => Some(members),
        _ => None,
    }
}

fn raw<'t>(value: &Json<'t>) -> &'t str {
    match value {
        Json::Raw(raw) => raw,
        _ => "",
    }
}

/// The nesting depth of brackets outside strings.
fn depth(text: &str) -> usize {
    let (mut deepest, mut level) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' if !in_text => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
