//! Every kind of thing that Meta reports becomes the event that the contract has for it.
//! What belongs here is what is documented or captured; faults are in `webhook_faults.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::{account_change, anomaly, comment_place, referral_source, share_kind, window_opener};
use common::*;
use instagram_channel::types::*;
use std::fmt::Write as _;

/// One line for what every event has, one for what happened.
fn summary(event: &Event) -> String {
    let mut text = String::new();
    let contact = event.contact.as_ref().map(|contact| (&contact.id, &contact.username));
    writeln!(text, "{} account={} contact={contact:?}", event.id, event.account).unwrap();
    let (author, at, origin, opens) = (&event.author, event.at, event.origin, &event.opens);
    writeln!(text, "  {author:?} at={at:?} {origin:?} opens={opens:?}").unwrap();
    writeln!(text, "  {:?}", event.body).unwrap();
    if !event.anomalies.is_empty() {
        writeln!(text, "  anomalies={:?}", event.anomalies).unwrap();
    }
    if !event.details.is_empty() {
        writeln!(text, "  details={:?}", event.details).unwrap();
    }
    if let Some(native) = &event.native {
        writeln!(text, "  native={native}").unwrap();
    }
    text
}

#[test]
fn every_fixture_reads_as_recorded() {
    let folder = format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|file| file.unwrap().file_name().into_string().unwrap().strip_suffix(".json").map(String::from))
        .collect();
    names.sort();
    assert!(names.len() > 40);
    for name in names {
        let text: String = events(fixture(&name)).iter().map(summary).collect();
        insta::assert_snapshot!(name.as_str(), text);
    }
}

