//! Signatures without keys: what proves that an identity signed, and a refusal for each thing that proves nothing. The
//! authority and its logs are the test's own, and nothing reaches the internet.

use channel_tests::keyless::{ISSUER, SIGNED_AT, SUBJECT, Signing, World, base64};
use harness_package::{
    Digest,
    signature::{
        Bundle, BundleError, EvidenceError, Expected, Identity, KeylessError, PolicyError, PublisherRule,
        RotationError, RotationStatement, Signer, SigningKey, Statement, TrustError, TrustPolicy, TrustRules,
        TrustedRoot, Verified, verify,
    },
};
use serde_json::{Value, json};

use crate::signatures::{COMPONENT, statement};

fn identity(subject: &str) -> Identity {
    Identity::new(ISSUER, subject).unwrap()
}

fn root(world: &World) -> TrustedRoot {
    TrustedRoot::read(world.trusted_root().to_string().as_bytes()).unwrap()
}

/// `acme`, who signs as one identity.
fn rules(world: &World) -> TrustRules {
    let acme = PublisherRule {
        name: "acme".parse().unwrap(),
        keys: Vec::new(),
        identities: vec![identity(SUBJECT)],
        channels: vec!["chat".parse().unwrap()],
    };
    TrustRules { publishers: vec![acme], trusted_root: Some(root(world)), ..TrustRules::default() }
}

fn signed(world: &World, signing: &Signing<'_>) -> Value {
    world.sign(&statement().to_bytes().unwrap(), signing)
}

fn checked(rules: TrustRules, bundles: &[Value]) -> Result<Verified, TrustError> {
    let bundles: Vec<_> = bundles.iter().map(|bundle| bundle.to_string().into_bytes()).collect();
    verify(&bundles, &[], &Expected::component(Digest::of(COMPONENT)), &TrustPolicy::new(rules).unwrap())
}

/// Of a bundle that is not accepted, the sentence.
fn refused(rules: TrustRules, bundle: &Value) -> (TrustError, String) {
    let error = checked(rules, std::slice::from_ref(bundle)).unwrap_err();
    let sentence = error.to_string();
    assert!(!sentence.chars().any(harness_contract::text::misleads), "{sentence:?}");
    assert!((20..1000).contains(&sentence.chars().count()), "{sentence}");
    (error, sentence)
}

/// Why nothing is proved.
fn unproved(world: &World, bundle: &Value) -> KeylessError {
    match refused(rules(world), bundle) {
        (TrustError::NotProved { source, identity: by, publisher }, sentence) => {
            assert_eq!((by, publisher.as_str()), (identity(SUBJECT), "acme"));
            assert!(sentence.contains(SUBJECT) && sentence.contains(ISSUER), "{sentence}");
            source
        }
        (other, sentence) => panic!("{other:?}: {sentence}"),
    }
}

fn entry(bundle: &mut Value) -> &mut serde_json::Map<String, Value> {
    bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap()
}

#[test]
fn an_identity_that_the_policy_names_signs_for_its_publisher_and_the_log_says_when() {
    let world = World::new();
    let verified = checked(rules(&world), &[signed(&world, &Signing::default())]).unwrap();
    assert_eq!(verified.signer(), &Signer::Identity(identity(SUBJECT)));
    assert_eq!((verified.publisher().as_str(), verified.channel()), ("acme", "chat"));
    assert_eq!(verified.signed_at(), Some(u64::try_from(SIGNED_AT).unwrap() * 1000));
    assert_eq!(verified.rotations().len(), 0);
    // A person, too.
    let mut rules = rules(&world);
    rules.publishers[0].identities = vec![identity("kim@acme.example")];
    let signing = Signing { subject: "kim@acme.example", ..Signing::default() };
    assert!(checked(rules, &[signed(&world, &signing)]).is_ok());
}

