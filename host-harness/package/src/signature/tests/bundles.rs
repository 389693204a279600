//! Owns: tests of bundles that are malformed, changed, or written by somebody else.
//! Does not own: bundles that are sound and not trusted (`trust`).
#![cfg(test)]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The bundle with one place of its JSON changed.
fn edited(bundle: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(bundle).unwrap();
    edit(&mut json);
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn a_bundle_that_was_written_is_read_as_it_was() {
    let parties = Parties::new();
    let bytes = parties.bundle();
    let bundle = Bundle::read(&bytes).unwrap();
    assert_eq!(bundle.to_bytes().unwrap(), bytes);
    assert_eq!(bundle.hint(), Some(&parties.acme.public().hint()));
    assert_eq!(bundle.unverified().unwrap(), Statement::from(statement("acme", "chat", "1.2.0")));
}

#[test]
fn the_same_statement_gives_the_same_bytes() {
    let bytes = || Statement::from(statement("acme", "chat", "1.2.0")).to_bytes().unwrap();
    assert_eq!(bytes(), bytes());
    assert_eq!(text(bytes()), include_str!("statement.json").trim_end());
}

/// What is changed in a sound bundle, and a word of the refusal.
type Change = (fn(&mut Value), &'static str);

#[test]
fn empty_lists_that_other_writers_write_are_accepted_and_nothing_else() {
    let parties = Parties::new();
    let material = |edit: fn(&mut Value)| edited(&parties.bundle(), |json| edit(&mut json["verificationMaterial"]));
    let accepted: [fn(&mut Value); 4] = [
        |material| material["tlogEntries"] = json!([]),
        |material| material["timestampVerificationData"] = json!({}),
        |material| material["timestampVerificationData"] = json!({ "rfc3161Timestamps": [] }),
        |material| {
            material["tlogEntries"] = json!([]);
            material["timestampVerificationData"] = json!({ "rfc3161Timestamps": [] });
        },
    ];
    for edit in accepted {
        assert!(parties.verify(&[material(edit)]).is_ok(), "{}", text(material(edit)));
    }
    let refused: [Change; 7] = [
        (|material| material["tlogEntries"] = json!([{}]), "not checked here"),
        (|material| material["tlogEntries"] = json!(null), "is null"),
        (|material| material["tlogEntries"] = json!({}), "cannot be read"),
        (|material| material["timestampVerificationData"] = json!([]), "cannot be read"),
        (|material| material["timestampVerificationData"] = json!(null), "is null"),
        (
            |material| {
                material["timestampVerificationData"] = json!({ "rfc3161Timestamps": [{ "signedTimestamp": "" }] })
            },
            "not checked here",
        ),
        (
            |material| material["timestampVerificationData"] = json!({ "rfc3161Timestamps": [], "x": [] }),
            "unknown field",
        ),
    ];
    for (edit, word) in refused {
        let (_, sentence) = parties.refusal(&[material(edit)]);
        assert!(sentence.contains(word), "{word}: {sentence}");
    }
    for id in [json!(""), json!(parties.acme.public().hint().to_string())] {
        let bundle = edited(&parties.bundle(), |json| json["dsseEnvelope"]["signatures"][0]["keyid"] = id);
        assert!(parties.verify(&[bundle]).is_ok());
    }
}

#[test]
fn a_bundle_has_one_form() {
    let changes: [Change; 27] = [
        (|json| json["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.2"), "media type"),
        (|json| json["mediaType"] = json!(3), "media type"),
        (|json| *json = json!([]), "media type"),
        (|json| *json = json!(null), "media type"),
        (|json| json["more"] = json!(1), "unknown field"),
        (|json| json["dsseEnvelope"]["more"] = json!(1), "unknown field"),
        (|json| json["dsseEnvelope"]["signatures"][0]["more"] = json!(1), "unknown field"),
        (|json| json["verificationMaterial"]["more"] = json!(1), "unknown field"),
        (|json| json["verificationMaterial"]["publicKey"]["rawBytes"] = json!("AA=="), "unknown field"),
        (|json| json["messageSignature"] = json!({ "signature": "AA==" }), "both"),
        (|json| json["messageSignature"] = json!(null), "both"),
        (
            |json| {
                json["messageSignature"] = json!({ "signature": "AA==" });
                json.as_object_mut().unwrap().remove("dsseEnvelope");
            },
            "neither name nor version",
        ),
        (|json| json["dsseEnvelope"] = json!(null), "cannot be read"),
        (|json| drop(json.as_object_mut().unwrap().remove("dsseEnvelope")), "missing field"),
        (|json| drop(json.as_object_mut().unwrap().remove("verificationMaterial")), "missing field"),
        (|json| json["verificationMaterial"] = json!({ "certificate": { "rawBytes": "AA==" } }), "0 entries of a"),
        (|json| json["verificationMaterial"]["x509CertificateChain"] = json!({ "certificates": [] }), "a chain of"),
        (|json| json["verificationMaterial"]["publicKey"] = json!({}), "missing field"),
        (|json| json["verificationMaterial"]["publicKey"]["hint"] = json!(""), "does not name its key"),
        (|json| json["dsseEnvelope"]["signatures"] = json!([]), "0 signatures"),
        (
            |json| {
                let one = json["dsseEnvelope"]["signatures"][0].clone();
                json["dsseEnvelope"]["signatures"] = json!([one, one]);
            },
            "2 signatures",
        ),
        (|json| json["dsseEnvelope"]["signatures"][0] = json!(["AA=="]), "cannot be read"),
        (|json| json["dsseEnvelope"]["signatures"][0]["keyid"] = json!("other"), "another"),
        (|json| json["dsseEnvelope"]["signatures"][0]["keyid"] = json!(null), "not written"),
        (|json| json["dsseEnvelope"]["payloadType"] = json!("application/json\u{1b}"), "carries"),
        (|json| json["dsseEnvelope"]["payload"] = json!(""), "statement"),
        (|json| json["dsseEnvelope"]["signatures"][0]["sig"] = json!(""), "was changed"),
    ];
    let parties = Parties::new();
    for (change, word) in changes {
        let bundle = edited(&parties.bundle(), change);
        let (_, sentence) = parties.refusal(std::slice::from_ref(&bundle));
        assert!(sentence.contains(word), "{word}: {sentence}\n{}", text(bundle));
    }
}

#[test]
fn a_member_that_is_there_twice_is_refused_at_every_level() {
    let parties = Parties::new();
    let bundle = text(parties.bundle());
    for member in
        ["mediaType", "verificationMaterial", "publicKey", "hint", "dsseEnvelope", "payload", "signatures", "sig"]
    {
        let at = bundle.find(&format!("\"{member}\":")).unwrap();
        let twice = format!("{}\"{member}\":1,{}", &bundle[..at], &bundle[at..]);
        let escaped = twice.replacen(member, &format!("\\u{:04x}{}", member.as_bytes()[0], &member[1..]), 1);
        for twice in [twice, escaped] {
            let (_, sentence) = parties.refusal(&[twice.clone().into_bytes()]);
            assert!(sentence.contains(&format!("`{member}` is there twice")), "{sentence}\n{twice}");
        }
    }
}

#[test]
fn base64_has_one_spelling() {
    let parties = Parties::new();
    let bundle: Value = serde_json::from_slice(&parties.bundle()).unwrap();
    for field in ["payload", "sig"] {
        let at = |json: &mut Value, change: &dyn Fn(&str) -> String| {
            let envelope = &mut json["dsseEnvelope"];
            let place = if field == "sig" { &mut envelope["signatures"][0]["sig"] } else { &mut envelope["payload"] };
            *place = json!(change(place.as_str().unwrap()));
        };
        let changes: [&dyn Fn(&str) -> String; 4] =
            [&|text| format!("{text}\n"), &|text| format!(" {text}"), &|text| format!("{text}===="), &|text| {
                format!("-_{}", &text[2..])
            }];
        for change in changes {
            let changed = edited(&serde_json::to_vec(&bundle).unwrap(), |json| at(json, change));
            let (_, sentence) = parties.refusal(&[changed]);
            assert!(sentence.contains(&format!("`{field}` of the signature bundle is not base64")), "{sentence}");
        }
    }
}

#[test]
fn a_bundle_is_bounded_in_size_and_depth() {
    let parties = Parties::new();
    let long = [parties.bundle(), vec![b' '; MAX_BUNDLE]].concat();
    let (_, sentence) = parties.refusal(&[long]);
    assert!(sentence.contains("at most 65536"), "{sentence}");
    let deep = vec![b'['; MAX_BUNDLE];
    let (_, sentence) = parties.refusal(&[deep]);
    assert!(sentence.contains("nested deeper"), "{sentence}");
    let mut large = statement("acme", "chat", "1.2.0");
    large.package.build.flags = vec!["x".repeat(512); 32];
    large.package.build.rustc = vec!["x".repeat(100); 20].join("\n");
    assert!(Bundle::sign(&parties.acme, &large.into()).is_ok(), "all that a statement may hold fits");
}

#[test]
fn a_statement_holds_nothing_that_misleads() {
    type Edit = fn(&mut Package);
    let edits: [Edit; 22] = [
        |package| package.channel = "Chat".into(),
        |package| package.channel = "../chat".into(),
        |package| package.channel = "chat\u{202e}".into(),
        |package| package.source.path = String::new(),
        |package| package.source.path = "/etc".into(),
        |package| package.source.path = "a/../../b".into(),
        |package| package.source.path = "a//b".into(),
        |package| package.source.path = "a/./b".into(),
        |package| package.source.path = "a\\..\\b".into(),
        |package| package.source.path = "C:/b".into(),
        |package| package.source.path = "a\u{1b}[2J".into(),
        |package| package.source.repository = Some("javascript:alert(1)".into()),
        |package| package.source.repository = Some("https://user:password@example.com".into()),
        |package| package.source.repository = Some(format!("https://example.com/{}", "x".repeat(600))),
        |package| package.build.rustc = "rustc\u{1b}[31m".into(),
        |package| package.build.rustc = "x\n".repeat(2000),
        |package| package.build.cargo = "cargo\n1.0".into(),
        |package| package.build.target = "wasm32\u{202e}".into(),
        |package| package.build.builder = String::new(),
        |package| package.build.flags = vec!["x".into(); 33],
        |package| package.attachments[0].media_type = "text/\u{200b}plain".into(),
        |package| package.attachments[0].size = u64::MAX,
    ];
    let parties = Parties::new();
    for edit in edits {
        let mut changed = statement("acme", "chat", "1.2.0");
        edit(&mut changed.package);
        let package = format!("{:?}", changed.package);
        let error = Bundle::sign(&parties.acme, &changed.into()).unwrap_err();
        assert!(matches!(error, SignError::Statement(_)), "{package}: {error}");
        assert!(!error.to_string().chars().any(harness_contract::text::misleads), "{error}");
    }
    let mut root = statement("acme", "chat", "1.2.0");
    root.package.source.path = ".".into();
    root.package.source.repository = None;
    root.package.predecessor = None;
    assert!(parties.verify(&[signed(&parties.acme, root)]).is_ok());
}

/// A statement that others wrote, signed as it stands.
fn signed_as_is(key: &SigningKey, payload: &[u8]) -> Vec<u8> {
    let envelope = super::dsse::Envelope::sign(key, payload.to_vec()).unwrap();
    let template = signed(key, statement("acme", "chat", "1.2.0"));
    edited(&template, |json| {
        json["dsseEnvelope"]["payload"] = json!(BASE64_STANDARD.encode(envelope.payload));
        json["dsseEnvelope"]["signatures"][0]["sig"] = json!(BASE64_STANDARD.encode(envelope.signature));
    })
}

#[test]
fn a_statement_has_one_form_even_where_its_publisher_signed_another() {
    let changes: [fn(&mut Value); 17] = [
        |json| json["_type"] = json!("https://in-toto.io/Statement/v0.1"),
        |json| json["predicateType"] = json!("https://slsa.dev/provenance/v1"),
        |json| json["predicateType"] = json!("urn:inbox-channel:rotation:v1"),
        |json| json["more"] = json!(1),
        |json| json["predicate"]["more"] = json!(1),
        |json| json["subject"] = json!([]),
        |json| drop(json["subject"].as_array_mut().unwrap().pop()),
        |json| json["subject"].as_array_mut().unwrap().reverse(),
        |json| {
            json["subject"].as_array_mut().unwrap().push(json!({ "name": "x", "digest": { "sha256": "0".repeat(64) } }))
        },
        |json| json["subject"][0]["name"] = json!("other.wasm"),
        |json| json["subject"][0]["digest"]["sha512"] = json!("0".repeat(128)),
        |json| {
            json["subject"][0]["digest"]["sha256"] =
                json!(json["subject"][0]["digest"]["sha256"].as_str().unwrap().to_uppercase())
        },
        |json| json["subject"][0]["uri"] = json!("https://example.com"),
        |json| drop(json["predicate"].as_object_mut().unwrap().remove("predecessor")),
        |json| json["predicate"]["source"]["repository"] = json!(null),
        |json| json["predicate"]["version"] = json!("1.2.0+build"),
        |json| json["predicate"]["attachments"][0]["size"] = json!(2.0),
    ];
    let parties = Parties::new();
    let payload = Statement::from(statement("acme", "chat", "1.2.0")).to_bytes().unwrap();
    assert!(parties.verify(&[signed_as_is(&parties.acme, &payload)]).is_ok());
    for change in changes {
        let changed = edited(&payload, change);
        let (error, sentence) = parties.refusal(&[signed_as_is(&parties.acme, &changed)]);
        assert!(matches!(error, TrustError::Statement(_)), "{sentence}\n{}", text(changed));
    }
    let pretty = serde_json::to_string_pretty(&serde_json::from_slice::<Value>(&payload).unwrap()).unwrap();
    assert!(parties.verify(&[signed_as_is(&parties.acme, pretty.as_bytes())]).is_ok(), "blanks are no other form");
}

#[test]
fn a_statement_about_a_new_key_names_that_key_alone() {
    let new_key = *SigningKey::generate().unwrap().public();
    let payload = Statement::from(RotationStatement { publisher: name("acme"), new_key }).to_bytes().unwrap();
    let changes: [fn(&mut Value); 5] = [
        |json| json["subject"][0]["digest"]["sha256"] = json!("0".repeat(64)),
        |json| json["subject"][0]["name"] = json!("manifest"),
        |json| json["subject"] = json!([]),
        |json| json["predicate"]["newKey"] = json!(json["predicate"]["newKey"].as_str().unwrap().trim_end()),
        |json| json["predicate"]["channels"] = json!(["*"]),
    ];
    assert!(Statement::read(&payload).is_ok());
    for change in changes {
        let changed = edited(&payload, change);
        assert!(Statement::read(&changed).is_err(), "{}", text(changed));
    }
}

#[test]
fn a_bundle_with_any_byte_changed_is_refused() {
    let parties = Parties::new();
    let policy = parties.policy();
    let bundle = parties.bundle();
    for at in 0..bundle.len() {
        for bit in 0..8 {
            let mut changed = bundle.clone();
            changed[at] ^= 1 << bit;
            assert!(verify(&[changed], &[], &expected(), &policy).is_err(), "byte {at}, bit {bit}");
        }
    }
    for end in 0..bundle.len() {
        assert!(verify(&[&bundle[..end]], &[], &expected(), &policy).is_err(), "cut at {end}");
    }
}

/// Any JSON, with the names of a bundle among others.
fn any_json() -> impl Strategy<Value = Value> {
    let name = || {
        prop_oneof![
            Just("mediaType".to_owned()),
            Just("verificationMaterial".to_owned()),
            Just("publicKey".to_owned()),
            Just("hint".to_owned()),
            Just("dsseEnvelope".to_owned()),
            Just("payload".to_owned()),
            Just("payloadType".to_owned()),
            Just("signatures".to_owned()),
            Just("predicate".to_owned()),
            any::<String>(),
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from(crate::oci::BUNDLE)),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(name(), inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_a_bundle_or_a_sentence(json in any_json(), place in 0..5_usize) {
        let parties = Parties::new();
        let whole = serde_json::to_vec(&json).unwrap();
        // In its own place, the media type is right.
        let place = if json == crate::oci::BUNDLE { 1 } else { place };
        let placed = edited(&parties.bundle(), |bundle| match place {
            0 => bundle["mediaType"] = json.clone(),
            1 => bundle["verificationMaterial"] = json.clone(),
            2 => bundle["dsseEnvelope"] = json.clone(),
            3 => bundle["dsseEnvelope"]["signatures"] = json.clone(),
            _ => bundle["dsseEnvelope"]["payload"] = json!(BASE64_STANDARD.encode(&whole)),
        });
        parties.refusal(&[whole]);
        parties.refusal(&[placed]);
    }

    #[test]
    fn whatever_is_put_into_a_bundle_it_is_refused(bytes in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>()) {
        let parties = Parties::new();
        let mut bundle = parties.bundle();
        let at = at.index(bundle.len());
        // Blanks between members change nothing.
        prop_assume!(!bytes.iter().all(u8::is_ascii_whitespace));
        bundle.splice(at..at, bytes.iter().copied());
        parties.refusal(&[bundle]);
        parties.refusal(&[bytes]);
    }
}
