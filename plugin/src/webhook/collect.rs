//! Collecting events: what every event of an entry shares, and what makes each one unique.
//! What belongs here is the last step of reading; only this file builds an `Event`.

use alloc::string::String;
use alloc::vec::Vec;

use super::id;
use super::read::Notes;
use crate::limits::{CONTACT_ID, NATIVE_BYTES};
use crate::types::{
    Anomaly, Author, Contact, Event, EventBody, EventOrigin, ParsedDelivery, UnknownItem, WindowOpener,
};
use crate::words::{ToText, push_decimal};

/// What an entry says about all of its items.
#[derive(Debug)]
pub(super) struct Entry {
    /// The business's Instagram id; empty where neither the entry nor the host names it.
    pub(super) account: String,
    /// When Meta sent it, in milliseconds.
    pub(super) time: Option<u64>,
}

impl Entry {
    /// The dashboard's "Test" button sends entries of the account `0`.
    pub(super) fn is_test(&self) -> bool {
        self.account == "0"
    }
}

/// A customer of whom nothing but the id is known.
pub(super) fn person(id: String) -> Contact {
    Contact { id, name: None, username: None, addresses: Vec::new() }
}

/// An event without what the collector adds.
pub(super) struct Draft {
    /// None where the item has no ids of its own.
    pub(super) id: Option<String>,
    /// None means the entry's.
    pub(super) account: Option<String>,
    pub(super) contact: Option<Contact>,
    pub(super) author: Author,
    pub(super) at: Option<u64>,
    pub(super) origin: EventOrigin,
    pub(super) opens: Option<WindowOpener>,
    pub(super) body: EventBody,
    pub(super) notes: Notes,
}

/// The events of a delivery so far, each with the raw text that it came from.
pub(super) struct Collector<'t> {
    events: Vec<Event>,
    raws: Vec<&'t str>,
    /// The account that the host knows the delivery to be for; empty where it does not.
    account: &'t str,
    /// The body was not UTF-8 and went through a lossy conversion.
    lossy: bool,
}

impl<'t> Collector<'t> {
    pub(super) fn new(account: &'t str, lossy: bool) -> Self {
        Self { events: Vec::new(), raws: Vec::new(), account, lossy }
    }

    /// An entry, for the account that it names or else for the delivery's.
    pub(super) fn entry(&self, account: Option<String>, time: Option<u64>) -> Entry {
        Entry { account: account.unwrap_or_else(|| self.account.to_text()), time }
    }

    /// Makes room for so many events.
    pub(super) fn expect(&mut self, events: usize) {
        self.events.reserve(events);
        self.raws.reserve(events);
    }

    /// Adds an event.
    pub(super) fn add(&mut self, entry: &Entry, raw: &'t str, mut draft: Draft) {
        let notes = &mut draft.notes;
        if self.lossy && raw.chars().any(|letter| letter == char::REPLACEMENT_CHARACTER) {
            notes.add(Anomaly::TextReplaced);
        }
        if draft.at.is_none() {
            notes.add(Anomaly::MissingTime);
        }
        if draft.contact.as_ref().is_some_and(|contact| !CONTACT_ID.fits(&contact.id)) {
            notes.add(Anomaly::UnusualContactId);
        }
        let unknown = matches!(draft.body, EventBody::Unknown(_));
        let native = if !notes.extra && !unknown {
            None
        } else if raw.len() <= NATIVE_BYTES {
            Some(raw.to_text())
        } else {
            notes.add(Anomaly::NativeOmitted);
            None
        };
        // A sample or another application's conversation may still open a window; only what the
        // customer did, and only where there is somebody to write to.
        let opens = draft.opens.filter(|_| {
            draft.contact.is_some()
                && matches!(draft.author, Author::Contact)
                && matches!(draft.origin, EventOrigin::Live | EventOrigin::Standby | EventOrigin::History)
        });
        self.events.push(Event {
            id: draft.id.unwrap_or_else(|| id::of_raw(&entry.account, raw)),
            account: draft.account.unwrap_or_else(|| entry.account.clone()),
            contact: draft.contact,
            thread: None,
            author: draft.author,
            at: draft.at,
            origin: draft.origin,
            opens,
            body: draft.body,
            reply_context: None,
            anomalies: draft.notes.anomalies,
            native,
        });
        self.raws.push(raw);
    }

    /// Adds something that cannot be read.
    pub(super) fn unknown(
        &mut self,
        entry: &Entry,
        origin: EventOrigin,
        raw: &'t str,
        kind: Option<&str>,
        reason: String,
    ) {
        let draft = Draft {
            id: None,
            account: None,
            contact: None,
            author: Author::Unknown,
            at: entry.time,
            origin,
            opens: None,
            body: EventBody::Unknown(UnknownItem { reason, kind: kind.map(ToText::to_text) }),
            notes: Notes::default(),
        };
        self.add(entry, raw, draft);
    }

    /// Adds to everything about a customer what is known of the person.
    pub(super) fn introduce(&mut self, customer: &Contact) {
        for event in &mut self.events {
            if let Some(contact) = event.contact.as_mut().filter(|contact| contact.id == customer.id) {
                contact.clone_from(customer);
            }
        }
    }

    /// The delivery, with every id unique.
    pub(super) fn finish(mut self) -> ParsedDelivery {
        if self.events.len() > 1 {
            self.separate();
        }
        ParsedDelivery { events: self.events }
    }

    /// Gives different items that claim one id different ids. The same item twice keeps its id:
    /// that is a repeat, and the host drops it. What has nothing but its words is counted: it may well happen twice.
    fn separate(&mut self) {
        let slots = (self.events.len() * 2).next_power_of_two();
        let mut owners: Vec<Option<usize>> = Vec::from_iter(core::iter::repeat_n(None, slots));
        let mut claims = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            let mut slot = spread(&event.id) % slots;
            // Half of the slots stay free, so a free one is always found.
            while let Some(owner) = owners.get(slot).copied().flatten() {
                if self.events.get(owner).is_some_and(|known| known.id == event.id) {
                    if self.raws.get(owner) != self.raws.get(at) {
                        claims.push((at, None));
                    } else if id::is_of_words_alone(&event.id) {
                        let before = self.raws.iter().take(at).filter(|raw| self.raws.get(at) == Some(raw));
                        claims.push((at, Some(before.count())));
                    }
                    break;
                }
                slot = (slot + 1) % slots;
            }
            if let Some(free @ None) = owners.get_mut(slot) {
                *free = Some(at);
            }
        }
        for (at, nth) in claims {
            if let (Some(event), Some(raw)) = (self.events.get_mut(at), self.raws.get(at)) {
                event.id.push('~');
                match nth {
                    Some(nth) => push_decimal(&mut event.id, nth as u64),
                    None => event.id.push_str(&id::hash(&[raw])),
                }
            }
        }
    }
}

/// A place in the table of ids. Not the fingerprint, which goes byte by byte and is part of ids: this
/// takes eight bytes at a time and is forgotten with the call.
fn spread(id: &str) -> usize {
    let (words, rest) = id.as_bytes().as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte))) as usize
}