#[test]
fn who_is_not_exactly_the_identity_of_the_policy_does_not_sign_for_the_publisher() {
    let world = World::new();
    let longer = format!("{SUBJECT}2");
    for signing in [
        Signing { subject: &SUBJECT.replace("acme", "acrne"), ..Signing::default() },
        Signing { subject: &SUBJECT.replace("tags/v1", "heads/main"), ..Signing::default() },
        Signing { subject: &longer, ..Signing::default() },
        Signing { subject: &SUBJECT.to_uppercase(), ..Signing::default() },
        Signing { subject: "kim@acme.example", ..Signing::default() },
        Signing { issuer: "https://accounts.example.com", ..Signing::default() },
        Signing { issuer: "https://token.actions.example.com/", ..Signing::default() },
    ] {
        let (error, sentence) = refused(rules(&world), &signed(&world, &signing));
        assert!(matches!(error, TrustError::AnothersIdentity { owner: None, .. }), "{sentence}");
        assert!(sentence.contains(signing.subject) && sentence.contains("none of its identities"), "{sentence}");
    }
    // Another publisher's.
    let mut rules = rules(&world);
    rules.publishers[0].identities = vec![identity("kim@acme.example")];
    let bolt = PublisherRule {
        name: "bolt".parse().unwrap(),
        identities: vec![identity(SUBJECT)],
        ..rules.publishers[0].clone()
    };
    rules.publishers.push(bolt);
    let (error, sentence) = refused(rules, &signed(&world, &Signing::default()));
    assert!(matches!(error, TrustError::AnothersIdentity { owner: Some(_), .. }), "{sentence}");
    assert!(sentence.contains("is an identity of `bolt`"), "{sentence}");
}

#[test]
fn a_certificate_that_names_nobody_or_misleads_is_refused() {
    let world = World::new();
    for (issuer, subject) in [(ISSUER, "kim"), ("accounts", SUBJECT), ("https://a.example/\u{202e}", SUBJECT)] {
        let bundle = signed(&world, &Signing { issuer, subject, ..Signing::default() });
        let (error, sentence) = refused(rules(&world), &bundle);
        assert!(matches!(error, TrustError::Certificate(KeylessError::Nobody(_))), "{sentence}");
    }
    let mut bundle = signed(&world, &Signing::default());
    for bytes in [&b""[..], b"\x30\x00", b"no certificate"] {
        bundle["verificationMaterial"]["certificate"]["rawBytes"] = json!(base64(bytes));
        let (error, sentence) = refused(rules(&world), &bundle);
        assert!(matches!(error, TrustError::Certificate(KeylessError::Certificate(_))), "{sentence}");
    }
}

#[test]
fn a_certificate_of_another_authority_for_another_use_or_kept_secret_proves_nothing() {
    let (world, other) = (World::new(), World::new());
    let unproved = |by: &World, signing: Signing<'_>| unproved(&world, &signed(by, &signing));
    for by in [
        World { authority: other.authority.clone(), ..world.clone() },
        World { certificates: other.certificates.clone(), ..world.clone() },
    ] {
        let why = unproved(&by, Signing::default());
        assert!(matches!(why, KeylessError::Certificate(_)), "{why:?}");
    }
    for signing in [Signing { public: false, ..Signing::default() }, Signing { usage: 1, ..Signing::default() }] {
        let why = unproved(&world, signing);
        assert!(matches!(why, KeylessError::Certificate(_)), "{why:?}");
    }
    // All of it is somebody else's.
    assert!(matches!(unproved(&other, Signing::default()), KeylessError::Log(_)));
    // What an authority made before or after the root trusts it.
    let mut early = world.trusted_root();
    early["certificateAuthorities"][0]["validFor"] = json!({ "start": "2024-06-01T00:00:00Z" });
    let mut rules = rules(&world);
    rules.trusted_root = Some(TrustedRoot::read(early.to_string().as_bytes()).unwrap());
    let (error, sentence) = refused(rules, &signed(&world, &Signing::default()));
    assert!(matches!(error, TrustError::NotProved { source: KeylessError::Certificate(_), .. }), "{sentence}");
}

#[test]
fn a_certificate_that_was_not_valid_when_it_signed_proves_nothing() {
    let world = World::new();
    for at in [SIGNED_AT - 3600, SIGNED_AT + 3600, SIGNED_AT + 1_000_000_000] {
        let why = unproved(&world, &signed(&world, &Signing { at, ..Signing::default() }));
        assert!(matches!(why, KeylessError::Time(_) | KeylessError::Certificate(_)), "{at}: {why:?}");
    }
    // The time is what the log signed, not what stands beside it.
    let mut bundle = signed(&world, &Signing { at: SIGNED_AT + 3600, ..Signing::default() });
    entry(&mut bundle)["integratedTime"] = json!(SIGNED_AT.to_string());
    assert!(matches!(unproved(&world, &bundle), KeylessError::Log(_)));
}

