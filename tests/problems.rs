//! What the API says to a mistake: one form everywhere, for programs and for people, whoever notices the mistake.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{Answer, PATIENCE, World, dialog::Person, request};
use harness_engine::ConnectStage;
use harness_inbox::{AccountId, ConversationId, MediaId, PublicId as _, ReplyId};
use serde_json::{Value, json};
use simulator::{AccountConfig, CdnFile, Config};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Words of the libraries underneath, which help nobody who reads an answer.
const LIBRARY: [&str; 9] =
    ["serde", "axum", "deserialize", "invalid type", "at line", "EOF", "expected struct", "OutboundMessage", "digit"];

/// The document of an answer, which is a problem as RFC 9457 has it.
fn problem(answer: &Answer) -> Value {
    let shown = format!("{} {}", answer.status, answer.body);
    assert_eq!(answer.headers.get("content-type").unwrap(), "application/problem+json", "{shown}");
    let document: Value = serde_json::from_str(&answer.body).expect(&shown);
    assert_eq!((&document["type"], &document["status"]), (&json!("about:blank"), &json!(answer.status)), "{shown}");
    assert_eq!(document["request_id"], answer.headers.get("x-request-id").unwrap().to_str().unwrap(), "{shown}");
    for member in ["title", "detail", "code"] {
        assert!(document[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {shown}");
    }
    let detail = document["detail"].as_str().unwrap();
    assert!(!LIBRARY.iter().any(|word| detail.contains(word)), "{shown}");
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_answered_in_one_form_and_in_no_words_of_a_library() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let replies = format!("conversations/{conversation}/replies", conversation = conversation.public());
    let account = format!("accounts/{}", AccountId::new(1).public());
    let key = ("idempotency-key", "one");
    let text = r#"{"sender":{"kind": "human", "id": "kim"},"parts":[{"text":{"text":"hi"}}]}"#;
    let large = "x".repeat(300 << 10);
    // (status, code, what the detail names, where) for (method, path, headers, body)
    type Case<'c> = (u16, &'c str, &'c str, Option<&'c str>, &'c str, &'c str, &'c [(&'c str, &'c str)], &'c str);
    let cases: [Case<'_>; 27] = [
        (404, "no_such_address", "/nowhere", None, "GET", "nowhere", &[], ""),
        (405, "method_not_allowed", "DELETE", None, "DELETE", "accounts", &[], ""),
        (404, "not_found", "conversation", None, "GET", "conversations/abc", &[], ""),
        (400, "bad_address", "UTF-8", None, "GET", "replies/%ff", &[], ""),
        (400, "bad_id", "`cnv_`", Some("conversation_id"), "GET", "activities?conversation_id=4711", &[], ""),
        (404, "not_found", "account", None, "GET", "accounts/4711", &[], ""),
        (400, "bad_parameter", "`colour`", Some("colour"), "GET", "accounts?colour=blue", &[], ""),
        (400, "bad_parameter", "`wait`", Some("wait"), "POST", &format!("{replies}?wait=soon"), &[key], text),
        (400, "bad_parameter", "known", None, "DELETE", &format!("{account}?conversations=burn"), &[], ""),
        (400, "bad_parameter", "`limit`", None, "GET", "conversations?limit=none", &[], ""),
        (400, "no_idempotency_key", "Idempotency-Key", None, "POST", &replies, &[], text),
        (400, "not_json", "line 1", None, "POST", &replies, &[key], "{\"parts\":["),
        (400, "not_json", "empty", None, "POST", &replies, &[key], ""),
        (400, "bad_body", "an object", None, "POST", &replies, &[key], "[7]"),
        (400, "bad_body", "`sender`", None, "POST", &replies, &[key], "{}"),
        (400, "bad_body", "`mood`", None, "POST", &replies, &[key], r#"{"parts":[],"mood":"fine"}"#),
        (
            400,
            "bad_body",
            "a text",
            Some("parts[0].text.text"),
            "POST",
            &replies,
            &[key],
            r#"{"parts":[{"text":{"text":7}}]}"#,
        ),
        (400, "bad_body", "`song`", Some("parts[0]"), "POST", &replies, &[key], r#"{"parts":[{"song":{}}]}"#),
        (413, "body_too_large", "256 KiB", None, "POST", &replies, &[key], &large),
        (415, "not_json", "Content-Type", None, "POST", "connect", &[], r#"{"channel":"instagram"}"#),
        (400, "bad_body", "`channel`", None, "POST", "connect", &[JSON], "{}"),
        (404, "no_such_channel", "`pigeon`", Some("channel"), "POST", "connect", &[JSON], r#"{"channel":"pigeon"}"#),
        (
            409,
            "no_such_login",
            "`face`",
            Some("login"),
            "POST",
            "connect",
            &[JSON],
            r#"{"channel":"instagram","login":"face"}"#,
        ),
        (404, "no_such_link", "link", None, "GET", "connect/never-made", &[], ""),
        (400, "bad_body", "an object", None, "PUT", &format!("{account}/entry-points"), &[], "7"),
        (400, "empty_file", "empty", None, "POST", "uploads", &[], ""),
        (403, "other_site", "another site", None, "GET", "accounts", &[("origin", "https://evil.example")], ""),
    ];
    for (status, code, named, path, method, address, headers, body) in cases {
        let answer = world.api(method, &format!("/api/v1/{address}"), headers, body).await;
        let document = problem(&answer);
        let shown = format!("{method} {address}: {}", answer.body);
        assert_eq!((answer.status, document["code"].as_str().unwrap()), (status, code), "{shown}");
        assert!(document["detail"].as_str().unwrap().contains(named), "{named}: {shown}");
        if let Some(path) = path {
            assert_eq!(document["path"], path, "{shown}");
        }
    }
    let answer = world.api("DELETE", "/api/v1/accounts", &[], "").await;
    assert!(answer.headers.get("allow").unwrap().to_str().unwrap().contains("GET"));
    for (code, headers) in [("no_token", &[][..]), ("unknown_token", &[("authorization", "Bearer wrong")][..])] {
        for path in ["/api/v1/accounts", "/api/v1/nowhere", "/metrics"] {
            let answer = request("GET", &format!("{}{path}", world.address), headers, Vec::new()).await;
            assert_eq!((answer.status, &problem(&answer)["code"]), (401, &json!(code)), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_sent_is_answered_with_violations_that_spell_names_as_the_json_does() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let replies = format!("/api/v1/conversations/{conversation}/replies", conversation = conversation.public());
    let bodies = [
        json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "text": { "text": "x".repeat(4000) } }] }),
        json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "text": { "text": "one" } }, { "text": { "text": "two" } }], "private_reply_to": "17900000000000001" }),
    ];
    for body in bodies {
        let answer = world.api("POST", &replies, &[("idempotency-key", "long")], body.to_string()).await;
        let document = problem(&answer);
        assert_eq!((answer.status, &document["code"]), (422, &json!("message_not_sendable")), "{document}");
        let violations = document["violations"].as_array().unwrap();
        assert!(!violations.is_empty());
        for violation in violations {
            let path = violation["path"].as_str().unwrap();
            assert!(!path.contains('-'), "{path}");
        }
        assert_eq!(document["path"], violations[0]["path"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_is_answered_with_is_the_source_of_a_message_word_for_word() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let photo = CdnFile::demo_photo().bytes;
    let answer = world.api("POST", "/api/v1/uploads?name=photo.png", &[], photo).await;
    let held: Value = serde_json::from_str(&answer.body).unwrap();
    let body = json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "media": [{ "kind": "image", "source": held["source"] }] }] });
    let replies =
        format!("/api/v1/conversations/{conversation}/replies?wait=60000", conversation = conversation.public());
    let answer = world.api("POST", &replies, &[("idempotency-key", "photo")], body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let reply: Value = serde_json::from_str(&answer.body).unwrap();
    world.ended(ReplyId::from_public(reply["id"].as_str().unwrap()).unwrap()).await;
    assert_eq!(world.sim.customer(Config::DEMO_CUSTOMER).transcript().len(), 2, "hello, and the photo");
}

