//! The platform's own JSON: what an agent's tool may add to the last message's body.
//! What belongs here is checking `native` and merging it by RFC 7396, on raw text.

use alloc::string::String;
use alloc::vec::Vec;

use super::Piece;
use super::report::Report;
use crate::json::{self, Json, Members};
use crate::limits::{NATIVE_BYTES, NATIVE_DEPTH};
use crate::types::{Bound, OutboundMessage, Unit, ViolationCode};
use crate::words::ToText;

/// Checks `native`.
pub(super) fn check(report: &mut Report, message: &OutboundMessage, pieces: &[(usize, Piece<'_>)]) {
    let Some(native) = &message.native else {
        return;
    };
    let sentence = match members(native) {
        _ if native.len() > NATIVE_BYTES => {
            let sentence = "The platform's own JSON is longer than 8 KiB. Shorten it.";
            return report.error_with(ViolationCode::NativeInvalid, "native", sentence, |violation| {
                violation.limit = Some(Bound { max: NATIVE_BYTES as u64, unit: Unit::Bytes });
                violation.actual = Some(native.len() as u64);
            });
        }
        None => "The platform's own JSON is not a JSON object. Correct it.",
        Some(_) if depth(native) > usize::from(NATIVE_DEPTH) => {
            "The platform's own JSON is nested too deeply. Make it flatter."
        }
        Some(members) if json::last(&members, "recipient").is_some() => {
            "The platform's own JSON may not change the recipient. Remove `recipient`."
        }
        Some(_) if !pieces.iter().any(|(_, piece)| piece.is_message()) && !pieces.is_empty() => {
            "The platform's own JSON needs a message to be merged into. Add a text."
        }
        Some(_) => return,
    };
    report.error(ViolationCode::NativeInvalid, "native", sentence);
}

/// Merges a patch that was checked into a body.
pub(super) fn merge(body: &str, patch: &str) -> String {
    let Some(changes) = members(patch) else {
        return patch.to_text();
    };
    let mut merged: Vec<(String, String)> = Vec::new();
    let known = members(body).unwrap_or_default();
    for (name, value) in &known {
        if json::last(&changes, name).is_none() {
            merged.push((name.to_text(), raw(value).to_text()));
        }
    }
    for (name, value) in &changes {
        // Of two changes to one name the last counts.
        merged.retain(|(known, _)| known != &**name);
        if raw(value) != "null" {
            let before = json::last(&known, name).map_or("", raw);
            merged.push((name.to_text(), merge(before, raw(value))));
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

/// How deeply brackets are nested, those in texts aside.
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
