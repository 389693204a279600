//! Owns: the page with all keys.
//! Does not own: what the keys do (the scripts).

use std::borrow::Cow;

use axum::{http::StatusCode, response::Response};
use maud::html;

use super::{
    layout::{self, Frame, Place},
    reader::Reader,
    words::Words,
};

/// All keys, and what each does.
fn keys(words: &Words, is_admin: bool) -> Vec<(&'static str, &Cow<'static, str>)> {
    let mut keys = vec![
        ("?", &words.key_help),
        ("/", &words.find.key_search),
        ("J  K", &words.key_next),
        ("Enter", &words.key_open),
        ("Esc", &words.key_escape),
        ("R", &words.key_reply),
        ("N", &words.key_note),
        ("E", &words.key_close),
        ("A", &words.key_assign),
        ("L", &words.key_label),
        ("X", &words.key_select),
        ("+", &words.composer.key_react),
        ("Shift X", &words.find.key_select_to),
        ("U", &words.find.mark_unread),
        ("@", &words.composer.mention),
        ("Alt Q", &words.quick_replies),
        ("Alt B", &words.composer.buttons),
        ("Alt C", &words.composer.cards),
        ("Alt Up Down", &words.key_messages),
        ("I", &words.key_contact),
        ("Ctrl Enter", &words.key_send),
        ("G I", &words.key_inbox),
        ("G C", &words.key_channels),
        ("G B", &words.key_bot),
    ];
    if is_admin {
        keys.push(("G P", &words.key_plugins));
    }
    keys.push(("G S", &words.key_settings));
    keys
}

/// `GET /help`.
pub(super) async fn page(reader: Reader) -> Response {
    let words = reader.words;
    let keys = keys(words, reader.is_admin);
    let content = html! {
        main.page id="main" tabindex="0" {
            div.narrow.stack.wide {
                div.page-head { div { h1 { (words.keyboard) } p { (words.keyboard_hint) } } }
                section.panel.flush {
                    table.table {
                        tbody {
                            @for (key, does) in keys {
                                tr { th scope="row" { @for one in key.split_whitespace() { kbd { (one) } " " } } td { (does) } }
                            }
                        }
                    }
                }
            }
        }
    };
    let frame = Frame { title: &words.keyboard, place: Place::Help, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SCRIPT: &str = include_str!("../../assets/js/keys.js");

    /// The single keys behind this piece of the script.
    fn after(piece: &str) -> BTreeSet<String> {
        let key = |rest: &str| rest.split_once('"').map(|(key, _)| key.to_uppercase()).filter(|key| key.len() == 1);
        SCRIPT.split(piece).skip(1).filter_map(key).collect()
    }

    #[test]
    fn the_page_lists_exactly_the_letters_that_the_script_knows() {
        let listed = keys(Words::of("en"), true);
        let single: BTreeSet<_> = listed
            .iter()
            .flat_map(|(key, _)| {
                // With `Alt` or `Ctrl`, and in fields, keys are other scripts'.
                let alone = !key.contains("Alt") && !key.contains("Ctrl") && *key != "@";
                key.split_whitespace().filter(move |one| alone && one.len() == 1).map(str::to_owned)
            })
            .collect();
        let places = SCRIPT.lines().find_map(|line| line.strip_prefix("const PLACES = {")).unwrap_or_default();
        let places: BTreeSet<_> = places.split(',').filter_map(|one| one.trim().chars().next()).collect();
        let places: BTreeSet<_> = places.iter().map(|letter| letter.to_uppercase().to_string()).collect();
        let known: BTreeSet<_> = after("key === \"").union(&places).cloned().collect();
        assert_eq!(single, known);
        let gone_to: BTreeSet<_> =
            listed.iter().filter_map(|(key, _)| Some(key.strip_prefix("G ")?.to_owned())).collect();
        assert_eq!(gone_to, places);
    }
}
