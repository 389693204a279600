//! Any answer of a platform, with any captures: nothing panics, no credential that the host knows is shown in a spelling
//! that a reader undoes, none is captured as a value that may go anywhere, and none that stands below the name of one.
//!
//! The input's first line is captures, the second a header, the rest the body. `\x01` and two bytes stand for a known
//! credential, spelled in up to three layers; `\x02` and four for a document that holds an unknown one.
#![no_main]

use std::sync::LazyLock;

use harness_contract::{Capture, CaptureTarget, Header, HttpResponse};
use harness_egress::fuzzing::Host;
use libfuzzer_sys::fuzz_target;

const KNOWN: &str = "known-token/of the=account|0123456789";
const CARRIED: &str = "carried-token-of-the-request-9876543210";
const UNKNOWN: &str = "unknown-token-of-the-answer-1122334455";

static HOST: LazyLock<Host> = LazyLock::new(|| Host::knowing(&[KNOWN, "another-token-of-a-neighbour"]));

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let captures = captures(lines.next().unwrap_or_default());
    let header = String::from_utf8_lossy(&written(lines.next().unwrap_or_default())).into_owned();
    let (name, value) = header.split_once(':').unwrap_or(("location", &header));
    let headers = vec![Header { name: name.to_owned(), value: value.to_owned() }];
    let body = written(lines.next().unwrap_or_default());
    // Behind the name of a credential it is hidden, elsewhere it is a text like any other.
    let below_a_name = documents(bytes);
    let captured_too = captures.iter().any(|capture| matches!(capture.target, CaptureTarget::Value(_)));

    let (shown, values) = HOST.shown(HttpResponse { status: 200, headers, body }, CARRIED, &captures);
    for value in values.values() {
        assert_eq!(legible(value.as_bytes(), &[KNOWN, CARRIED]), None, "captured: {value}");
    }
    let response = match shown {
        Ok(response) => response,
        Err(error) => {
            // It may quote the channel, which knows none of the others.
            assert_eq!(legible(error.to_string().as_bytes(), &[KNOWN]), None, "{error}");
            return;
        }
    };
    for Header { name, value } in &response.headers {
        assert_eq!(legible(name.as_bytes(), &[KNOWN, CARRIED]), None, "{name}");
        assert_eq!(legible(value.as_bytes(), &[KNOWN, CARRIED]), None, "{value}");
    }
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(legible(&response.body, &[KNOWN, CARRIED]), None, "{body}");
    if below_a_name && !captured_too {
        assert_eq!(legible(&response.body, &[UNKNOWN]), None, "{body}");
    }
});

/// Captures separated by blanks: a pointer, and behind `>` a slot, or behind `=` a value.
fn captures(line: &[u8]) -> Vec<Capture> {
    let line = String::from_utf8_lossy(line);
    let words = line.split_ascii_whitespace().take(8);
    let capture = |word: &str| {
        let (pointer, target) = match word.split_once('>') {
            Some((pointer, slot)) => (pointer, CaptureTarget::Slot(slot.to_owned())),
            None => {
                let (pointer, value) = word.split_once('=').unwrap_or((word, "v"));
                (pointer, CaptureTarget::Value(value.to_owned()))
            }
        };
        Capture { pointer: pointer.to_owned(), target, key: None }
    };
    words.map(capture).collect()
}

/// Whether the input is one document with an unknown credential, and nothing around it that makes it another.
fn documents(bytes: &[u8]) -> bool {
    let body = bytes.splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or_default();
    body.first() == Some(&2) && body.len() == 5
}

/// A text of the platform, with what its marks stand for.
fn written(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = match (first, behind) {
            (1, [how, seed, behind @ ..]) => {
                written.extend(spelled(*how, *seed));
                behind
            }
            (2, [a, b, c, d, behind @ ..]) => {
                written.extend(document(&[*a, *b, *c, *d]).to_string().into_bytes());
                behind
            }
            _ => {
                written.push(*first);
                behind
            }
        };
    }
    written
}

/// A known credential in up to three layers of escapes; in each some letters are spelled, and some are not.
fn spelled(how: u8, seed: u8) -> Vec<u8> {
    let mut text = if how & 1 == 0 { KNOWN } else { CARRIED }.as_bytes().to_vec();
    let mut random = u32::from(seed) << 8 | u32::from(how) | 1 << 20;
    for layer in 0..(how >> 1) % 4 {
        let kind = (how >> (3 + layer)) % 3;
        let spell = |byte: u8| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let plain = byte.is_ascii_alphanumeric() && random >> 28 < 12;
            match (plain, kind) {
                (true, _) => vec![byte],
                (_, 0) => format!("%{byte:02x}").into_bytes(),
                (_, 1) => format!("\\u{byte:04X}").into_bytes(),
                _ => format!("&#{byte};").into_bytes(),
            }
        };
        text = text.into_iter().flat_map(spell).collect();
    }
    text
}

