//! What the host has that can be asked for: conversations and words. Not here: asking for it.

use serde_json::Value;

use super::Line;

/// Conversations from which one is chosen.
const CONVERSATIONS: usize = 200;
/// Conversations whose texts are read for words.
const READ: usize = 30;
/// Words that people use every day; each finds very much.
const EVERYDAY: [&str; 7] = ["order", "Bestellung", "pedido", "shipping", "Thank you", "blue", "hello"];

/// Conversations, and words to search for.
pub(super) struct Texts {
    /// The newest conversations, by id.
    pub(super) conversations: Vec<String>,
    /// Words for a search, as they stand in an address: of every two one is rare.
    pub(super) words: Vec<String>,
}

impl Texts {
    pub(super) async fn read(line: &Line) -> Self {
        let newest = line.api(&format!("/conversations?limit={CONVERSATIONS}")).await;
        let conversations: Vec<_> = newest["data"].as_array().unwrap().iter().filter_map(id).collect();
        assert!(!conversations.is_empty(), "the inbox has no conversation");
        let mut rare = Vec::new();
        for id in conversations.iter().take(READ) {
            let timeline = line.api(&format!("/conversations/{id}/timeline?limit=20")).await;
            rare.extend(timeline["data"].as_array().unwrap().iter().filter_map(longest));
        }
        assert!(!rare.is_empty(), "no message has a word to search for");
        let both = rare.into_iter().zip(EVERYDAY.into_iter().cycle());
        let both = both.flat_map(|(rare, everyday)| [rare, everyday.to_owned()]);
        let words = both.map(|word| url::form_urlencoded::byte_serialize(word.as_bytes()).collect()).collect();
        Self { conversations, words }
    }

    /// A conversation, another one in each round.
    pub(super) fn conversation(&self, round: usize) -> &str {
        &self.conversations[round % self.conversations.len()]
    }

    /// A word, another one in each round.
    pub(super) fn word(&self, round: usize) -> &str {
        &self.words[round % self.words.len()]
    }
}

fn id(conversation: &Value) -> Option<String> {
    Some(conversation["id"].as_str()?.to_owned())
}

/// The longest word of a message, with a digit if one has any: such as the number of an order.
fn longest(message: &Value) -> Option<String> {
    let words = message["text"].as_str()?.split(|letter: char| !letter.is_alphanumeric());
    let rank = |word: &&str| (word.contains(|letter: char| letter.is_ascii_digit()), word.len());
    words.filter(|word| word.chars().count() >= 4).max_by_key(rank).map(str::to_owned)
}
