//! Components written by hand: results that lie, text that is none, tables that grow, traps in every
//! export. Each ends in a typed error, and the next call is not affected.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::handmade::Handmade;
use harness_contract::{
    AccountSettings, ConnectInput, ConnectRequest, Delivery, DeliverySource, EntryPoints, HistoryRequest, HttpError,
    HttpRequest, HttpResponse, Media, SendStep,
};
use harness_sandbox::{CallError, CallFailure, Channel, Effects, LoadError, Sandbox, SandboxConfig, StorageError};
use wasm_encoder::{BlockType, HeapType, Ieee32, Ieee64, Instruction as I};
use wit_component::StringEncoding;

/// Where the result of `parse-webhook` lies.
const RESULT: i32 = 1024;

fn load(handmade: &Handmade) -> Result<Channel, LoadError> {
    Sandbox::new(SandboxConfig::default()).unwrap().load(&handmade.component())
}

fn delivery() -> Delivery {
    Delivery {
        source: DeliverySource::Webhook,
        body: b"x".to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 0,
        account: None,
    }
}

fn parse(handmade: &Handmade) -> Result<Result<usize, String>, CallFailure> {
    let channel = load(handmade).unwrap();
    let first = channel.parse_webhook(&delivery()).map_err(|error| error.failure);
    let second = channel.parse_webhook(&delivery()).map_err(|error| error.failure);
    assert_eq!(first, second, "a fresh instance does the same again");
    first.map(|parsed| parsed.map(|parsed| parsed.len()).map_err(|error| format!("{error:?}")))
}

