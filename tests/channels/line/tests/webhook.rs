//! What LINE sends, as the contract says it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use channel_sdk::{files, messaging_channel::Guest as _};
use line_channel::{Line, types::*};

const ACCOUNT: &str = "U0000000000000000000000000000bot1";
const CUSTOMER: &str = "U00000000000000000000000000000001";

fn parse(body: String) -> Vec<Event> {
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body: body.into_bytes(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_900,
        account: None,
    };
    Line::parse_webhook(delivery).unwrap()
}

fn events(items: &str) -> Vec<Event> {
    parse(format!(r#"{{"destination":"{ACCOUNT}","events":[{items}]}}"#))
}

/// The only event of an item that a person sent.
fn event(rest: &str) -> Event {
    let source = format!(r#"{{"type":"user","userId":"{CUSTOMER}"}}"#);
    let mut events = events(&item(&source, rest));
    assert_eq!(events.len(), 1, "{rest}");
    events.remove(0)
}

fn item(source: &str, rest: &str) -> String {
    format!(
        r#"{{"webhookEventId":"01H","timestamp":1795000000123,"mode":"active","source":{source},
            "deliveryContext":{{"isRedelivery":false}},{rest}}}"#
    )
}

fn message(content: &str) -> Message {
    match event(&format!(r#""type":"message","replyToken":"r1","message":{content}"#)).body {
        EventBody::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_names_who_wrote_when_and_what_an_answer_will_need() {
    let text = r#"{"id":"444","type":"text","quoteToken":"q1","quotedMessageId":"443","text":"hello"}"#;
    let event = event(&format!(r#""type":"message","replyToken":"r1","message":{text}"#));
    assert_eq!((event.id.as_str(), event.account.as_str(), event.at), ("01H", ACCOUNT, Some(1_795_000_000_123)));
    assert_eq!(event.contact.as_ref().unwrap().id, CUSTOMER);
    assert_eq!((event.thread, event.opens.as_deref()), (None, Some("message")));
    // The token counts from when it came, by the clock of whoever answers.
    assert_eq!(event.reply_context.unwrap(), br#"{"token":"r1","at":1795000000900}"#);
    let EventBody::Message(message) = event.body else { panic!() };
    assert_eq!((message.id.as_deref(), message.text.as_deref()), (Some("444"), Some("hello")));
    assert_eq!(message.context.unwrap(), br#"{"quote":"q1"}"#);
    assert_eq!(message.reply_to, Some(ReplyTarget::Message("443".into())));
}

#[test]
fn a_picture_is_asked_for_by_its_message_and_one_of_an_app_lies_where_it_says() {
    let own = message(r#"{"id":"7","type":"image","quoteToken":"q","contentProvider":{"type":"line"}}"#);
    let [Attachment::Media(own)] = own.attachments.as_slice() else { panic!() };
    assert_eq!((own.kind, own.handle.as_deref(), own.url.as_deref()), (MediaKind::Image, Some("7"), None));
    let location = <Line as files::Guest>::locate_media(
        AccountSettings { id: ACCOUNT.into(), settings: Vec::new(), webhook_url: None },
        own.clone(),
    );
    let request = location.unwrap().request;
    assert_eq!(request.url, "https://api-data.line.me/v2/bot/message/7/content");
    assert_eq!(request.fills[0].place, FillPlace::Authorization("Bearer".into()));

    let external = r#"{"type":"external","originalContentUrl":"https://example.com/f.mp4"}"#;
    let other = message(&format!(r#"{{"id":"8","type":"video","duration":6000,"contentProvider":{external}}}"#));
    let [Attachment::Media(other)] = other.attachments.as_slice() else { panic!() };
    assert_eq!((other.handle.as_deref(), other.url.as_deref()), (None, Some("https://example.com/f.mp4")));
    assert_eq!(other.duration, Some(6000));
}

#[test]
fn no_file_is_asked_for_under_a_name_that_is_no_message_s() {
    for handle in ["", "../x", "7/content?x=", "abc"] {
        let mut media = message(r#"{"id":"7","type":"file","fileName":"a.pdf","fileSize":12}"#).attachments;
        let Attachment::Media(mut media) = media.remove(0) else { panic!() };
        assert_eq!((media.name.as_deref(), media.size), (Some("a.pdf"), Some(12)));
        media.handle = Some(handle.to_owned());
        let account = AccountSettings { id: ACCOUNT.into(), settings: Vec::new(), webhook_url: None };
        assert!(<Line as files::Guest>::locate_media(account, media).is_err(), "{handle}");
    }
}

#[test]
fn stickers_and_places_are_what_they_are() {
    let sticker = message(r#"{"id":"9","type":"sticker","packageId":"446","stickerId":"1988","quoteToken":"q"}"#);
    let expected = Sticker { id: "446/1988".into(), media: None, emoji: None };
    assert_eq!(sticker.attachments, [Attachment::Sticker(expected)]);
    let place = message(
        r#"{"id":"9","type":"location","title":"Shop","address":"1 Main St","latitude":35.6,"longitude":139.7}"#,
    );
    let [Attachment::Location(place)] = place.attachments.as_slice() else { panic!() };
    assert_eq!((place.latitude, place.name.as_deref()), (35.6, Some("Shop")));
    let odd = message(r#"{"id":"9","type":"hologram"}"#);
    assert!(matches!(odd.attachments.as_slice(), [Attachment::Unknown(_)]));
}

#[test]
fn a_group_is_a_conversation_of_its_own_whoever_writes() {
    let said = |user: &str| {
        let source = format!(r#"{{"type":"group","groupId":"C1"{user}}}"#);
        let rest = r#""type":"message","replyToken":"r","message":{"id":"1","type":"text","text":"hi"}"#;
        events(&item(&source, rest)).remove(0)
    };
    let event = said(r#","userId":"U2""#);
    let thread = event.thread.unwrap();
    assert_eq!((thread.id.as_str(), thread.kind), ("C1", ThreadKind::Group));
    assert_eq!(event.contact.unwrap().id, "U2");
    // LINE does not name members who have not agreed.
    let nameless = said("");
    assert_eq!((nameless.contact, nameless.author), (None, Author::Contact));
    assert_eq!(nameless.thread.unwrap().id, "C1");
    let room = events(&item(r#"{"type":"room","roomId":"R1"}"#, r#""type":"join","replyToken":"r""#)).remove(0);
    assert_eq!(room.thread.unwrap().id, "R1");
    assert_eq!(room.body, EventBody::ThreadUpdate(ThreadChange::Reopened));
}

#[test]
fn what_is_no_message_says_what_changed() {
    let follow = event(r#""type":"follow","replyToken":"r","follow":{"isUnblocked":false}"#);
    assert_eq!(
        follow.body,
        EventBody::ContactUpdate(ContactUpdate { previous_ids: Vec::new(), reachable: Some(true) })
    );
    assert_eq!(follow.opens.as_deref(), Some("other"));
    let unfollow = event(r#""type":"unfollow""#);
    assert_eq!(
        unfollow.body,
        EventBody::ContactUpdate(ContactUpdate { previous_ids: Vec::new(), reachable: Some(false) })
    );
    assert_eq!(unfollow.reply_context, None, "what is kept stays");
    let unsend = event(r#""type":"unsend","unsend":{"messageId":"444"}"#);
    assert_eq!(unsend.body, EventBody::Deleted(Deleted { target: "444".into() }));
    let postback =
        event(r#""type":"postback","replyToken":"r","postback":{"data":"when","params":{"date":"2026-12-24"}}"#);
    assert_eq!(postback.opens.as_deref(), Some("button"));
    let EventBody::Message(Message { answer: Some(answer), id: None, .. }) = postback.body else { panic!() };
    assert_eq!(answer.payload.as_deref(), Some("when"));
    assert_eq!((answer.values[0].key.as_str(), answer.values[0].value.as_str()), ("date", "2026-12-24"));
}

#[test]
fn one_event_that_cannot_be_read_costs_no_other_one_anything() {
    let source = r#"{"type":"user","userId":"U1"}"#;
    let good = item(source, r#""type":"message","message":{"id":"1","type":"text","text":"hi"}"#);
    let events = events(&format!(r#"{{"type":"message"}},{good},{}"#, item(source, r#""type":"novelty""#)));
    assert!(matches!(events[0].body, EventBody::Unknown(_)) && events[0].native.is_some());
    assert!(matches!(events[1].body, EventBody::Message(_)));
    let EventBody::Unknown(unknown) = &events[2].body else { panic!() };
    assert_eq!(unknown.kind.as_deref(), Some("novelty"));
    // The console's test of an address has none at all.
    assert!(parse(format!(r#"{{"destination":"{ACCOUNT}","events":[]}}"#)).is_empty());
}
