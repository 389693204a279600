//! Owns: what it means that a private note mentions a colleague, and the row of it.
//! Does not own: notes (`organisation`), storing mentions.

use serde::Serialize;

use super::{
    ids::{ConversationId, NoteId, UserId},
    user::UserView,
};

/// A mention of a user in a private note.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MentionView {
    /// The note.
    pub note: NoteId,
    /// The conversation that the note is in.
    pub conversation: ConversationId,
    /// The name of whoever wrote the note.
    pub author: String,
    /// The note's text.
    pub text: String,
    /// When the note was written, in milliseconds since 1970.
    pub at: u64,
    /// When the user looked at the conversation after that, in milliseconds since 1970.
    pub seen_at: Option<u64>,
}

/// Somebody who has a name that a note may mention.
pub trait Named {
    /// Who it is.
    fn id(&self) -> UserId;
    /// The name.
    fn name(&self) -> &str;
}

impl Named for UserView {
    fn id(&self) -> UserId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for (UserId, String) {
    fn id(&self) -> UserId {
        self.0
    }

    fn name(&self) -> &str {
        &self.1
    }
}

/// The people whom a text names after an `@`: where each begins in bytes, and who it is. Of several names that begin the
/// same the longest counts, and of several people with one name each is meant. What stands in the middle of a word, such
/// as a mail address, names nobody.
pub fn named_in<'p, P: Named>(text: &str, people: &'p [P]) -> Vec<(usize, Vec<&'p P>)> {
    let in_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mut found = Vec::new();
    let mut done = 0;
    for (at, _) in text.match_indices('@') {
        let (Some(before), Some(rest)) = (text.get(..at), text.get(at + 1..)) else { continue };
        if at < done || in_word(before.chars().next_back()) {
            continue;
        }
        let fits = |one: &&P| {
            let after = rest.strip_prefix(one.name());
            !one.name().is_empty() && after.is_some_and(|after| !in_word(after.chars().next()))
        };
        let Some(longest) = people.iter().filter(fits).map(|one| one.name().len()).max() else { continue };
        let meant = people.iter().filter(fits).filter(|one| one.name().len() == longest).collect();
        done = at + 1 + longest;
        found.push((at, meant));
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<i64> {
        let people = [(1, "Ann"), (2, "Ann Lee"), (3, "Zoë"), (4, "Zoë"), (5, "")];
        let people = people.map(|(id, name)| (UserId::new(id), name.to_owned()));
        named_in(text, &people).into_iter().flat_map(|(_, all)| all.into_iter().map(|one| one.0.get())).collect()
    }

    #[test]
    fn the_longest_name_after_a_sign_is_meant_and_no_part_of_a_word() {
        assert_eq!(named("@Ann Lee, and @Ann?"), [2, 1]);
        assert_eq!(named("(@Zoë)"), [3, 4]);
        assert_eq!(named("@Anna ann@Ann.example @ann @ @@Ann"), [1]);
        assert!(named("").is_empty());
    }
}
