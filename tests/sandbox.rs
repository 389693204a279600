//! The sandbox: what is refused before it is compiled, what a component cannot do, and that compiled
//! code on disk cannot be exchanged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    sync::{
        Arc, RwLock,
        mpsc::{self, Sender},
    },
    time::Duration,
};

use channel_tests::{
    PATIENCE, hostile, instagram,
    log::{Captured, of_test},
    manifest::replaced,
    scripted,
};
use harness_contract::{
    AccountSettings, ConversationContext, Delivery, DeliverySource, Event, HttpError, HttpRequest, HttpResponse,
    OutboundMessage, ParseError, SendStep, Setting, SettingValue, Validation, Violation, manifest::MANIFEST_SECTION,
};
use harness_sandbox::{
    CallFailure, ComponentBounds, Effects, InspectError, LoadError, Origin, Sandbox, SandboxConfig, Scarce,
    StorageError, count, inspect,
};
use wasm_encoder::{ComponentSection, CustomSection};

const MAX: usize = 32 << 20;

fn refused(bytes: &[u8]) -> InspectError {
    inspect(bytes, MAX).expect_err("refused")
}

#[test]
fn what_is_no_component_is_refused_and_named() {
    assert!(refused(b"").to_string().contains("an empty file"));
    assert!(refused(b"#!/bin/sh").to_string().contains("expected the magic bytes"));
    let module = b"\0asm\x01\0\0\0";
    assert!(matches!(refused(module), InspectError::CoreModule));
    let (_, component) = instagram();
    assert!(matches!(refused(&component[..component.len() / 2]), InspectError::Malformed { .. }));
    let error = inspect(component, 1000).expect_err("refused").to_string();
    assert!(error.contains(&component.len().to_string()) && error.contains("1000"), "{error}");
}

#[test]
fn a_component_with_two_manifests_is_refused_whichever_comes_last() {
    let (_, component) = hostile();
    for second in ["", "x", std::str::from_utf8(inspect(component, MAX).unwrap().manifest.unwrap().as_bytes()).unwrap()]
    {
        let mut two = component.clone();
        CustomSection { name: MANIFEST_SECTION.into(), data: second.as_bytes().into() }.append_to_component(&mut two);
        let error = refused(&two).to_string();
        assert!(error.contains("more than one manifest") && error.contains("cargo harness build"), "{error}");
    }
}

#[test]
fn another_contract_version_is_refused_naming_both_and_the_remedy() {
    let error = refused(&replaced(&instagram().1, "@0.2.0", "@0.9.0")).to_string();
    for part in ["inbox:channel@0.9.0", "inbox:channel@0.2.0", "cargo harness build"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_foreign_import_is_refused_and_a_missing_export_too() {
    let foreign = replaced(&hostile().1, "inbox:channel/storage@0.2.0", "wasi:keyvalue/store@0.2.000");
    let error = refused(&foreign).to_string();
    assert!(
        error.contains("wasi:keyvalue/store@0.2.000") && error.contains("may import http and storage of inbox:channel"),
        "{error}"
    );
    let other =
        replaced(&instagram().1, "inbox:channel/messaging-channel@0.2.0", "other:channel/messaging-channel@0.2.0");
    assert!(matches!(refused(&other), InspectError::MissingExport { .. }));
}

#[test]
fn a_component_without_a_sound_manifest_is_refused() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let nameless = replaced(&instagram().1, MANIFEST_SECTION, "inbox:channel/nothing1");
    assert!(matches!(sandbox.load(&nameless), Err(LoadError::Inspect(InspectError::NoManifest))));
    let mut unverified = nameless;
    let manifest = "[channel]\nid = 'x'\nname = 'x'\nversion = '1'\ncontract = '0.2.0'\n[webhook]\n";
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut unverified);
    let error = sandbox.load(&unverified).err().unwrap().to_string();
    assert!(error.contains("verification"), "a channel with no scheme does not start: {error}");
}

#[test]
fn a_manifest_of_another_build_is_refused() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let stale = replaced(&hostile().1, "contract = \"0.2.0\"", "contract = \"0.7.0\"");
    let error = sandbox.load(&stale).err().unwrap().to_string();
    assert!(error.contains("0.2.0, its manifest says 0.7.0"), "{error}");
}