#[test]
fn every_name_that_a_fixture_shows_is_one_of_the_contracts() {
    let folder = format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR"));
    let of_referral = |referral: &Referral| {
        named(referral_source::ALL, &referral.source);
    };
    let mut names = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        for event in events(std::fs::read(file.unwrap().path()).unwrap()) {
            if let Some(opens) = &event.opens {
                named(window_opener::ALL, opens);
                names += 1;
            }
            for odd in &event.anomalies {
                named(anomaly::ALL, odd);
                names += 1;
            }
            match &event.body {
                EventBody::Comment(comment) => {
                    named(comment_place::ALL, &comment.place);
                }
                EventBody::AccountUpdate(update) => {
                    named(account_change::ALL, &update.change);
                }
                EventBody::Referral(referral) => of_referral(referral),
                EventBody::Message(message) => {
                    message.referral.iter().for_each(of_referral);
                    for attachment in &message.attachments {
                        if let Attachment::Share(share) = attachment {
                            named(share_kind::ALL, &share.kind);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    assert!(names > 20, "{names}");
}

#[test]
fn a_policy_notice_is_an_update_of_the_account_with_metas_reason() {
    let event = event("policy");
    let EventBody::AccountUpdate(update) = &event.body else { panic!("{event:?}") };
    assert_eq!((update.change.as_str(), update.detail.as_deref()), (account_change::POLICY, Some("warning: spam")));
    assert_eq!((event.contact, event.opens), (None, None));
}

fn message_of(name: &str) -> Message {
    match event(name).body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_customer_does_opens_the_window_as_the_policy_says() {
    for (name, opens) in [
        ("message_text", Some(window_opener::MESSAGE)),
        ("message_media", Some(window_opener::MESSAGE)),
        ("message_unsupported_flag", Some(window_opener::MESSAGE)),
        ("message_quick_reply", Some(window_opener::QUICK_REPLY)),
        ("message_story_reply", Some(window_opener::STORY_REPLY)),
        ("message_story_mention", Some(window_opener::STORY_MENTION)),
        ("message_from_ad", Some(window_opener::AD_MESSAGE)),
        ("postback_from_ad", Some(window_opener::AD_MESSAGE)),
        ("postback", Some(window_opener::BUTTON)),
        ("referral", Some(window_opener::REFERRAL)),
        ("standby", Some(window_opener::MESSAGE)),
        ("message_unsent", None),
        ("edit", None),
        ("reaction", None),
        ("seen", None),
        ("echo_own", None),
        ("optin", None),
        ("comment_flat", None),
        ("dashboard_test", None),
    ] {
        assert_eq!(event(name).opens.as_deref(), opens, "{name}");
    }
}

#[test]
fn a_shared_post_is_shown_once() {
    let message = message_of("message_share_pair");
    let [Attachment::Share(share)] = message.attachments.as_slice() else {
        panic!("{:?}", message.attachments);
    };
    assert_eq!(share.media_id.as_deref(), Some("18000000000000001"));
    assert_eq!(share.title.as_deref(), Some("New shoes"));
    assert_eq!(message_of("message_sticker_pair").attachments.len(), 1);
}

#[test]
fn two_different_shared_posts_stay_two() {
    let body = envelope(&item(
        r#""message":{"mid":"m","attachments":[{"type":"ig_post","payload":{"ig_post_media_id":"1","url":"https://a"}},{"type":"ig_post","payload":{"ig_post_media_id":"2","url":"https://b"}}]}"#,
    ));
    let EventBody::Message(message) = &events(body)[0].body else { panic!() };
    assert_eq!(message.attachments.len(), 2);
}

#[test]
fn story_media_may_be_linked_to_and_not_kept() {
    let message = message_of("message_shares");
    let retentions: Vec<_> = message
        .attachments
        .iter()
        .filter_map(|attachment| match attachment {
            Attachment::Share(share) => Some((share.kind.as_str(), share.retention)),
            _ => None,
        })
        .collect();
    for (kind, retention) in retentions {
        let story = kind == share_kind::STORY;
        assert_eq!(retention == Retention::LinkOnly, story, "{kind:?}");
    }
}

#[test]
fn what_disappears_what_is_unsupported_and_what_has_an_unsupported_type_are_three_things() {
    let gone = message_of("message_ephemeral");
    assert_eq!(gone.unavailable, Some(UnavailableReason::Ephemeral));
    let flagged = message_of("message_unsupported_flag");
    assert_eq!(flagged.unavailable, Some(UnavailableReason::PlatformUnsupported));
    let linked = message_of("message_unsupported_type");
    assert_eq!(linked.unavailable, None);
    assert!(matches!(&linked.attachments[0], Attachment::Media(media) if media.url.is_some()));
}

#[test]
fn the_contact_is_the_customer_in_both_directions() {
    for name in ["message_text", "echo_own", "echo_from_app", "message_to_self"] {
        assert_eq!(event(name).contact.unwrap().id, CONTACT, "{name}");
        assert_eq!(event(name).account, ACCOUNT, "{name}");
    }
}

#[test]
fn an_echo_names_its_app_and_gives_our_correlation_back() {
    let Author::Business(author) = event("echo_own").author else { panic!() };
    assert_eq!(author.app_id.as_deref(), Some("1234567890123456"));
    assert_eq!(author.correlation.as_deref(), Some("outbox-42"));
}

#[test]
fn a_postback_is_a_message_with_what_was_tapped() {
    let message = message_of("postback_without_mid");
    assert_eq!(message.text.as_deref(), Some("Opening hours"));
    let answer = message.answer.unwrap();
    assert_eq!(answer.source, AnswerSource::Button);
    assert_eq!(answer.payload.as_deref(), Some("HOURS"));
}

#[test]
fn an_edit_without_text_and_people_is_an_event_and_no_crash() {
    let event = event("edit_zero_without_people");
    let EventBody::Edited(edited) = &event.body else { panic!() };
    assert_eq!((edited.revision, &edited.text), (Some(0), &None));
    assert_eq!((&event.author, &event.contact), (&Author::Unknown, &None));
    assert!(has(&event, anomaly::MISSING_PARTICIPANT));
}

#[test]
fn an_own_comment_has_the_business_as_its_author() {
    let events = events(fixture("comments"));
    assert!(matches!(events[2].author, Author::Business(_)));
    assert_eq!(events[2].contact, None);
    assert_eq!(events[0].author, Author::Contact);
    let places = events.iter().map(|event| match &event.body {
        EventBody::Comment(comment) => comment.place.as_str(),
        other => panic!("{other:?}"),
    });
    let places: Vec<_> = places.collect();
    use comment_place::{AD, LIVE, POST, REEL};
    assert_eq!(places, [POST, AD, REEL, LIVE]);
}

#[test]
fn both_shapes_of_a_comment_give_the_same_event_id() {
    assert_eq!(event("comment_flat").id, events(fixture("comments"))[0].id);
    assert_eq!(event("postback_in_changes").id, event("postback").id);
}

#[test]
fn samples_of_the_dashboard_are_recognised() {
    for name in ["dashboard_test", "dashboard_test_messaging", "dashboard_test_2021"] {
        assert_eq!(event(name).origin, EventOrigin::Test, "{name}");
    }
    assert_eq!(event("dashboard_test").at, Some(1_527_459_824_000));
}

#[test]
fn a_sample_that_names_the_customer_as_the_account_is_set_right() {
    let event = event("sample_postback_with_customer_as_account");
    assert_eq!(event.account, ACCOUNT);
    assert_eq!(event.contact.unwrap().id, CONTACT);
}

#[test]
fn an_ordinary_item_needs_no_native_and_an_unknown_member_keeps_it() {
    for name in ["message_text", "message_media", "message_from_ad", "echo_own", "reaction", "optin"] {
        assert_eq!(event(name).native, None, "{name}");
    }
    assert!(event("message_future_attachment").native.is_some());
    assert!(event("future_item").native.is_some());
}

#[test]
fn a_token_of_an_opt_in_goes_nowhere() {
    assert!(!format!("{:?}", event("optin")).contains("secret-token"));
}

#[test]
fn an_item_that_names_two_things_becomes_two_events() {
    let both = item(r#""pass_thread_control":{"new_owner_app_id":"1"},"take_thread_control":{"new_owner_app_id":"2"}"#);
    let events = events(envelope(&both));
    assert_eq!(events.len(), 2);
    assert_ne!(events[0].id, events[1].id);
}

#[test]
fn what_names_no_account_belongs_to_the_one_that_the_host_knows() {
    let mut delivery = delivery(
        r#"{"object":"instagram","entry":[{"time":1795000000,"changes":[{"field":"mentions","value":{"media_id":"1"}}]}]}"#,
    );
    delivery.account = Some(account(Vec::new()));
    let events = instagram_channel::parse(&delivery).unwrap();
    assert_eq!(events[0].account, ACCOUNT);
}

#[test]
fn a_tap_in_the_conversation_with_itself_stays_with_the_account() {
    let sides = |sender: &str, recipient: &str, rest: &str| {
        format!(
            r#"{{"sender":{{"id":"{sender}"}},"recipient":{{"id":"{recipient}"}},"timestamp":1795000000123,{rest}}}"#
        )
    };
    for (sender, recipient) in [(ACCOUNT, CONTACT), (CONTACT, ACCOUNT), (ACCOUNT, ACCOUNT)] {
        let other = if sender == ACCOUNT { recipient } else { sender };
        for rest in [
            r#""is_self":true,"postback":{"mid":"m","title":"A","payload":"P"}"#,
            r#""is_self":"true","postback":{"mid":"m","title":"A","payload":"P"}"#,
            r#""postback":{"mid":"m","title":"A","payload":"P","is_self":true}"#,
            r#""message":{"mid":"m","text":"note","is_self":true,"is_echo":true}"#,
            r#""message":{"mid":"m","text":"note","is_self":true}"#,
            r#""is_self":true,"message":{"mid":"m","text":"note"}"#,
            r#""is_self":"true","message":{"mid":"m","text":"note","is_echo":true}"#,
        ] {
            let event = events(envelope(&sides(sender, recipient, rest))).remove(0);
            assert_eq!(event.account, ACCOUNT, "{sender} {recipient} {rest}");
            assert_eq!(event.contact.unwrap().id, other, "{sender} {recipient} {rest}");
            let EventBody::Message(message) = event.body else { panic!() };
            assert!(message.to_self);
            if rest.contains("postback") {
                assert_eq!(event.author, Author::Contact, "a tap asks for an answer");
            }
        }
    }
}

#[test]
fn a_shared_thing_with_a_text_as_its_payload_keeps_the_link_beside_it() {
    for (attachment, title, url) in [
        (
            r#"{"type":"fallback","payload":"Our shop","url":"https:\/\/shop.example\/a"}"#,
            "Our shop",
            "https://shop.example/a",
        ),
        (
            r#"{"type":"share","payload":"Our shop","title":"Mugs","url":"https://shop.example/a"}"#,
            "Mugs",
            "https://shop.example/a",
        ),
        (
            r#"{"type":"fallback","payload":"https://l.example/x","title":"Mugs","url":"https://shop.example/a"}"#,
            "Mugs",
            "https://shop.example/a",
        ),
        (r#"{"type":"fallback","payload":"https://shop.example/a","title":"Mugs"}"#, "Mugs", "https://shop.example/a"),
    ] {
        let body = envelope(&item(&format!(r#""message":{{"mid":"m","attachments":[{attachment}]}}"#)));
        let EventBody::Message(message) = events(body).remove(0).body else { panic!() };
        let [Attachment::Share(share)] = message.attachments.as_slice() else { panic!("{:?}", message.attachments) };
        assert_eq!((share.title.as_deref(), share.url.as_deref()), (Some(title), Some(url)), "{attachment}");
    }
}

#[test]
fn a_comment_without_the_commenters_id_keeps_the_user_name_and_says_what_is_missing() {
    for from in [r#"{"username":"robin.example"}"#, r#"{"id":"","username":"robin.example"}"#] {
        let body = format!(
            r#"{{"object":"instagram","entry":[{{"id":"{ACCOUNT}","time":1795000000,"changes":[{{"field":"comments","value":{{"id":"17900000000000051","from":{from},"text":"still on sale?","media":{{"id":"18000000000000052","media_product_type":"FEED"}}}}}}]}}]}}"#
        );
        let event = events(body).remove(0);
        assert!(event.contact.is_none() && has(&event, anomaly::MISSING_PARTICIPANT), "{event:?}");
        let EventBody::Comment(comment) = event.body else { panic!() };
        assert_eq!((comment.id.as_str(), comment.username.as_deref()), ("17900000000000051", Some("robin.example")));
    }
}
