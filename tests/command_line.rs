//! The command line as a script would use it: JSON on standard output, sentences on standard error,
//! exit codes, and a host that is configured by a file.

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
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use channel_tests::{eventually, instagram, process::Process, request, signature, write_secret};
use serde_json::{Value, json};

fn harness(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn call(function: &str, input: impl AsRef<[u8]>) -> Output {
    let component = instagram().0.to_str().unwrap();
    harness(&["call", function, "-", "--channel", component], input.as_ref())
}

const BODY: &str = r#"{"object":"instagram","entry":[{"id":"17841400000000001","time":1795000000456,"messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"by-hand-1","text":"hello"}}]}]}"#;

#[test]
fn call_prints_what_the_contract_says() {
    let parsed = call("parse-webhook", BODY);
    assert!(parsed.status.success(), "{parsed:?}");
    let event = &json_of(&parsed)[0];
    assert_eq!(event["account"], "17841400000000001");
    assert_eq!(event["contact"]["id"], "5551230000000001");
    assert_eq!(event["at"], 1_795_000_000_123u64);
    assert_eq!(event["body"]["message"]["text"], "hello");
    assert_eq!(event["author"], "contact");

    let capabilities = json_of(&call("capabilities", ""));
    assert_eq!(capabilities["identity"]["field"], "instagram_id");

    let message = json!({ "parts": [{ "text": { "text": "hi" } }] }).to_string();
    let validation = json_of(&call("validate-outbound", &message));
    assert_eq!(validation["violations"], json!([]));
    let steps = json_of(&call("build-send-request", &message));
    let body: Value = serde_json::from_str(steps[0]["request"]["body"]["bytes"].as_str().unwrap()).unwrap();
    assert_eq!((&body["recipient"]["id"], &body["message"]["text"]), (&json!("1234567890123456"), &json!("hi")));

    let answer = json!({ "response": { "status": 400, "headers": [], "body": { "error": { "code": 190, "error_subcode": 463 } } } });
    let outcome = json_of(&call("parse-send-response", answer.to_string()));
    assert_eq!(outcome["verdict"]["unauthorized"]["category"], "auth_expired");
}

#[test]
fn call_exits_with_1_and_a_typed_error_where_the_function_fails() {
    let other = call("parse-webhook", r#"{"object":"page"}"#);
    assert_eq!(other.status.code(), Some(1));
    assert!(json_of(&other)["error"]["not_this_channel"].as_str().unwrap().contains("page"));
    let long = json!({ "parts": [{ "text": { "text": "x".repeat(1001) } }] }).to_string();
    let refused = call("build-send-request", &long);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(json_of(&refused)["error"][0]["code"], "text_too_long");
}

#[test]
fn wrong_input_is_answered_with_what_is_accepted() {
    for (function, input, words) in [
        ("validate-outbound", "nonsense", "not JSON"),
        ("validate-outbound", r#"{"parts":[{"txt":{"text":"x"}}]}"#, "unknown variant `txt`, expected one of `text`"),
        ("validate-outbound", r#"{"parts":[],"sendr":1}"#, "unknown field `sendr`"),
        ("parse-send-response", "{}", "no `response`"),
    ] {
        let output = call(function, input);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && error.contains(words), "{function} {input}: {error}");
    }
    assert_eq!(harness(&["call", "parse-webhok"], b"").status.code(), Some(2));
}

#[test]
fn check_tells_what_a_component_is_and_why_one_is_refused() {
    let component = instagram().0.to_str().unwrap();
    let checked = json_of(&harness(&["check", component, "--json"], b""));
    assert_eq!(
        (&checked["ok"], &checked["component"]["manifest"]["channel"]["id"]),
        (&json!(true), &json!("instagram"))
    );
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("not.wasm");
    fs::write(&text, "hello").unwrap();
    let refused = harness(&["check", text.to_str().unwrap()], b"");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && error.contains("not a WebAssembly component"), "{error}");
    assert_eq!(json_of(&harness(&["check", text.to_str().unwrap(), "--json"], b""))["ok"], false);
}

#[test]
fn embed_puts_a_manifest_into_a_component_in_place_of_any_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (component, manifest, out) = (path("channel.wasm"), path("channel.toml"), path("out.wasm"));
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin/channel.toml")).unwrap();
    fs::write(&component, &instagram().1).unwrap();
    fs::write(&manifest, text.replace("id = \"instagram\"", "id = \"another\"")).unwrap();
    let embedded = harness(&["embed", &component, "--manifest", &manifest, "--out", &out, "--json"], b"");
    assert_eq!(json_of(&embedded)["id"], "another", "{embedded:?}");
    assert_eq!(fs::read(&component).unwrap(), instagram().1, "what was given is left as it is");
    assert_eq!(json_of(&harness(&["check", &out, "--json"], b""))["component"]["manifest"]["channel"]["id"], "another");

    // Without `--out` over the component; a manifest that no host would take, and what is no component, are refused.
    assert!(harness(&["embed", &component, "--manifest", &manifest], b"").status.success());
    assert_eq!(fs::read(&component).unwrap(), fs::read(&out).unwrap());
    let refused = |arguments: &[&str]| {
        let output = harness(arguments, b"");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    fs::write(&manifest, text.replace("contract = \"0.2.0\"", "contract = \"0.1.0\"")).unwrap();
    let error = refused(&["embed", &component, "--manifest", &manifest]);
    assert!(error.contains("`contract` is \"0.1.0\""), "{error}");
    fs::write(&manifest, &text).unwrap();
    for (bytes, words) in
        [(b"\0asm\x01\0\0\0".as_slice(), "it is a core module"), (b"hello", "cannot be read as a component")]
    {
        fs::write(&component, bytes).unwrap();
        let error = refused(&["embed", &component, "--manifest", &manifest]);
        assert!(error.contains(words), "{error}");
        assert_eq!(fs::read(&component).unwrap(), bytes);
    }
    assert_eq!(
        fs::read(&out).unwrap().len(),
        instagram().1.len() - 4,
        "only the id is two bytes shorter, in the manifest and in the component's name"
    );
}

#[test]
fn the_scripted_demo_plays_every_step() {
    let component = instagram().0.to_str().unwrap();
    let played = harness(&["demo", "--script", "--channel", component], b"");
    let words = String::from_utf8_lossy(&played.stdout).into_owned();
    assert!(
        played.status.success() && !words.contains("FAILED"),
        "{words}\n{}",
        String::from_utf8_lossy(&played.stderr)
    );
}

fn config(folder: &Path, extra: &str) -> String {
    write_secret(&folder.join("app-secret"), "my-app-secret\n");
    write_secret(&folder.join("verify-token"), "my-verify-token");
    let path = folder.join("harness.toml");
    let component = instagram().0.display();
    // A table stands in a file once.
    let extra = match extra.contains("[development]\n") {
        true => extra.replace("[development]\n", "[development]\nunsigned-channels = true\n"),
        false => format!("{extra}\n[development]\nunsigned-channels = true\n"),
    };
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata-dir = \"data\"\n[channels.instagram]\ncomponent = \"{component}\"\n\
         grant = {{ egress = [\"graph.facebook.com\"] }}\n\
         secrets = {{ app-secret = {{ file = \"app-secret\" }}, verify-token = {{ file = \"verify-token\" }} }}\n\
         [[channels.instagram.accounts]]\nid = \"17841400000000001\"\nsettings = {{ login = \"facebook\", page-id = \"1\" }}\n{extra}"
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What opens the API of a host whose configuration names no token.
pub(crate) fn admin(folder: &Path) -> String {
    format!("Bearer {}", fs::read_to_string(folder.join("data/admin-token")).unwrap().trim())
}

#[tokio::test]
async fn serve_takes_a_webhook_signed_by_hand_and_it_is_in_the_inbox_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let served = Process::start(Command::new(env!("CARGO_BIN_EXE_harness")).args(["serve", "--config", &path]));
    let address = &served.address;
    let url = format!("{address}/webhooks/instagram");
    let challenge = format!("{url}?hub.mode=subscribe&hub.verify_token=my-verify-token&hub.challenge=42");
    assert_eq!(request("GET", &challenge, &[], vec![]).await.body, "42");
    let signature = signature("my-app-secret", BODY.as_bytes());
    assert_eq!(request("POST", &url, &[("x-hub-signature-256", &signature)], BODY.into()).await.status, 200);
    let conversations = eventually("the conversation", async || {
        let shown = admin(folder.path());
        let url = format!("{address}/api/v1/conversations");
        let answer = request("GET", &url, &[("authorization", &shown)], vec![]).await;
        let found = channel_tests::entries(answer.json());
        (found.as_array().unwrap().len() == 1).then_some(found)
    })
    .await;
    assert_eq!(conversations[0]["preview"], "hello");
    assert!(folder.path().join("data/inbox.sqlite").is_file());
}

#[tokio::test]
async fn serve_reloads_a_changed_component_keeps_the_old_one_and_its_recording_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("channel.wasm");
    fs::copy(&instagram().0, &component).unwrap();
    let path = config(folder.path(), "");
    let text = fs::read_to_string(&path).unwrap().replace(instagram().0.to_str().unwrap(), "channel.wasm");
    fs::write(&path, text).unwrap();
    let recording = folder.path().join("calls.jsonl");
    let served = Process::start(
        Command::new(env!("CARGO_BIN_EXE_harness"))
            .args(["serve", "--config", &path, "--watch", "--record", recording.to_str().unwrap()])
            .stderr(Stdio::null()),
    );
    let address = &served.address;
    let webhooks = format!("{address}/webhooks/instagram");
    let taken = async || {
        let proof = signature("my-app-secret", BODY.as_bytes());
        request("POST", &webhooks, &[("x-hub-signature-256", &proof)], BODY.into()).await.status
    };
    let channel = async || {
        let shown = admin(folder.path());
        let answer = request("GET", &format!("{address}/api/v1/channels"), &[("authorization", &shown)], vec![]).await;
        answer.json()["data"][0].clone()
    };
    assert_eq!((taken().await, &channel().await["generation"]), (200, &json!(1)));

    fs::write(&component, &instagram().1[..1000]).unwrap();
    let shown = eventually("a refusal", async || {
        let shown = channel().await;
        shown["update_problem"].is_string().then_some(shown)
    })
    .await;
    assert_eq!((taken().await, &shown["generation"]), (200, &json!(1)), "the old one stays");

    // A custom section makes it another build.
    let mut bytes = instagram().1.clone();
    bytes.extend([0, 2, 1, b'x']);
    fs::write(&component, bytes).unwrap();
    let shown = eventually("the new one", async || {
        let shown = channel().await;
        (shown["generation"] == 2).then_some(shown)
    })
    .await;
    assert_eq!((taken().await, &shown["update_problem"]), (200, &Value::Null));

    eventually("the recording", async || {
        let text = fs::read_to_string(&recording).unwrap();
        (text.lines().filter(|line| line.contains("parse-webhook")).count() == 3).then_some(())
    })
    .await;
    let component = instagram().0.to_str().unwrap();
    let replayed = harness(&["replay", recording.to_str().unwrap(), "--channel", component], b"");
    assert!(replayed.status.success(), "{replayed:?}");
    assert!(String::from_utf8_lossy(&replayed.stdout).contains("0 differ"), "{replayed:?}");
    let changed = fs::read_to_string(&recording).unwrap().replace("\"text\":\"hello\"", "\"text\":\"goodbye\"");
    fs::write(&recording, changed).unwrap();
    let replayed = harness(&["replay", recording.to_str().unwrap(), "--channel", component], b"");
    let words = String::from_utf8_lossy(&replayed.stdout).into_owned();
    assert!(replayed.status.code() == Some(1) && words.contains("\"goodbye\" -> \"hello\""), "{words}");
}

#[test]
fn a_configuration_error_names_file_key_and_what_is_accepted() {
    for (extra, words) in [
        ("colour = \"blue\"\n", &["unknown field `colour`", "harness.toml"][..]),
        ("secrets = { page-token = { env = \"NO_SUCH_VARIABLE\" } }\n", &["NO_SUCH_VARIABLE is not set", "page-token"]),
        ("secrets = { page-token = { file = \"nowhere\" } }\n", &["nowhere", "page-token"]),
        ("secrets = { pagetoken = { file = \"app-secret\" } }\n", &["`pagetoken` is not a credential", "page-token"]),
        (
            "[development]\nendpoints = { \"graph.facebook.com\" = \"http://127.0.0.1:1\" }\n",
            &["is not an origin such as"],
        ),
        (
            "[[channels.instagram.accounts]]\nid = \"2\"\nsettings = { login = \"face\" }\n",
            &["`face` is not one of facebook, instagram"],
        ),
        (
            "[[channels.instagram.accounts]]\nid = \"2\"\nsettings = { log-in = \"x\" }\n",
            &["`log-in` is not a setting", "login"],
        ),
        ("[[channels.instagram.accounts]]\nid = \"2\"\n", &["`login` is missing"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = config(folder.path(), extra);
        let output = harness(&["serve", "--config", &path], b"");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{extra}: {error}");
        assert!(words.iter().all(|word| error.contains(word)), "{extra}: {error}");
    }
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked_by_command_before_and_while_the_host_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "");
    let token = |arguments: &[&str]| harness(&[&["token"], arguments, &["--config", &path]].concat(), b"");
    let made = token(&["create", "crm", "--scope", "read", "--expires", "90d", "--json"]);
    let crm = json_of(&made)["token"].as_str().unwrap().to_owned();
    for (arguments, words) in [
        (&["create", "crm", "--scope", "read"][..], "there is a token `crm` already"),
        (&["create", "x", "--scope", "write"], "is not a scope; there are read, reply, accounts, observe, admin"),
        (&["create", "x", "--scope", "read", "--expires", "soon"], "expected one such as 90d"),
        (&["create", "x", "--scope", "read", "--expires", "2001-01-01T00:00:00Z"], "in the past"),
        (&["revoke", "nobody"], "there is no token `nobody`; there are: crm"),
    ] {
        let refused = token(arguments);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && error.contains(words), "{arguments:?}: {error}");
    }
    let served = Process::start(Command::new(env!("CARGO_BIN_EXE_harness")).args(["serve", "--config", &path]));
    let address = &served.address;
    let status = async |token: &str| {
        let shown = format!("Bearer {token}");
        request("GET", &format!("{address}/api/v1/accounts"), &[("authorization", &shown)], vec![]).await.status
    };
    assert_eq!((status(&crm).await, status("another").await), (200, 401));
    let bot = token(&["create", "bot", "--scope", "reply", "--scope", "read"]);
    let bot = String::from_utf8(bot.stdout).unwrap();
    assert_eq!(status(bot.trim()).await, 200);
    let listed = token(&["list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("read,reply") && listed.contains("until 20"), "{listed}");
    assert!(!listed.contains(&crm[8..]), "{listed}");
    assert_eq!(json_of(&token(&["list", "--json"]))[0]["name"], "crm");
    assert!(token(&["revoke", "crm"]).status.success());
    assert_eq!((status(&crm).await, status(bot.trim()).await), (401, 200));
    // The last one that is revoked locks nobody out of the machine's own commands.
    assert!(token(&["revoke", "bot"]).status.success());
    assert_eq!(status(bot.trim()).await, 401);
    // Commands find the host where the configuration says that it listens.
    let port = address.trim_start_matches("http://");
    let configuration = std::fs::read_to_string(&path).unwrap();
    assert!(configuration.contains("127.0.0.1:0"), "{configuration}");
    std::fs::write(&path, configuration.replace("127.0.0.1:0", port)).unwrap();
    let retry = |named: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.args(["deliveries", "retry", "--config", &path]).env_remove("HARNESS_API_TOKEN");
        named.into_iter().fold(&mut command, |command, token| command.env("HARNESS_API_TOKEN", token)).output().unwrap()
    };
    let own = retry(None);
    assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
    let revoked = retry(Some(&crm));
    let error = String::from_utf8_lossy(&revoked.stderr).into_owned();
    assert!(!revoked.status.success() && error.contains("in the variable HARNESS_API_TOKEN"), "{error}");
    assert!(error.contains("admin-token") && !error.contains(&crm), "{error}");
}

#[test]
fn no_text_of_a_component_moves_the_cursor() {
    let (component, bytes) = channel_tests::hostile();
    let component = component.to_str().unwrap();
    let quiet = |output: &Output| {
        let text = [output.stdout.clone(), output.stderr.clone()].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.chars().any(|c| harness_contract::text::misleads(c) && c != '\n'), "{text:?}");
        text
    };
    let called = harness(&["call", "parse-webhook", "-", "--channel", component], b"escape");
    assert!(quiet(&called).contains("forged"));
    // JSON is escaped, and means the same.
    assert!(json_of(&called).to_string().contains('\u{9b}'));
    for compact in [&["--compact"][..], &[]] {
        let arguments = [&["call", "parse-webhook", "-", "--channel", component], compact].concat();
        quiet(&harness(&arguments, b"escape"));
    }
    // A manifest that breaks TOML's rules, so that the error quotes it.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.wasm");
    let place = bytes.windows(16).position(|window| window == b"name = \"Hostile\"").unwrap();
    let mut odd = bytes.clone();
    odd[place + 8..place + 13].copy_from_slice(b"\x1b[2J\x07");
    fs::write(&path, odd).unwrap();
    for arguments in [&["check"][..], &["check", "--json"]] {
        let output = harness(&[arguments, &[path.to_str().unwrap()]].concat(), b"");
        assert!(!output.status.success());
        quiet(&output);
    }
    // A configuration, too, may hold what somebody pasted.
    let config = folder.path().join("odd.toml");
    fs::write(&config, "listen = \"\u{1b}]0;x\u{7}\u{9b}2J\"\n").unwrap();
    for command in ["doctor", "serve"] {
        quiet(&harness(&[command, "--config", config.to_str().unwrap()], b""));
    }
}

#[test]
fn a_mistake_in_the_configuration_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harness.toml");
    fs::write(&path, "listen = 7\ncolour = \"blue\"\n").unwrap();
    for command in ["serve", "doctor"] {
        let output = harness(&[command, "--config", path.to_str().unwrap()], b"");
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.matches("TOML parse error").count(), 1, "{told}");
    }
    fs::write(&path, "data-dir = \"data\"\n[api]\ntoken = { file = \"token\" }\n").unwrap();
    write_secret(&folder.path().join("token"), b"\xef\xbb\xbfsome-token-of-an-editor\n");
    let output = harness(&["doctor", "--config", path.to_str().unwrap()], b"");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), told.matches("byte-order mark").count()), (Some(1), 1), "{told}");
    assert!(told.contains("`api.token`") && !told.contains("some-token"), "{told}");
}

#[test]
fn build_refuses_a_contract_that_check_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/channels/scripted/channel.toml"));
    let manifest = manifest.unwrap().replace("contract = \"0.2.0\"", "contract = \"0.7.0\"");
    assert!(manifest.contains("0.7.0"));
    fs::write(folder.path().join("channel.toml"), manifest).unwrap();
    let output = harness(&["build", folder.path().to_str().unwrap()], b"");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("\"0.7.0\"") && told.contains("\"0.2.0\"") && told.contains("channel.toml"), "{told}");
}