/// What the component may weigh, in bytes; docs/decisions/0026 says why.
const SIZE_BUDGET: usize = 360_000;

#[test]
fn instagram_imports_the_contract_and_nothing_else() {
    let inspection = inspect(&instagram().1, MAX).unwrap();
    let of_contract = ["capabilities", "events", "http", "messages", "requests", "storage", "types"];
    let mut imports = inspection.imports.clone();
    imports.sort();
    assert_eq!(imports, of_contract.map(|name| format!("inbox:channel/{name}@0.2.0")));
    assert!(inspection.size < SIZE_BUDGET, "{} bytes", inspection.size);
}

/// Each module is an instance more in every call.
#[test]
fn what_connects_a_channels_imports_is_one_module() {
    let bounds = ComponentBounds { core_instances: 2, ..ComponentBounds::default() };
    for (path, component) in [instagram(), hostile(), scripted()] {
        assert!(count(component, &bounds).is_ok(), "{}: {:?}", path.display(), count(component, &bounds));
    }
}

fn attack(what: &str) -> CallFailure {
    // Its manifest has a deadline of its own, which counts where it is shorter.
    let config = SandboxConfig { transfer_bytes: 1 << 20, pure_deadline: PATIENCE, ..SandboxConfig::default() };
    let sandbox = Sandbox::new(config).unwrap();
    let channel = sandbox.load(&hostile().1).unwrap();
    let delivery = |body: &str| Delivery {
        source: DeliverySource::Webhook,
        body: body.into(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 0,
        account: None,
    };
    let error = channel.parse_webhook(&delivery(what)).expect_err("stopped");
    assert_eq!((error.channel.as_str(), error.export), ("hostile", "messaging-channel.parse-webhook"));
    // The next call is not affected: nothing of an instance outlives its call.
    assert!(channel.parse_webhook(&delivery("")).unwrap().is_ok());
    error.failure
}

#[test]
fn an_attack_ends_in_a_typed_error() {
    assert_eq!(attack("loop"), CallFailure::Deadline(Duration::from_secs(1)));
    // Whichever is used up first: the machine's stack, or the part of memory that is the guest's own.
    assert!(matches!(attack("recurse"), CallFailure::Stack | CallFailure::Trap(_)));
    assert_eq!(attack("grow"), CallFailure::Memory(8 << 20));
    assert_eq!(attack("flood"), CallFailure::ResultTooLarge(1 << 20));
    assert_eq!(attack("many"), CallFailure::ResultTooLarge(1 << 20));
    assert!(matches!(attack("trap"), CallFailure::Trap(_)));
}

#[test]
fn a_pure_function_reaches_neither_network_nor_storage() {
    assert_eq!(attack("http"), CallFailure::ImportInPureCall("http.send"));
    assert_eq!(attack("storage"), CallFailure::ImportInPureCall("storage.set"));
}

#[test]
fn the_same_input_gives_the_same_output() {
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let channel = sandbox.load(&instagram().1).unwrap();
    let body = br#"{"object":"instagram","entry":[{"id":"1","messaging":[{"new_thing":{}},{"sender":{"id":"2"},"message":{"mid":"3","text":"4"}}]}]}"#;
    let delivery = Delivery {
        source: DeliverySource::Webhook,
        body: body.to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 5,
        account: None,
    };
    let first = channel.parse_webhook(&delivery).unwrap();
    assert!((0..50).all(|_| channel.parse_webhook(&delivery).unwrap() == first));
}

#[test]
fn compiled_code_that_was_exchanged_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..SandboxConfig::default() };
    let load = |component: &[u8]| Sandbox::new(config()).unwrap().load(component).unwrap().origin();
    assert_eq!(load(&hostile().1), Origin::Compiled);
    assert_eq!(load(&hostile().1), Origin::Cached);
    let artifact = |part: &str| {
        fs::read_dir(folder.path().join("cache"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_string_lossy().contains(part))
            .unwrap()
    };
    let digest = inspect(&hostile().1, MAX).unwrap().digest;
    let path = artifact(&digest);

    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(load(&hostile().1), Origin::Compiled, "one changed bit");

    assert_eq!(load(&instagram().1), Origin::Compiled);
    let other = artifact(&inspect(&instagram().1, MAX).unwrap().digest);
    fs::copy(&other, &path).unwrap();
    assert_eq!(load(&hostile().1), Origin::Compiled, "another component's artifact, with its own valid MAC");

    fs::write(&path, b"").unwrap();
    assert_eq!(load(&hostile().1), Origin::Compiled, "an empty file");
    assert_eq!(load(&hostile().1), Origin::Cached);
}

