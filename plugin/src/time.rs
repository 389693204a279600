//! Times in Meta's text format and in HTTP's. What belongs here is parsing them into milliseconds since 1970. The
//! channel has no clock; the current time is the `date` of a response.

/// A day, in milliseconds.
pub(crate) const DAY: u64 = 86_400_000;

/// `2026-04-05T05:27:08+0000`: a time of the Conversations API. Meta writes UTC; any other zone is rejected.
pub(crate) fn of_archive(text: &str) -> Option<u64> {
    let is_utc = matches!(text.get(19..), Some("" | "Z" | "+0000" | "+00:00"));
    milliseconds(text, [0, 8, 11, 14, 17], digits(text, 5, 2)?).filter(|_| is_utc)
}

/// `Sun, 05 Apr 2026 05:27:08 GMT`: the header `date` (RFC 9110).
pub(crate) fn of_header(text: &str) -> Option<u64> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = text.as_bytes().get(8..11)?;
    let (months, _) = MONTHS.as_chunks::<3>();
    let month = months.iter().position(|month| month == name)?;
    milliseconds(text, [12, 5, 17, 20, 23], month as u64 + 1)
}

/// A number with this many digits, at this position.
fn digits(text: &str, at: usize, count: usize) -> Option<u64> {
    let digits = text.get(at..at + count)?;
    digits.bytes().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0')))
}

/// Parses the numbers at the positions of year, day, hour, minute and second, by the Gregorian calendar from 1970 on.
fn milliseconds(text: &str, [year, day, hour, minute, second]: [usize; 5], month: u64) -> Option<u64> {
    let two = |at| digits(text, at, 2);
    let (year, day, hour, minute, second) = (digits(text, year, 4)?, two(day)?, two(hour)?, two(minute)?, two(second)?);
    let fits = year >= 1970
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    // Counts in years that begin in March, so that the leap day comes last (Howard Hinnant, "chrono-Compatible
    // Low-Level Date Algorithms", days_from_civil).
    let year = year - u64::from(month <= 2);
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    // From 0000-03-01 to 1970-01-01.
    let days = days.checked_sub(719_468)?;
    Some(days * DAY + (hour * 3600 + minute * 60 + second) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time_are_read() {
        assert_eq!(of_archive("2026-04-05T05:27:08+0000"), Some(1_775_366_828_000));
        assert_eq!(of_header("Sun, 05 Apr 2026 05:27:08 GMT"), Some(1_775_366_828_000));
        assert_eq!(of_archive("2024-02-29T23:59:59+0000"), Some(1_709_251_199_000));
        assert_eq!(of_header("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "2026", "2026-13-05T05:27:08+0000", "2026-04-05T05:27:08+0200", "0000-01-01T00:00:00+0000"] {
            assert_eq!(of_archive(text), None, "{text}");
        }
        for text in ["", "Sun, 05 Abc 2026 05:27:08 GMT", "1775366828", "99999999999999999999999"] {
            assert_eq!(of_header(text), None, "{text}");
        }
    }
}
