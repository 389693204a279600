//! Owns: times in the API's JSON and queries: RFC 3339 with milliseconds, in UTC.
//! Does not own: clocks.

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, SchemaFormat,
        schema::{KnownFormat, ObjectBuilder, Schema, Type},
    },
};

/// Begins the error of a text that is not a time, from which [`super::extract`] knows it among serde's errors.
pub(crate) const NOT_A_TIME: &str = "not a time: ";

/// A time, in milliseconds since 1970. Shown as `2026-01-31T09:05:00.123Z`; one outside of the years of four digits is shown
/// as the nearest bound. Any offset is taken.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Time(pub(crate) i64);

/// The years of four digits, as RFC 3339 has them, short of the last day, whose local times have five somewhere.
const FIRST: i64 = -62_167_219_200_000;
const LAST: i64 = 253_402_207_200_000;

impl From<u64> for Time {
    fn from(ms: u64) -> Self {
        Self(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Time {
    fn from(ms: i64) -> Self {
        Self(ms)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from_millisecond(self.0.clamp(FIRST, LAST)).unwrap_or(Timestamp::UNIX_EPOCH);
        write!(f, "{time:.3}")
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let time: Timestamp = text
            .parse()
            .map_err(|_| D::Error::custom(format_args!("{NOT_A_TIME}it is written like `2026-01-31T09:05:00.123Z`")))?;
        Ok(Self(time.as_millisecond()))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 with milliseconds, in UTC."))
            .examples(["2026-01-31T09:05:00.123Z"]);
        RefOr::T(text.build().into())
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        "Time".into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_milliseconds() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time(1_769_850_300_120).to_string(), "2026-01-31T09:05:00.120Z");
        assert_eq!(Time::from(u64::MAX).to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(Time(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(serde_json::to_string(&Time(1)).unwrap(), "\"1970-01-01T00:00:00.001Z\"");
        let read = |text: &str| serde_json::from_value::<Time>(text.into()).map(|time| time.0).ok();
        assert_eq!(read("2026-01-31T09:05:00.12Z"), Some(1_769_850_300_120));
        assert_eq!(read("2026-01-31T10:05:00.120+01:00"), Some(1_769_850_300_120));
        for wrong in ["", "yesterday", "1769850300120", "2026-01-31", "2026-01-31T09:05:00"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
