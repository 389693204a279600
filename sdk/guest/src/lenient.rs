//! Reading single values leniently: what has another type than documented is left out and noted.
//! Owns one reader for each type of value; not which members there are, which the channel names.

use crate::json::Json;
use crate::names::anomaly;
use crate::types::Anomaly;

/// Below this a time is in seconds, from it on in milliseconds: 10^11 s is the year 5138, 10^11 ms
/// is 1973. Platforms write both.
const FIRST_MILLISECOND: u64 = 100_000_000_000;
/// No time from this on can be meant: the year 2100.
const LAST_MILLISECOND: u64 = 4_102_444_800_000;

/// What stands where a member is missing.
pub static NOTHING: Json<'static> = Json::Null;

/// What was odd about an item while it was read.
#[derive(Debug, Default, Clone)]
pub struct Notes {
    /// The oddities, each once.
    pub anomalies: Vec<Anomaly>,
    /// The typed form leaves something out, so the raw item must go along.
    pub extra: bool,
}

impl Notes {
    /// Remembers an oddity once.
    pub fn add(&mut self, anomaly: &str) {
        if !self.anomalies.iter().any(|known| known == anomaly) {
            self.anomalies.push(anomaly.to_owned());
        }
    }

    /// A value that had another type than documented and is left out.
    pub fn unexpected(&mut self) {
        self.add(anomaly::UNEXPECTED_TYPE);
        self.extra = true;
    }

    /// A member or a word that this version does not know.
    pub fn unknown_member(&mut self) {
        self.extra = true;
    }

    /// The members of an object by their names, `null` where one is missing. Of a name that stands
    /// twice the last counts. Other members are noted.
    pub fn pick<'j, 'a, const N: usize>(&mut self, value: &'j Json<'a>, names: &[&str; N]) -> [&'j Json<'a>; N] {
        let mut slots: [&Json<'a>; N] = [&NOTHING; N];
        self.pick_into(value, names, &mut slots);
        slots
    }

    /// Like `pick`, where a bare text or number stands for the first of the members.
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

    /// A text. An empty one counts as none.
    pub fn text(&mut self, value: &Json<'_>) -> Option<String> {
        match value {
            Json::Text(text) if text.is_empty() => None,
            Json::Text(text) => Some(text.to_string()),
            Json::Null => None,
            _ => self.left_out(),
        }
    }

    /// An id, written as a text or as a number.
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

    /// A flag, written as a boolean or as a text.
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

    /// A small count, written as a number or as a text.
    pub fn count(&mut self, value: &Json<'_>) -> Option<u32> {
        match value {
            Json::Null => None,
            other => match other.whole().and_then(|number| u32::try_from(number).ok()) {
                None => self.left_out(),
                count => count,
            },
        }
    }

    /// A time in milliseconds, from seconds or milliseconds, written as a number or as a text.
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

/// A time in milliseconds, where the value can be one.
pub fn milliseconds(value: &Json<'_>) -> Option<u64> {
    match value.whole()? {
        0 => None,
        seconds if seconds < FIRST_MILLISECOND => Some(seconds * 1000),
        time => Some(time),
    }
    .filter(|time| *time < LAST_MILLISECOND)
}
