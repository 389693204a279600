//! Owns: the card builder: what is typed into it, the cards that it becomes, its markup.
//! Does not own: whether the cards may be sent (the channel), the rest of the composer.

use harness_contract::{
    Bound, Card, Violation,
    names::{feature, text_field},
};
use maud::{Markup, html};

use super::{
    builders,
    buttons::{self, TypedButton},
    can::Can,
    remarks,
};
use crate::pages::{
    parts::icon,
    reader::Reader,
    words::{count, fill},
};

/// A card, as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TypedCard {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) image: String,
    /// The handle of an uploaded picture, in place of an address.
    pub(super) picture: String,
    /// The public address of that picture.
    pub(super) picture_address: Option<String>,
    pub(super) url: String,
    pub(super) buttons: Vec<TypedButton>,
}

impl TypedCard {
    fn is_blank(&self) -> bool {
        *self == Self { buttons: self.buttons.clone(), ..Self::default() }
            && self.buttons.iter().all(TypedButton::is_blank)
    }

    fn card(&self) -> Card {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Card {
            title: self.title.trim().to_owned(),
            subtitle: given(&self.subtitle),
            image_url: self.picture_address.clone().or_else(|| given(&self.image)),
            url: given(&self.url),
            buttons: self.buttons.iter().map(TypedButton::button).collect(),
        }
    }
}

/// The card builder's content.
#[derive(Clone, Debug, Default)]
pub(super) struct Cards {
    pub(super) all: Vec<TypedCard>,
    /// The card whose fields are shown.
    pub(super) shown: usize,
}

impl Cards {
    /// Takes a field of the form: `card.N.title`, `card.N.button.M.title` and the like. Says whether it is one.
    pub(super) fn take(&mut self, name: &str, value: &str, can: Can<'_>) -> bool {
        let mut path = name.split('.');
        if path.next() != Some("card") {
            return false;
        }
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<usize>().ok());
        let Some(at) = number(path.next()).filter(|at| *at < can.cards()) else { return true };
        while self.all.len() <= at {
            self.all.push(TypedCard::default());
        }
        let Some(card) = self.all.get_mut(at) else { return true };
        match (path.next(), number(path.next()), path.next()) {
            (Some("title"), ..) => value.clone_into(&mut card.title),
            (Some("subtitle"), ..) => value.clone_into(&mut card.subtitle),
            (Some("picture"), ..) => value.clone_into(&mut card.picture),
            (Some("image"), ..) => value.clone_into(&mut card.image),
            (Some("url"), ..) => value.clone_into(&mut card.url),
            (Some("button"), Some(button), Some(field)) if button < can.buttons_per_card() => {
                while card.buttons.len() <= button {
                    card.buttons.push(TypedButton::default());
                }
                if let Some(button) = card.buttons.get_mut(button) {
                    button.take(field, value);
                }
            }
            _ => {}
        }
        true
    }

    /// Makes the change that a button of the form asks for: `card.add`, `card.N.show`, `card.N.remove`, `card.N.button`,
    /// `card.N.unbutton.M`. Says what is to be typed into next.
    pub(super) fn change(&mut self, path: &[&str], can: Can<'_>) {
        let number = |text: &str| text.parse::<usize>().ok();
        match path {
            ["add"] if self.all.len() < can.cards() => {
                self.all.push(TypedCard::default());
                self.shown = self.all.len().saturating_sub(1);
            }
            [at, "show"] => self.shown = number(at).unwrap_or(0),
            [at, "remove"] => {
                if let Some(at) = number(at).filter(|at| *at < self.all.len()) {
                    self.all.remove(at);
                }
            }
            [at, "first"] => {
                if let Some(at) = number(at).filter(|at| *at < self.all.len()) {
                    let card = self.all.remove(at);
                    self.all.insert(0, card);
                    self.shown = 0;
                }
            }
            [at, "unpicture"] => {
                if let Some(card) = number(at).and_then(|at| self.all.get_mut(at)) {
                    card.picture.clear();
                    card.picture_address = None;
                }
            }
            [at, "button"] => {
                if let Some(card) = number(at).and_then(|at| self.all.get_mut(at))
                    && card.buttons.len() < can.buttons_per_card()
                {
                    card.buttons.push(TypedButton::default());
                }
            }
            [at, "unbutton", button] => {
                if let Some(card) = number(at).and_then(|at| self.all.get_mut(at))
                    && let Some(button) = number(button).filter(|button| *button < card.buttons.len())
                {
                    card.buttons.remove(button);
                }
            }
            _ => {}
        }
        self.shown = self.shown.min(self.all.len().saturating_sub(1));
    }

    /// The cards in which something is typed, each with its number in the builder.
    fn typed(&self) -> impl Iterator<Item = (usize, &TypedCard)> {
        self.all.iter().enumerate().filter(|(_, card)| !card.is_blank())
    }

    /// What is sent.
    pub(super) fn cards(&self) -> Vec<Card> {
        self.typed().map(|(_, card)| card.card()).collect()
    }

    /// The cards, for what is found out about their pictures.
    pub(super) fn pictures(&mut self) -> impl Iterator<Item = &mut TypedCard> {
        self.all.iter_mut().filter(|card| !card.picture.is_empty())
    }

    /// The number in the builder of a card that is sent.
    pub(super) fn number_of(&self, sent: usize) -> Option<usize> {
        self.typed().nth(sent).map(|(at, _)| at)
    }
}

