//! Owns: the spellings in which a server may repeat a text: percent, JSON and HTML escapes, also nested.
//! Does not own: what is searched for (`search`).

use std::collections::VecDeque;

/// A decoded byte and its position in the original text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    pub(crate) byte: u8,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// A text as one kind of reader decodes it.
pub(crate) type Reading<'t> = Box<dyn Iterator<Item = Letter> + 't>;

/// The meaning of an escape.
#[derive(Clone, Copy)]
enum Meaning {
    Byte(u8),
    Char(char),
}

/// The length and meaning of an escape at the beginning of a text, if there is one.
type Escape = fn(&[u8]) -> Option<(usize, Meaning)>;

/// The longest escape, in letters.
const LONGEST: usize = 10;
/// The deepest nesting of escapes.
const DEEPEST: usize = 3;

/// Whether this byte may begin an escape.
fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'+')
}

/// Passes every reading of a text to `look`, the text itself first, until it has seen enough. With `spaced`, `+` may be
/// a space.
///
/// Readings are combined because one reader decodes what another leaves alone: a value with its own `%` may have its
/// other letters escaped differently, or be in a URL within JSON. Each reading costs one pass.
pub(crate) fn readings(text: &[u8], spaced: bool, mut look: impl FnMut(Reading<'_>) -> bool) {
    if look(layered(text, &[])) {
        return;
    }
    let has = |mark: u8| memchr::memchr(mark, text).is_some();
    let kinds: [(u8, Escape); 3] = [(b'%', percent), (b'\\', json), (b'&', html)];
    let present: Vec<Escape> = kinds.into_iter().filter_map(|(mark, kind)| has(mark).then_some(kind)).collect();
    let mut layers: Vec<Vec<Escape>> = present.iter().map(|kind| vec![*kind]).collect();
    if spaced && has(b'+') {
        layers.extend([vec![form as Escape], vec![form, any]]);
    }
    if !present.is_empty() {
        // With one kind of escape, the first layer is included already.
        let first = if present.len() > 1 { 1 } else { 2 };
        layers.extend((first..=DEEPEST).map(|depth| vec![any as Escape; depth]));
    }
    if present.len() > 1 {
        // Kinds are decoded separately: decoded together, one escape could consume a sign that belongs to another.
        layers.extend(present.iter().map(|kind| vec![*kind, any]));
    }
    for escapes in layers {
        if look(layered(text, &escapes)) {
            return;
        }
    }
}

/// Decodes a text through these escapes, in order.
fn layered<'t>(text: &'t [u8], escapes: &[Escape]) -> Reading<'t> {
    let written = text.iter().enumerate().map(|(at, byte)| Letter { byte: *byte, from: at, to: at + 1 });
    let written: Reading<'t> = Box::new(written);
    escapes.iter().fold(written, |inner, escape| {
        Box::new(Layer { inner, ahead: VecDeque::with_capacity(LONGEST), escape: *escape })
    })
}

/// Decodes one kind of escape.
struct Layer<I> {
    inner: I,
    ahead: VecDeque<Letter>,
    escape: Escape,
}

impl<I: Iterator<Item = Letter>> Iterator for Layer<I> {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        let first = match self.ahead.pop_front() {
            Some(letter) => letter,
            None => self.inner.next()?,
        };
        if !begins_escape(first.byte) {
            return Some(first);
        }
        let mut bytes = [0; LONGEST];
        let mut count = 0;
        for (at, byte) in bytes.iter_mut().enumerate() {
            let letter = match at.checked_sub(1) {
                None => first,
                Some(behind) => match self.ahead.get(behind) {
                    Some(letter) => *letter,
                    None => match self.inner.next() {
                        Some(letter) => {
                            self.ahead.push_back(letter);
                            letter
                        }
                        None => break,
                    },
                },
            };
            *byte = letter.byte;
            count += 1;
        }
        let Some((length, meaning)) = (self.escape)(bytes.get(..count)?) else { return Some(first) };
        let to = self.ahead.drain(..length.saturating_sub(1)).next_back().map_or(first.to, |last| last.to);
        let letter = |byte: u8| Letter { byte, from: first.from, to };
        match meaning {
            Meaning::Byte(byte) => Some(letter(byte)),
            Meaning::Char(char) => {
                let mut buffer = [0; 4];
                let (head, rest) = char.encode_utf8(&mut buffer).as_bytes().split_first()?;
                for byte in rest.iter().rev() {
                    self.ahead.push_front(letter(*byte));
                }
                Some(letter(*head))
            }
        }
    }
}

