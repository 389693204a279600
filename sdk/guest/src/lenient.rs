//! Lenient parsing of single values: a value of an undocumented type is left out and noted.
//! Owns one parser per type of value; not the member names, which the channel lists.

use crate::json::Json;
use crate::names::anomaly;
use crate::types::Anomaly;

/// Times below this are in seconds, others in milliseconds: 10^11 s is the year 5138, 10^11 ms is 1973. Platforms use
/// both.
const FIRST_MILLISECOND: u64 = 100_000_000_000;
/// Times from this on, the year 2100, are not plausible.
const LAST_MILLISECOND: u64 = 4_102_444_800_000;

/// The value of a missing member.
pub static NOTHING: Json<'static> = Json::Null;

/// Oddities found in an item while parsing it.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    /// The oddities, without duplicates.
    pub anomalies: Vec<Anomaly>,
    /// Whether the typed form leaves something out, so that the raw item must be included.
    pub extra: bool,
}

impl Notes {
    /// Adds an oddity, unless already noted.
    pub fn add(&mut self, anomaly: &str) {
        if !self.anomalies.iter().any(|known| known == anomaly) {
            self.anomalies.push(anomaly.to_owned());
        }
    }

    /// Notes a value that has an undocumented type and is left out.
    pub fn unexpected(&mut self) {
        self.add(anomaly::UNEXPECTED_TYPE);
        self.extra = true;
    }

    /// Notes a member or keyword that this version does not know.
    pub fn unknown_member(&mut self) {
        self.extra = true;
    }

    /// The members of an object by name; `null` if missing. Of duplicate names the last one wins. Other members are
    /// noted.
    pub fn pick<'j, 'a, const N: usize>(&mut self, value: &'j Json<'a>, names: &[&str; N]) -> [&'j Json<'a>; N] {
        let mut slots: [&Json<'a>; N] = [&NOTHING; N];
        self.pick_into(value, names, &mut slots);
        slots
    }

    /// Like `pick`, but a bare text or number counts as the first member.
    pub fn pick_or_first<'j, 'a, const N: usize>(
        &mut self,
        value: &'j Json<'a>,
        names: &[&str; N],
    ) -> [&'j Json<'a>; N] {
        let mut slots: [&Json<'a>; N] = [&NOTHING; N];
        match (value, slots.first_mut()) {
            (Json::Text(_) | Json::Unsigned(_), Some(first)) => *first = value,
            _ => self.pick_into(value, names, &mut slots),
        }
        slots
    }

    fn pick_into<'j, 'a>(&mut self, value: &'j Json<'a>, names: &[&str], slots: &mut [&'j Json<'a>]) {
        let members = match value {
            Json::Object(members) => members,
            Json::Null => return,
            _ => return self.unexpected(),
        };
        for (name, value) in members {
            match names.iter().zip(slots.iter_mut()).find(|(known, _)| name == **known) {
                Some((_, slot)) => *slot = value,
                None => self.unknown_member(),
            }
        }
    }

    /// A text; an empty one counts as missing.
    pub fn text(&mut self, value: &Json<'_>) -> Option<String> {
        match value {
            Json::Text(text) if text.is_empty() => None,
            Json::Text(text) => Some(text.to_string()),
            Json::Null => None,
            _ => self.left_out(),
        }
    }

    /// An id, given as text or number.
    pub fn id(&mut self, value: &Json<'_>) -> Option<String> {
        match value {
            Json::Null => None,
            other => other.id().or_else(|| self.left_out()),
        }
    }

    /// The id inside `{"id": …}`, or the bare id.
    pub fn id_of(&mut self, value: &Json<'_>) -> Option<String> {
        match value {
            Json::Object(_) => {
                let [id] = self.pick(value, &["id"]);
                self.id(id)
            }
            other => self.id(other),
        }
    }

    /// A flag, given as boolean or text.
    pub fn flag(&mut self, value: &Json<'_>) -> bool {
        match value {
            Json::Bool(flag) => *flag,
            Json::Null => false,
            Json::Text(text) if text == "true" || text == "false" => text == "true",
            _ => {
                self.unexpected();
                false
            }
        }
    }

    /// A small count, given as number or text.
    pub fn count(&mut self, value: &Json<'_>) -> Option<u32> {
        match value {
            Json::Null => None,
            other => match other.whole().and_then(|number| u32::try_from(number).ok()) {
                None => self.left_out(),
                count => count,
            },
        }
    }

    /// A time in milliseconds since 1970, given in seconds or milliseconds, as number or text.
    pub fn time(&mut self, value: &Json<'_>) -> Option<u64> {
        let time = milliseconds(value);
        if time.is_none() && !matches!(value, Json::Null) {
            self.unexpected();
        }
        time
    }

    /// The elements of a list; a single object counts as a list of one.
    pub fn elements<'j, 'a>(&mut self, value: &'j Json<'a>) -> &'j [Json<'a>] {
        match value {
            Json::List(values) => values,
            Json::Object(_) => std::slice::from_ref(value),
            Json::Null => &[],
            _ => {
                self.unexpected();
                &[]
            }
        }
    }

    fn left_out<T>(&mut self) -> Option<T> {
        self.unexpected();
        None
    }
}

/// A time in milliseconds since 1970, if the value is plausible as one.
pub fn milliseconds(value: &Json<'_>) -> Option<u64> {
    match value.whole()? {
        0 => None,
        seconds if seconds < FIRST_MILLISECOND => Some(seconds * 1000),
        time => Some(time),
    }
    .filter(|time| *time < LAST_MILLISECOND)
}
