//! Collecting events: the fields that an entry's events share, and unique ids.
//! Owns the last step of parsing, in which all events are created; not their content, which the channel parses.

use crate::id;
use crate::lenient::Notes;
use crate::limit::{IdForm, NATIVE_BYTES};
use crate::names::anomaly;
use crate::types::{Author, Contact, Event, EventBody, EventOrigin, UnknownItem};

/// The fields that an entry gives for all of its items.
#[derive(Debug)]
pub struct Entry {
    /// The business's id on the platform; empty if neither the entry nor the host names it.
    pub account: String,
    /// When the platform sent it, in milliseconds since 1970.
    pub time: Option<u64>,
}

/// An event without the fields that the collector adds.
#[derive(Debug)]
pub struct Draft {
    /// `None` if the item has no id.
    pub id: Option<String>,
    /// The id is made from the item's content only, so the same content again is another event.
    pub may_repeat: bool,
    /// `None` for the entry's account.
    pub account: Option<String>,
    /// The contact of the conversation.
    pub contact: Option<Contact>,
    /// Who acted.
    pub author: Author,
    /// When it happened, in milliseconds since 1970.
    pub at: Option<u64>,
    /// How it arrived.
    pub origin: EventOrigin,
    /// How it opens the messaging window, if the customer did it: one of [`crate::names::window_opener`].
    pub opens: Option<&'static str>,
    /// What happened.
    pub body: EventBody,
    /// Oddities found while parsing.
    pub notes: Notes,
}

/// The source of an event.
#[derive(Debug, Clone, Copy)]
struct Source<'t> {
    raw: &'t str,
    may_repeat: bool,
}

/// The events of a delivery so far, each with its source.
#[derive(Debug)]
pub struct Collector<'t> {
    events: Vec<Event>,
    sources: Vec<Source<'t>>,
    /// The form of contact ids.
    contact_ids: IdForm,
    /// The account that the host names for the delivery; empty if it names none.
    account: &'t str,
    /// Whether the body was not UTF-8 and was converted lossily.
    lossy: bool,
}

impl<'t> Collector<'t> {
    /// An empty collector. `account` is the account that the host names for the delivery, or empty. `lossy` says that
    /// the body was not UTF-8.
    pub fn new(contact_ids: IdForm, account: &'t str, lossy: bool) -> Self {
        Self { events: Vec::new(), sources: Vec::new(), contact_ids, account, lossy }
    }

    /// An entry for the account that it names, or else for the delivery's.
    pub fn entry(&self, account: Option<String>, time: Option<u64>) -> Entry {
        Entry { account: account.unwrap_or_else(|| self.account.to_owned()), time }
    }

    /// Reserves space for this many events.
    pub fn expect(&mut self, events: usize) {
        self.events.reserve(events);
        self.sources.reserve(events);
    }

    /// Adds an event.
    pub fn add(&mut self, entry: &Entry, raw: &'t str, mut draft: Draft) {
        let notes = &mut draft.notes;
        if self.lossy && raw.chars().any(|letter| letter == char::REPLACEMENT_CHARACTER) {
            notes.add(anomaly::TEXT_REPLACED);
        }
        if draft.at.is_none() {
            notes.add(anomaly::MISSING_TIME);
        }
        if draft.contact.as_ref().is_some_and(|contact| !self.contact_ids.fits(&contact.id)) {
            notes.add(anomaly::UNUSUAL_CONTACT_ID);
        }
        let unknown = matches!(draft.body, EventBody::Unknown(_));
        let native = if !notes.extra && !unknown {
            None
        } else if raw.len() <= NATIVE_BYTES {
            Some(raw.to_owned())
        } else {
            notes.add(anomaly::NATIVE_OMITTED);
            None
        };
        // Only an action by the customer opens the window, and only if there is a contact to write to. This includes
        // conversations that another application handles.
        let opens = draft.opens.filter(|_| {
            draft.contact.is_some()
                && matches!(draft.author, Author::Contact)
                && matches!(draft.origin, EventOrigin::Live | EventOrigin::Standby | EventOrigin::History)
        });
        let id = draft.id.unwrap_or_else(|| id::of_raw(&entry.account, raw));
        let account = draft.account.unwrap_or_else(|| entry.account.clone());
        // Every field is named: a blank event would be one more copy of the body, which is large.
        self.events.push(Event {
            id,
            account,
            contact: draft.contact,
            thread: None,
            author: draft.author,
            at: draft.at,
            origin: draft.origin,
            opens: opens.map(str::to_owned),
            body: draft.body,
            reply_context: None,
            details: Vec::new(),
            anomalies: draft.notes.anomalies,
            native,
        });
        self.sources.push(Source { raw, may_repeat: draft.may_repeat });
    }

    /// Adds an item that cannot be parsed.
    pub fn unknown(&mut self, entry: &Entry, origin: EventOrigin, raw: &'t str, kind: Option<&str>, reason: String) {
        let draft = Draft {
            id: None,
            may_repeat: false,
            account: None,
            contact: None,
            author: Author::Unknown,
            at: entry.time,
            origin,
            opens: None,
            body: EventBody::Unknown(UnknownItem { reason, kind: kind.map(str::to_owned) }),
            notes: Notes::default(),
        };
        self.add(entry, raw, draft);
    }

    /// Adds the known details of a customer to all events with that contact.
    pub fn introduce(&mut self, customer: &Contact) {
        for event in &mut self.events {
            if let Some(contact) = event.contact.as_mut().filter(|contact| contact.id == customer.id) {
                contact.clone_from(customer);
            }
        }
    }

    /// The events, each with a unique id.
    pub fn finish(mut self) -> Vec<Event> {
        if self.events.len() > 1 {
            self.separate();
        }
        self.events
    }

    /// Gives different items that claim the same id different ids. An exact duplicate keeps its id: it is a repeat, and
    /// the host drops it. Items whose id is made from their content only are numbered, because the same thing may
    /// really happen twice.
    fn separate(&mut self) {
        // The first item of each id, by the id's hash. Half of the places stay free, so looking for one ends.
        let places = (self.events.len() * 2).next_power_of_two();
        let mut owners: Vec<Option<usize>> = vec![None; places];
        let mut claims = Vec::new();
        for (at, (event, source)) in self.events.iter().zip(&self.sources).enumerate() {
            let mut place = spread(&event.id) % places;
            while let Some(Some(owner)) = owners.get(place) {
                if self.events.get(*owner).is_some_and(|known| known.id == event.id) {
                    break;
                }
                place = (place + 1) % places;
            }
            match owners.get_mut(place) {
                Some(Some(owner)) if self.sources.get(*owner).is_some_and(|owner| owner.raw != source.raw) => {
                    claims.push((at, None));
                }
                Some(Some(_)) if source.may_repeat => {
                    let before = self.sources.iter().take(at).filter(|before| before.raw == source.raw);
                    claims.push((at, Some(before.count())));
                }
                Some(free @ None) => *free = Some(at),
                _ => {}
            }
        }
        for (at, nth) in claims {
            if let (Some(event), Some(source)) = (self.events.get_mut(at), self.sources.get(at)) {
                event.id.push('~');
                event.id.push_str(&nth.map_or_else(|| id::hash(&[source.raw]), |nth| nth.to_string()));
            }
        }
    }
}

/// A hash of an id for this call alone. Ids of one platform begin alike, so comparing them in order reads most of each;
/// this reads each once, eight bytes at a time.
fn spread(id: &str) -> usize {
    let (words, rest) = id.as_bytes().as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte))) as usize
}