/// `%41`.
fn percent(text: &[u8]) -> Option<(usize, Meaning)> {
    let digits = text.strip_prefix(b"%")?.get(..2)?;
    Some((3, Meaning::Byte(u8::try_from(hex(digits)?).ok()?)))
}

/// `%41`, and `+` for a space.
fn form(text: &[u8]) -> Option<(usize, Meaning)> {
    if text.first() == Some(&b'+') { Some((1, Meaning::Byte(b' '))) } else { percent(text) }
}

/// `\u0041`, `\x41`, `\n`, `\/`.
fn json(text: &[u8]) -> Option<(usize, Meaning)> {
    let rest = text.strip_prefix(b"\\")?;
    let char = |digits: &[u8]| char::from_u32(hex(digits)?).map(Meaning::Char);
    match rest.first()? {
        b'u' | b'U' => Some((6, char(rest.get(1..5)?)?)),
        b'x' => Some((4, Meaning::Byte(u8::try_from(hex(rest.get(1..3)?)?).ok()?))),
        b'n' => Some((2, Meaning::Byte(b'\n'))),
        b'r' => Some((2, Meaning::Byte(b'\r'))),
        b't' => Some((2, Meaning::Byte(b'\t'))),
        other => Some((2, Meaning::Byte(*other))),
    }
}

/// `&#65;`, `&#x41;`, and the entities of the characters that HTML escapes.
fn html(text: &[u8]) -> Option<(usize, Meaning)> {
    let end = text.iter().position(|byte| *byte == b';')?;
    let number = match text.get(1..end).filter(|_| text.first() == Some(&b'&'))? {
        [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'#', digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
        b"amp" => u32::from(b'&'),
        b"lt" => u32::from(b'<'),
        b"gt" => u32::from(b'>'),
        b"quot" => u32::from(b'"'),
        b"apos" => u32::from(b'\''),
        _ => return None,
    };
    Some((end + 1, Meaning::Char(char::from_u32(number)?)))
}

fn any(text: &[u8]) -> Option<(usize, Meaning)> {
    percent(text).or_else(|| json(text)).or_else(|| html(text))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| number.checked_mul(16)?.checked_add(char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(text: &str, escapes: &[Escape]) -> String {
        String::from_utf8(layered(text.as_bytes(), escapes).map(|letter| letter.byte).collect()).unwrap()
    }

    #[test]
    fn escapes_are_read_as_what_they_stand_for_and_broken_ones_as_they_are() {
        assert_eq!(read("%41%4a%zz%4", &[percent]), "AJ%zz%4");
        assert_eq!(read(r"\u0041\x42\/\n\u00e9\u12", &[json]), "AB/\né\\u12");
        assert_eq!(read("&#65;&#x42;&amp;&no;&#65", &[html]), "AB&&no;&#65");
        assert_eq!(read("a+b%20c", &[form]), "a b c");
        assert_eq!(read(r"%255Cu0041 \u002541 &#37;41", &[any as Escape; 3]), "A A A");
    }

    #[test]
    fn a_letter_knows_where_it_is_spelled() {
        let letters: Vec<_> =
            layered(b"x%2541y", &[any as Escape; 2]).map(|letter| (letter.byte, letter.from, letter.to)).collect();
        assert_eq!(letters, [(b'x', 0, 1), (b'A', 1, 6), (b'y', 6, 7)]);
    }

    #[test]
    fn readings_end_when_enough_was_seen() {
        let mut count = 0;
        readings(b"a%41\\u0041&amp;", false, |_| {
            count += 1;
            count == 3
        });
        assert_eq!(count, 3);
    }
}
