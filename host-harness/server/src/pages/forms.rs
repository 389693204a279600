//! Owns: forms: a field with its label, its hint and what is wrong with it; the summary of everything that is wrong.
//! Does not own: what a form asks for, what becomes of it.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::{parts::icon, reader::Reader};

/// The status of a page about a form in which something is wrong.
pub(super) const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// What is wrong with a form that was sent: a sentence for each field, by the field's id.
#[derive(Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// One field is wrong.
    pub(super) fn of(field: &str, sentence: &str) -> Self {
        let mut wrong = Self::default();
        wrong.add(field, sentence);
        wrong
    }

    /// Adds what is wrong with a field.
    pub(super) fn add(&mut self, field: &str, sentence: &str) {
        self.0.push((field.to_owned(), as_sentence(sentence)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == field).map(|(_, sentence)| sentence.as_str())
    }

    /// The status of a page that shows the form.
    pub(super) fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { WRONG }
    }

    /// The title of a page that shows the form: who hears only the title hears that it has to be read again.
    pub(super) fn title(&self, title: &str, reader: &Reader) -> String {
        if self.is_empty() { title.to_owned() } else { format!("{}: {title}", reader.words.settings.error_title) }
    }

    /// Everything that is wrong, in one place, with a way to each field. It takes the focus.
    pub(super) fn summary(&self, reader: &Reader) -> Markup {
        html! {
            @if !self.is_empty() {
                div.callout data-tone="fail" role="alert" tabindex="-1" autofocus id="problems" {
                    (icon("stop"))
                    div {
                        strong { (reader.words.settings.problem) }
                        ul { @for (field, sentence) in &self.0 { li { a href={ "#" (field) } { (sentence) } } } }
                    }
                }
            }
        }
    }
}

/// An error's message as a sentence: a capital letter in front, a full stop behind.
pub(super) fn as_sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?', '…']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A field: its id, which is its name too, and its words.
#[derive(Clone, Copy)]
pub(super) struct Field<'f> {
    pub(super) id: &'f str,
    pub(super) label: &'f str,
    pub(super) hint: Option<&'f str>,
    pub(super) wrong: &'f Wrong,
}

impl Field<'_> {
    fn described(&self) -> Option<String> {
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        let wrong = self.wrong.with(self.id).map(|_| format!("{}-wrong", self.id));
        let both: Vec<_> = [hint, wrong].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(" "))
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field {
                label for=(self.id) { (self.label) }
                @if let Some(hint) = self.hint { p.hint id={ (self.id) "-hint" } { (hint) } }
                (self.what_is_wrong())
                (control)
            }
        }
    }

    fn what_is_wrong(&self) -> Markup {
        html! {
            @if let Some(sentence) = self.wrong.with(self.id) {
                p.violation id={ (self.id) "-wrong" } { (icon("stop")) (sentence) }
            }
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.wrong.with(self.id).map(|_| "true")
    }

    /// One line of text. `kind` is the type of the input.
    pub(super) fn line(&self, kind: &str, completion: &str, value: &str) -> Markup {
        self.around(&html! {
            input.input id=(self.id) name=(self.id) type=(kind) autocomplete=(completion) value=(value) dir="auto"
                aria-describedby=[self.described()] aria-invalid=[self.invalid()];
        })
    }

    /// Several lines of text.
    pub(super) fn lines(&self, rows: u8, value: &str) -> Markup {
        self.around(&html! {
            textarea.input id=(self.id) name=(self.id) rows=(rows) dir="auto"
                aria-describedby=[self.described()] aria-invalid=[self.invalid()] { (value) }
        })
    }

    /// One of several values.
    pub(super) fn select(&self, options: &[(&str, &str)], chosen: &str) -> Markup {
        self.around(&html! {
            select.input id=(self.id) name=(self.id) aria-describedby=[self.described()] aria-invalid=[self.invalid()] {
                @for (value, label) in options { option value=(value) selected[*value == chosen] { (label) } }
            }
        })
    }

    /// A group of choices. `kind` is `radio` or `checkbox`; each option has its value, its label and a hint.
    pub(super) fn choices(&self, kind: &str, options: &[Choice<'_>]) -> Markup {
        html! {
            fieldset.field id=(self.id) tabindex="-1" aria-describedby=[self.described()] {
                legend { (self.label) }
                @if let Some(hint) = self.hint { p.hint id={ (self.id) "-hint" } { (hint) } }
                (self.what_is_wrong())
                @for option in options {
                    label.check {
                        input type=(kind) name=(self.id) value=(option.value) checked[option.chosen];
                        span { (option.label) @if let Some(hint) = option.hint { br; span.small.muted { (hint) } } }
                    }
                }
            }
        }
    }
}

/// One of a group of choices.
pub(super) struct Choice<'c> {
    pub(super) value: &'c str,
    pub(super) label: &'c str,
    pub(super) hint: Option<&'c str>,
    pub(super) chosen: bool,
}

/// A value that is shown this once, with a button that copies it.
pub(super) fn once(id: &str, title: &str, hint: &str, value: &str, reader: &Reader) -> Markup {
    html! {
        section.callout data-tone="open" role="status" tabindex="-1" autofocus id={ (id) "-made" } {
            (icon("ok"))
            div.stack {
                strong { (title) }
                p.small { (hint) }
                div.line.wrap {
                    input.input.once id=(id) value=(value) readonly dir="ltr" spellcheck="false" aria-label=(title);
                    button.btn.small.needs-script type="button" data-copy=(id) data-copied=(reader.words.settings.copied) {
                        (icon("copy")) span { (reader.words.settings.copy) }
                    }
                }
            }
        }
    }
}

/// The values that a form has for a field.
pub(super) struct Sent(pub(super) Vec<(String, String)>);

impl Sent {
    /// The value of a field; empty if it has none.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(as_sentence("the time is over"), "The time is over.");
        assert_eq!(as_sentence("Is it?"), "Is it?");
        assert_eq!(as_sentence(""), ".");
    }
}
