//! Owns: the page with all keys.
//! Does not own: what the keys do (the scripts).

use axum::{http::StatusCode, response::Response};
use maud::html;

use super::{
    layout::{self, Frame, Place},
    reader::Reader,
};

/// `GET /help`.
pub(super) async fn page(reader: Reader) -> Response {
    let words = reader.words;
    let keys = [
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
        ("Alt C", &words.composer.cards),
        ("Alt Up Down", &words.key_messages),
        ("I", &words.key_contact),
        ("Ctrl Enter", &words.key_send),
        ("G I", &words.key_inbox),
    ];
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
