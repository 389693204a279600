//! The JSON documents of the package commands, whole: what scripts read must not change.
//! Does not own: what stands in them (`publish`).

use std::fs;

use channel_tests::web_chat;
use serde_json::{Value, json};

use super::machine::{hex, package, trusting, wanting_more};

/// A document with what differs from run to run named instead.
fn document(said: &str, named: &[(&str, &str)]) -> Value {
    let mut text = said.to_owned();
    for (value, name) in named {
        text = text.replace(value, name);
    }
    let mut document: Value = serde_json::from_str(&text).unwrap();
    fn times(value: &mut Value) {
        match value {
            Value::Object(members) => members.iter_mut().for_each(|(name, value)| {
                if name == "installed_at" && value.is_string() {
                    let time = value.as_str().unwrap();
                    assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
                    *value = json!("TIME");
                }
                times(value);
            }),
            Value::Array(items) => items.iter_mut().for_each(times),
            _ => {}
        }
    }
    times(&mut document);
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_that_scripts_read_stay_as_they_are() {
    let (publisher, operator, config) = trusting().await;
    let folder = publisher.path("chat");
    let run = |words: &[&str]| {
        let (done, said) = operator.run(&[words, &["--json", "--config", &config]].concat());
        (done, said)
    };
    assert_eq!(document(&run(&["list"]).1, &[]), json!({ "channels": [] }));
    assert_eq!(document(&run(&["outdated"]).1, &[]), json!({ "channels": [], "problems": [] }));
    assert_eq!(document(&run(&["verify"]).1, &[]), json!({ "packages": [] }));
    assert_eq!(document(&run(&["update", "--dry-run"]).1, &[]), json!({ "channels": [], "problems": [] }));

    package(&folder, "web-chat", "0.1.0", "acme", &web_chat().1).await;
    let signed = publisher.done(&["sign", "chat"]);
    let key = signed.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(operator.typed(&["install", folder.to_str().unwrap(), "--config", &config], "y").0);
    let (first, second) = (hex(&web_chat().1), hex(&wanting_more("0.2.0")));
    let canonical = folder.canonicalize().unwrap().to_str().unwrap().to_owned();
    let (_, listed) = run(&["list"]);
    let manifest =
        serde_json::from_str::<Value>(&listed).unwrap()["channels"][0]["manifest"].as_str().unwrap().to_owned();
    let named = [
        (key.as_str(), "KEY"),
        (first.as_str(), "FIRST"),
        (second.as_str(), "SECOND"),
        (canonical.as_str(), "FOLDER"),
        (manifest.as_str(), "MANIFEST"),
    ];
    let installed = json!({
        "channel": "web-chat", "version": "0.1.0", "publisher": "acme", "key": "KEY", "identity": null,
        "component": "sha256:FIRST", "manifest": "MANIFEST", "source": "FOLDER", "installed_at": "TIME", "previous": [],
    });
    assert_eq!(document(&listed, &named), json!({ "channels": [installed] }));
    let mut verified = installed.clone();
    verified["problem"] = Value::Null;
    assert_eq!(document(&run(&["verify"]).1, &named), json!({ "packages": [verified] }));
    let mut looked = verified.clone();
    looked["installed_at"] = Value::Null;
    let digest = "sha256:".to_owned() + &hex(b"source");
    looked.as_object_mut().unwrap().extend([
        ("predecessor".to_owned(), Value::Null),
        ("signed_at".to_owned(), Value::Null),
        ("source_tree".to_owned(), json!({ "tree": digest, "path": "channel", "lockFile": digest })),
        (
            "build".to_owned(),
            json!({
                "rustc": "rustc", "cargo": "cargo", "target": "wasm32-unknown-unknown", "flags": [], "builder": "tests",
            }),
        ),
    ]);
    assert_eq!(document(&run(&["verify", &canonical]).1, &named), json!({ "packages": [looked] }));

    package(&folder, "web-chat", "0.2.0", "acme", &wanting_more("0.2.0")).await;
    publisher.done(&["sign", "chat"]);
    let newer = json!({ "channel": "web-chat", "version": "0.1.0", "newest": "0.2.0" });
    assert_eq!(document(&run(&["outdated"]).1, &named), json!({ "channels": [newer], "problems": [] }));
    let (done, planned) = run(&["update", "--dry-run"]);
    let mut planned = document(&planned, &named);
    let second_manifest = planned["channels"][0]["to"]["manifest"].take();
    assert!(done && second_manifest.as_str().unwrap().starts_with("sha256:"));
    let to = json!({
        "channel": "web-chat", "version": "0.2.0", "publisher": "acme", "key": "KEY", "identity": null,
        "component": "sha256:SECOND", "manifest": null, "source": "FOLDER", "installed_at": null, "previous": [],
    });
    let more = planned["channels"][0]["more"].take();
    let sentence = more[0].as_str().unwrap();
    assert!(sentence.starts_with("requests GET https://more.example.com/spy"), "{more}");
    assert_eq!(more.as_array().unwrap().len(), 1);
    let change = json!({ "to": to, "from": "0.1.0", "more": null, "less": [], "asks": true });
    assert_eq!(planned, json!({ "channels": [change], "problems": [] }));
    // As text, and nothing was changed by it.
    let said = operator.done(&["update", "--dry-run", "--config", &config]);
    assert!(said.contains("+ requests GET https://more.example.com/spy") && !said.contains("May it?"), "{said}");
    assert_eq!(document(&run(&["list"]).1, &named)["channels"][0], installed);
    // What is not as it was says why.
    fs::write(operator.path("data/channels/components").join(format!("{first}.wasm")), b"changed").unwrap();
    let (good, said) = run(&["verify", "web-chat"]);
    let problem = serde_json::from_str::<Value>(&said).unwrap()["packages"][0]["problem"].clone();
    assert!(!good && problem.as_str().unwrap().contains("install the channel again"), "{said}");
    fs::remove_dir_all(&folder).unwrap();
    let (good, said) = run(&["outdated"]);
    let problem = serde_json::from_str::<Value>(&said).unwrap()["problems"][0].clone();
    assert!(!good && problem["channel"] == "web-chat" && problem["problem"].is_string(), "{said}");
}
