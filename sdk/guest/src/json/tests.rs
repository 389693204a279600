//! The reader's promises, compared with `serde_json` on examples and generated documents. Belongs here: the grammar,
//! the depth bound, the repairs.

use super::number::FIRST_INEXACT;
use super::*;

#[test]
fn what_is_too_deep_is_skipped_and_its_neighbours_are_read() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let text = ["{\"a\":", &deep, ",\"b\":1}"].concat();
    let value = parse(&text).expect("valid");
    assert_eq!(value.get("b"), Some(&Json::Unsigned(1)));
}

#[test]
fn half_surrogates_and_numbers_out_of_range_are_repaired() {
    assert!(parse(r#"{"a":"\ud83d","n":1e999}"#).is_err());
    let (text, replaced) = repair(r#"{"a":"x\ud83dy \ud83d\ude00 \\ud83d -1","n":-1e999}"#);
    assert!(replaced);
    let value = parse(&text).expect("repaired");
    let text = value.get("a").and_then(Json::id);
    assert_eq!(text.as_deref(), Some("x\u{fffd}y \u{1f600} \\ud83d -1"));
    assert_eq!(value.get("n"), Some(&Json::Null));
}

#[test]
fn the_last_of_two_members_counts() {
    assert_eq!(parse(r#"{"a":1,"a":2}"#).expect("valid").get("a"), Some(&Json::Unsigned(2)));
}

#[test]
fn quoting_is_the_inverse_of_reading() {
    let text: String = (0..0x300_u32).filter_map(char::from_u32).chain(['\u{2028}', '❤']).collect();
    let mut quoted = String::new();
    push_quoted(&mut quoted, &text);
    assert_eq!(parse(&quoted).ok().and_then(|value| value.id()), Some(text));
}

#[test]
fn an_item_that_cannot_be_represented_is_left_raw_and_its_neighbours_are_read() {
    let Ok(Json::List(elements)) = items(r#"[{"a":1} ,{"a":"\ud83d"},[]]"#, 1) else {
        unreachable!("a list");
    };
    let a = Json::Object(vec![("a".into(), Json::Unsigned(1))]);
    let whole = Json::Both(Box::new(a), r#"{"a":1}"#);
    assert_eq!(elements, [whole, Json::Raw(r#"{"a":"\ud83d"}"#), Json::Both(Box::new(Json::List(Vec::new())), "[]")]);
    assert!(items(r#"[{"a":1},{]"#, 1).is_err());
}

/// The same value, converted from `serde_json`.
fn known(value: &serde_json::Value) -> Json<'_> {
    use serde_json::Value;
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => Json::Unsigned(number),
            (None, Some(number), _) => Json::Signed(number),
            (None, None, float) => {
                let whole = float.filter(|float| *float >= 0.0 && *float < FIRST_INEXACT as f64);
                Json::Fraction(whole.map(|whole| whole as u64))
            }
        },
        Value::String(text) => Json::Text(Cow::Borrowed(text)),
        Value::Array(values) => Json::List(values.iter().map(known).collect()),
        Value::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (Cow::Borrowed(&**name), known(value))).collect())
        }
    }
}

fn agree(text: &str) {
    let expected = serde_json::from_str::<serde_json::Value>(text).ok();
    assert_eq!(parse(text).ok(), expected.as_ref().map(known), "{text}");
    let skipped = serde_json::from_str::<&serde_json::value::RawValue>(text).ok();
    let raw = skipped.map(|raw| Json::Raw(raw.get()));
    assert_eq!(shallow(text, 0).ok(), raw, "{text}");
    let both = parse(text).ok().zip(raw.as_ref().and_then(Json::raw));
    let both = both.map(|(value, raw)| Json::Both(Box::new(value), raw)).or(raw);
    assert_eq!(items(text, 0).ok(), both, "{text}");
}

#[test]
fn every_number_is_read_as_serde_json_reads_it() {
    for number in [
        "0",
        "7",
        "-1",
        "00",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5",
        "-1.5",
        "1e",
        "1e+",
        "1e3",
        "1E-3",
        "12.34e1",
        "0.001e5",
        "0e999",
        "0.0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "900719925474099.0",
        "9007199254740992.0",
        "1e15",
        "1e16",
        "1e308",
        "1e309",
        "1e-999",
        "1e99999999999",
        "0.00000000000000000000000000001e30",
        "123456789.987654321e-4",
        "1e1.5",
        "1 2",
    ] {
        agree(number);
        agree(&["[", number, "]"].concat());
    }
}

#[test]
fn objects_are_read_as_serde_json_reads_them() {
    agree(r#" { "a" : 1 , "b" : [ ] , "c\u0064" : { "\ud83d\ude00" : null } } "#);
    for broken in ["{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{,}", "[,]", "[1,]", "[1", "[}", "{]"]
    {
        agree(broken);
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_written_is_read_as_serde_json_reads_it(
        pieces in proptest::collection::vec(
            proptest::sample::select(&[
                "{", "}", "[", "]", ":", ",", "\"a\"", "{\"b\":1}", "{\"value\":[2]}", "\"", "\\n", "\\u00e9", "\\ud83d",
                "\\ude00", "\\u12", "\\x", "é", " ", "\n", "\u{1}", "null", "true", "fals", "1", "-0.5e2", "{}", "[]",
            ][..]),
            0..12,
        ),
    ) {
        agree(&pieces.concat());
        agree(&["[", &pieces.join(","), "]"].concat());
        agree(&["\"", &pieces.concat().replace('"', ""), "\""].concat());
    }
}