#[test]
fn an_entry_that_is_not_in_a_trusted_log_or_for_another_signature_proves_nothing() {
    let (world, other) = (World::new(), World::new());
    // In another log.
    let elsewhere = World { entries: other.entries.clone(), ..world.clone() };
    assert!(matches!(unproved(&world, &signed(&elsewhere, &Signing::default())), KeylessError::Log(_)));
    // Of another signature, by the same identity over the same statement.
    let mut bundle = signed(&world, &Signing::default());
    *entry(&mut bundle) = entry(&mut signed(&world, &Signing::default())).clone();
    assert!(matches!(unproved(&world, &bundle), KeylessError::OtherEntry(_)));
    // With another body.
    let mut bundle = signed(&world, &Signing::default());
    let another = entry(&mut signed(&world, &Signing::default()))["canonicalizedBody"].clone();
    entry(&mut bundle)["canonicalizedBody"] = another;
    assert!(matches!(unproved(&world, &bundle), KeylessError::Log(_)));
    // Its place in the log, the log's word for it, and the log's state, each changed.
    let changes: [fn(&mut Value); 6] = [
        |entry| entry["logIndex"] = json!("0"),
        |entry| entry["inclusionProof"]["logIndex"] = json!("0"),
        |entry| entry["inclusionProof"]["hashes"] = json!([base64(&[7; 32])]),
        |entry| entry["inclusionProof"]["rootHash"] = json!(base64(&[7; 32])),
        |entry| entry["inclusionPromise"]["signedEntryTimestamp"] = json!(base64(b"no signature")),
        |entry| {
            let note = entry["inclusionProof"]["checkpoint"]["envelope"].as_str().unwrap().to_owned();
            entry["inclusionProof"]["checkpoint"]["envelope"] = json!(note.replacen("\n2\n", "\n3\n", 1));
        },
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        let mut bundle = signed(&world, &Signing::default());
        change(&mut bundle["verificationMaterial"]["tlogEntries"][0]);
        let why = unproved(&world, &bundle);
        assert!(matches!(why, KeylessError::Log(_) | KeylessError::Other(_)), "{nth}: {why:?}");
    }
}

/// What is changed in a sound proof, and whether a refusal is the right one.
type Change = (fn(&mut Value), fn(&BundleError) -> bool);

#[test]
fn a_proof_has_one_form_and_nothing_is_missing_in_it() {
    let world = World::new();
    let changes: [Change; 9] = [
        (
            |material| material["tlogEntries"] = json!([]),
            |e| matches!(e, BundleError::Proof(EvidenceError::Entries(0))),
        ),
        (
            |material| {
                let one = material["tlogEntries"][0].clone();
                material["tlogEntries"] = json!([one, one]);
            },
            |e| matches!(e, BundleError::Proof(EvidenceError::Entries(2))),
        ),
        (
            |material| drop(material["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionProof")),
            |e| matches!(e, BundleError::Proof(EvidenceError::NoProof)),
        ),
        (
            |material| drop(material["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionPromise")),
            |e| matches!(e, BundleError::Proof(EvidenceError::NoTime)),
        ),
        (
            |material| drop(material["tlogEntries"][0].as_object_mut().unwrap().remove("integratedTime")),
            |e| matches!(e, BundleError::Proof(EvidenceError::NoTime)),
        ),
        (
            |material| material["tlogEntries"][0]["kindVersion"] = json!({ "kind": "intoto", "version": "0.0.2" }),
            |e| matches!(e, BundleError::Proof(EvidenceError::Kind(_))),
        ),
        (
            |material| {
                let certificate = material.as_object_mut().unwrap().remove("certificate").unwrap();
                material["x509CertificateChain"] = json!({ "certificates": [certificate] });
            },
            |e| matches!(e, BundleError::Proof(EvidenceError::Chain)),
        ),
        (|material| material["publicKey"] = json!({ "hint": "" }), |e| matches!(e, BundleError::Json(_))),
        (|material| material["tlogEntries"][0]["more"] = json!(1), |e| matches!(e, BundleError::Json(_))),
    ];
    for (nth, (change, expected)) in changes.into_iter().enumerate() {
        let mut bundle = signed(&world, &Signing::default());
        change(&mut bundle["verificationMaterial"]);
        let (error, sentence) = refused(rules(&world), &bundle);
        assert!(matches!(&error, TrustError::Bundle(found) if expected(found)), "{nth}: {sentence}");
    }
    let mut bundle = signed(&world, &Signing::default());
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = json!("a key");
    assert!(matches!(refused(rules(&world), &bundle).0, TrustError::Bundle(BundleError::TwoKeys)));
}

