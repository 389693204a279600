//! What is broken, odd or hostile in a delivery costs nothing beside it and never crashes the reader.
//! What belongs here is faults; the kinds themselves are in `webhook_kinds.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::anomaly;
use common::*;
use instagram_channel::parse;
use instagram_channel::types::*;

fn good(mid: &str) -> String {
    item(&format!(r#""message":{{"mid":"{mid}","text":"good"}}"#))
}

/// Reads a bad item between two good ones and gives the event of the bad one.
fn between(bad: &str) -> Event {
    let mut events = events(envelope(&[&good("a"), bad, &good("z")].map(|s| s.to_string()).join(",")));
    assert_eq!(events.len(), 3, "{bad:.80}");
    assert_eq!((events[0].id.as_str(), events[2].id.as_str()), ("m:a", "m:z"));
    events.remove(1)
}

#[test]
fn a_bad_item_becomes_unknown_with_a_reason_and_its_raw_form() {
    for bad in [
        "7",
        "null",
        "\"x\"",
        "[]",
        "{}",
        "{\"sender\":7}",
        "{\"message\":7}",
        "{\"message\":{}}",
        "{\"reaction\":{\"action\":\"react\"}}",
        "{\"hologram\":1}",
    ] {
        let event = between(bad);
        let EventBody::Unknown(unknown) = &event.body else { panic!("{bad}: {:?}", event.body) };
        assert!(!unknown.reason.is_empty());
        assert_eq!(event.native.as_deref(), Some(bad));
        assert_eq!(event.opens, None);
    }
}

#[test]
fn an_unknown_kind_is_named() {
    let EventBody::Unknown(unknown) = between(r#"{"sender":{"id":"1"},"message_reads":{"watermark":1}}"#).body else {
        panic!()
    };
    assert_eq!(unknown.kind.as_deref(), Some("message_reads"));
}

#[test]
fn half_a_surrogate_pair_is_replaced_and_noted() {
    let event = between(&item(r#""message":{"mid":"m","text":"x\ud83dy"}"#));
    let EventBody::Message(message) = &event.body else { panic!() };
    assert_eq!(message.text.as_deref(), Some("x\u{fffd}y"));
    assert!(has(&event, anomaly::TEXT_REPLACED));
}

#[test]
fn a_number_out_of_range_costs_only_itself() {
    let event = between(&item(r#""message":{"mid":"m","text":"x","big":1e999}"#));
    assert!(matches!(event.body, EventBody::Message(_)));
    assert!(has(&event, anomaly::UNEXPECTED_TYPE));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_where_they_stand() {
    let mut body = envelope(&[good("a"), good("b")].join(",")).into_bytes();
    let at = body.windows(4).position(|w| w == b"good").unwrap();
    body[at] = 0xff;
    let events = events(body);
    assert_eq!(events[0].anomalies, [anomaly::TEXT_REPLACED]);
    assert_eq!(events[1].anomalies, NONE);
}

#[test]
fn deep_nesting_neither_overflows_nor_costs_its_neighbours() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let inner = if open == "[" { "" } else { "1" };
        let deep = open.repeat(500_000) + inner + &close.repeat(500_000);
        assert!(matches!(between(&deep).body, EventBody::Unknown(_)));
        let event = between(&item(&format!(r#""message":{{"mid":"m","text":"x","deep":{deep}}}"#)));
        assert!(matches!(event.body, EventBody::Message(_)));
        assert!(has(&event, anomaly::NATIVE_OMITTED));
        let entry = format!(
            r#"{{"object":"instagram","entry":[{{"id":"1","messaging":{deep}}},{{"id":"1","messaging":[{}]}}]}}"#,
            good("n")
        );
        assert!(events(entry).iter().any(|event| event.id == "m:n"));
    }
}

#[test]
fn native_is_kept_up_to_its_bound() {
    let with = |length: usize| {
        let empty = item(r#""message":{"mid":"m","x":""}"#).len();
        between(&item(&format!(r#""message":{{"mid":"m","x":"{}"}}"#, "x".repeat(length - empty))))
    };
    assert_eq!(with(8192).native.unwrap().len(), 8192);
    let event = with(8193);
    assert_eq!((event.native, event.anomalies), (None, vec![anomaly::NATIVE_OMITTED.to_owned()]));
}

#[test]
fn what_is_not_json_is_malformed_and_says_where() {
    let whole = envelope(&good("a"));
    for length in 0..whole.len() {
        let error = parse(&delivery(&whole[..length])).expect_err("truncated");
        let ParseError::Malformed(malformed) = error else { panic!("{length}: {error:?}") };
        assert!(malformed.offset <= length as u64);
    }
    let fault = format!("{whole}\n\n x");
    let Err(ParseError::Malformed(malformed)) = parse(&delivery(&fault)) else { panic!() };
    assert_eq!(malformed.offset as usize, fault.len());
}

#[test]
fn what_is_another_platforms_is_not_ours_and_says_what_was_found() {
    for (body, found) in [
        (r#"{"object":"page","entry":[]}"#, "page"),
        (r#"{"object":7,"entry":[]}"#, "7"),
        (r#"{"entry":[]}"#, "no `object`"),
        ("{}", "no `object`"),
        ("7", "a number"),
        ("null", "null"),
        ("[]", "an empty list"),
        (r#"[{"object":"page"}]"#, "page"),
    ] {
        assert_eq!(parse(&delivery(body)), Err(ParseError::NotThisChannel(found.into())), "{body}");
    }
    assert_eq!(events(r#"{"object":"instagram","entry":[]}"#), []);
    assert_eq!(events("\u{feff}{\"entry\":[],\"object\":\"insta\\u0067ram\"}"), []);
}

#[test]
fn entries_of_odd_shapes_are_read_as_far_as_they_go() {
    for (entries, expected) in [
        (format!(r#"[{{"id":"1","messaging":{}}}]"#, good("a")), "m:a"),
        (format!(r#"{{"id":"1","messaging":[{}]}}"#, good("a")), "m:a"),
        (format!(r#"[7,{{"id":"1","messaging":[{}]}}]"#, good("a")), "m:a"),
        (format!(r#"[{{"id":"1","messaging":[],"messaging":[{}]}}]"#, good("a")), "m:a"),
        (format!(r#"[{{"id":"1","hop":1}},{{"id":"1","messaging":[{}]}}]"#, good("a")), "m:a"),
        (format!(r#"[{{"id":"\ud83d","messaging":[{}]}}]"#, good("a")), "m:a"),
        (format!(r#"[{{"id":"1","messaging":null,"standby":[{}]}}]"#, good("a")), "m:a"),
        (format!(r#"[{{"id":"1","time":{{}},"changes":[7,{{"field":"messages","value":{}}}]}}]"#, good("a")), "m:a"),
    ] {
        let found = events(format!(r#"{{"object":"instagram","entry":{entries}}}"#));
        assert!(found.iter().any(|event| event.id == expected), "{entries}: {found:?}");
    }
    let twice = format!(
        r#"{{"object":"instagram","entry":[{{"messaging":[{}]}}],"entry":[{{"messaging":[{}]}}]}}"#,
        good("a"),
        good("b")
    );
    assert_eq!(events(twice).len(), 2);
}

#[test]
fn an_entry_without_items_is_unknown_and_a_missing_entry_too() {
    for body in [r#"{"object":"instagram","entry":[{"id":"1"}]}"#, r#"{"object":"instagram"}"#] {
        assert!(matches!(events(body)[0].body, EventBody::Unknown(_)));
    }
}

#[test]
fn a_thousand_items_are_read_in_their_order() {
    let items: Vec<String> = (0..1000).map(|n| good(&format!("mid{n}"))).collect();
    let events = events(envelope(&items.join(",")));
    let ids: Vec<String> = events.into_iter().map(|event| event.id).collect();
    assert_eq!(ids, (0..1000).map(|n| format!("m:mid{n}")).collect::<Vec<_>>());
}

#[test]
fn ids_as_numbers_keep_every_digit() {
    let event = event("number_ids");
    assert_eq!(event.contact.unwrap().id, "65123456789012345");
    assert_eq!(event.account, ACCOUNT);
    assert_eq!(event.at, Some(1_795_000_000_000));
}

#[test]
fn times_are_read_in_seconds_and_in_milliseconds() {
    for (written, read) in [
        ("1795000000", Some(1_795_000_000_000)),
        ("4102444799", Some(4_102_444_799_000)),
        ("100000000000", Some(100_000_000_000)),
        ("\"1795000000123\"", Some(1_795_000_000_123)),
        ("1795000000123.0", Some(1_795_000_000_123)),
    ] {
        let body = envelope(&format!(r#"{{"timestamp":{written},"message":{{"mid":"m"}}}}"#));
        assert_eq!(events(body)[0].at, read, "{written}");
    }
}

#[test]
fn a_missing_time_is_noted_and_the_entrys_is_near_enough() {
    for written in
        ["null", "\"soon\"", "-5", "0", "1e30", "99999999999999999", "99999999999", "4102444800000", "\"4102444800\""]
    {
        let body = envelope(&format!(r#"{{"timestamp":{written},"message":{{"mid":"m"}}}}"#));
        let event = &events(body)[0];
        assert_eq!(event.at, Some(1_795_000_000_456), "{written}");
        assert!(has(event, anomaly::MISSING_TIME));
    }
}

#[test]
fn an_unusual_contact_id_is_kept_and_noted() {
    for (id, unusual) in [
        ("12345678901234", true),
        ("123456789012345", false),
        ("12345678901234567", false),
        ("123456789012345678", true),
        ("1234567890abcdef", true),
    ] {
        let body =
            envelope(&format!(r#"{{"sender":{{"id":"{id}"}},"timestamp":1795000000123,"message":{{"mid":"m"}}}}"#));
        let event = &events(body)[0];
        assert_eq!(event.contact.as_ref().unwrap().id, id);
        assert_eq!(has(event, anomaly::UNUSUAL_CONTACT_ID), unusual, "{id}");
    }
}

#[test]
fn a_message_without_a_sender_is_still_a_message() {
    let event = &events(envelope(r#"{"timestamp":1795000000123,"message":{"mid":"m","text":"x"}}"#))[0];
    assert!(matches!(event.body, EventBody::Message(_)));
    assert_eq!((&event.author, &event.opens), (&Author::Unknown, &None));
    assert!(has(event, anomaly::MISSING_PARTICIPANT));
}

#[test]
fn the_same_item_twice_has_one_id_and_two_items_never_share_one() {
    let other = item(r#""message":{"mid":"a","text":"another"}"#);
    let events = events(envelope(&[good("a"), good("a"), other].join(",")));
    assert_eq!(events[0].id, events[1].id);
    assert_ne!(events[0].id, events[2].id);
    let unknown = self::events(envelope(r#"{"x":1},{"x":2},{"x":1}"#));
    assert_ne!(unknown[0].id, unknown[1].id);
    assert_eq!(unknown[0].id, unknown[2].id);
}

#[test]
fn no_id_is_made_of_the_time_of_the_delivery() {
    for body in [
        r#""postback":{"title":"A","payload":"P"}"#,
        r#""reaction":{"mid":"m","action":"react","emoji":"x"}"#,
        r#""referral":{"ref":"r"}"#,
        r#""optin":{"type":"t"}"#,
        r#""read":{"mid":"m"}"#,
        r#""message_edit":{"mid":"m","num_edit":1}"#,
        r#""pass_thread_control":{"new_owner_app_id":"1"}"#,
        r#""policy_enforcement":{"action":"block"}"#,
        r#""message":{"mid":"","text":"x"}"#,
        r#""hologram":1"#,
    ] {
        let item = format!(r#"{{"sender":{{"id":"{CONTACT}"}},"recipient":{{"id":"{ACCOUNT}"}},{body}}}"#);
        let first = events(envelope(&item));
        let again = events(envelope(&item).replace("1795000000456", "1795000099999"));
        assert_eq!(first[0].id, again[0].id, "{body}");
        assert!(!first[0].id.is_empty() && has(&first[0], anomaly::MISSING_TIME), "{body}");
    }
}