fn words(words: &[i32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A result at `RESULT`: `ok` with a list of events.
fn events(at: i32, length: i32) -> Handmade {
    Handmade {
        parse_webhook: vec![I::I32Const(RESULT)],
        data: vec![(RESULT, words(&[0, 0, at, length]))],
        ..Handmade::default()
    }
}

/// A result at `RESULT`: `err(other(text))`.
fn sentence(at: i32, length: i32, text: &[u8], encoding: StringEncoding) -> Handmade {
    let data = vec![(RESULT, words(&[1, 0, 2, 0, at, length])), (2048, text.to_vec())];
    Handmade { parse_webhook: vec![I::I32Const(RESULT)], data, encoding, ..Handmade::default() }
}

#[test]
fn a_result_that_lies_about_its_size_or_its_place_is_refused() {
    assert_eq!(parse(&events(2048, 0)).unwrap(), Ok(0), "the honest one");
    for (at, length) in [(2048, i32::MAX), (2048, -1), (-8, 1), (0x7fff_0000, 1), (2049, 1), (2048, 0x0010_0000)] {
        let failure = parse(&events(at, length)).unwrap_err();
        assert!(
            matches!(failure, CallFailure::InvalidResult(_) | CallFailure::Trap(_) | CallFailure::ResultTooLarge(_)),
            "{at} {length}: {failure}"
        );
    }
    for pointer in [-1, 0x7fff_fff0, RESULT + 1, 16 * 65536 - 4] {
        let handmade = Handmade { parse_webhook: vec![I::I32Const(pointer)], ..Handmade::default() };
        assert!(parse(&handmade).is_err(), "{pointer}");
    }
    let no_such_case =
        Handmade { parse_webhook: vec![I::I32Const(RESULT)], data: vec![(RESULT, words(&[7]))], ..Handmade::default() };
    assert!(matches!(parse(&no_such_case), Err(CallFailure::InvalidResult(_) | CallFailure::Trap(_))));
}

#[test]
fn text_that_is_none_is_refused() {
    use StringEncoding::{UTF8, UTF16};
    let fine = parse(&sentence(2048, 2, b"hi", UTF8)).unwrap();
    assert!(fine.unwrap_err().contains("hi"));
    assert!(parse(&sentence(2048, 2, b"h\0i\0", UTF16)).unwrap().unwrap_err().contains("hi"));
    for (what, text, length, encoding) in [
        ("a stray byte", &b"\xff"[..], 1, UTF8),
        ("half a letter", b"\xc3", 1, UTF8),
        ("an overlong slash", b"\xc0\xaf", 2, UTF8),
        ("a lone surrogate in UTF-8", b"\xed\xa0\x80", 3, UTF8),
        ("a lone surrogate in UTF-16", b"\x00\xd8", 1, UTF16),
        ("a pair the wrong way round", b"\x00\xdc\x00\xd8", 2, UTF16),
    ] {
        assert!(parse(&sentence(2048, length, text, encoding)).is_err(), "{what}");
    }
    assert!(parse(&sentence(-16, 64, b"", UTF8)).is_err(), "a text that ends outside of memory");
    assert!(parse(&sentence(2048, -1, b"", UTF8)).is_err(), "a text of four gigabytes");
}

#[test]
fn a_table_that_grows_and_a_memory_that_starts_large_are_stopped() {
    let func = HeapType::FUNC;
    let grow = vec![I::RefNull(func), I::I32Const(20_000), I::TableGrow(0), I::Drop, I::Unreachable];
    let failure = parse(&Handmade { parse_webhook: grow, ..Handmade::default() }).unwrap_err();
    assert_eq!(failure, CallFailure::Table(10_000));
    let grow = vec![I::I32Const(2000), I::MemoryGrow(0), I::Drop, I::Unreachable];
    let failure = parse(&Handmade { parse_webhook: grow, ..Handmade::default() }).unwrap_err();
    assert_eq!(failure, CallFailure::Memory(64 << 20));
    for handmade in
        [Handmade { pages: 2000, ..Handmade::default() }, Handmade { elements: 20_000, ..Handmade::default() }]
    {
        assert!(matches!(load(&handmade), Err(LoadError::Incompatible(_))), "refused when it is loaded");
    }
}

#[test]
fn numbers_that_are_none_have_the_same_bits_everywhere() {
    // Traps if the bits of a NaN are not the canonical ones.
    let check = |make: Vec<I<'static>>| {
        let mut code = make;
        code.extend([
            I::I64ReinterpretF64,
            I::I64Const(0x7fff_ffff_ffff_ffff),
            I::I64And,
            I::I64Const(0x7ff8_0000_0000_0000),
            I::I64Ne,
            I::If(BlockType::Empty),
            I::Unreachable,
            I::End,
            I::I32Const(RESULT),
        ]);
        let data = vec![(RESULT, words(&[0, 0, 2048, 0]))];
        parse(&Handmade { parse_webhook: code, data, ..Handmade::default() })
    };
    let f64 = |value: f64| I::F64Const(Ieee64::from(value));
    let odd = I::F64Const(Ieee64::new(0xfff8_0000_dead_beef));
    assert_eq!(check(vec![f64(0.0), f64(0.0), I::F64Div]), Ok(Ok(0)));
    assert_eq!(check(vec![f64(-1.0), I::F64Sqrt]), Ok(Ok(0)));
    assert_eq!(check(vec![odd.clone(), f64(1.0), I::F64Add]), Ok(Ok(0)));
    assert_eq!(check(vec![I::F32Const(Ieee32::new(0xffc0_1234)), I::F64PromoteF32]), Ok(Ok(0)));
    assert!(check(vec![odd]).is_err(), "the check itself sees other bits");
}

/// Effects that nothing reaches.
struct Nothing;

impl Effects for Nothing {
    fn send(&mut self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        panic!("nothing is sent")
    }
    fn get(&mut self, _: &str) -> Result<Option<Vec<u8>>, StorageError> {
        panic!("nothing is read")
    }
    fn set(&mut self, _: &str, _: Vec<u8>) -> Result<(), StorageError> {
        panic!("nothing is written")
    }
    fn delete(&mut self, _: &str) -> Result<(), StorageError> {
        panic!("nothing is removed")
    }
    fn keys(&mut self, _: &str) -> Result<Vec<String>, StorageError> {
        panic!("nothing is listed")
    }
}

#[test]
fn a_trap_in_any_export_is_an_error_that_names_it() {
    let channel = load(&Handmade::default()).unwrap();
    let account = AccountSettings { id: "a".into(), settings: Vec::new(), webhook_url: None };
    let context: harness_contract::ConversationContext = serde_json::from_value(serde_json::json!({
        "account": { "id": "a", "settings": [] }, "contact": "c", "window": { "state": "open" }, "now": 1,
    }))
    .unwrap();
    let message = channel_tests::message(vec![channel_tests::text("hi")]);
    let step: SendStep = serde_json::from_value(serde_json::json!({
        "parts": [0], "kind": "message", "rate_class": "text", "repeatable": false, "echoed": true,
        "request": { "method": "post", "url": "https://example.invalid/", "body": "empty" },
    }))
    .unwrap();
    let response = HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() };
    let media: Media = serde_json::from_value(serde_json::json!({ "kind": "image", "retention": "storable" })).unwrap();
    let connect = ConnectRequest {
        login: "x".into(),
        redirect_uri: "https://x/".into(),
        webhook_url: None,
        state: "s".into(),
        settings: Vec::new(),
        input: ConnectInput::Start,
    };
    let history = HistoryRequest { contact: None, thread: None, since: None, cursor: None, limit: 1 };
    let entry_points = EntryPoints { ice_breakers: None, menu: None };
    let effects = || Box::new(Nothing);
    let failed: Vec<CallError> = vec![
        channel.capabilities(None).unwrap_err(),
        channel.parse_webhook(&delivery()).unwrap_err(),
        channel.validate_outbound(&message, &context).unwrap_err(),
        channel.build_send_request(&message, &context).unwrap_err(),
        channel.parse_send_response(&(&step).into(), &response).unwrap_err(),
        channel.connect(effects(), &connect).unwrap_err(),
        channel.check(effects(), &account).unwrap_err(),
        channel.refresh(effects(), &account).unwrap_err(),
        channel.subscribe(effects(), &account).unwrap_err(),
        channel.unsubscribe(effects(), &account).unwrap_err(),
        channel.profile(effects(), &account, "c", None).unwrap_err(),
        channel.history(effects(), &account, &history).unwrap_err(),
        channel.locate_media(effects(), &account, &media).unwrap_err(),
        channel.configure(effects(), &account, &entry_points).unwrap_err(),
        channel.templates(effects(), &account, None).unwrap_err(),
        channel.answer(&delivery()).unwrap_err(),
    ];
    let names: std::collections::BTreeSet<_> = failed.iter().map(|error| error.export).collect();
    assert_eq!(names.len(), failed.len(), "{names:?}");
    assert!(failed.iter().all(|error| matches!(error.failure, CallFailure::Trap(_))), "{failed:?}");
}
