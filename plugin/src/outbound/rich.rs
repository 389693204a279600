//! Interactive parts: cards, buttons, products and quick replies.
//! What belongs here is checking them; `body` writes their JSON.

use channel_sdk::names::{feature, violation_code};
use channel_sdk::report::Report;
use channel_sdk::text::is_blank;

use super::settings::{Login, Settings};
use super::{Piece, element, path};
use crate::limits::{
    BUTTON_PAYLOAD, BUTTON_TEXT, BUTTON_TITLE, BUTTONS_PER_CARD, BUTTONS_PER_MESSAGE, CARD_SUBTITLE, CARD_TITLE, CARDS,
    NOT_ON_WEB, PRODUCTS, QUICK_REPLIES, QUICK_REPLY_PAYLOAD, QUICK_REPLY_TITLE,
};
use crate::types::{Button, ButtonAction, ButtonMessage, Card, OutboundMessage};

const WEB: &[&str] = &["https", "http"];

fn only_in_the_app(report: &mut Report, part: usize, feature: &str, path: &str, name: &str) {
    let sentence = format!("Instagram shows {name} in its mobile app only; on the web the customer does not see them.");
    report.hidden(part, feature, path, &sentence, NOT_ON_WEB);
}

/// Checks a carousel.
pub(super) fn cards(report: &mut Report, part: usize, cards: &[Card]) {
    let list = path(part, "cards");
    report.count(&list, "cards", cards.len(), CARDS);
    for (at, card) in cards.iter().enumerate() {
        let place = element(&list, at, "");
        let title = format!("{place}.title");
        report.field(violation_code::TITLE_TOO_LONG, &title, "The card's title", &card.title, CARD_TITLE);
        if let Some(subtitle) = &card.subtitle {
            let (code, place) = (violation_code::TITLE_TOO_LONG, format!("{place}.subtitle"));
            report.length(code, &place, "The card's second line", subtitle, CARD_SUBTITLE);
        }
        if let Some(url) = &card.image_url {
            report.address(&format!("{place}.image_url"), "The address of the card's image", url, &["https"]);
        }
        if let Some(url) = &card.url {
            report.address(&format!("{place}.url"), "The card's address", url, WEB);
        }
        let buttons_path = format!("{place}.buttons");
        report.count(&buttons_path, "buttons on a card", card.buttons.len(), BUTTONS_PER_CARD);
        buttons(report, &buttons_path, &card.buttons);
        let bare = card.subtitle.is_none() && card.image_url.is_none() && card.url.is_none() && card.buttons.is_empty();
        if bare {
            let sentence =
                "A card needs something besides its title. Add a second line, an image, an address or a button.";
            report.error(violation_code::MISSING_FIELD, &place, sentence);
        }
    }
    only_in_the_app(report, part, feature::CARDS, &list, "cards");
}

/// Checks a text with buttons, and returns the text as sent.
pub(super) fn button_message(report: &mut Report, part: usize, message: &ButtonMessage) -> String {
    let text = path(part, "buttons.text");
    let mut sent = message.text.clone();
    if let Some(footer) = message.footer.as_deref().filter(|footer| !is_blank(footer)) {
        let sentence = "Instagram has no footers; the footer is sent as the last line of the text.";
        report.lost(part, feature::BUTTONS, &path(part, "buttons.footer"), sentence);
        sent.push('\n');
        sent.push_str(footer);
    }
    if report.present(&text, "The text above the buttons", &message.text) {
        report.length(violation_code::TEXT_TOO_LONG, &text, "The text above the buttons", &sent, BUTTON_TEXT);
    }
    if message.header.is_some() {
        let sentence = "Instagram has no files above buttons; the file is left out. Send it as a part of its own.";
        report.lost(part, feature::BUTTONS, &path(part, "buttons.header"), sentence);
    }
    let list = path(part, "buttons.buttons");
    report.count(&list, "buttons", message.buttons.len(), BUTTONS_PER_MESSAGE);
    buttons(report, &list, &message.buttons);
    only_in_the_app(report, part, feature::BUTTONS, &list, "buttons");
    sent
}

fn buttons(report: &mut Report, list: &str, buttons: &[Button]) {
    for (at, button) in buttons.iter().enumerate() {
        let title = element(list, at, "title");
        report.field(violation_code::TITLE_TOO_LONG, &title, "The button's title", &button.title, BUTTON_TITLE);
        let place = element(list, at, "action");
        match &button.action {
            ButtonAction::Postback(payload) => {
                let name = "What the button sends back";
                report.field(violation_code::PAYLOAD_TOO_LONG, &place, name, payload, BUTTON_PAYLOAD);
            }
            ButtonAction::Url(url) => report.address(&place, "The button's address", url, WEB),
            _ => {
                let sentence = "On Instagram a button can open an address or send an answer. Choose one of these.";
                let code = violation_code::UNSUPPORTED_FEATURE;
                report.not_accepted(code, &place, sentence, &["postback", "url"]);
            }
        }
    }
}

/// Checks products of the catalogue.
pub(super) fn products(report: &mut Report, settings: &Settings<'_>, part: usize, products: &[String]) {
    let list = path(part, "products");
    report.count(&list, "products", products.len(), PRODUCTS);
    for (at, product) in products.iter().enumerate() {
        report.reference(&element(&list, at, ""), "The product's id", product);
    }
    if settings.login == Login::Instagram {
        let sentence = "Products can be sent only from accounts that are connected with Facebook. Send cards instead.";
        report.error(violation_code::NOT_AVAILABLE_ON_ACCOUNT, &list, sentence);
    }
    only_in_the_app(report, part, feature::PRODUCTS, &list, "products");
}

/// Checks quick replies, which are attached to the last part.
pub(super) fn quick_replies(report: &mut Report, message: &OutboundMessage, pieces: &[(usize, Piece<'_>)]) {
    let replies = &message.quick_replies;
    if replies.is_empty() {
        return;
    }
    let list = "quick_replies";
    let part = message.parts.len().saturating_sub(1);
    report.count(list, "quick replies", replies.len(), QUICK_REPLIES);
    for (at, reply) in replies.iter().enumerate() {
        let title = element(list, at, "title");
        let (code, name) = (violation_code::TITLE_TOO_LONG, "The quick reply's title");
        report.field(code, &title, name, &reply.title, QUICK_REPLY_TITLE);
        let action = element(list, at, "action");
        match &reply.action {
            ButtonAction::Postback(payload) => {
                let (code, name) = (violation_code::PAYLOAD_TOO_LONG, "What the quick reply sends back");
                report.field(code, &action, name, payload, QUICK_REPLY_PAYLOAD);
            }
            _ => {
                let sentence = "A quick reply on Instagram can only send an answer back. Use a postback, or a button.";
                report.error(violation_code::UNSUPPORTED_FEATURE, &action, sentence);
            }
        }
        if reply.image_url.is_some() {
            let sentence = "Instagram shows no images on quick replies; the image is left out.";
            report.lost(part, feature::QUICK_REPLIES, &element(list, at, "image_url"), sentence);
        }
    }
    // A refused last part has no piece; it is not reported twice.
    let last = pieces.last().filter(|(at, _)| *at == part);
    if last.is_some_and(|(_, piece)| !piece.takes_quick_replies()) {
        let sentence = "Quick replies need a text or files above them. Put a text last.";
        report.error(violation_code::UNSUPPORTED_COMBINATION, list, sentence);
    }
    only_in_the_app(report, part, feature::QUICK_REPLIES, list, "quick replies");
}