#[cfg(unix)]
#[test]
fn a_cache_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let config = || SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..SandboxConfig::default() };
    drop(Sandbox::new(config()).unwrap());
    let key = folder.path().join("cache/key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Sandbox::new(config()).err().unwrap().to_string();
    assert!(error.contains("open to others"), "{error}");
}

#[test]
fn a_damaged_cache_key_is_replaced_with_one_warning_and_everything_is_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..SandboxConfig::default() };
    let load = || {
        let sandbox = Sandbox::new(config()).unwrap();
        [&hostile().1, &instagram().1].map(|component| sandbox.load(component).unwrap().origin())
    };
    let key = folder.path().join("cache/key");
    assert_eq!(load(), [Origin::Compiled; 2]);
    let first = fs::read(&key).unwrap();
    for damaged in [&first[..10], &[], &[7; 33][..]] {
        fs::write(&key, damaged).unwrap();
        let log = Captured::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        let origins = tracing::dispatcher::with_default(&of_test(subscriber), load);
        assert_eq!(origins, [Origin::Compiled; 2]);
        let text = log.text();
        assert_eq!((text.matches("WARN").count(), text.matches("key of the artifact cache").count()), (1, 1), "{text}");
        let fresh = fs::read(&key).unwrap();
        assert_eq!(fresh.len(), 32);
        assert!(!fresh.starts_with(&first[..10]));
        assert_eq!(load(), [Origin::Cached; 2]);
    }
}

/// A platform that says when it is asked, and answers when it may.
struct Slow {
    asked: Sender<()>,
    may: Arc<RwLock<()>>,
}

impl Effects for Slow {
    fn send(&mut self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let _ = self.asked.send(());
        drop(self.may.read());
        Err(HttpError::TimedOut)
    }
    fn get(&mut self, _: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(None)
    }
    fn set(&mut self, _: &str, _: Vec<u8>) -> Result<(), StorageError> {
        Ok(())
    }
    fn delete(&mut self, _: &str) -> Result<(), StorageError> {
        Ok(())
    }
    fn keys(&mut self, _: &str) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

#[test]
fn calls_that_hold_memory_have_a_channels_share_of_it_and_those_of_others_go_on() {
    let config =
        SandboxConfig { memory_bytes: 16 << 20, all_memory_bytes: 80 << 20, ..channel_tests::sandbox_config() };
    let sandbox = Sandbox::new(config).unwrap();
    let (channel, other) = (sandbox.load(&scripted().1).unwrap(), sandbox.load(&hostile().1).unwrap());
    // Each holds some 12 MiB while it waits for its platform: three fit into the half, a fourth does not.
    let script = r#"{"requests":[{"url":"https://scripted.example.com/","body_bytes":12000000}]}"#;
    let setting = Setting { key: "script".into(), value: SettingValue::Text(script.into()) };
    let account = AccountSettings { id: "a".into(), settings: vec![setting], webhook_url: None };
    let (asked, asks) = mpsc::channel();
    let may = Arc::new(RwLock::new(()));
    let call =
        |may: &Arc<RwLock<()>>| channel.check(Box::new(Slow { asked: asked.clone(), may: Arc::clone(may) }), &account);
    std::thread::scope(|scope| {
        let not_yet = may.write().unwrap();
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| call(&may))).collect();
        for _ in &waiting {
            asks.recv_timeout(PATIENCE).expect("a call that waits");
        }
        let refused = call(&Arc::default()).unwrap_err();
        assert_eq!(refused.failure, CallFailure::Busy(Scarce::Memory(40 << 20)), "{refused}");
        assert!(!refused.failure.is_crash());
        let delivery = Delivery {
            source: DeliverySource::Webhook,
            body: b"hello".to_vec(),
            headers: Vec::new(),
            query: String::new(),
            received_at: 1,
            account: None,
        };
        other.parse_webhook(&delivery).expect("the memory of another channel").unwrap();
        drop(not_yet);
        assert!(waiting.into_iter().all(|call| call.join().unwrap().is_ok()));
    });
    // What they had came back.
    call(&may).unwrap().unwrap();
}