/// What a host answers to these bytes, of a sender that neither sends more nor hangs up.
async fn answer_to(world: &World, bytes: &str) -> String {
    let address = world.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let whole = async {
        let mut chunk = [0; 4096];
        loop {
            match stream.read(&mut chunk).await {
                Ok(count @ 1..) => answer.extend_from_slice(&chunk[..count]),
                _ => return,
            }
            let text = String::from_utf8_lossy(&answer);
            if text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.trim_end().ends_with('}')) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, whole).await.expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_length_that_is_no_sane_number_is_answered_at_once_with_a_sentence() {
    let world = World::new().await;
    let token = format!("authorization: Bearer {}\r\n", world.token);
    let mut wrong = Vec::new();
    for (length, code) in [
        ("9999999999999", "body_too_large"),
        ("-5", "unreadable_head"),
        ("many", "unreadable_head"),
        ("99999999999999999999999", "unreadable_head"),
        ("18446744073709551615", "head_too_large"),
    ] {
        let head = format!(
            "POST /api/v1/connect HTTP/1.1\r\nhost: x\r\n{token}content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        let answer = answer_to(&world, &head).await;
        if !(answer.contains("application/problem+json") && answer.contains(code)) {
            wrong.push(format!("{length}: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_id_is_named_as_what_it_is_wherever_it_stands() {
    let world = World::new().await;
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let replies = format!("conversations/{conversation}/replies", conversation = conversation.public());
    let settled = r#"{"delivered":true}"#;
    let message = |file: &str| {
        let source = json!({ "file": { "handle": file, "size": 1 } });
        let media = json!([{ "kind": "image", "source": source }]);
        json!({ "sender": { "kind": "human", "id": "kim" }, "parts": [{ "text": { "text": "look" } }, { "media": media }] })
    };
    // (code, what the detail names, where) for (method, path, body)
    type Case<'c> = (&'c str, &'c str, Option<&'c str>, &'c str, &'c str, String);
    let none = String::new;
    let cases: [Case<'_>; 21] = [
        ("not_found", "no account with", None, "GET", "accounts/4711", none()),
        ("not_found", "no account with", None, "DELETE", "accounts/4711", none()),
        ("not_found", "no account with", None, "GET", "accounts/4711/check", none()),
        ("not_found", "no account with", None, "POST", "accounts/4711/check", none()),
        ("not_found", "no account with", None, "PUT", "accounts/4711/entry-points", json!({}).to_string()),
        ("not_found", "no conversation with", None, "GET", "conversations/4711", none()),
        ("not_found", "no conversation with", None, "GET", "conversations/4711/messages", none()),
        ("not_found", "no conversation with", None, "POST", "conversations/4711/read", none()),
        ("not_found", "no conversation with", None, "POST", "conversations/4711/replies", message("x").to_string()),
        (
            "not_found",
            "no conversation with",
            Some("conversation_id"),
            "GET",
            "activities?conversation_id=4711",
            none(),
        ),
        ("not_found", "no reply with", None, "GET", "replies/4711", none()),
        ("not_found", "no reply with", None, "POST", "replies/4711/send-again", none()),
        ("not_found", "no reply with", None, "POST", "replies/4711/settle", settled.into()),
        ("not_found", "no file with", None, "GET", "media/4711", none()),
        ("not_found", "no uploaded file with", None, "GET", "uploads/nothing", none()),
        (
            "not_found",
            "uploaded file `nothing`",
            Some("parts[1].media[0].source.file.handle"),
            "POST",
            &replies,
            message("nothing").to_string(),
        ),
        ("no_such_channel", "`pigeon`", None, "POST", "channels/pigeon/reset", none()),
        ("no_such_channel", "`pigeon`", Some("channel"), "POST", "deliveries/retry?channel=pigeon", none()),
        ("no_such_channel", "`pigeon`", Some("channel"), "POST", "connect", r#"{"channel":"pigeon"}"#.into()),
        ("no_such_link", "link", None, "GET", "connect/nothing", none()),
        ("no_such_link", "link", None, "POST", "connect/nothing/select", r#"{"candidate":"1"}"#.into()),
    ];
    for (code, named, path, method, address, body) in cases {
        let headers = [JSON, ("idempotency-key", address)];
        let kind = if address.contains("conversation") { "cnv" } else { address.get(..3).unwrap() };
        let nobodys = match kind {
            "cnv" => ConversationId::new(4711).public(),
            "acc" => AccountId::new(4711).public(),
            "rep" => ReplyId::new(4711).public(),
            _ => MediaId::new(4711).public(),
        };
        let address = address.replace("4711", &nobodys);
        let answer = world.api(method, &format!("/api/v1/{address}"), &headers, body).await;
        let shown = format!("{method} {address}: {}", answer.body);
        assert_eq!(answer.status, 404, "{shown}");
        let document = problem(&answer);
        assert_eq!(document["code"], code, "{shown}");
        assert!(document["detail"].as_str().unwrap().contains(named), "{shown}");
        assert_eq!(document.get("path").and_then(Value::as_str), path, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_candidate_is_named_and_those_that_can_be_chosen_stay_to_be_chosen() {
    let world =
        World::unconnected(Config { accounts: vec![AccountConfig::demo(1), AccountConfig::demo(2)], ..Config::demo() })
            .await;
    let person = Person::new(&world).await;
    let dialog = person.visits("facebook").await;
    let query = person.permits(&dialog, &[]).await;
    let stage = person.returns(&query).await.unwrap();
    let ConnectStage::Choosing { candidates } = stage else { panic!("{stage:?}") };
    let select = format!("/api/v1/connect/{}/select", person.ticket);
    let body = |candidate: &str| json!({ "candidate": candidate }).to_string();
    let answer = world.api("POST", &select, &[JSON], body("4711")).await;
    let document = problem(&answer);
    assert_eq!((answer.status, &document["code"]), (404, &json!("no_such_candidate")), "{document}");
    assert!(document["detail"].as_str().unwrap().contains("account `4711`"), "{document}");
    assert_eq!(document["path"], "candidate", "{document}");
    assert!(!answer.body.contains(&person.ticket), "the ticket is a credential: {document}");
    let answer = world.api("POST", &select, &[JSON], body(&candidates[0].id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
