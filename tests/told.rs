//! What commands print of a stranger's file: all that a component asks for, nothing that moves the cursor, and who else
//! can read a secret. Belongs here: the commands themselves, as they are called.

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
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use channel_tests::{instagram, manifest::with_manifest, scripted};
use harness_contract::text::misleads;
use serde_json::json;

fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(arguments)
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap()
}

/// What was printed, which moves no cursor.
fn quiet(output: &Output) -> String {
    let text = String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap();
    assert!(!text.chars().any(|c| misleads(c) && c != '\n'), "{text:?}");
    text
}

#[test]
fn check_prints_all_that_a_grant_gives() {
    let checked = quiet(&harness(&["check", instagram().0.to_str().unwrap()]));
    for words in [
        "requests POST https://graph.facebook.com/*/*/messages: bodies up to 64 KiB, answers up to 256 KiB",
        "requests GET https://graph.instagram.com/refresh_access_token",
        "files and pictures from *.fbcdn.net",
        "the credential app-secret of the channel",
        "the credential code in the form as code to api.instagram.com",
        "a value derived from the credential app-secret in the query as appsecret_proof to graph.facebook.com",
        "the credential page-token taken from answers at /access_token",
        "people who connect by facebook are sent to https://www.facebook.com/v25.0/dialog/oauth",
        "people who connect by instagram are asked to permit instagram_business_manage_messages",
        "webhooks: up to 8 MiB",
        "webhooks are proved by HMAC-SHA256",
        "callbacks data-deletion, while they are new, signed with app-secret",
        "whoever knows verify-token",
    ] {
        assert!(checked.contains(words), "{words} is not in\n{checked}");
    }
}

#[test]
fn check_says_how_webhooks_are_proved_and_that_a_channel_has_none() {
    let manifest =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/channels/scripted/channel.toml"));
    let manifest = manifest.unwrap();
    let (before, behind) = (manifest.find("[webhook.").unwrap(), manifest.find("[slots.").unwrap());
    let with = |webhook: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.wasm");
        let manifest = format!("{}{webhook}{}", &manifest[..before], &manifest[behind..]);
        fs::write(&path, with_manifest(&scripted().1, &manifest)).unwrap();
        quiet(&harness(&["check", path.to_str().unwrap()]))
    };
    let none = with("");
    assert!(none.contains("webhooks   none: nothing comes in at an address of the host"), "{none}");
    assert!(!none.contains("webhooks are"), "{none}");
    let signed = with(
        "[webhook.verification]\nscheme = 'hmac'\nalgorithm = 'sha1'\nheader = 'x-signature'\nencoding = 'base64'\n\
         signs = '{header:x-time}{url}{form}'\ntimestamp = { header = 'x-time', tolerance = 60 }\nsecrets = ['secret']\n\
         [webhook.challenge]\nscheme = 'json-echo'\nwhere = { '/type' = 'hello' }\nanswer = '/challenge'\n\
         [webhook.answer]\nstatus = 202\ncontent-type = 'text/xml'\nbody = '<Response/>'\n",
    );
    for words in [
        "webhooks   HMAC-SHA1 of `{header:x-time}{url}{form}` in `x-signature`",
        "webhooks are proved by HMAC-SHA1 of `{header:x-time}{url}{form}` (base64, after ``, at most 60 s old by x-time) \
         in the header x-signature with secret",
        "webhooks in which /type is `hello` are answered their /challenge, and not kept",
        "webhooks are answered 202, text/xml, `<Response/>`",
    ] {
        assert!(signed.contains(words), "{words} is not in\n{signed}");
    }
}

#[test]
fn no_word_of_a_manifest_makes_a_line_of_its_own() {
    let manifest =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/channels/scripted/channel.toml"));
    let forged = r#"
[logins.web]
name = "Web"
authorization-url = "https://x.example/\n  may reach  nothing\u001b[2J\u202e"
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged.wasm");
    fs::write(&path, with_manifest(&scripted().1, &format!("{}{forged}", manifest.unwrap()))).unwrap();
    let checked = harness(&["check", path.to_str().unwrap()]);
    assert!(checked.status.success(), "{checked:?}");
    let checked = quiet(&checked);
    assert!(checked.contains(r"https://x.example/\n  may reach  nothing\u{1b}[2J\u{202e}"), "{checked}");
    assert_eq!(checked.lines().filter(|line| line.starts_with("  may reach")).count(), 1, "{checked}");
}

#[test]
fn no_word_of_a_recording_moves_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.jsonl");
    let odd = "\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}\u{7f}";
    let call = |export: &str, output: serde_json::Value, failure: Option<&str>| {
        json!({
            "at": 1, "channel": "instagram", "digest": odd, "export": export, "pure": true, "took_us": 1,
            "input": [null], "output": output, "failure": failure,
        })
        .to_string()
    };
    let calls = [
        call("messaging-channel.capabilities", json!({ odd: odd, "identity": { odd: [odd] } }), None),
        call("messaging-channel.capabilities", json!(odd), None),
        call("messaging-channel.capabilities", serde_json::Value::Null, Some(odd)),
        call(odd, json!(odd), None),
        call(&format!("messaging-channel.{odd}"), json!(odd), None),
    ];
    fs::write(&path, calls.join("\n")).unwrap();
    let channel = instagram().0.to_str().unwrap();
    let replayed = harness(&["replay", path.to_str().unwrap(), "--channel", channel]);
    assert_eq!(replayed.status.code(), Some(1));
    let told = quiet(&replayed);
    assert!(told.contains("5 differ") && told.contains(r"\u{202e}"), "{told}");
    fs::write(&path, format!("{{\"at\": \"{odd}\"}}")).unwrap();
    quiet(&harness(&["replay", path.to_str().unwrap(), "--channel", channel]));
}

#[test]
fn a_secret_that_others_can_read_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let set = |path: &std::path::Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (config, secret) = (folder.path().join("harness.toml"), folder.path().join("token"));
    fs::write(&config, "data-dir = \"data\"\nlisten = \"127.0.0.1:9\"\n[api]\ntoken = { file = \"token\" }\n").unwrap();
    fs::write(&secret, "a-token-that-nobody-may-see").unwrap();
    let doctor = || {
        let output = harness(&["doctor", "--config", config.to_str().unwrap()]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && !told.contains("nobody-may-see"), "{told}");
        told
    };
    set(folder.path(), 0o755);
    for mode in [0o644, 0o604, 0o666] {
        set(&secret, mode);
        let told = doctor();
        assert!(told.contains("`api.token`") && told.contains("can be read by others"), "{mode:o}: {told}");
        assert!(told.contains("chmod 600"), "{mode:o}: {told}");
    }
    for (outer, mode) in [(0o755, 0o600), (0o700, 0o644)] {
        set(folder.path(), outer);
        set(&secret, mode);
        assert!(!doctor().contains("can be read by others"), "{outer:o} {mode:o}");
    }
}