/// A problem, with the card that it is in and the path of its field within the card.
pub(super) type Found<'v> = (usize, String, &'v Violation);

/// The builder. `found`: what is wrong with single cards, `whole`: with all. `uploads`: pictures can be uploaded for them.
pub(super) fn builder(
    cards: &Cards,
    can: Can<'_>,
    (found, whole): (&[Found<'_>], &[&Violation]),
    (name, uploads): (&str, bool),
    reader: &Reader,
) -> Markup {
    let words = &reader.words.composer;
    let hidden_on = can.not_shown_on(feature::CARDS);
    html! {
        div.part.field id="cards" {
            (builders::head(&words.cards, (cards.all.len(), can.cards()), hidden_on, "cards.close", reader))
            div.builder {
                div.stack {
                    div.tabs {
                        @for at in 0..cards.all.len() {
                            @let wrong = found.iter().any(|(card, ..)| *card == at);
                            button name="change" value={ "card." (at) ".show" } formnovalidate aria-current=[(at == cards.shown).then_some("true")] {
                                (count(&words.card, at + 1))
                                @if wrong { span.violation.inline { " (" (words.to_fix) ")" } }
                            }
                        }
                        @if cards.all.len() < can.cards() {
                            button id="add-card" name="change" value="card.add" formnovalidate { "+ " (words.add_card) }
                        }
                    }
                    @for (at, card) in cards.all.iter().enumerate() {
                        @if at == cards.shown { (fields(at, card, can, found, (cards.all.len(), uploads), reader)) } @else { (kept(at, card)) }
                    }
                    input type="hidden" name="card_shown" value=(cards.shown);
                    div id="cards-problem" data-live { (remarks::lines(remarks::unsaid(whole.iter().copied(), hidden_on))) }
                }
                div.preview-phone id="cards-preview" data-live aria-hidden="true" {
                    p.muted { (fill(&words.as_seen, &[("name", name)])) }
                    (shown(cards))
                }
            }
        }
    }
}

/// Cards as a phone shows them.
fn shown(cards: &Cards) -> Markup {
    html! {
        ul.cards {
            @for (typed, card) in cards.typed().map(|(_, typed)| (typed, typed.card())) {
                li {
                    @if !typed.picture.is_empty() { img.pic src={ "/inbox/files/" (typed.picture) } alt=""; }
                    @else if card.image_url.is_some() { span.pic.empty-pic { (icon("photo")) } }
                    div { strong dir="auto" { (card.title) } @if let Some(subtitle) = &card.subtitle { p.muted dir="auto" { (subtitle) } } }
                    @for button in &card.buttons { span.cta dir="auto" { (button.title) } }
                }
            }
        }
    }
}

/// A card whose fields are not shown.
fn kept(at: usize, card: &TypedCard) -> Markup {
    let field = |name: &str, value: &str| html! { input type="hidden" name={ "card." (at) "." (name) } value=(value); };
    html! {
        (field("title", &card.title))
        (field("subtitle", &card.subtitle))
        (field("image", &card.image))
        (field("picture", &card.picture))
        (field("url", &card.url))
        @for (number, button) in card.buttons.iter().enumerate() {
            (field(&format!("button.{number}.title"), &button.title))
            (field(&format!("button.{number}.does"), if button.opens { "opens" } else { "sends" }))
            (field(&format!("button.{number}.address"), &button.address))
        }
    }
}

/// The picture that was uploaded for a card, or the button that uploads one. Without a public address of this host the
/// platform could not fetch it.
fn picture(at: usize, card: &TypedCard, can: Can<'_>, uploads: bool, reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    html! {
        input type="hidden" id="card-picture" name={ "card." (at) ".picture" } value=(card.picture);
        @if !card.picture.is_empty() {
            p.line {
                span.thumb { img src={ "/inbox/files/" (card.picture) } alt=(words.card_picture); }
                button.btn.small.quiet name="change" value={ "card." (at) ".unpicture" } formnovalidate { (icon("x")) (fill(&reader.words.remove, &[("name", &words.card_picture)])) }
            }
        } @else if uploads {
            label.btn.small.quiet.needs-script { (icon("photo")) (words.upload_picture) input.sr type="file" data-card-picture accept=(can.accepted_pictures()); }
        }
    }
}

fn fields(
    at: usize,
    card: &TypedCard,
    can: Can<'_>,
    found: &[Found<'_>],
    (all, uploads): (usize, bool),
    reader: &Reader,
) -> Markup {
    let words = &reader.words.composer;
    let wrong = |path: &str| -> Vec<&Violation> {
        let here = found.iter().filter(|(card, place, _)| *card == at && place == path);
        here.map(|(_, _, violation)| *violation).collect()
    };
    let field = |name: &str, label: &str, value: &str, limit: Option<&Bound>, path: &str, kind: &str| {
        let (id, named) = (format!("card-{name}"), format!("card.{at}.{name}"));
        builders::field((&id, &named), label, value, limit, &wrong(path), kind)
    };
    let button = |number: usize, typed: &TypedButton| {
        let (name, id) = (format!("card.{at}.button.{number}"), format!("card-button-{number}"));
        let at = buttons::At { number, name: &name, id: &id, removal: &format!("card.{at}.unbutton.{number}") };
        let wrong = |field: &str| wrong(&format!("buttons[{number}].{field}"));
        buttons::fields(typed, &at, can, (&wrong("title"), &wrong("action")), reader)
    };
    html! {
        (field("title", &words.card_title, &card.title, can.limit(text_field::CARD_TITLE), "title", "text"))
        (field("subtitle", &words.card_subtitle, &card.subtitle, can.limit(text_field::CARD_SUBTITLE), "subtitle", "text"))
        (picture(at, card, can, uploads, reader))
        @if card.picture.is_empty() { (field("image", &words.card_image, &card.image, None, "image_url", "url")) }
        (field("url", &words.card_url, &card.url, None, "url", "url"))
        @for (number, typed) in card.buttons.iter().enumerate() { (button(number, typed)) }
        div id="card-problem" data-live { (remarks::lines(wrong("").iter().copied())) (remarks::lines(wrong("buttons").iter().copied())) }
        p.line.wrap {
            @if card.buttons.len() < can.buttons_per_card() {
                button.btn.small.quiet name="change" value={ "card." (at) ".button" } formnovalidate { (icon("plus")) (words.add_button) }
            }
            @if at > 0 {
                @let name = count(&words.card, at + 1);
                button.btn.small.quiet name="change" value={ "card." (at) ".first" } formnovalidate { (icon("up")) (fill(&words.move_back, &[("name", &name)])) }
            }
            @if all > 1 { button.btn.small.quiet name="change" value={ "card." (at) ".remove" } formnovalidate { (icon("x")) (words.remove_card) } }
        }
    }
}
