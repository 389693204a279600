//! Owns: messages that a program sends: who is named as their sender, and how a long text is cut.
//! Does not own: their words.

use harness_contract::{
    Bound, ChannelCapabilities, FallbackPolicy, OutboundMessage, OutboundPart, OutboundText, Sender, SenderKind, Unit,
    names::text_field,
};

/// The bound where a channel declares none.
const USUAL: Bound = Bound { max: 2_000, unit: Unit::Characters };

/// A message of a rule of this host: never a person's, so that no channel marks it as one.
pub(crate) fn automatic(rule: &str, parts: Vec<OutboundPart>) -> OutboundMessage {
    message(SenderKind::Automation, rule, parts)
}

/// A message of the assistant.
pub(crate) fn from_assistant(id: &str, parts: Vec<OutboundPart>) -> OutboundMessage {
    message(SenderKind::Bot, id, parts)
}

fn message(kind: SenderKind, id: &str, parts: Vec<OutboundPart>) -> OutboundMessage {
    OutboundMessage {
        id: String::new(),
        sender: Sender { kind, id: id.to_owned(), name: None, picture_url: None },
        parts,
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: FallbackPolicy::default(),
        try_anyway: false,
        options: Vec::new(),
        native: None,
    }
}

/// A text as parts that the channel takes, cut at the ends of sentences.
pub(crate) fn parts(text: &str, capabilities: &ChannelCapabilities) -> Vec<OutboundPart> {
    let declared = capabilities.text_limits.iter().find(|limit| limit.field == text_field::MESSAGE_TEXT);
    let bound = declared.map_or(USUAL, |declared| declared.limit.clone());
    let part = |text: String| OutboundPart::Text(OutboundText { text, ..OutboundText::default() });
    cut(text, &bound).into_iter().map(part).collect()
}

fn length(text: &str, unit: &Unit) -> u64 {
    let count = match unit {
        Unit::Characters => text.chars().count(),
        Unit::Utf16Units => text.encode_utf16().count(),
        _ => text.len(),
    };
    count as u64
}

/// Cuts a text into pieces of at most this length: at the ends of sentences, or between words, or anywhere.
fn cut(text: &str, bound: &Bound) -> Vec<String> {
    let fits = |piece: &str| length(piece.trim(), &bound.unit) <= bound.max;
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while !fits(rest) {
        let mut best = [0_usize; 3];
        let mut last = ' ';
        for (at, letter) in rest.char_indices().chain([(rest.len(), ' ')]) {
            if at > 0 && !rest.get(..at).is_some_and(fits) {
                break;
            }
            let [anywhere, word, sentence] = &mut best;
            *anywhere = at;
            if letter.is_whitespace() {
                *word = at;
            }
            let ended = matches!(last, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' | '\n');
            // `3.5` ends no sentence; an ideographic full stop needs no space after it.
            if ended && (letter.is_whitespace() || matches!(last, '。' | '！' | '？' | '\n')) {
                *sentence = at;
            }
            last = letter;
        }
        let at = best.into_iter().rev().find(|at| *at > 0).unwrap_or(rest.len());
        let (piece, left) = rest.split_at_checked(at).unwrap_or((rest, ""));
        pieces.push(piece.trim().to_owned());
        rest = left.trim();
    }
    if !rest.is_empty() {
        pieces.push(rest.to_owned());
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_at_the_ends_of_sentences_and_every_piece_fits() {
        let bytes = |max| Bound { max, unit: Unit::Bytes };
        let pieces = cut("It costs 3.50 today. Shipping is free! Anything else?", &bytes(40));
        assert_eq!(pieces, ["It costs 3.50 today. Shipping is free!", "Anything else?"]);
        let pieces = cut("one two three four five", &bytes(9));
        assert_eq!(pieces, ["one two", "three", "four five"]);
        assert_eq!(cut("ääää", &bytes(4)), ["ää", "ää"]);
        assert_eq!(cut("ääää", &Bound { max: 4, unit: Unit::Characters }), ["ääää"]);
        assert_eq!(cut("お待ちください。すぐ行きます。", &bytes(27)), ["お待ちください。", "すぐ行きます。"]);
        assert_eq!(cut("  \n ", &bytes(5)), Vec::<String>::new());
        // A limit below one letter is none that can be kept; it still ends.
        assert_eq!(cut("äö", &bytes(1)).concat(), "äö");
        let long = "A sentence with some words. ".repeat(100);
        let pieces = cut(&long, &bytes(1000));
        assert!(pieces.iter().all(|piece| piece.len() <= 1000 && piece.ends_with('.')), "{pieces:?}");
        assert_eq!(pieces.join(" "), long.trim());
    }
}
