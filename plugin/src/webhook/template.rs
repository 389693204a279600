//! Incoming templates: catalogue products, and carousels in echoes of our own messages.
//! What belongs here is the payload of attachments of type `template`.

use channel_sdk::json::Json;
use channel_sdk::lenient::Notes;

use crate::types::{Button, ButtonAction, Card, Product};

/// Parses `product.elements`.
pub(super) fn products(notes: &mut Notes, value: &Json<'_>) -> Vec<Product> {
    let [elements] = notes.pick(value, &["elements"]);
    let mut products = Vec::new();
    for element in notes.elements(elements) {
        let [id, retailer_id, title, subtitle, image_url] =
            notes.pick(element, &["id", "retailer_id", "title", "subtitle", "image_url"]);
        products.push(Product {
            id: notes.id(id).unwrap_or_default(),
            retailer_id: notes.id(retailer_id),
            title: notes.text(title),
            subtitle: notes.text(subtitle),
            image_url: notes.text(image_url),
            quantity: None,
            price: None,
        });
    }
    products
}

/// Parses `generic.elements`.
pub(super) fn cards(notes: &mut Notes, value: &Json<'_>) -> Vec<Card> {
    let [list] = notes.pick(value, &["elements"]);
    elements(notes, list)
}

/// Parses a list of cards.
pub(super) fn elements(notes: &mut Notes, elements: &Json<'_>) -> Vec<Card> {
    let mut cards = Vec::new();
    for element in notes.elements(elements) {
        let [title, subtitle, image_url, item_url, action, list] =
            notes.pick(element, &["title", "subtitle", "image_url", "item_url", "default_action", "buttons"]);
        let [url, _] = notes.pick(action, &["url", "type"]);
        let buttons = buttons(notes, list);
        cards.push(Card {
            title: notes.text(title).unwrap_or_default(),
            subtitle: notes.text(subtitle),
            image_url: notes.text(image_url),
            url: notes.text(url).or_else(|| notes.text(item_url)),
            buttons,
        });
    }
    cards
}

/// Parses a text with buttons into a separate card.
pub(super) fn button_card(notes: &mut Notes, text: &Json<'_>, list: &Json<'_>) -> Card {
    let buttons = buttons(notes, list);
    Card { title: notes.text(text).unwrap_or_default(), subtitle: None, image_url: None, url: None, buttons }
}

fn buttons(notes: &mut Notes, list: &Json<'_>) -> Vec<Button> {
    let mut buttons = Vec::new();
    for one in notes.elements(list) {
        buttons.extend(button(notes, one));
    }
    buttons
}

fn button(notes: &mut Notes, value: &Json<'_>) -> Option<Button> {
    let [title, payload, url, _] = notes.pick(value, &["title", "payload", "url", "type"]);
    let action = match notes.text(payload) {
        Some(payload) => Some(ButtonAction::Postback(payload)),
        None => notes.text(url).map(ButtonAction::Url),
    };
    if action.is_none() {
        notes.unexpected();
    }
    Some(Button { title: notes.text(title).unwrap_or_default(), action: action? })
}
