//! Taking credentials out of a response before the channel sees it, in every spelling that a server uses
//! to say again what it was told. Belongs here: the spellings. Which values are concealed: `egress`, `capture`.

use std::collections::BTreeMap;

use harness_contract::HttpResponse;

/// What stands in place of a credential.
const CONCEALED: &str = "[concealed]";

/// Takes values out of a response: a server may say them again, the channel must not hear them.
pub(crate) fn conceal<'v>(values: impl IntoIterator<Item = &'v [u8]>, response: &mut HttpResponse) {
    let values: Vec<&[u8]> = values.into_iter().collect();
    let spellings = Spellings::of(values.iter().copied());
    if let Some(body) = spellings.without(&response.body) {
        response.body = body;
    }
    // Names of headers come in lower case, whatever the server wrote.
    let lower: Vec<Vec<u8>> = values.iter().map(|value| value.to_ascii_lowercase()).collect();
    let lower = Spellings::of(lower.iter().map(Vec::as_slice));
    response.headers.retain(|header| !lower.stand_in(header.name.as_bytes()));
    for header in &mut response.headers {
        if let Some(value) = spellings.without(header.value.as_bytes()) {
            header.value = String::from_utf8_lossy(&value).into_owned();
        }
    }
}

/// Values to be found in every spelling. They share their beginnings, so that what a text costs depends on the text
/// and not on the number of values.
pub(crate) struct Spellings(Vec<Node>);

#[derive(Default)]
struct Node {
    next: BTreeMap<u8, usize>,
    ends: bool,
}

impl Spellings {
    pub(crate) fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let mut nodes = vec![Node::default()];
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            let mut at = 0;
            for byte in value {
                let new = nodes.len();
                let Some(node) = nodes.get_mut(at) else { break };
                at = *node.next.entry(*byte).or_insert(new);
                if at == new {
                    nodes.push(Node::default());
                }
            }
            if let Some(node) = nodes.get_mut(at) {
                node.ends = true;
            }
        }
        Self(nodes)
    }

    /// Whether one of the values stands in a text.
    pub(crate) fn stand_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| self.spelled(text.get(at..).unwrap_or_default()).is_some())
    }

    /// The text without the values, in one pass; none where it holds none of them.
    fn without(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut shown: Option<Vec<u8>> = None;
        let (mut at, mut copied) = (0, 0);
        while at < text.len() {
            match self.spelled(text.get(at..).unwrap_or_default()) {
                Some(length) => {
                    let shown = shown.get_or_insert_with(Vec::new);
                    shown.extend_from_slice(text.get(copied..at).unwrap_or_default());
                    shown.extend_from_slice(CONCEALED.as_bytes());
                    at += length;
                    copied = at;
                }
                None => at += 1,
            }
        }
        let mut shown = shown?;
        shown.extend_from_slice(text.get(copied..).unwrap_or_default());
        Some(shown)
    }

    /// How many bytes at the beginning of a text spell the longest value out; none where they spell none.
    fn spelled(&self, text: &[u8]) -> Option<usize> {
        let mut longest = None;
        let mut open = vec![(0, 0)];
        while let Some((node, at)) = open.pop() {
            let Some(node) = self.0.get(node) else { continue };
            if node.ends {
                longest = longest.max(Some(at));
            }
            let rest = text.get(at..).unwrap_or_default();
            let Some(first) = rest.first() else { continue };
            if matches!(first, b'+' | b'%' | b'\\' | b'&') {
                let spelled = node.next.iter().filter_map(|(byte, next)| Some((*next, at + letter(*byte, rest)?)));
                open.extend(spelled);
            } else if let Some(next) = node.next.get(first) {
                open.push((*next, at + 1));
            }
        }
        longest
    }
}

/// How many bytes spell one byte out: as it is, `%41` (once or twice), `\u0041`, `\x41`, `\/`, `&#65;`, `&#x41;`, `+`.
fn letter(byte: u8, text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    if first == byte {
        return Some(1);
    }
    match first {
        b'+' if byte == b' ' => Some(1),
        b'%' => {
            let rest = text.get(1..)?;
            let (skipped, digits) = match rest.strip_prefix(b"25") {
                Some(digits) if byte != b'%' => (3, digits),
                _ => (1, rest),
            };
            (hex(digits.get(..2)?)? == u32::from(byte)).then_some(skipped + 2)
        }
        b'\\' => match text.get(1)? {
            b'u' | b'U' => (hex(text.get(2..6)?)? == u32::from(byte)).then_some(6),
            b'x' => (hex(text.get(2..4)?)? == u32::from(byte)).then_some(4),
            escaped => (*escaped == byte).then_some(2),
        },
        b'&' => {
            let end = text.iter().take(10).position(|found| *found == b';')?;
            let number = match text.get(1..end)? {
                [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
                [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
                b"amp" => u32::from(b'&'),
                b"lt" => u32::from(b'<'),
                b"gt" => u32::from(b'>'),
                b"quot" => u32::from(b'"'),
                _ => return None,
            };
            (number == u32::from(byte)).then_some(end + 1)
        }
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, digit| number.checked_mul(16)?.checked_add(char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use harness_contract::Header;

    use super::*;

    fn shown(value: &str, body: &str) -> String {
        let mut response = HttpResponse { status: 200, headers: Vec::new(), body: body.into() };
        conceal([value.as_bytes()], &mut response);
        String::from_utf8(response.body).unwrap()
    }

    #[test]
    fn a_credential_is_concealed_in_every_spelling_of_a_server() {
        for spelled in [
            "EAA|b/c d",
            "EAA%7Cb%2Fc%20d",
            "EAA%7cb%2fc+d",
            "%45%41%41%7C%62%2F%63%20%64",
            "EAA%257Cb%252Fc%2520d",
            r"\u0045\u0041A|b\/c d",
            r"EAA\u007cb\u002Fc\u0020d",
            r"\x45AA|b/c d",
            "&#69;AA&#x7c;b&#47;c d",
        ] {
            assert_eq!(shown("EAA|b/c d", &format!("<{spelled}>")), "<[concealed]>", "{spelled}");
        }
        assert_eq!(shown("EAA|b/c d", "EAA|b/c"), "EAA|b/c");
        assert_eq!(shown("EAAx", "EAAEAAx%45AA"), "EAA[concealed]%45AA");
    }

    #[test]
    fn a_credential_that_stands_in_the_replacement_ends_and_many_are_one_pass() {
        assert_eq!(shown("c", "abcabc"), "ab[concealed]ab[concealed]");
        assert_eq!(shown("token", &"token".repeat(200_000)).len(), 200_000 * CONCEALED.len());
    }

    #[test]
    fn headers_are_searched_in_name_and_value() {
        let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let headers = vec![header("x-eaab", "1"), header("location", "https://x/?t=EAA%42"), header("y", "z")];
        let mut response = HttpResponse { status: 200, headers, body: Vec::new() };
        conceal([b"EAAB".as_slice()], &mut response);
        let shown: Vec<_> = response.headers.iter().map(|header| header.value.as_str()).collect();
        assert_eq!(shown, ["https://x/?t=[concealed]", "z"]);
    }
}
