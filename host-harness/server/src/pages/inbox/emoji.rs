//! Owns: the emoji that the pages offer, by group and name.
//! Does not own: what they are put into (the scripts), which ones a channel takes as reactions (`can`).

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use super::part;
use crate::pages::reader::Reader;

/// A line for each: the emoji, its name, and after `|` more words by which it is found. `#` begins a group.
const TABLE: &str = include_str!("../../../assets/emoji.txt");

/// `GET /inbox/emoji`: the picker, which the script loads when somebody wants it.
pub(super) async fn picker(reader: Reader) -> Response {
    part(StatusCode::OK, drawn(&reader))
}

fn drawn(reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    html! {
        div.emoji-picker id="emoji" popover role="dialog" aria-label=(words.emoji) {
            input.input.small type="search" id="find-emoji" placeholder=(words.find_emoji) aria-label=(words.find_emoji) autocomplete="off";
            div.emoji-grid {
                @for line in TABLE.lines() {
                    @match line.strip_prefix("# ") {
                        Some(group) => h3 { (group) },
                        None => (choice(line)),
                    }
                }
            }
            p.small.muted id="no-emoji" role="status" hidden { (words.no_emoji) }
        }
    }
}

fn choice(line: &str) -> Markup {
    let (emoji, about) = line.split_once(' ').unwrap_or((line, ""));
    let (name, more) = about.split_once(" | ").unwrap_or((about, ""));
    html! { button type="button" tabindex="-1" data-emoji=(emoji) data-words=(more) aria-label=(name) title=(name) { (emoji) } }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_emoji_has_a_name_and_stands_there_once() {
        let lines: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        let emoji: HashSet<_> = lines.iter().filter_map(|line| line.split_once(' ')).map(|(emoji, _)| emoji).collect();
        assert!(lines.len() > 300 && emoji.len() == lines.len(), "{} of {}", emoji.len(), lines.len());
        assert!(
            lines.iter().all(|line| !line.is_ascii() && line.split_once(' ').is_some_and(|(_, name)| name.len() > 1))
        );
    }
}
