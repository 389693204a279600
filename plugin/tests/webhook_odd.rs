//! Values in another form than Meta's pages print, and members that are missing, cost nothing that can be read.
//! What belongs here is one case for each shape of `webhook_kinds.rs` and of the archive, written oddly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::{anomaly, comment_place, referral_source, share_kind, window_opener};
use common::*;
use instagram_channel::types::*;

/// The only event of a message with these members.
fn read(body: &str) -> Event {
    let mut events = events(envelope(&item(body)));
    assert_eq!(events.len(), 1, "{body}");
    events.remove(0)
}

fn message_of(event: Event) -> Message {
    match event.body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

/// The attachments of a message with these.
fn attached(attachments: &str) -> Vec<Attachment> {
    message_of(read(&format!(r#""message":{{"mid":"m","attachments":{attachments}}}"#))).attachments
}

fn change(field: &str, value: &str) -> Event {
    let entry = format!(r#""id":"{ACCOUNT}","time":1795000000"#);
    let listed = format!(r#"{{{entry},"changes":[{{"field":"{field}","value":{value}}}]}}"#);
    let flat = format!(r#"{{{entry},"field":"{field}","value":{value}}}"#);
    let [listed, flat] = [listed, flat].map(|entry| {
        let mut events = events(format!(r#"{{"object":"instagram","entry":[{entry}]}}"#));
        assert_eq!(events.len(), 1, "{entry}");
        events.remove(0)
    });
    assert_eq!((&listed.body, &listed.author, &listed.contact), (&flat.body, &flat.author, &flat.contact), "{value}");
    listed
}

#[test]
fn every_kind_of_item_is_the_same_in_every_list_and_as_a_change() {
    for (field, body) in [
        ("messages", r#""message":{"mid":"m","text":"hi"}"#),
        ("messages", r#""message":{"mid":"m","is_deleted":true}"#),
        ("message_edit", r#""message_edit":{"mid":"m","text":"new","num_edit":1}"#),
        ("message_reactions", r#""reaction":{"mid":"m","action":"react","emoji":"❤️"}"#),
        ("messaging_seen", r#""read":{"mid":"m"}"#),
        ("messaging_postbacks", r#""postback":{"mid":"m","title":"A","payload":"P"}"#),
        ("messaging_referral", r#""referral":{"ref":"r","source":"SHORTLINKS","type":"OPEN_THREAD"}"#),
        ("messaging_optins", r#""optin":{"type":"notification_messages","payload":"P"}"#),
        ("messaging_handover", r#""pass_thread_control":{"new_owner_app_id":"1"}"#),
        ("messaging_handover", r#""take_thread_control":{"new_owner_app_id":"1"}"#),
    ] {
        let live = read(body);
        let changed = change(field, &item(body));
        assert_eq!(
            (&changed.id, &changed.body, &changed.contact, changed.opens),
            (&live.id, &live.body, &live.contact, live.opens)
        );
        let standby = envelope(&item(body)).replace("\"messaging\"", "\"standby\"");
        let standby = events(standby).remove(0);
        assert_eq!(
            (&standby.id, &standby.body, standby.origin),
            (&live.id, &live.body, EventOrigin::Standby),
            "{body}"
        );
        assert_eq!(change("standby", &item(body)).origin, EventOrigin::Standby);
    }
}

#[test]
fn ids_times_and_counts_are_read_as_numbers_and_as_texts() {
    let item = |id: &str, account: &str, time: &str, edits: &str| {
        format!(
            r#"{{"object":"instagram","entry":[{{"id":{account},"time":{time},"messaging":[{{"sender":{{"id":{id}}},"recipient":{{"id":{account}}},"timestamp":{time},"message_edit":{{"mid":"m","text":"new","num_edit":{edits}}}}}]}}]}}"#
        )
    };
    let text = events(item("\"6512345678901234\"", "\"17841400000000001\"", "\"1795000000123\"", "\"2\"")).remove(0);
    let number = events(item("6512345678901234", "17841400000000001", "1795000000123", "2")).remove(0);
    assert_eq!((text.account.as_str(), text.contact.as_ref().unwrap().id.as_str()), (ACCOUNT, CONTACT));
    assert_eq!(text.anomalies, NONE);
    assert_eq!(text, number);
    assert!(matches!(text.body, EventBody::Edited(Edited { revision: Some(2), .. })));
    // A sender may stand there without the object around it.
    let bare = envelope(&format!(
        r#"{{"sender":"{CONTACT}","recipient":{ACCOUNT},"timestamp":"1795000000","message":{{"mid":"m","text":"x"}}}}"#
    ));
    let bare = events(bare).remove(0);
    assert_eq!((bare.contact.unwrap().id.as_str(), bare.at), (CONTACT, Some(1_795_000_000_000)));
}

#[test]
fn an_edit_says_its_revision_however_it_is_written_and_whatever_is_missing() {
    for (edit, revision, text, odd) in [
        (r#"{"mid":"m","text":"new","num_edit":1}"#, Some(1), Some("new"), false),
        (r#"{"mid":"m","text":"new","num_edit":"1"}"#, Some(1), Some("new"), false),
        (r#"{"mid":"m","num_edit":0}"#, Some(0), None, false),
        (r#"{"mid":"m","num_edit":"0","text":""}"#, Some(0), None, false),
        (r#"{"mid":"m","text":"new"}"#, None, Some("new"), false),
        (r#"{"mid":"m","text":"new","num_edit":"NUM"}"#, None, Some("new"), true),
        (r#"{"mid":"m","text":"new","num_edit":-1}"#, None, Some("new"), true),
    ] {
        let event = read(&format!(r#""message_edit":{edit}"#));
        assert_eq!(has(&event, anomaly::UNEXPECTED_TYPE), odd, "{edit}");
        let EventBody::Edited(edited) = event.body else { panic!("{edit}") };
        assert_eq!((edited.target.as_str(), edited.revision, edited.text.as_deref()), ("m", revision, text), "{edit}");
    }
}

#[test]
fn whoever_is_missing_costs_neither_the_item_nor_the_account() {
    for body in [
        r#""message":{"mid":"m","text":"x"}"#,
        r#""message_edit":{"mid":"m","text":"x"}"#,
        r#""reaction":{"mid":"m","action":"react","emoji":"x"}"#,
        r#""read":{"mid":"m"}"#,
        r#""postback":{"title":"A","payload":"P"}"#,
        r#""referral":{"ref":"r"}"#,
        r#""optin":{"type":"t"}"#,
        r#""pass_thread_control":{"new_owner_app_id":"1"}"#,
        r#""policy_enforcement":{"action":"block","reason":"r"}"#,
    ] {
        for (sides, contact) in [
            (String::new(), None),
            (format!(r#""recipient":{{"id":"{ACCOUNT}"}},"#), None),
            (format!(r#""sender":{{"id":"{CONTACT}"}},"#), Some(CONTACT)),
            (r#""sender":null,"recipient":null,"#.into(), None),
            (r#""sender":{},"recipient":{},"#.into(), None),
        ] {
            let event = events(envelope(&format!(r#"{{{sides}"timestamp":1795000000123,{body}}}"#))).remove(0);
            assert_eq!(event.account, ACCOUNT, "{sides}{body}");
            assert_eq!(event.contact.as_ref().map(|contact| contact.id.as_str()), contact, "{sides}{body}");
            assert!(!matches!(event.body, EventBody::Unknown(_)), "{sides}{body}");
            if contact.is_none() {
                assert_eq!(event.opens, None, "{sides}{body}");
            }
        }
    }
}

#[test]
fn a_reaction_needs_neither_word_nor_emoji() {
    for (reaction, action, emoji, name) in [
        (r#""action":"react","reaction":"love","emoji":"❤️""#, ReactionAction::Added, Some("❤️"), Some("love")),
        (r#""action":"react","emoji":"🎉""#, ReactionAction::Added, Some("🎉"), None),
        (r#""action":"react","reaction":"other","emoji":"🎉""#, ReactionAction::Added, Some("🎉"), Some("other")),
        (r#""action":"react","reaction":"wow""#, ReactionAction::Added, None, Some("wow")),
        (r#""action":"unreact""#, ReactionAction::Removed, None, None),
        (r#""action":"unreact","reaction":"love","emoji":"❤️""#, ReactionAction::Removed, Some("❤️"), Some("love")),
    ] {
        let event = read(&format!(r#""reaction":{{"mid":"m",{reaction}}}"#));
        assert_eq!((&event.anomalies[..], &event.native), (&[][..], &None));
        let EventBody::Reaction(read) = event.body else { panic!("{reaction}") };
        assert_eq!((read.action, read.emoji.as_deref(), read.name.as_deref()), (action, emoji, name), "{reaction}");
    }
}

#[test]
fn a_story_that_was_shared_has_its_address_under_another_name() {
    for (payload, id, url) in [
        (
            r#"{"story_media_id":"18","story_media_url":"https:\/\/a.example\/s"}"#,
            Some("18"),
            Some("https://a.example/s"),
        ),
        (
            r#"{"story_media_id":18,"url":"","story_media_url":"https:\/\/a.example\/s"}"#,
            Some("18"),
            Some("https://a.example/s"),
        ),
        (r#"{"story_media_id":"18"}"#, Some("18"), None),
        (r#"{"url":"https:\/\/a.example\/s"}"#, None, Some("https://a.example/s")),
        ("{}", None, None),
        ("null", None, None),
    ] {
        let found = attached(&format!(r#"[{{"type":"ig_story","payload":{payload}}}]"#));
        let [Attachment::Share(share)] = found.as_slice() else { panic!("{payload}: {found:?}") };
        assert_eq!((share.kind.as_str(), share.retention), (share_kind::STORY, Retention::LinkOnly), "{payload}");
        assert_eq!((share.media_id.as_deref(), share.url.as_deref()), (id, url), "{payload}");
    }
}

#[test]
fn a_post_that_comes_as_share_and_as_ig_post_is_shown_once_in_either_order() {
    let share = r#"{"type":"share","payload":{"ig_post_media_id":"18","title":"Mugs","url":"https:\/\/a.example\/?asset_id=5&signature=A"}}"#;
    let post = r#"{"type":"ig_post","payload":{"ig_post_media_id":18,"title":"Mugs","url":"https:\/\/a.example\/?asset_id=5&signature=B"}}"#;
    let legacy = r#"{"type":"share","payload":{"url":"https:\/\/a.example\/?asset_id=5&signature=C"}}"#;
    for pair in [[share, post], [post, share], [legacy, post], [post, legacy]] {
        let found = attached(&format!("[{}]", pair.join(",")));
        let [Attachment::Share(one)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.media_id.as_deref(), one.title.as_deref()), (Some("18"), Some("Mugs")));
    }
    // Neither a reel nor another post is a half of the pair.
    let reel = r#"{"type":"ig_reel","payload":{"reel_video_id":"18","url":"https:\/\/a.example\/?asset_id=5"}}"#;
    let other = r#"{"type":"ig_post","payload":{"ig_post_media_id":"19","url":"https:\/\/a.example\/?asset_id=6"}}"#;
    assert_eq!(attached(&format!("[{share},{reel},{other},{post}]")).len(), 3);
}

#[test]
fn an_echo_shows_the_cards_and_buttons_that_were_sent() {
    let cards = |payload: &str| match attached(&format!(r#"[{{"type":"template","payload":{payload}}}]"#)).remove(0) {
        Attachment::Cards(cards) => cards,
        other => panic!("{payload}: {other:?}"),
    };
    let element = r#"{"title":"One","subtitle":"first","buttons":[{"type":"postback","title":"Buy","payload":"B"}]}"#;
    let expected = cards(&format!(r#"{{"generic":{{"elements":[{element}]}}}}"#));
    assert_eq!((expected.len(), expected[0].title.as_str(), expected[0].buttons.len()), (1, "One", 1));
    for payload in [
        format!(r#"{{"generic":{{"elements":{element}}}}}"#),
        format!(r#"{{"template_type":"generic","elements":[{element}]}}"#),
        format!(r#"{{"elements":[{element}]}}"#),
    ] {
        assert_eq!(cards(&payload), expected, "{payload}");
    }
    let button = r#""text":"Which?","buttons":[{"type":"web_url","title":"See","url":"https:\/\/a.example"}]"#;
    for payload in [format!(r#"{{"template_type":"button",{button}}}"#), format!(r#"{{"button":{{{button}}}}}"#)] {
        let found = cards(&payload);
        assert_eq!((found.len(), found[0].title.as_str()), (1, "Which?"), "{payload}");
        assert_eq!(found[0].buttons[0].action, ButtonAction::Url("https://a.example".into()));
    }
    let kept =
        read(r#""message":{"mid":"m","attachments":[{"type":"template","payload":{"template_type":"hologram"}}]}"#);
    assert!(kept.native.is_some());
    // Elsewhere these members mean nothing that is known, and are not lost.
    let image =
        r#""message":{"mid":"m","attachments":[{"type":"image","payload":{"url":"https:\/\/a.example","text":"x"}}]}"#;
    assert!(read(image).native.is_some());
}

#[test]
fn what_has_no_payload_is_what_its_type_says() {
    for payload in ["", r#","payload":null"#, r#","payload":{}"#] {
        let found = attached(&format!(
            r#"[{{"type":"like_heart"{payload}}},{{"type":"ephemeral"{payload}}},{{"type":"image"{payload}}},{{"type":"fallback"{payload}}},{{"type":"story_mention"{payload}}}]"#
        ));
        assert!(
            matches!(
                found.as_slice(),
                [
                    Attachment::Sticker(_),
                    Attachment::Unavailable(UnavailableReason::Ephemeral),
                    Attachment::Media(_),
                    Attachment::Share(_),
                    Attachment::StoryMention(_)
                ]
            ),
            "{payload}: {found:?}"
        );
    }
    assert_eq!(attached(r#"{"type":"image","payload":{"url":"https:\/\/a.example"}}"#).len(), 1);
    assert_eq!(attached("null"), []);
}

#[test]
fn an_ad_is_an_ad_wherever_its_referral_stands() {
    let ad = r#""referral":{"ref":"r","ad_id":6390000000001,"source":"ADS","type":"OPEN_THREAD","ads_context_data":{"ad_title":"Sale","photo_url":"https:\/\/a.example\/p","post_id":"18"}}"#;
    for body in [
        format!(r#""message":{{"mid":"m","text":"x",{ad}}}"#),
        format!(r#""postback":{{"mid":"m","title":"A","payload":"P",{ad}}}"#),
        ad.to_owned(),
    ] {
        let event = read(&body);
        assert_eq!((event.opens.as_deref(), &event.native), (Some(window_opener::AD_MESSAGE), &None), "{body}");
        let referral = match event.body {
            EventBody::Message(message) => message.referral.unwrap(),
            EventBody::Referral(referral) => referral,
            other => panic!("{other:?}"),
        };
        let ad = referral.ad.unwrap();
        assert_eq!((ad.id.as_deref(), ad.title.as_deref()), (Some("6390000000001"), Some("Sale")), "{body}");
    }
    for (referral, source, opens) in [
        (r#"{"ad_id":"6"}"#, referral_source::AD, window_opener::AD_MESSAGE),
        (r#"{"ref":"r","source":"SHORTLINK"}"#, referral_source::LINK, window_opener::REFERRAL),
        (r#"{"product":{"id":7}}"#, referral_source::PRODUCT, window_opener::REFERRAL),
        (r#"{"ref":"r"}"#, referral_source::OTHER, window_opener::REFERRAL),
    ] {
        let event = read(&format!(r#""referral":{referral}"#));
        assert_eq!(event.opens.as_deref(), Some(opens), "{referral}");
        assert!(matches!(event.body, EventBody::Referral(found) if found.source == source), "{referral}");
    }
}

#[test]
fn a_comment_is_read_with_either_name_of_its_id_and_with_whatever_is_known() {
    let comment = |value: &str| {
        let event = change("comments", value);
        let EventBody::Comment(comment) = event.body.clone() else { panic!("{value}: {event:?}") };
        (event, comment)
    };
    for id in [
        r#""id":"179""#,
        r#""comment_id":"179""#,
        r#""id":179"#,
        r#""id":null,"comment_id":179"#,
        r#""id":"","comment_id":"179""#,
    ] {
        let (event, comment) = comment(&format!(r#"{{{id},"from":{{"id":"{CONTACT}"}},"text":"x"}}"#));
        assert_eq!((event.id.as_str(), comment.id.as_str()), ("c:179", "179"), "{id}");
        assert_eq!(comment.place, comment_place::OTHER);
    }
    for media in [r#"{"id":"180"}"#, r#"{"id":180,"media_product_type":"FEED"}"#, r#""180""#, "180"] {
        let (_, comment) =
            comment(&format!(r#"{{"id":"179","from":{{"id":"{CONTACT}"}},"text":"x","media":{media}}}"#));
        assert_eq!(comment.media_id.as_deref(), Some("180"), "{media}");
    }
    for (from, author) in [
        (format!(r#"{{"id":{CONTACT},"username":"ana"}}"#), Some(CONTACT)),
        (format!(r#""{CONTACT}""#), Some(CONTACT)),
        (CONTACT.to_owned(), Some(CONTACT)),
        ("null".into(), None),
        ("{}".into(), None),
    ] {
        let (event, _) = comment(&format!(r#"{{"id":"179","from":{from},"text":"x"}}"#));
        assert_eq!(event.contact.as_ref().map(|contact| contact.id.as_str()), author, "{from}");
        assert_eq!(has(&event, anomaly::MISSING_PARTICIPANT), author.is_none(), "{from}");
    }
    for from in [
        format!(r#"{{"id":"{ACCOUNT}","username":"shop"}}"#),
        format!(r#"{{"id":{ACCOUNT}}}"#),
        format!(r#"{{"id":"{CONTACT}","username":"shop","self_ig_scoped_id":"{CONTACT}"}}"#),
        format!(r#"{{"id":"{CONTACT}","self_ig_scoped_id":{CONTACT}}}"#),
        r#"{"username":"shop","self_ig_scoped_id":"77"}"#.into(),
    ] {
        let (event, comment) = comment(&format!(r#"{{"id":"179","from":{from},"text":"x"}}"#));
        assert!(matches!(event.author, Author::Business(_)), "{from}");
        assert_eq!((event.contact, comment.username, &event.anomalies[..]), (None, None, &[][..]), "{from}");
    }
    let live = change(
        "live_comments",
        &format!(r#"{{"id":"179","from":{{"id":"{CONTACT}"}},"media":{{"id":"180","media_product_type":"FEED"}}}}"#),
    );
    assert!(matches!(live.body, EventBody::Comment(it) if it.place == comment_place::LIVE && it.text.is_none()));
}

#[test]
fn a_mention_has_the_ids_that_it_has() {
    for (value, id) in [
        (r#"{"media_id":"180","comment_id":"179"}"#, "n:180:179"),
        (r#"{"media_id":180,"comment_id":179}"#, "n:180:179"),
        (r#"{"media_id":"180"}"#, "n:180:"),
        (r#"{"comment_id":"179","media_id":null}"#, "n::179"),
    ] {
        let event = change("mentions", value);
        assert!(matches!(event.body, EventBody::Mention(_)), "{value}");
        assert_eq!((event.id.as_str(), event.contact), (id, None), "{value}");
    }
}

#[test]
fn a_tap_with_its_payload_as_a_text_is_a_tap() {
    for quick_reply in [r#"{"payload":"YES"}"#, r#""YES""#] {
        let message = message_of(read(&format!(r#""message":{{"mid":"m","text":"Yes","quick_reply":{quick_reply}}}"#)));
        let answer = message.answer.unwrap();
        assert_eq!(
            (answer.source, answer.payload.as_deref()),
            (AnswerSource::QuickReply, Some("YES")),
            "{quick_reply}"
        );
    }
}

/// The events of a conversation of the archive with one message.
fn archived(message: &str) -> Vec<Event> {
    let body = format!(
        r#"{{"account":"{ACCOUNT}","conversation":{{"participants":{{"data":[{{"id":"{ACCOUNT}"}},{{"id":"{CONTACT}","username":"ana"}}]}},"messages":{{"data":[{{"id":"m","created_time":"2026-04-05T05:27:08+0000",{message}}}]}}}}}}"#
    );
    instagram_channel::parse(&Delivery { source: DeliverySource::History, ..delivery(body) }).unwrap()
}

#[test]
fn the_archive_is_read_with_odd_values_too() {
    let from = format!(r#""from":{{"id":"{CONTACT}","username":"ana"}},"to":{{"data":[{{"id":"{ACCOUNT}"}}]}}"#);
    let one = |rest: &str| message_of(archived(&format!("{from},{rest}")).remove(0));
    for target in [r#"{"mid":"q"}"#, r#"{"id":"q"}"#, r#""q""#] {
        let reply = one(&format!(r#""message":"x","reply_to":{target}"#));
        assert_eq!(reply.reply_to, Some(ReplyTarget::Message("q".into())), "{target}");
    }
    for flag in ["true", "\"true\""] {
        let hidden = one(&format!(r#""message":"x","is_unsupported":{flag}"#));
        assert_eq!(hidden.unavailable, Some(UnavailableReason::PlatformUnsupported), "{flag}");
    }
    assert_eq!(one(r#""message":"x","is_unsupported":"false""#).unavailable, None);
    for story in [
        r#"{"reply_to":{"id":17,"link":"https:\/\/a.example\/s"}}"#,
        r#"{"reply_to":{"id":"17","link":"https:\/\/a.example\/s"}}"#,
    ] {
        let reply = one(&format!(r#""message":"x","story":{story}"#));
        let Some(ReplyTarget::Story(found)) = reply.reply_to else { panic!("{story}") };
        assert_eq!((found.id.as_deref(), found.url.as_deref()), (Some("17"), Some("https://a.example/s")));
    }
    let mention = one(r#""message":"","story":{"mention":{"link":"https:\/\/a.example\/s"}}"#);
    assert!(matches!(&mention.attachments[0], Attachment::StoryMention(story) if story.id.is_none()));
    // Numbers for ids, and a sender of whom only the other side tells.
    let numbers =
        archived(&format!(r#""from":{{"id":{CONTACT}}},"to":{{"data":[{{"id":{ACCOUNT}}}]}},"message":"x""#)).remove(0);
    assert_eq!((numbers.author, numbers.contact.unwrap().username.as_deref()), (Author::Contact, Some("ana")));
    let sent = archived(&format!(r#""from":{{"id":{ACCOUNT}}},"message":"x""#)).remove(0);
    assert!(matches!(sent.author, Author::Business(_)));
    assert_eq!((sent.id.as_str(), sent.contact.unwrap().id.as_str()), ("e:m", CONTACT));
    let reacted = archived(&format!(
        r#"{from},"message":"x","reactions":{{"data":[{{"reaction":"love","emoji":"❤️","users":[{{"id":{CONTACT}}}]}},{{"reaction":"love"}},{{"emoji":"🎉","users":{{"data":[{{"id":"{ACCOUNT}"}}]}}}}]}}"#
    ));
    let reactions: Vec<_> = reacted
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Reaction(reaction) => {
                Some((reaction.emoji.as_deref(), reaction.name.as_deref(), matches!(event.author, Author::Contact)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(reactions, [(Some("❤️"), Some("love"), true), (Some("🎉"), None, false)]);
}

#[test]
fn two_policy_notices_with_the_same_words_in_one_delivery_are_two_events() {
    let notice = r#"{"field":"messaging_policy_enforcement","value":{"action":"block","reason":"r"}}"#;
    let entry = |time: u64, changes: &str| format!(r#"{{"id":"{ACCOUNT}","time":{time},"changes":[{changes}]}}"#);
    let delivery = |entries: &str| events(format!(r#"{{"object":"instagram","entry":[{entries}]}}"#));
    let ids = |events: Vec<Event>| events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    let in_one = ids(delivery(&entry(1_795_000_000, &[notice; 3].join(","))));
    assert_eq!(in_one.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{in_one:?}");
    let in_two = [entry(1_795_000_000, notice), entry(1_795_000_009, notice), entry(1_795_000_010, notice)].join(",");
    assert_eq!(ids(delivery(&in_two)), in_one, "a repetition comes with other times, and is a repetition");
}
