//! Owns: JSON as people read it: line by line, keys and values told apart, everything spelled as it came.
//! Does not own: what the JSON means.

use maud::{Markup, html};
use serde::de::IgnoredAny;

/// The most lines that are shown.
const LINES: usize = 4000;

enum Piece {
    Mark(&'static str),
    Key(String),
    Value(String),
}

/// A text as numbered lines: laid out if it is JSON, as it is if not.
pub(super) fn code(text: &str, label: &str) -> Markup {
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    html! {
        pre.code tabindex="0" aria-label=(label) dir="ltr" {
            @if is_json {
                @for (indent, line) in laid_out(text).iter().take(LINES) {
                    span {
                        ("  ".repeat(*indent))
                        @for piece in line {
                            @match piece { Piece::Mark(mark) => (mark), Piece::Key(key) => b { (key) }, Piece::Value(value) => em { (value) } }
                        }
                    }
                }
            } @else {
                @for line in text.lines().take(LINES) { span { (line) } }
            }
        }
    }
}

/// The pieces of valid JSON in lines, each with its depth. Nothing is reordered or spelled anew.
fn laid_out(text: &str) -> Vec<(usize, Vec<Piece>)> {
    let (mut lines, mut line, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = rest.split_at(length(rest));
        let after = after.trim_start();
        match first {
            '{' | '[' => {
                let (open, close, both) = if first == '{' { ("{", '}', "{}") } else { ("[", ']', "[]") };
                if let Some(after) = after.strip_prefix(close) {
                    line.push(Piece::Mark(both));
                    rest = after.trim_start();
                    continue;
                }
                line.push(Piece::Mark(open));
                lines.push((depth, std::mem::take(&mut line)));
                depth += 1;
            }
            '}' | ']' => {
                lines.push((depth, std::mem::take(&mut line)));
                depth = depth.saturating_sub(1);
                line.push(Piece::Mark(if first == '}' { "}" } else { "]" }));
            }
            ',' => {
                line.push(Piece::Mark(","));
                lines.push((depth, std::mem::take(&mut line)));
            }
            ':' => line.push(Piece::Mark(": ")),
            '"' if after.starts_with(':') => line.push(Piece::Key(token.to_owned())),
            _ => line.push(Piece::Value(token.to_owned())),
        }
        rest = after;
    }
    lines.push((depth, line));
    lines
}

/// The length of the token at the start of a text, in bytes.
fn length(text: &str) -> usize {
    let mut characters = text.char_indices();
    match characters.next() {
        Some((_, '"')) => {
            let mut escaped = false;
            let end = characters.find(|(_, letter)| {
                let ends = !escaped && *letter == '"';
                escaped = !escaped && *letter == '\\';
                ends
            });
            end.map_or(text.len(), |(at, _)| at + 1)
        }
        Some((_, mark)) if "{}[],:".contains(mark) => 1,
        Some(_) => text.find(|c: char| c.is_whitespace() || "{}[],:\"".contains(c)).unwrap_or(text.len()),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let line = |(indent, line): &(usize, Vec<Piece>)| {
            let words = line.iter().map(|piece| match piece {
                Piece::Mark(mark) => (*mark).to_owned(),
                Piece::Key(key) => format!("<{key}>"),
                Piece::Value(value) => value.clone(),
            });
            format!("{}{}", " ".repeat(*indent), words.collect::<String>())
        };
        laid_out(json).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn json_is_laid_out_and_spelled_as_it_came() {
        let json = r#"{"b":1.50e2, "a" : ["x\"y,{", {}, [ ]],"é":null}"#;
        let shown = "{\n <\"b\">: 1.50e2,\n <\"a\">: [\n  \"x\\\"y,{\",\n  {},\n  []\n ],\n <\"é\">: null\n}";
        assert_eq!(text(json), shown);
        assert_eq!(text("7"), "7");
    }

    #[test]
    fn markup_in_json_stays_text() {
        let shown = code("{\"<b>\":\"<script>\"}", "x").into_string();
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script>"), "{shown}");
    }
}
