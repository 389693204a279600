//! Past messages and the platform's other calls: read from the archive, they are the same events.
//! What belongs here is `history`, `parse` of what it returns, and callbacks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use channel_sdk::names::account_change;
use common::{ACCOUNT, CONTACT, delivery, events, fixture, network::*};
use instagram_channel::account::*;
use instagram_channel::types::*;

const CONVERSATIONS: &str = "GET graph.instagram.com/v25.0/17841400000000001/conversations?platform=instagram&fields=id,updated_time,participants,messages.limit%28";

fn wanted(limit: u32) -> HistoryRequest {
    HistoryRequest { contact: None, thread: None, since: None, cursor: None, limit }
}

fn message(mid: &str, second: u32, from: &str, to: &str, rest: &str) -> String {
    format!(
        r#"{{"id":"{mid}","created_time":"2026-04-05T05:27:{second:02}+0000","from":{{"id":"{from}","username":"x"}},"to":{{"data":[{{"id":"{to}"}}]}}{rest}}}"#
    )
}

fn conversation(updated: &str, messages: &[String]) -> String {
    format!(
        r#"{{"id":"aWdfZAG06","updated_time":"{updated}","participants":{{"data":[{{"id":"{ACCOUNT}","username":"shop"}},{{"id":"{CONTACT}","username":"ana"}}]}},"messages":{{"data":[{}],"paging":{{"next":"https://graph.instagram.com/x?access_token=[redacted]"}}}}}}"#,
        messages.join(",")
    )
}

