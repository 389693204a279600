//! What is declared is what happens: every line of the capabilities is tried against the validation.
//! What belongs here is honesty in both directions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::{counted_item, feature, text_field, violation_code, window_opener};
use common::*;
use instagram_channel::capabilities;
use instagram_channel::types::*;

fn limit(field: &str) -> usize {
    let limits = capabilities(None).text_limits;
    limits.iter().find(|limit| limit.field == field).expect("a limit").limit.max as usize
}

#[test]
fn the_declared_length_of_a_text_is_the_one_that_is_checked() {
    let max = limit(text_field::MESSAGE_TEXT);
    assert_eq!(errors(&message(vec![text("a".repeat(max))]), &context()), NONE);
    assert_eq!(errors(&message(vec![text("a".repeat(max + 1))]), &context()).len(), 1);
}

#[test]
fn the_declared_types_and_sizes_of_files_are_the_ones_that_are_checked() {
    for rule in capabilities(None).media_rules {
        for mime in &rule.types {
            let item = |size| OutboundMedia { mime: Some(mime.clone()), ..media(rule.kind, file(size)) };
            let errors_of = |size| errors(&message(vec![OutboundPart::Media(vec![item(size)])]), &context());
            assert_eq!(errors_of(rule.max_size), NONE, "{mime}");
            assert_eq!(errors_of(rule.max_size + 1), [violation_code::MEDIA_TOO_LARGE], "{mime}");
        }
    }
}

#[test]
fn every_declared_sticker_can_be_sent() {
    for sticker in capabilities(None).stickers {
        assert_eq!(errors(&message(vec![OutboundPart::Sticker(sticker.id)]), &context()), NONE);
    }
}

#[test]
fn every_step_names_a_declared_rate() {
    let image = OutboundMedia { name: Some("a.png".into()), ..media(MediaKind::Image, file(5)) };
    let all = message(vec![text("a"), OutboundPart::Media(vec![image]), OutboundPart::Typing(true)]);
    let mut private = message(vec![text("a")]);
    private.private_reply_to = Some("1".into());
    let rates = capabilities(None).rates;
    let mut used: Vec<String> =
        [all, private].iter().flat_map(|message| steps(message, &context())).map(|step| step.rate_class).collect();
    // No step's, but that of `account.history`.
    used.push("conversations".into());
    used.sort();
    used.dedup();
    let mut declared: Vec<String> = rates.into_iter().map(|rate| rate.class).collect();
    declared.sort();
    assert_eq!(used, declared);
}

#[test]
fn every_opener_that_a_fixture_shows_has_a_rule() {
    let rules = capabilities(None).window.rules;
    let folder = format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        for event in events(std::fs::read(file.unwrap().path()).unwrap()) {
            if let Some(opens) = event.opens {
                assert!(rules.iter().any(|rule| rule.opener == opens), "{opens:?}");
            }
        }
    }
}

#[test]
fn what_is_declared_rejected_is_rejected_and_what_is_hidden_is_degraded() {
    let features = capabilities(None).features;
    let level = |feature| {
        features.iter().find(|line| line.feature == feature && line.direction == Direction::Outbound).expect("a line")
    };
    let place = Location { latitude: 0.0, longitude: 0.0, name: None, address: None };
    for (feature, part) in [
        (feature::LOCATION, OutboundPart::Location(place)),
        (feature::DELETE, OutboundPart::Delete(message_ref("m"))),
        (feature::CONTACT_CARDS, OutboundPart::ContactCards(vec![])),
        (feature::VOICE, OutboundPart::Media(vec![media(MediaKind::Voice, file(1))])),
        (feature::CARDS, OutboundPart::Cards(vec![card("a")])),
        (feature::TEXT, text("a")),
        (feature::TYPING, OutboundPart::Typing(true)),
    ] {
        let verdict = instagram_channel::validate(&message(vec![part]), &context());
        let refused = verdict.violations.iter().any(|v| v.severity == Severity::Error);
        assert_eq!(level(feature).level == SupportLevel::Rejected, refused, "{feature:?}");
        let hidden: Vec<String> = verdict.degradations.into_iter().flat_map(|loss| loss.surfaces).collect();
        assert_eq!(level(feature).not_shown_on, hidden, "{feature:?}");
    }
}

#[test]
fn the_hours_for_people_are_there_only_where_the_account_may_use_them() {
    let of = |settings: Vec<Setting>| capabilities(Some(&account(settings)));
    let switch = |flag| vec![login("instagram"), setting("human-agent", SettingValue::Flag(flag))];
    // Without an account: the most that any may do.
    let most = capabilities(None);
    assert!(most.window.rules.iter().all(|rule| rule.human_until == Some(7 * 86_400_000)));
    assert_eq!(of(switch(true)), most);
    for mut least in [of(switch(false)), of(vec![login("facebook")])] {
        assert!(least.window.rules.iter().all(|rule| rule.human_until.is_none()));
        for (rule, other) in least.window.rules.iter_mut().zip(&most.window.rules) {
            rule.human_until = other.human_until;
        }
        assert_eq!(least, most, "nothing else depends on the account");
    }
}

#[test]
fn every_name_is_one_of_the_contracts() {
    let capabilities = capabilities(None);
    for line in &capabilities.features {
        named(feature::ALL, &line.feature);
    }
    for limit in &capabilities.text_limits {
        named(text_field::ALL, &limit.field);
    }
    for limit in &capabilities.count_limits {
        named(counted_item::ALL, &limit.item);
    }
    for rule in &capabilities.window.rules {
        named(window_opener::ALL, &rule.opener);
    }
    for allowed in &capabilities.window.always_allowed {
        named(feature::ALL, allowed);
    }
}

#[test]
fn no_feature_is_listed_twice() {
    let features = capabilities(None).features;
    for (at, line) in features.iter().enumerate() {
        let again =
            features[at + 1..].iter().any(|other| (&other.feature, other.direction) == (&line.feature, line.direction));
        assert!(!again, "{:?} {:?}", line.feature, line.direction);
    }
}
