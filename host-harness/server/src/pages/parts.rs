//! Owns: the small components that every page is made of: icons, avatars, chips, dials; text with its links.
//! Does not own: pages and panes.

use maud::{Markup, html};
use sha2::{Digest as _, Sha256};

use super::assets;

/// The shapes of the channels' marks: neutral, so that no trademark is shown.
const MARKS: [&str; 4] = ["m-diamond", "m-triangle", "m-hexagon", "m-square"];
/// The number of avatar colours in the style sheet.
const HUES: u8 = 6;

/// An icon of the sprite. It says nothing by itself: words stand beside it or in a label.
pub(super) fn icon(name: &str) -> Markup {
    html! { svg class="i" viewBox="0 0 24 24" aria-hidden="true" { use href={ (assets::address("icons.svg")) "#i-" (name) } {} } }
}

/// An icon with a direction, which turns around in languages that are written from right to left.
pub(super) fn directed(name: &str) -> Markup {
    html! { svg class="i flip" viewBox="0 0 24 24" aria-hidden="true" { use href={ (assets::address("icons.svg")) "#i-" (name) } {} } }
}

/// A small number that is always the same for a text.
fn pick(text: &str, of: u8) -> u8 {
    Sha256::digest(text.as_bytes()).first().copied().unwrap_or_default() % of.max(1)
}

/// The mark of a channel.
pub(super) fn mark(channel: &str) -> Markup {
    let shape = MARKS.get(usize::from(pick(channel, 4))).copied().unwrap_or("m-diamond");
    html! { svg class="mark" viewBox="0 0 16 16" aria-hidden="true" { use href={ (assets::address("icons.svg")) "#" (shape) } {} } }
}

/// The first letters of a name.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let initials: String = words.by_ref().take(2).flat_map(char::to_uppercase).collect();
    if initials.is_empty() { "?".to_owned() } else { initials }
}

/// A person's picture: their initials on a colour that stays theirs. `size` is a class of the style sheet, or nothing.
pub(super) fn avatar(name: &str, id: &str, size: &str, channel: Option<&str>) -> Markup {
    html! {
        span class={ "avatar " (size) } data-hue=(pick(id, HUES) + 1) aria-hidden="true" {
            (initials(name))
            @if let Some(channel) = channel { (mark(channel)) }
        }
    }
}

/// How much of a day is left, drawn.
pub(super) fn dial(ms_left: i64, class: &str) -> Markup {
    let tenths = (ms_left.clamp(0, 24 * 3_600_000) / 360_000).max(1);
    html! {
        svg class={ "dial " (class) } viewBox="0 0 20 20" aria-hidden="true" {
            circle cx="10" cy="10" r="8" {}
            circle cx="10" cy="10" r="8" pathLength="24" stroke-dasharray={ (tenths / 10) "." (tenths % 10) " 24" } {}
        }
    }
}

/// A number in a small circle, with the words for those who cannot see where it stands.
pub(super) fn badge(shown: i64, words: &str) -> Markup {
    html! { span class="badge num" { @if shown > 99 { "99+" } @else { (shown) } span class="sr" { " " (words) } } }
}

/// A number with a comma between thousands.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A size in bytes, for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{}.{} MB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20),
        bytes if bytes >= 1 << 10 => format!("{} kB", bytes >> 10),
        1 => "1 byte".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}

/// A text as it was typed. Web addresses are links; they do not tell the other side where the reader comes from.
pub(super) fn linked(text: &str) -> Markup {
    html! {
        @for piece in pieces(text) {
            @match piece {
                Piece::Words(words) => (words),
                Piece::Address(address) => a href=(address) target="_blank" rel="noopener noreferrer nofollow" { (address) },
            }
        }
    }
}

enum Piece<'t> {
    Words(&'t str),
    Address(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(from.len());
        let (whole, _) = from.split_at(end);
        // What ends a sentence does not belong to the address in it.
        let address = whole.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'', '…', '»', '”']);
        found.push(Piece::Words(before));
        if url::Url::parse(address).is_ok_and(|url| url.has_host()) {
            found.push(Piece::Address(address));
        } else {
            found.push(Piece::Words(address));
        }
        rest = from.get(address.len()..).unwrap_or_default();
    }
    found.push(Piece::Words(rest));
    found
}

fn next_address(text: &str) -> Option<usize> {
    ["https://", "http://"].into_iter().filter_map(|scheme| text.find(scheme)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_links_and_nothing_else_is() {
        let shown = linked("See https://a.example/x?y=1. And javascript:alert(1) <b>").into_string();
        assert!(shown.contains("href=\"https://a.example/x?y=1\""), "{shown}");
        assert!(shown.contains("</a>. And javascript:alert(1) &lt;b&gt;"), "{shown}");
        assert_eq!(linked("https://").into_string(), "https://");
        assert!(!linked("http://\"onmouseover=\"x").into_string().contains("<a"), "a quote ends an address");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(
            (number(7), number(999), number(18_204), number(1_000_000)),
            ("7".into(), "999".into(), "18,204".into(), "1,000,000".into())
        );
    }

    #[test]
    fn a_name_without_letters_has_a_mark_of_its_own() {
        assert_eq!(
            (initials("Maya Lindqvist"), initials("…"), initials("ليلى حداد")),
            ("ML".into(), "?".into(), "لح".into())
        );
    }
}