#[test]
fn what_was_signed_is_this_component_and_was_not_changed() {
    let world = World::new();
    // A signature over another component, and a statement that was changed after it was signed.
    let Statement::Package(mut other) = statement() else { panic!() };
    other.component = Digest::of(b"another");
    let bundle = world.sign(&Statement::Package(other).to_bytes().unwrap(), &Signing::default());
    let (error, sentence) = refused(rules(&world), &bundle);
    assert!(matches!(error, TrustError::OtherComponent { .. }), "{sentence}");
    let mut bundle = bundle;
    bundle["dsseEnvelope"]["payload"] = json!(base64(&statement().to_bytes().unwrap()));
    assert!(matches!(unproved(&world, &bundle), KeylessError::Forged(_)));
    let mut bundle = signed(&world, &Signing::default());
    let another = signed(&world, &Signing::default());
    bundle["verificationMaterial"] = another["verificationMaterial"].clone();
    assert!(matches!(unproved(&world, &bundle), KeylessError::Forged(_)));
}

#[test]
fn what_is_revoked_or_not_in_the_policy_counts_no_more() {
    let world = World::new();
    let bundle = signed(&world, &Signing::default());
    let mut policy = rules(&world);
    policy.revoked_identities.insert(identity(SUBJECT));
    let (error, sentence) = refused(policy, &bundle);
    assert!(matches!(error, TrustError::RevokedIdentity(_)) && sentence.contains(SUBJECT), "{sentence}");
    let mut policy = rules(&world);
    policy.revoked_digests.insert(Digest::of(COMPONENT));
    assert!(matches!(refused(policy, &bundle).0, TrustError::RevokedDigest(_)));
    let mut policy = rules(&world);
    policy.publishers[0].channels = vec!["other".parse().unwrap()];
    assert!(matches!(refused(policy, &bundle).0, TrustError::Namespace { .. }));
    let mut policy = rules(&world);
    policy.publishers[0].name = "acrne".parse().unwrap();
    let (error, sentence) = refused(policy, &bundle);
    assert!(matches!(error, TrustError::UnknownPublisher { signer: Signer::Identity(_), .. }), "{sentence}");
    // Nobody said whose certificates count.
    let key = SigningKey::generate().unwrap();
    let mut policy = rules(&world);
    (policy.publishers[0].keys, policy.publishers[0].identities) = (vec![*key.public()], Vec::new());
    policy.trusted_root = None;
    let (error, sentence) = refused(policy, &bundle);
    assert!(matches!(error, TrustError::NoRoot) && sentence.contains("(keyless, with a certificate)"), "{sentence}");
}

#[test]
fn keys_and_identities_of_a_publisher_count_side_by_side_and_pass_no_trust_to_each_other() {
    let world = World::new();
    let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let by_key = |key: &SigningKey| {
        let bundle = Bundle::sign(key, &statement()).unwrap().to_bytes().unwrap();
        serde_json::from_slice::<Value>(&bundle).unwrap()
    };
    let mut both = rules(&world);
    both.publishers[0].keys = vec![*old.public()];
    let by_identity = signed(&world, &Signing::default());
    assert_eq!(checked(both.clone(), &[by_key(&old)]).unwrap().signer().key(), Some(&old.public().hint()));
    assert!(checked(both.clone(), std::slice::from_ref(&by_identity)).unwrap().signer().identity().is_some());
    assert!(checked(both.clone(), &[by_identity, by_key(&old), by_key(&new)]).is_ok());
    // An identity does not make a key count.
    let rotation = RotationStatement { publisher: "acme".parse().unwrap(), new_key: *new.public() };
    let rotation = world.sign(&Statement::from(rotation).to_bytes().unwrap(), &Signing::default());
    let error = checked(both, &[rotation, by_key(&new)]).unwrap_err();
    assert!(matches!(error, TrustError::Rotation(RotationError::Identity { .. })), "{error}");
}

#[test]
fn a_policy_with_identities_needs_a_root_and_each_speaks_for_one_publisher() {
    let world = World::new();
    let mut alone = rules(&world);
    alone.trusted_root = None;
    assert!(matches!(TrustPolicy::new(alone), Err(PolicyError::NoRoot(_))));
    let mut shared = rules(&world);
    shared.publishers.push(PublisherRule { name: "bolt".parse().unwrap(), ..shared.publishers[0].clone() });
    let error = TrustPolicy::new(shared).unwrap_err();
    assert!(matches!(error, PolicyError::SharedIdentity { .. }), "{error}");
    for part in ["tlogs", "ctlogs", "certificateAuthorities"] {
        let mut root = world.trusted_root();
        root[part] = json!([]);
        let error = TrustedRoot::read(root.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, KeylessError::Root(_)), "{error}");
    }
    for text in [&b"{}"[..], b"", b"\xff", &vec![b' '; 2 << 20]] {
        assert!(matches!(TrustedRoot::read(text), Err(KeylessError::Root(_))));
    }
}
