//! Owns: reading the composer's form, and the changes that its buttons make to it.
//! Does not own: what it becomes (`draft`).

use harness_engine::Host;
use harness_inbox::Row;

use super::{
    buttons::{self, TypedButton},
    can::Can,
    cards::{Cards, TypedCard},
    draft::{Attached, Draft},
};
use crate::pages::reader::Reader;

/// The longest idempotency key of a form.
pub(super) const MAX_KEY: usize = 64;
/// The most files in one form.
const MOST_FILES: usize = 30;
/// The most quick replies that are read from one form.
const MOST_QUICK: usize = 50;
/// The longest id or address that is read, in characters.
const MOST_ID: usize = 2_000;

/// What was sent with a form.
pub(super) struct Filled {
    pub(super) draft: Draft,
    /// Whether a button asked for a change of the form, and nothing is to be sent.
    pub(super) changed: bool,
}

impl Filled {
    /// Reads the form. Files that are gone are left out.
    pub(super) async fn read(host: &Host, can: Can<'_>, fields: Vec<(String, String)>, reader: &Reader) -> Self {
        let mut draft = Draft::default();
        let mut cards = Cards::default();
        let mut changes = Vec::new();
        for (name, value) in fields {
            let given = || Some(value.chars().take(MOST_ID).collect::<String>()).filter(|value| !value.is_empty());
            match name.as_str() {
                "key" => draft.key = value.chars().take(MAX_KEY).collect(),
                // Browsers send line breaks of forms as CR LF.
                "text" => draft.text = value.replace("\r\n", "\n"),
                "quick" => {
                    let quick = draft.quick.get_or_insert_default();
                    if quick.len() < MOST_QUICK {
                        quick.push(value);
                    }
                }
                "share" => draft.share = Some(given().unwrap_or_default()),
                "card_shown" => cards.shown = value.parse().unwrap_or(0),
                "reply_to" => draft.reply_to = given(),
                "comment" => draft.comment = given(),
                "sticker" => draft.sticker = given(),
                "anyway" => draft.try_anyway = true,
                "change" => changes.push(value),
                "file" if draft.files.len() < MOST_FILES => {
                    if reader.owns(host, Row::Upload(value.to_owned())).await.unwrap_or(false)
                        && let Ok((upload, _)) = host.upload(&value).await
                    {
                        draft.files.push(Attached { upload });
                    }
                }
                name if buttons::take(&mut draft.buttons, name, &value, can) => {}
                name => drop(cards.take(name, &value, can)),
            }
        }
        cards.shown = cards.shown.min(cards.all.len().saturating_sub(1));
        for card in cards.pictures() {
            if reader.owns(host, Row::Upload(card.picture.clone())).await.unwrap_or(false) {
                card.picture_address = host.file_address(&card.picture);
            }
            if card.picture_address.is_none() {
                card.picture.clear();
            }
        }
        draft.cards = Some(cards).filter(|cards| !cards.all.is_empty());
        for change in &changes {
            draft.change(change, can);
        }
        Self { draft, changed: !changes.is_empty() }
    }
}

impl Draft {
    /// Makes the change that a button asks for. Unknown ones change nothing: the form is drawn again as it was.
    fn change(&mut self, change: &str, can: Can<'_>) {
        let path: Vec<&str> = change.split('.').collect();
        let number = |text: &str| text.parse::<usize>().ok();
        match path.as_slice() {
            ["quick"] if self.quick.is_some() => self.quick = None,
            ["quick"] if can.quick_replies() > 0 => {
                self.quick = Some(vec![String::new()]);
                self.next = Some("quick-0".to_owned());
            }
            ["quick", "add"] => {
                let quick = self.quick.get_or_insert_default();
                if quick.len() < can.quick_replies() {
                    quick.push(String::new());
                }
                self.next = Some(format!("quick-{}", quick.len().saturating_sub(1)));
            }
            ["quick", "remove", at] => {
                if let (Some(quick), Some(at)) = (&mut self.quick, number(at))
                    && at < quick.len()
                {
                    quick.remove(at);
                    self.next = Some(format!("quick-{}", at.min(quick.len().saturating_sub(1))));
                }
                self.quick.take_if(|quick| quick.is_empty());
            }
            ["quick", "up", at] => {
                if let (Some(quick), Some(at)) = (&mut self.quick, number(at))
                    && at > 0
                    && at < quick.len()
                {
                    quick.swap(at - 1, at);
                    self.next = Some(format!("quick-{}", at - 1));
                }
            }
            ["buttons"] if self.buttons.is_some() => self.buttons = None,
            ["buttons"] if can.buttons_per_message() > 0 => {
                self.buttons = Some(vec![TypedButton::default()]);
                self.next = Some("button-0-title".to_owned());
            }
            ["buttons", rest @ ..] if can.buttons_per_message() > 0 => {
                self.next = Some(buttons::change(self.buttons.get_or_insert_default(), rest, can));
                self.buttons.take_if(|buttons| buttons.is_empty());
            }
            ["share"] if self.share.is_some() => self.share = None,
            ["share"] if can.shares() => {
                self.share = Some(String::new());
                self.next = Some("share".to_owned());
            }
            ["cards", "close"] => self.cards = None,
            ["cards"] if self.cards.is_some() => self.cards = None,
            ["cards"] if can.cards() > 0 => {
                self.cards = Some(Cards { all: vec![TypedCard::default()], shown: 0 });
                self.next = Some("card-title".to_owned());
            }
            ["card", rest @ ..] => {
                let cards = self.cards.get_or_insert_default();
                cards.change(rest, can);
                let buttons = cards.all.get(cards.shown).map_or(0, |card| card.buttons.len());
                self.next = Some(match rest {
                    [_, "button"] if buttons > 0 => format!("card-button-{}-title", buttons - 1),
                    _ => "card-title".to_owned(),
                });
                self.cards.take_if(|cards| cards.all.is_empty());
            }
            _ => {}
        }
        if self.next.is_none() {
            self.next = Some("text".to_owned());
        }
    }
}
