//! Event ids, built so that a repeated delivery produces the same ones.
//! Owns how an id is built; not its components, which each channel documents in a table.

use std::hash::Hasher as _;

use fnv::FnvHasher;

/// Joins a prefix and its parts with colons.
pub fn of(prefix: &str, parts: &[&str]) -> String {
    let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut id = String::with_capacity(prefix.len() + length);
    id.push_str(prefix);
    for part in parts {
        id.push(':');
        id.push_str(part);
    }
    id
}

/// A time as a component of an id; empty if the platform gave none.
pub fn time(at: Option<u64>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// A hash as a component of an id.
pub fn hash(pieces: &[&str]) -> String {
    format!("{:x}", fingerprint(pieces))
}

/// The id of an item without an id.
pub fn of_raw(account: &str, raw: &str) -> String {
    of("u", &[&hash(&[account, raw])])
}

/// 64-bit FNV-1a over several pieces, with a separator that cannot occur in UTF-8. Ids are stored, so the hash must
/// never change.
fn fingerprint(pieces: &[&str]) -> u64 {
    let mut hasher = FnvHasher::default();
    for piece in pieces {
        hasher.write(piece.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_separates_its_pieces() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    }
}