fn page(conversations: &[String], paging: &str) -> String {
    format!(r#"{{"data":[{}],"paging":{paging}}}"#, conversations.join(","))
}

fn read(page: &str, request: &HistoryRequest) -> HistoryPage {
    let script = Script::new().answer(CONVERSATIONS, page);
    let page = history(&script, &connected("instagram"), request).unwrap();
    script.lines();
    page
}

#[test]
fn an_archive_that_meta_finds_too_much_is_asked_for_in_smaller_pages() {
    let too_much = r#"{"error":{"code":1,"message":"Meta's own words: ask for less"}}"#;
    let script = Script::new()
        .status(CONVERSATIONS, 500, too_much)
        .status(CONVERSATIONS, 500, too_much)
        .answer(CONVERSATIONS, &page(&[], "{}"));
    history(&script, &connected("instagram"), &wanted(60)).unwrap();
    let sizes: Vec<_> = script
        .lines()
        .iter()
        .map(|line| {
            let messages = line.split_once("messages.limit%28").unwrap().1.split('%').next().unwrap().to_owned();
            let conversations = line.split_once("&limit=").unwrap().1.split([' ', '&']).next().unwrap().to_owned();
            (messages, conversations)
        })
        .collect();
    let expected = [("20", "3"), ("20", "1"), ("5", "1")].map(|(one, other)| (one.to_owned(), other.to_owned()));
    assert_eq!(sizes, expected);
}

fn parse(item: &Archived) -> Vec<Event> {
    let archived = Delivery { source: DeliverySource::History, ..delivery(&item.body) };
    instagram_channel::parse(&archived).unwrap()
}

/// The events of one conversation with these messages.
fn archived(messages: &[String]) -> Vec<Event> {
    let page = read(&page(&[conversation("2026-04-05T05:27:59+0000", messages)], "{}"), &wanted(20));
    assert_eq!(page.items.len(), 1);
    parse(&page.items[0])
}

fn content(event: &Event) -> &Message {
    match &event.body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_of_the_archive_is_the_event_that_its_webhook_was() {
    let live = events(fixture("message_text")).remove(0);
    let EventBody::Message(told) = &live.body else { panic!("{live:?}") };
    let (mid, text) = (told.id.clone().unwrap(), told.text.clone().unwrap());
    let text = serde_json::to_string(&text).unwrap();
    let (account, contact) = (live.account.as_str(), live.contact.as_ref().unwrap().id.as_str());
    let body = format!(
        r#"{{"account":"{account}","conversation":{{"participants":{{"data":[{{"id":"{account}"}},{{"id":"{contact}","username":"ana"}}]}},"messages":{{"data":[{}]}}}}}}"#,
        message(&mid, 8, contact, account, &format!(r#","message":{text}"#))
    );
    let past = parse(&Archived { body: body.into_bytes() }).remove(0);
    assert_eq!((&past.id, &past.account, &past.author), (&live.id, &live.account, &live.author));
    assert_eq!((&past.body, past.opens), (&live.body, live.opens));
    assert_eq!((past.origin, past.at), (EventOrigin::History, Some(NOW)));
    assert_eq!(past.contact.unwrap().username.as_deref(), Some("ana"));
    assert_eq!((past.anomalies, past.native), (vec![], None));

    let echo = events(fixture("echo_own")).remove(0);
    let EventBody::Message(told) = &echo.body else { panic!("{echo:?}") };
    let sent = message(told.id.as_deref().unwrap(), 8, ACCOUNT, CONTACT, r#","message":"hi""#);
    let past = archived(&[sent]).remove(0);
    assert_eq!(past.id, echo.id);
    assert!(matches!(past.author, Author::Business(_)));
    assert_eq!((past.contact.unwrap().id.as_str(), past.opens), (CONTACT, None));
}

#[test]
fn everything_that_the_archive_shows_of_a_message_is_read() {
    let rest = [
        r#","message":"","attachments":{"data":[{"id":"1","image_data":{"url":"https://lookaside.fbsbx.com/1"}},{"video_data":{"url":"https://lookaside.fbsbx.com/2"}},{"mime_type":"audio/mp4","file_url":"https://lookaside.fbsbx.com/3"},{"file_url":"https://lookaside.fbsbx.com/4"}]}"#,
        r#","message":"","shares":{"data":[{"link":"https://www.instagram.com/reel/abc/","id":"18","name":"a reel"},{"link":"https://www.instagram.com/p/def/"},{"link":"https://example.com/"}]}"#,
        r#","message":"nice","story":{"reply_to":{"link":"https://lookaside.fbsbx.com/s","id":"17"}}"#,
        r#","message":"","story":{"mention":{"link":"https://lookaside.fbsbx.com/t","id":"19"}}"#,
        r#","message":"that one","reply_to":{"mid":"aWdfZAG1"},"reactions":{"data":[{"reaction":"❤️","users":[{"id":"6512345678901234"}]},{"reaction":"👍","users":{"data":[{"id":"17841400000000001"}]}}]}"#,
        r#","message":"","is_unsupported":true"#,
        r#","message":"","is_unsupported":false"#,
        r#","message":"","attachments":{"data":[{"id":"1","generic_template":{"title":"x"}}]}"#,
    ];
    let messages: Vec<String> =
        rest.iter().zip(1..).map(|(rest, at)| message(&format!("mid{at}"), at, CONTACT, ACCOUNT, rest)).collect();
    let events = archived(&messages);
    insta::assert_debug_snapshot!(
        events.iter().map(|e| (&e.id, &e.author, e.at, &e.opens, &e.body, &e.anomalies, &e.native)).collect::<Vec<_>>()
    );
}

#[test]
fn a_page_asks_for_as_much_as_is_wanted_and_says_where_the_next_begins() {
    let more = r#"{"cursors":{"before":"b","after":"QVFI=="},"next":"https://graph.instagram.com/x"}"#;
    let one = [message("mid1", 1, CONTACT, ACCOUNT, "")];
    let both =
        page(&[conversation("2026-04-05T05:27:59+0000", &one), conversation("2026-04-05T05:27:50+0000", &one)], more);
    let script = Script::new().answer(CONVERSATIONS, &both);
    let request = HistoryRequest { contact: Some(CONTACT.into()), cursor: Some("A&B".into()), ..wanted(100) };
    let found = history(&script, &connected("instagram"), &request).unwrap();
    assert_eq!((found.items.len(), found.next_cursor.as_deref()), (2, Some("QVFI==")));
    insta::assert_snapshot!(script.lines().join("\n"));

    let last = page(&[], r#"{"cursors":{"before":"b","after":"QVFI=="}}"#);
    assert_eq!(read(&last, &wanted(1)), HistoryPage { items: Vec::new(), next_cursor: None });
    let script = Script::new().answer(CONVERSATIONS, &last);
    history(&script, &connected("instagram"), &wanted(3)).unwrap();
    let line = script.lines().remove(0);
    assert!(line.contains("messages.limit%283%29%7b") && line.contains("&limit=1 "), "{line}");
}

#[test]
fn what_is_older_than_wanted_is_left_out_and_ends_the_reading() {
    let more = r#"{"cursors":{"after":"next"},"next":"https://graph.instagram.com/x"}"#;
    let messages = [
        message("new", 9, CONTACT, ACCOUNT, ""),
        message("at", 8, CONTACT, ACCOUNT, ""),
        message("old", 7, CONTACT, ACCOUNT, ""),
    ];
    let recent = conversation("2026-04-05T05:27:09+0000", &messages);
    let old = conversation("2026-04-05T05:27:07+0000", &messages[2..]);
    let request = HistoryRequest { since: Some(NOW), ..wanted(40) };
    let found = read(&page(std::slice::from_ref(&recent), more), &request);
    assert_eq!(
        parse(&found.items[0]).iter().map(|event| event.id.as_str()).collect::<Vec<_>>(),
        ["m:at", "m:new"],
        "the second of `since` may hold news"
    );
    assert_eq!(found.next_cursor.as_deref(), Some("next"));
    let found = read(&page(&[recent, old], more), &request);
    assert_eq!((found.items.len(), found.next_cursor), (1, None));
}

#[test]
fn an_item_holds_metas_own_json_beside_the_account_and_the_time() {
    let messages = [message("mid1", 1, CONTACT, ACCOUNT, r#","message":"caf\u00e9","tags":[]"#)];
    let found = read(&page(&[conversation("2026-04-05T05:27:59+0000", &messages)], "{}"), &wanted(20));
    let body = String::from_utf8(found.items[0].body.clone()).unwrap();
    assert!(body.contains(&messages[0]), "{body}");
    insta::assert_snapshot!(body);
}

#[test]
fn odd_pages_and_odd_items_are_never_more_than_odd() {
    for odd in [r#"{"data":[{"id":"1"},7,null]}"#, r#"{"data":{}}"#, "[]"] {
        let found = read(odd, &wanted(20));
        assert_eq!(found, HistoryPage { items: Vec::new(), next_cursor: None });
    }
    let odd = [
        r#"7"#.to_owned(),
        r#"{"id":"mid1"}"#.into(),
        r#"{"created_time":"yesterday","from":{"id":7},"message":5}"#.into(),
    ];
    let body = format!(r#"{{"account":"{ACCOUNT}","conversation":{{"messages":{{"data":[{}]}}}}}}"#, odd.join(","));
    let found = parse(&Archived { body: body.into_bytes() });
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|event| event.origin == EventOrigin::History && event.account == ACCOUNT));
    let hollow = read(r#"{"data":[{"messages":{"data":"x"}},{"messages":7}]}"#, &wanted(20));
    assert!(hollow.items.iter().all(|item| parse(item).is_empty()));
    for (body, expected) in [("{", "malformed"), ("[]", "other"), ("{}", "other")] {
        let odd = Delivery { source: DeliverySource::History, ..delivery(body) };
        let error = instagram_channel::parse(&odd).unwrap_err();
        assert_eq!(if matches!(error, ParseError::Malformed(_)) { "malformed" } else { "other" }, expected);
    }
}

#[test]
fn a_message_without_anything_to_show_is_there_all_the_same() {
    let events = archived(&[message("mid1", 1, CONTACT, ACCOUNT, r#","message":"""#)]);
    assert_eq!(content(&events[0]).unavailable, Some(UnavailableReason::PlatformUnsupported));
}

#[test]
fn a_webhook_is_no_archive_and_an_archive_no_webhook() {
    let webhook = Delivery { source: DeliverySource::History, ..delivery(fixture("message_text")) };
    assert!(matches!(instagram_channel::parse(&webhook), Err(ParseError::NotThisChannel(_))));
    let archive = format!(r#"{{"account":"{ACCOUNT}","conversation":{{}}}}"#);
    assert!(matches!(instagram_channel::parse(&delivery(archive)), Err(ParseError::NotThisChannel(_))));
}

fn called(name: &str, body: &str) -> Result<Vec<Event>, ParseError> {
    let call = Delivery { source: DeliverySource::Callback(name.into()), ..delivery(body) };
    instagram_channel::parse(&call)
}

#[test]
fn a_person_who_removes_the_app_disconnects_and_our_own_unsubscribing_does_not() {
    let left = r#"{"user_id":"778899","algorithm":"HMAC-SHA256","issued_at":1642509597}"#;
    let event = called("deauthorize", left).unwrap().remove(0);
    assert_eq!((event.id.as_str(), event.account.as_str()), ("a:778899:1642509597000", "778899"));
    assert_eq!((event.at, event.contact, event.author), (Some(1_642_509_597_000), None, Author::Platform));
    assert!(matches!(event.body, EventBody::AccountUpdate(update) if update.change == account_change::DISCONNECTED));

    let own = r#"{"profile_id":"102030405060708","user_id":"","algorithm":"HMAC-SHA256","issued_at":1642509597}"#;
    let event = called("deauthorize", own).unwrap().remove(0);
    assert_eq!(event.account, PAGE);
    assert!(
        matches!(event.body, EventBody::AccountUpdate(update) if update.change == account_change::OTHER && update.detail.is_some())
    );
}

#[test]
fn a_demand_of_deletion_names_the_person_who_permitted_the_app() {
    let body = r#"{"algorithm":"HMAC-SHA256","expires":1291840400,"issued_at":1291836800,"user_id":218471}"#;
    let events = called("data-deletion", body).unwrap();
    assert_eq!((events[0].id.as_str(), events[0].account.as_str()), ("x:218471:1291836800000", "218471"));
    assert_eq!(events[0].body, EventBody::ErasureRequest(ErasureRequest { reference: None }));
    assert_eq!(called("data-deletion", body).unwrap(), events);
}

#[test]
fn a_call_that_names_nobody_is_kept_and_one_of_another_name_is_not_ours() {
    let kept = called("deauthorize", r#"{"user_id":"","issued_at":1}"#).unwrap();
    assert!(matches!(kept[0].body, EventBody::Unknown(_)) && kept[0].native.is_some());
    assert_eq!(called("weather", r#"{"user_id":"1"}"#), Err(ParseError::NotThisChannel("weather".into())));
    assert!(matches!(called("deauthorize", "{"), Err(ParseError::Malformed(_))));
}

fn ids(messages: &[String]) -> Vec<String> {
    archived(messages).into_iter().map(|event| event.id).collect()
}

#[test]
fn messages_of_one_second_stand_in_the_order_in_which_they_were_written() {
    let listed = ["fourth", "third", "second", "first"].map(|id| message(id, 5, CONTACT, ACCOUNT, ""));
    let mut newer = vec![message("fifth", 7, ACCOUNT, CONTACT, "")];
    newer.extend(listed);
    let expected = ["m:first", "m:second", "m:third", "m:fourth", "e:fifth"];
    assert_eq!(ids(&newer), expected);
    newer.reverse();
    assert_eq!(ids(&newer), expected, "also where the oldest stands first");
}

/// `ig_dm_item:1:IGMessageID:1:2:{item}` in Instagram's own base64.
fn mid_at(milliseconds: u64, low: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let item = (u128::from(milliseconds * 1000) << 64) + u128::from(low);
    let text = format!("ig_dm_item:1:IGMessageID:1:2:{item}");
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let word = (0..3).fold(0_u32, |word, at| word << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        for at in 0..=chunk.len() {
            match LETTERS[(word >> (18 - 6 * at) & 63) as usize] {
                b'Z' => out.push_str("ZA"),
                b'+' => out.push_str("ZB"),
                b'/' => out.push_str("ZC"),
                letter => out.push(char::from(letter)),
            }
        }
        out.push_str(&"ZD".repeat(3 - chunk.len()));
    }
    out
}

#[test]
fn the_time_inside_a_message_id_counts_for_more_than_the_second_of_the_archive() {
    let second = NOW - NOW % 1000;
    let [early, late, elsewhere] = [second + 120, second + 870, second - 60_000].map(|at| mid_at(at, 7));
    let of_second = |id: &str| message(id, 8, CONTACT, ACCOUNT, "");
    let events = archived(&[of_second(&early), of_second(&late), of_second(&elsewhere)]);
    let times: Vec<_> = events.iter().map(|event| event.at).collect();
    assert_eq!(times, [Some(second), Some(second + 120), Some(second + 870)], "{events:?}");
    assert_eq!(events[2].id, format!("m:{late}"));
}

#[test]
fn a_reactions_word_is_its_name_and_shared_products_are_kept() {
    let extra = format!(
        r#","reactions":{{"data":[{{"reaction":"love","users":[{{"id":"{CONTACT}"}}]}},{{"reaction":"👍","users":[{{"id":"{ACCOUNT}"}}]}}]}},"shares":{{"data":[{{"template":{{"payload":{{"product":{{"elements":{{"data":[{{"id":"31","retailer_id":"R","title":"Mug","subtitle":"$9","image_url":"https://cdn.example/m.jpg"}}]}}}}}}}}}}]}}"#
    );
    let events = archived(&[message("m", 5, CONTACT, ACCOUNT, &extra)]);
    let EventBody::Message(read) = &events[0].body else { panic!() };
    let [Attachment::Products(products)] = read.attachments.as_slice() else { panic!("{:?}", read.attachments) };
    assert_eq!((products[0].id.as_str(), products[0].title.as_deref()), ("31", Some("Mug")));
    let reactions: Vec<_> = events[1..]
        .iter()
        .map(|event| match &event.body {
            EventBody::Reaction(reaction) => (reaction.name.as_deref(), reaction.emoji.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reactions, [(Some("love"), None), (None, Some("👍"))]);
}
