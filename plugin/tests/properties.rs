//! Whatever comes in, nothing crashes, nothing is lost, and what validates can be sent.
//! What belongs here is properties over generated input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;
use instagram_channel::types::*;
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

/// Words that make generated JSON look like Meta's.
const WORDS: &[&str] = &[
    "object",
    "instagram",
    "entry",
    "id",
    "time",
    "messaging",
    "standby",
    "changes",
    "field",
    "value",
    "sender",
    "recipient",
    "timestamp",
    "message",
    "mid",
    "text",
    "attachments",
    "type",
    "payload",
    "url",
    "reaction",
    "read",
    "postback",
    "referral",
    "optin",
    "comments",
    "from",
    "is_echo",
    "product",
    "elements",
    "message_edit",
    "num_edit",
    "policy_enforcement",
    "pass_thread_control",
    "data",
    "created_time",
    "to",
    "shares",
    "link",
    "reactions",
    "users",
    "story",
    "mention",
    "reply_to",
    "image_data",
    "file_url",
    "user_id",
    "issued_at",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(WORDS).prop_map(String::from), "[a-z\\\\\"\u{e9}]{0,4}"]
}

fn json() -> impl Strategy<Value = String> {
    let quoted = |text: String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let leaf = prop_oneof![
        Just("null".to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|number| format!("{number:e}")),
        word().prop_map(quoted),
        Just("\"\\ud83d\"".to_string()),
        Just("1e999".to_string()),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec((word(), inner), 0..6).prop_map(move |members| {
                let members: Vec<_> =
                    members.into_iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn texts() -> impl Strategy<Value = String> {
    let cluster = prop_oneof![
        "[a-z ]{1,30}",
        "\\PC{1,5}",
        Just("👩‍👩‍👧‍👦".to_string()),
        Just("🇩🇪".to_string()),
        Just("e\u{301}".to_string()),
        Just(" \u{301}".to_string()),
        Just("\r\n".to_string()),
        Just("नमस्ते".to_string()),
        Just("한국어".to_string()),
        Just("  \u{3000}".to_string()),
    ];
    // Half of the texts have no blanks, so that they must be cut between characters.
    (proptest::collection::vec(cluster, 0..400), any::<bool>()).prop_map(|(clusters, blanks)| {
        let text = clusters.concat();
        if blanks { text } else { text.split_whitespace().collect() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_read_without_a_crash(body in json()) {
        let _ = instagram_channel::parse(&delivery(body));
    }

    #[test]
    fn any_bytes_are_read_without_a_crash(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = instagram_channel::parse(&delivery(body));
    }

    #[test]
    fn any_page_of_the_archive_and_any_call_is_read_without_a_crash(odd in json()) {
        let parts = [r#"{"account":"1","conversation":{"participants":"#, &odd, r#","messages":{"data":["#, &odd, "]}}}"];
        let call = |name: &str| DeliverySource::Callback(name.into());
        for (source, body) in [
            (DeliverySource::History, parts.concat()),
            (DeliverySource::History, odd.clone()),
            (call("deauthorize"), odd.clone()),
            (call("data-deletion"), odd),
        ] {
            let _ = instagram_channel::parse(&Delivery { source, ..delivery(body) });
        }
    }

    #[test]
    fn one_odd_item_costs_its_neighbours_nothing(odd in json(), at in 0_usize..4) {
        let good = |n: usize| item(&format!(r#""message":{{"mid":"good{n}","text":"x"}}"#));
        let mut items: Vec<String> = (0..3).map(good).collect();
        items.insert(at.min(3), odd.clone());
        let found = events(envelope(&items.join(",")));
        prop_assert!(found.len() >= 4);
        let alone: Vec<Event> = (0..3).flat_map(|n| events(envelope(&good(n)))).collect();
        for event in &alone {
            prop_assert!(found.contains(event), "{}", odd);
        }
    }

    #[test]
    fn a_repeat_gives_the_same_events(odd in json()) {
        let body = envelope(&odd);
        prop_assert_eq!(events(&body), events(&body));
    }

    #[test]
    fn ids_are_unique_unless_the_items_are_the_same(items in proptest::collection::vec(json(), 0..8)) {
        let found = events(envelope(&items.join(",")));
        for (at, left) in found.iter().enumerate() {
            for right in &found[at + 1..] {
                prop_assert!(left.id != right.id || left.body == right.body);
            }
        }
    }

    #[test]
    fn native_and_texts_keep_their_bounds(odd in json()) {
        for event in events(envelope(&odd)) {
            prop_assert!(event.native.is_none_or(|native| native.len() <= 8192));
        }
    }

    #[test]
    fn a_split_text_loses_nothing_but_blanks_and_cuts_no_character(long in texts()) {
        let message = message(vec![split_text(long.clone())]);
        if let Ok(steps) = instagram_channel::build(&message, &context()) {
            let sent: Vec<String> = steps.into_iter().map(|step| step.text.unwrap()).collect();
            // Some scripts have letters that join the next character to themselves, a blank too.
            let characters = |text: &str| -> Vec<String> {
                let bare = text.graphemes(true).map(|grapheme| grapheme.split_whitespace().collect::<String>());
                bare.filter(|grapheme| !grapheme.is_empty()).collect()
            };
            let found: Vec<String> = sent.iter().flat_map(|text| characters(text)).collect();
            prop_assert_eq!(found, characters(&long));
            prop_assert!(sent.iter().all(|text| text.len() <= 1000 && !text.trim().is_empty()));
        } else {
            prop_assert!(long.trim().is_empty());
        }
    }

    #[test]
    fn what_validates_can_be_rendered_and_the_body_is_json(
        texts in proptest::collection::vec(texts(), 0..3),
        title in "\\PC{0,30}",
        native in proptest::option::of(json()),
        strict in any::<bool>(),
        split in any::<bool>(),
        state in 0_usize..5,
        kind in 0_usize..8,
    ) {
        let mut parts: Vec<OutboundPart> = texts.into_iter().map(|content| if split { split_text(content) } else { text(content) }).collect();
        match kind {
            0 => parts.push(OutboundPart::Cards(vec![card(&title)])),
            1 => parts.push(OutboundPart::Media(vec![media(MediaKind::Image, url(&title))])),
            2 => parts.push(OutboundPart::Share(title.clone())),
            3 => parts.push(OutboundPart::Typing(true)),
            4 => parts.push(OutboundPart::Media(vec![OutboundMedia { name: Some("a.png".into()), caption: Some(title.clone()), ..media(MediaKind::Image, file(5)) }])),
            5 => parts.push(OutboundPart::Reaction(OutboundReaction { target: message_ref("m"), action: ReactionAction::Added, emoji: Some(title.clone()), name: None })),
            _ => {}
        }
        let mut message = message(parts);
        message.native = native;
        if kind > 4 { message.quick_replies = vec![quick_reply(&title)]; }
        if strict { message.fallback = FallbackPolicy::Strict; }
        let states = [WindowState::Open, WindowState::HumanOnly, WindowState::Closed, WindowState::NeverOpened, WindowState::Unknown];
        let mut context = context();
        context.window = window(states[state]);
        let refused = !errors(&message, &context).is_empty();
        match instagram_channel::build(&message, &context) {
            Err(violations) => prop_assert!(refused && !violations.is_empty()),
            Ok(steps) => {
                prop_assert!(!refused);
                for part in 0..message.parts.len() {
                    prop_assert!(steps.iter().any(|step| step.parts == [part as u32]));
                }
                for step in steps.iter().filter(|step| step.kind != StepKind::Upload) {
                    let body = body(step);
                    // Reading it as a delivery tells JSON from what is not.
                    let read = instagram_channel::parse(&delivery(&body));
                    prop_assert!(!matches!(read, Err(ParseError::Malformed(_))), "{}", body);
                }
            }
        }
    }

    #[test]
    fn any_answer_ends_in_an_outcome(status in any::<u16>(), answer in json(), header in json()) {
        let step = steps(&message(vec![text("hi")]), &context()).remove(0);
        let headers = ["x-app-usage", "x-business-use-case-usage", "retry-after"].map(|name| Header { name: name.into(), value: header.clone() });
        let response = HttpResponse { status, headers: headers.into(), body: answer.into_bytes() };
        let outcome = instagram_channel::outcome(&(&step).into(), &response);
        if let SendResult::Sent(receipt) = outcome.verdict {
            prop_assert!(!receipt.messages.is_empty());
        }
    }
}