/// A document in which the unknown credential stands below the name of one.
fn document(how: &[u8; 4]) -> serde_json::Value {
    use serde_json::json;
    let name = ["access_token", "accessToken", "page_access_token", "token", "refresh-token", "clientSecret"]
        [usize::from(how[0]) % 6];
    let mut document = match how[1] % 6 {
        0 => json!({ name: UNKNOWN }),
        1 => json!({ name: [{ "x": UNKNOWN }, 1] }),
        2 => json!({ "name": name, "value": UNKNOWN }),
        3 => json!({ "next": format!("https://x.example/?a=1&{name}={UNKNOWN}&b=2") }),
        4 => json!({ "a": [1, { "key": name, "content": { "y": UNKNOWN } }] }),
        _ => json!({ "b": format!("{name}={UNKNOWN}") }),
    };
    for layer in 0..how[2] % 5 {
        document = match (how[3] >> layer) % 3 {
            0 => json!({ "data": document }),
            1 => json!([document, 7]),
            _ => json!({ "text": document.to_string() }),
        };
    }
    document
}

/// The credential that a reader finds in a text: as it stands, with one kind of escape undone, or all kinds up to three
/// times, the blanks of a form too.
fn legible<'c>(text: &[u8], credentials: &[&'c str]) -> Option<&'c str> {
    let found = |text: &[u8]| {
        let holds = |credential: &&&str| text.windows(credential.len()).any(|part| part == credential.as_bytes());
        credentials.iter().find(holds).copied()
    };
    let all = [undo_percent, undo_json, undo_html];
    let form: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let mut readings =
        vec![text.to_vec(), undo(text, &[undo_percent]), undo(text, &[undo_json]), undo(text, &[undo_html])];
    readings.push(undo(&form, &[undo_percent]));
    readings.extend([undo_percent as Undo, undo_json, undo_html].map(|kind| undo(&undo(text, &[kind]), &all)));
    readings.push(undo(&undo(&form, &[undo_percent]), &all));
    let mut deeper = text.to_vec();
    for _ in 0..3 {
        deeper = undo(&deeper, &all);
        readings.push(deeper.clone());
    }
    readings.iter().find_map(|reading| found(reading))
}

/// What an escape stands for, and how long it is.
type Undo = fn(&str) -> Option<(Vec<u8>, usize)>;

/// Undoes escapes from left to right.
fn undo(text: &[u8], kinds: &[Undo]) -> Vec<u8> {
    let mut read = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // No escape is longer.
        let ahead = rest.get(..10.min(rest.len())).unwrap_or_default();
        let ascii: String = ahead.iter().take_while(|byte| byte.is_ascii()).map(|byte| char::from(*byte)).collect();
        match kinds.iter().find_map(|undo| undo(&ascii)) {
            Some((letter, length)) => {
                read.extend(letter);
                at += length;
            }
            None => {
                read.push(rest[0]);
                at += 1;
            }
        }
    }
    read
}

fn undo_percent(text: &str) -> Option<(Vec<u8>, usize)> {
    Some((vec![u8::try_from(number(text.strip_prefix('%')?.get(..2)?)?).ok()?], 3))
}

fn number(digits: &str) -> Option<u32> {
    let sound = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    sound.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

fn letter(number: u32) -> Option<Vec<u8>> {
    char::from_u32(number).map(|letter| letter.to_string().into_bytes())
}

fn undo_json(text: &str) -> Option<(Vec<u8>, usize)> {
    let rest = text.strip_prefix('\\')?;
    match rest.chars().next()? {
        'u' | 'U' => Some((letter(number(rest.get(1..5)?)?)?, 6)),
        'x' => Some((vec![u8::try_from(number(rest.get(1..3)?)?).ok()?], 4)),
        'n' => Some((b"\n".to_vec(), 2)),
        'r' => Some((b"\r".to_vec(), 2)),
        't' => Some((b"\t".to_vec(), 2)),
        other => Some((other.to_string().into_bytes(), 2)),
    }
}

fn undo_html(text: &str) -> Option<(Vec<u8>, usize)> {
    let (name, _) = text.strip_prefix('&')?.split_once(';')?;
    let meant = match name.strip_prefix('#') {
        Some(hex) if hex.starts_with(['x', 'X']) => letter(number(&hex[1..])?)?,
        Some(decimal) => letter(decimal.parse().ok()?)?,
        None => {
            let names = [("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'")];
            names.iter().find(|(known, _)| *known == name)?.1.as_bytes().to_vec()
        }
    };
    Some((meant, name.len() + 2))
}
