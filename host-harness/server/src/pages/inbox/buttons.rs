//! Owns: the builder of buttons under a text, and a button as it is typed, for this builder and that of cards.
//! Does not own: whether they may be sent (the channel), the text above them (the composer).

use harness_contract::{
    Button, ButtonAction, Violation,
    names::{feature, text_field},
};
use maud::{Markup, html};

use super::{
    builders::{self, field},
    can::Can,
    draft::{Draft, Place},
    remarks,
};
use crate::pages::{
    parts::icon,
    reader::Reader,
    words::{count, fill},
};

/// A button, as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TypedButton {
    pub(super) title: String,
    /// It opens the address; otherwise it sends its title.
    pub(super) opens: bool,
    pub(super) address: String,
}

impl TypedButton {
    /// Whether nothing is typed into it.
    pub(super) fn is_blank(&self) -> bool {
        self.title.trim().is_empty() && self.address.trim().is_empty()
    }

    /// Takes a field of the form.
    pub(super) fn take(&mut self, field: &str, value: &str) {
        match field {
            "title" => value.clone_into(&mut self.title),
            "does" => self.opens = value == "opens",
            "address" => value.clone_into(&mut self.address),
            _ => {}
        }
    }

    /// What is sent.
    pub(super) fn button(&self) -> Button {
        let title = self.title.trim().to_owned();
        let action = if self.opens {
            ButtonAction::Url(self.address.trim().to_owned())
        } else {
            ButtonAction::Postback(title.clone())
        };
        Button { title, action }
    }
}

/// Where a button of a builder stands in the form.
pub(super) struct At<'f> {
    /// Its number, from 0.
    pub(super) number: usize,
    /// What the names of its fields begin with.
    pub(super) name: &'f str,
    /// What their ids begin with.
    pub(super) id: &'f str,
    /// What the button that takes it away says.
    pub(super) removal: &'f str,
}

/// The fields of a button. `wrong`: what is wrong with its title, and with what it does.
pub(super) fn fields(
    button: &TypedButton,
    at: &At<'_>,
    can: Can<'_>,
    (title, action): (&[&Violation], &[&Violation]),
    reader: &Reader,
) -> Markup {
    let words = &reader.words.composer;
    let At { number, name, id, removal } = at;
    let of = |sentence: &str| count(sentence, number + 1);
    html! {
        (field((&format!("{id}-title"), &format!("{name}.title")), &of(&words.button_title), &button.title, can.limit(text_field::BUTTON_TITLE), title, "text"))
        div.line {
            select.input.small name={ (name) ".does" } aria-label=(of(&words.button_does)) {
                option value="sends" selected[!button.opens] { (words.sends_reply) }
                option value="opens" selected[button.opens] { (words.opens_page) }
            }
            button.btn.icon.small.quiet.push name="change" value=(removal) formnovalidate
                aria-label=(fill(&reader.words.remove, &[("name", &of(&words.card_button))])) { (icon("x")) }
        }
        div.opens { (field((&format!("{id}-address"), &format!("{name}.address")), &of(&words.button_address), &button.address, None, action, "url")) }
    }
}

/// Takes a field of the form: `button.N.title` and the like. Says whether it is one.
pub(super) fn take(buttons: &mut Option<Vec<TypedButton>>, name: &str, value: &str, can: Can<'_>) -> bool {
    let Some((number, field)) = name.strip_prefix("button.").and_then(|path| path.split_once('.')) else {
        return false;
    };
    let Some(at) = number.parse::<usize>().ok().filter(|at| *at < can.buttons_per_message()) else { return true };
    let all = buttons.get_or_insert_default();
    while all.len() <= at {
        all.push(TypedButton::default());
    }
    if let Some(button) = all.get_mut(at) {
        button.take(field, value);
    }
    true
}

/// Makes the change that a button of the form asks for: `add`, `up.N`, `remove.N`. Says what is to be typed into next.
pub(super) fn change(buttons: &mut Vec<TypedButton>, path: &[&str], can: Can<'_>) -> String {
    let number = |text: &str| text.parse::<usize>().ok().filter(|at| *at < buttons.len());
    let at = match path {
        ["remove", at] => number(at).inspect(|at| drop(buttons.remove(*at))),
        ["up", at] => number(at).and_then(|at| at.checked_sub(1)).inspect(|at| buttons.swap(*at, at.saturating_add(1))),
        ["add"] if buttons.len() < can.buttons_per_message() => {
            buttons.push(TypedButton::default());
            None
        }
        _ => None,
    };
    let last = buttons.len().saturating_sub(1);
    format!("button-{}-title", at.unwrap_or(last).min(last))
}

/// The builder, if it is open.
pub(super) fn builder(
    draft: &Draft,
    can: Can<'_>,
    problems: &[(Place, &Violation)],
    name: &str,
    reader: &Reader,
) -> Markup {
    let Some(buttons) = &draft.buttons else { return html! {} };
    let words = &reader.words.composer;
    let most = can.buttons_per_message();
    let hidden_on = can.not_shown_on(feature::BUTTONS);
    let of = |number: usize, field: &str| {
        builders::wrong(problems, |place| matches!(place, Place::Button(at, path) if *at == number && path == field))
    };
    let whole = builders::wrong(problems, |place| *place == Place::AllButtons);
    html! {
        div.part.field id="buttons" {
            (builders::head(&words.buttons, (buttons.len(), most), hidden_on, "buttons", reader))
            div.builder {
                div.stack {
                    p.small.muted { (words.buttons_hint) }
                    @for (number, button) in buttons.iter().enumerate() {
                        @let at = At { number, name: &format!("button.{number}"), id: &format!("button-{number}"), removal: &format!("buttons.remove.{number}") };
                        div { (fields(button, &at, can, (&of(number, "title"), &of(number, "action")), reader)) }
                    }
                    p.line.wrap {
                        @if buttons.len() < most {
                            button.btn.small.quiet id="add-button" name="change" value="buttons.add" formnovalidate { (icon("plus")) (words.add_button) }
                        }
                        @for number in 1..buttons.len() {
                            @let named = count(&words.card_button, number + 1);
                            button.btn.small.quiet name="change" value={ "buttons.up." (number) } formnovalidate { (icon("up")) (fill(&words.move_up, &[("name", &named)])) }
                        }
                    }
                    div id="buttons-problem" data-live { (remarks::lines(remarks::unsaid(whole.into_iter(), hidden_on))) }
                }
                div.preview-phone aria-hidden="true" {
                    p.muted { (fill(&words.as_seen, &[("name", name)])) }
                    div id="buttons-preview" data-live { (shown(draft)) }
                }
            }
        }
    }
}

/// Text and buttons as a phone shows them.
fn shown(draft: &Draft) -> Markup {
    let typed: Vec<&TypedButton> = draft.typed_buttons().map(|(_, button)| button).collect();
    html! {
        @if !typed.is_empty() {
            ul.cards {
                li {
                    div dir="auto" { (draft.text.trim()) }
                    @for button in typed { span.cta dir="auto" { (button.title.trim()) } }
                }
            }
        } @else if !draft.text.trim().is_empty() { p.bubble dir="auto" { (draft.text.trim()) } }
    }
}
