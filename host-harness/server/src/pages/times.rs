//! Owns: times as people read them: relative, of the day, in the reader's zone, and exact for programs.
//! Does not own: clocks.

use harness_engine::Host;
use jiff::{
    Timestamp,
    civil::Date,
    tz::{Offset, TimeZone},
};
use maud::{Markup, html};

use super::{
    reader::Reader,
    words::{count, fill},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The host's time, as the functions here take times: milliseconds since 1970.
pub(super) fn now(host: &Host) -> i64 {
    of(host.clock().now())
}

/// A time that the host has counted.
pub(super) fn of(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// A moment in the reader's zone.
fn zoned(ms: i64, reader: &Reader) -> jiff::Zoned {
    let offset = Offset::from_seconds(reader.offset.saturating_mul(60)).unwrap_or(Offset::UTC);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::fixed(offset))
}

/// For programs: RFC 3339.
fn exact(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The day of a moment, for separators.
pub(super) fn day(ms: i64, reader: &Reader) -> Date {
    zoned(ms, reader).date()
}

/// "14:05".
pub(super) fn clock(ms: i64, reader: &Reader) -> String {
    zoned(ms, reader).strftime("%H:%M").to_string()
}

/// A day's name: "Today", "Monday, 23 November".
pub(super) fn day_name(date: Date, now: i64, reader: &Reader) -> String {
    let today = day(now, reader);
    if date == today {
        return reader.words.today.to_string();
    }
    if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        return reader.words.yesterday.to_string();
    }
    let form = if date.year() == today.year() { "%A, %-d %B" } else { "%A, %-d %B %Y" };
    date.strftime(form).to_string()
}

/// A moment that may be on another day: "today, 12:15", "Thursday, 3 December".
pub(super) fn moment(ms: i64, now: i64, reader: &Reader) -> String {
    let date = day(ms, reader);
    if (ms - now).abs() < 2 * DAY {
        format!("{}, {}", day_name(date, now, reader), clock(ms, reader))
    } else {
        day_name(date, now, reader)
    }
}

/// The same within a sentence.
pub(super) fn moment_inside(ms: i64, now: i64, reader: &Reader) -> String {
    let (words, said) = (reader.words, moment(ms, now, reader));
    for (alone, inside) in [(&words.today, &words.today_inside), (&words.yesterday, &words.yesterday_inside)] {
        if let Some(rest) = said.strip_prefix(alone.as_ref()) {
            return format!("{inside}{rest}");
        }
    }
    said
}

/// How long ago, in the list.
fn ago(ms: i64, now: i64, reader: &Reader) -> String {
    let (words, passed) = (reader.words, (now - ms).max(0));
    match passed {
        passed if passed < MINUTE => words.now.to_string(),
        passed if passed < HOUR => count(&words.minutes_ago, passed / MINUTE),
        passed if passed < DAY => count(&words.hours_ago, passed / HOUR),
        passed if passed < 7 * DAY => zoned(ms, reader).strftime("%a").to_string(),
        _ => zoned(ms, reader).strftime("%-d %b").to_string(),
    }
}

/// A relative time, exact in its title. The script keeps it fresh.
pub(super) fn relative(ms: i64, now: i64, reader: &Reader) -> Markup {
    html! {
        time datetime=(exact(ms)) title=(zoned(ms, reader).strftime("%A, %-d %B %Y, %H:%M").to_string()) data-time="relative" {
            bdi { (ago(ms, now, reader)) }
        }
    }
}

/// The time of day.
pub(super) fn of_day(ms: i64, reader: &Reader) -> Markup {
    html! {
        time datetime=(exact(ms)) title=(zoned(ms, reader).strftime("%A, %-d %B %Y, %H:%M:%S").to_string()) data-time="clock" {
            (clock(ms, reader))
        }
    }
}

/// A remaining time in one unit: minutes below two hours, then hours. `None` from two days on.
pub(super) fn left(ms: i64, reader: &Reader, to_reply: bool) -> Option<String> {
    let words = reader.words;
    let (minutes, hours) = if to_reply {
        (&words.minutes_left_to_reply, &words.hours_left_to_reply)
    } else {
        (&words.minutes_left, &words.hours_left)
    };
    match ms {
        ms if ms < 2 * HOUR => Some(fill(minutes, &[("n", &(ms / MINUTE).max(1).to_string())])),
        ms if ms < 2 * DAY => Some(fill(hours, &[("n", &(ms / HOUR).to_string())])),
        _ => None,
    }
}