/// How far the memory of an instance has grown, in bytes.
#[derive(Default)]
struct Grown(usize);

impl wasmtime::ResourceLimiter for Grown {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.0 = self.0.max(desired);
        Ok(desired <= KEPT_BYTES)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// What a kept instance may use, in bytes: the channel gives nothing back within an instance (`sdk/guest/src/memory.rs`).
const KEPT_BYTES: usize = 8 << 20;
/// How many calls of each function it must answer within that.
const KEPT_CALLS: usize = 1000;

/// The sandbox makes an instance for each call; another host may keep one.
#[test]
fn an_instance_that_is_kept_answers_a_thousand_calls_as_a_fresh_one_does() {
    use wasmtime::component::{Component, Linker};

    let (_, bytes) = instagram();
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let channel = sandbox.load(bytes).unwrap();
    let delivery = |text: &str| {
        Delivery {
        source: DeliverySource::Webhook,
        body: format!(
            r#"{{"object":"instagram","entry":[{{"id":"1","messaging":[{{"sender":{{"id":"2"}},"message":{{"mid":"3","text":"{text}"}}}}]}}]}}"#
        )
        .into_bytes(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 5,
        account: None,
    }
    };
    let deliveries = ["a", "another text", ""].map(delivery);
    let message = channel_tests::message(vec![channel_tests::text("Yes, it is in stock.")]);
    let refused = channel_tests::message(Vec::new());
    let window = channel_tests::open_window();
    let login = Setting { key: "login".into(), value: SettingValue::Text("instagram".into()) };
    let context = ConversationContext {
        account: AccountSettings { id: "1".into(), settings: vec![login], webhook_url: None },
        contact: Some("2".into()),
        address: None,
        thread: None,
        last_inbound: None,
        window,
        now: 5,
        comment: None,
        reply_context: None,
    };

    let engine = wasmtime::Engine::default();
    let component = Component::from_binary(&engine, bytes).unwrap();
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component).unwrap();
    let mut store = wasmtime::Store::new(&engine, Grown::default());
    store.limiter(|grown| grown);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let interface = format!("inbox:channel/messaging-channel@{}", harness_contract::VERSION);
    let interface = instance.get_export_index(&mut store, None, &interface).unwrap();
    let mut index = |name| instance.get_export_index(&mut store, Some(&interface), name).unwrap();
    let (parse, validate, build) = (index("parse-webhook"), index("validate-outbound"), index("build-send-request"));
    type Parsed = (Result<Vec<Event>, ParseError>,);
    let parse = instance.get_typed_func::<(Delivery,), Parsed>(&mut store, parse).unwrap();
    type Outbound = (OutboundMessage, ConversationContext);
    let validate = instance.get_typed_func::<Outbound, (Validation,)>(&mut store, validate).unwrap();
    type Built = (Result<Vec<SendStep>, Vec<Violation>>,);
    let build = instance.get_typed_func::<Outbound, Built>(&mut store, build).unwrap();
    let parsed = deliveries.each_ref().map(|delivery| channel.parse_webhook(delivery).unwrap());
    let messages = [message, refused];
    let validated = messages.each_ref().map(|message| channel.validate_outbound(message, &context).unwrap());
    let built = messages.each_ref().map(|message| channel.build_send_request(message, &context).unwrap());
    for call in 0..KEPT_CALLS {
        let (inbound, outbound) = (call % deliveries.len(), call % messages.len());
        let again = parse.call(&mut store, (deliveries[inbound].clone(),)).unwrap().0;
        assert_eq!(again, parsed[inbound], "call {call}");
        let input = || (messages[outbound].clone(), context.clone());
        let again = validate.call(&mut store, input()).unwrap().0;
        assert_eq!(again, validated[outbound], "call {call}");
        let again = build.call(&mut store, input()).unwrap().0;
        assert_eq!(again, built[outbound], "call {call}");
    }
    assert!(store.data().0 <= KEPT_BYTES, "grown to {}", store.data().0);
}
