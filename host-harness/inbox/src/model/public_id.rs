//! Owns: the spelling of row ids outside the host: `cnv_` and 13 characters from which neither order nor count can be read.
//! Does not own: which ids there are (`ids`), JSON, addresses.

use std::fmt;

/// Crockford's base32 in lower case: no `i`, `l`, `o`, `u`.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 5 bits a character; the first of 13 holds 4.
const LENGTH: u32 = 13;

/// An id of a row that is shown outside the host. Each has exactly one spelling, and no two kinds share one. The numbers
/// are mixed, not encrypted: whoever knows this code can undo it, so an id proves nothing and grants nothing.
pub trait PublicId: Copy + Send + Sync + 'static {
    /// The kind, before the underscore.
    const PREFIX: &'static str;
    /// The kind as a sentence names it, such as "conversation".
    const NOUN: &'static str;

    /// The row's number.
    fn number(self) -> i64;

    /// The id of this row's number.
    fn from_number(number: i64) -> Self;

    /// Its spelling outside the host, such as `cnv_7w3k0x9f2m4qz`.
    fn public(self) -> String {
        let mut bits = mix(self.number().cast_unsigned() ^ tweak(Self::PREFIX));
        let mut letters = [b'0'; LENGTH as usize];
        for letter in letters.iter_mut().rev() {
            let value = usize::from((bits & 31) as u8);
            *letter = ALPHABET.get(value).copied().unwrap_or(b'0');
            bits >>= 5;
        }
        format!("{}_{}", Self::PREFIX, String::from_utf8_lossy(&letters))
    }

    /// The id that is spelled so. Says nothing about whether the row exists.
    ///
    /// # Errors
    /// It is not spelled as an id of this kind.
    fn from_public(text: &str) -> Result<Self, NotAnId> {
        let not = NotAnId { noun: Self::NOUN, prefix: Self::PREFIX };
        let letters = text.strip_prefix(Self::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(not)?;
        if letters.len() != LENGTH as usize {
            return Err(not);
        }
        let mut bits = 0u128;
        for letter in letters.bytes() {
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or(not)?;
            bits = bits << 5 | value as u128;
        }
        let bits = u64::try_from(bits).map_err(|_| not)?;
        let number = (unmix(bits) ^ tweak(Self::PREFIX)).cast_signed();
        if number > 0 { Ok(Self::from_number(number)) } else { Err(not) }
    }
}

/// A text that is no id of the expected kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotAnId {
    noun: &'static str,
    prefix: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { noun, prefix } = self;
        write!(f, "this is not a {noun} id: one begins with `{prefix}_`, and is taken as the API gave it")
    }
}

impl std::error::Error for NotAnId {}

/// Differs by kind, so that the same number is spelled differently in each (FNV-1a).
const fn tweak(prefix: &str) -> u64 {
    let (bytes, mut hash, mut at) = (prefix.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while let Some((byte, _)) = bytes.split_at(at).1.split_first() {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// SplitMix64's last step: a bijection in which each bit of the input changes half of the output's.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Undoes [`mix`]: the factors are the inverses modulo 2^64.
const fn unmix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 31 ^ bits >> 62).wrapping_mul(0x3196_42b2_d24d_8ec3);
    bits = (bits ^ bits >> 27 ^ bits >> 54).wrapping_mul(0x96de_1b17_3f11_9089);
    bits ^ bits >> 30 ^ bits >> 60
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::ids::{AccountId, ConversationId, MessageId};
    use super::*;

    #[test]
    fn every_row_has_one_spelling_and_every_spelling_one_row() {
        let numbers = (1..2000).chain((1..63).map(|bit| 1 << bit)).chain([i64::MAX, i64::MAX - 1]);
        let mut spelled = HashSet::new();
        for number in numbers.collect::<HashSet<_>>() {
            let id = ConversationId::new(number);
            let text = id.public();
            assert_eq!(text.len(), "cnv_".len() + 13, "{text}");
            assert_eq!(ConversationId::from_public(&text), Ok(id), "{text}");
            assert!(spelled.insert(text));
        }
    }

    #[test]
    fn kinds_are_not_confused_and_neighbours_do_not_look_alike() {
        let (conversation, message) = (ConversationId::new(7).public(), MessageId::new(7).public());
        assert_ne!(conversation.split_once('_').map(|two| two.1), message.split_once('_').map(|two| two.1));
        assert!(MessageId::from_public(&conversation).is_err());
        assert!(AccountId::from_public(&conversation.replace("cnv_", "acc_")).map_or(true, |id| id.get() != 7));
        // Stored by whoever uses the API: the spelling never changes.
        assert_eq!(ConversationId::new(1).public(), "cnv_fh2fk8jvyp82e");
        assert_eq!(ConversationId::new(2).public(), "cnv_fdnep173dctm4");
    }

    #[test]
    fn what_is_not_spelled_as_given_is_no_id() {
        let text = ConversationId::new(1).public();
        let no = |text: &str| assert!(ConversationId::from_public(text).is_err(), "{text}");
        for wrong in ["", "cnv_", "cnv", "1", "cnv_1", "cnv_zzzzzzzzzzzzz", "cnv_äääääää", "cnv_0000000000000 "]
        {
            no(wrong);
        }
        no(&text.to_uppercase());
        no(&format!("{text}0"));
        no(&format!(" {text}"));
        no(&ConversationId::new(0).public());
        no(&ConversationId::new(-1).public());
    }
}
