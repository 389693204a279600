//! Owns: tests of who is trusted with what, a refusal for each thing that can be wrong.
//! Does not own: malformed bundles (`bundles`), new keys (`rotations`).
#![cfg(test)]

use super::*;
use crate::Version;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn a_package_that_its_publisher_signed_is_verified_and_says_what_it_is() {
    let parties = Parties::new();
    let verified = parties.verify(&[parties.bundle()]).unwrap();
    let said = statement("acme", "chat", "1.2.0");
    assert_eq!(verified.publisher().as_str(), "acme");
    assert_eq!((verified.channel(), verified.version()), ("chat", &version("1.2.0")));
    assert_eq!(verified.signer().key(), Some(&parties.acme.public().hint()));
    assert_eq!(verified.rotated_from().len(), 0);
    assert_eq!((verified.component(), verified.manifest()), (&said.component, &said.manifest));
    assert_eq!(verified.predecessor(), said.package.predecessor.as_ref());
    assert_eq!((verified.source(), verified.build()), (&said.package.source, &said.package.build));
    assert_eq!(verified.attachments(), said.package.attachments);
    assert_eq!(verified.contract(), &version("0.2.0"));
    let file = Expected::component(Digest::of(COMPONENT));
    assert!(verify(&[parties.bundle()], &[], &file, &parties.policy()).is_ok(), "a file has no manifest to compare");
}

#[test]
fn nothing_is_trusted_by_default() {
    let parties = Parties::new();
    let (error, _) = told(verify(&[parties.bundle()], &[], &expected(), &TrustPolicy::default()));
    assert!(matches!(error, TrustError::UnknownPublisher { .. }));
    let (error, sentence) = parties.refusal(&[]);
    assert!(matches!(error, TrustError::Unsigned), "{sentence}");
}

#[test]
fn only_the_absence_of_signatures_is_called_unsigned() {
    let parties = Parties::new();
    let stranger = SigningKey::generate().unwrap();
    for bundle in [b"".to_vec(), b"{}".to_vec(), signed(&stranger, statement("acme", "chat", "1.2.0"))] {
        let (error, sentence) = parties.refusal(&[bundle]);
        assert!(!matches!(error, TrustError::Unsigned), "{sentence}");
    }
}

#[test]
fn changed_bytes_are_refused_with_both_digests() {
    let parties = Parties::new();
    let policy = parties.policy();
    for at in 0..COMPONENT.len() {
        let mut bytes = COMPONENT.to_vec();
        bytes[at] ^= 0x20;
        let found = Digest::of(&bytes);
        let (error, sentence) =
            told(verify(&[parties.bundle()], &[], &Expected { component: found, ..expected() }, &policy));
        assert!(matches!(error, TrustError::OtherComponent { .. }), "{sentence}");
        assert!(sentence.contains(&found.to_string()) && sentence.contains(&Digest::of(COMPONENT).to_string()));
    }
}

#[test]
fn a_replaced_manifest_is_refused() {
    let parties = Parties::new();
    let replaced = Expected { manifest: Some(Digest::of(b"another")), ..expected() };
    let (error, sentence) = told(verify(&[parties.bundle()], &[], &replaced, &parties.policy()));
    assert!(matches!(error, TrustError::OtherManifest { .. }), "{sentence}");
    assert!(sentence.contains("replaced"), "{sentence}");
}

#[test]
fn a_publisher_that_nobody_knows_is_refused_and_told_whom_it_looks_like() {
    let parties = Parties::new();
    let stranger = SigningKey::generate().unwrap();
    let (error, sentence) = parties.refusal(&[signed(&stranger, statement("acrne", "chat", "1.2.0"))]);
    let TrustError::UnknownPublisher { claimed, resembles, signer } = error else { panic!("{sentence}") };
    assert_eq!((claimed, resembles), (name("acrne"), Some(name("acme"))));
    assert_eq!(signer, Signer::Key(stranger.public().hint()));
    assert!(sentence.contains("looks like that of `acme`, which is somebody else"), "{sentence}");
    let (_, sentence) = parties.refusal(&[signed(&stranger, statement("zephyr", "chat", "1.2.0"))]);
    assert!(!sentence.contains("looks like") && sentence.contains(&stranger.public().hint().to_string()), "{sentence}");
}

#[test]
fn anothers_key_does_not_sign_for_a_publisher() {
    let parties = Parties::new();
    let stranger = SigningKey::generate().unwrap();
    let (error, sentence) = parties.refusal(&[signed(&stranger, statement("acme", "chat", "1.2.0"))]);
    assert!(matches!(error, TrustError::AnothersKey { owner: None, .. }), "{sentence}");
    let (error, sentence) = parties.refusal(&[signed(&parties.bolt, statement("acme", "chat", "1.2.0"))]);
    assert!(
        matches!(&error, TrustError::AnothersKey { owner: Some(owner), .. } if owner.as_str() == "bolt"),
        "{sentence}"
    );
    assert!(sentence.contains("is a key of `bolt`"), "{sentence}");
}

#[test]
fn a_key_that_is_only_named_does_not_count() {
    let parties = Parties::new();
    let stranger = SigningKey::generate().unwrap();
    let bundle = signed(&stranger, statement("acme", "chat", "1.2.0"));
    let renamed = String::from_utf8(bundle).unwrap();
    let (its, acmes) = (stranger.public().hint().to_string(), parties.acme.public().hint().to_string());
    let (error, sentence) = parties.refusal(&[renamed.replace(&its, &acmes).into_bytes()]);
    assert!(matches!(error, TrustError::Forged { .. }), "{sentence}");
}

#[test]
fn a_publisher_publishes_only_its_own_channels() {
    let parties = Parties::new();
    let sign = |channel: &str| [signed(&parties.acme, statement("acme", channel, "1.0.0"))];
    for channel in ["chat", "acme-chat", "acme-a-b"] {
        assert!(parties.verify(&sign(channel)).is_ok(), "{channel}");
    }
    for channel in ["bolt", "chat2", "chat-2", "acme", "acmechat", "my-acme-chat"] {
        let (error, sentence) = parties.refusal(&sign(channel));
        assert!(matches!(error, TrustError::Namespace { .. }), "{channel}: {sentence}");
        assert!(sentence.contains("`chat`, `acme-*`"), "{sentence}");
    }
}

#[test]
fn what_is_revoked_is_refused_whoever_signed_it() {
    let mut parties = Parties::new();
    for revoked in [Digest::of(COMPONENT), Digest::of(MANIFEST)] {
        parties.rules.revoked_digests = [revoked].into();
        let (error, sentence) = parties.refusal(&[parties.bundle()]);
        assert!(matches!(error, TrustError::RevokedDigest(digest) if digest == revoked), "{sentence}");
        let (error, _) = parties.refusal(&[]);
        assert!(matches!(error, TrustError::RevokedDigest(_)), "also where unsigned components are allowed");
    }
    parties.rules.revoked_digests.clear();
    parties.rules.revoked_keys = [parties.acme.public().hint()].into();
    let (error, sentence) = parties.refusal(&[parties.bundle()]);
    assert!(matches!(error, TrustError::RevokedKey(_)), "{sentence}");
}

#[test]
fn another_channel_or_version_than_was_asked_for_is_refused() {
    let parties = Parties::new();
    let ask = |expected: Expected| told(verify(&[parties.bundle()], &[], &expected, &parties.policy()));
    let (error, sentence) = ask(Expected { channel: Some("acme-chat".into()), ..expected() });
    assert!(matches!(error, TrustError::OtherChannel { .. }), "{sentence}");
    let (error, sentence) = ask(Expected { channel: Some("\u{1b}[2J\u{202e}".repeat(900)), ..expected() });
    assert!(matches!(error, TrustError::OtherChannel { .. }), "{sentence}");
    let (error, sentence) = ask(Expected { version: Some(version("1.2.1")), ..expected() });
    assert!(matches!(error, TrustError::OtherVersion { .. }), "{sentence}");
}

#[test]
fn signatures_that_others_add_neither_help_nor_harm() {
    let parties = Parties::new();
    let stranger = SigningKey::generate().unwrap();
    let junk = [b"junk".to_vec(), b"{}".to_vec(), signed(&stranger, statement("acme", "chat", "9.0.0"))];
    let with = |bundle: Vec<u8>| [junk.to_vec(), vec![bundle], junk.to_vec()].concat();
    assert_eq!(parties.verify(&with(parties.bundle())).unwrap().version(), &version("1.2.0"));
    // Of all refusals, the one that came furthest is told.
    let (error, sentence) = parties.refusal(&with(signed(&parties.acme, statement("acme", "bolt", "1.2.0"))));
    assert!(matches!(error, TrustError::Namespace { .. }), "{sentence}");
    let (error, sentence) = parties.refusal(&vec![parties.bundle(); MAX_BUNDLES + 1]);
    assert!(matches!(error, TrustError::TooMany(_)), "{sentence}");
}

#[test]
fn two_good_signatures_that_say_two_things_are_refused_unless_one_is_asked_for() {
    let parties = Parties::new();
    let bundles = [parties.bundle(), signed(&parties.acme, statement("acme", "chat", "1.3.0"))];
    let (error, sentence) = parties.refusal(&bundles);
    assert!(matches!(error, TrustError::Contradiction { .. }), "{sentence}");
    let one = Expected { version: Some(version("1.3.0")), ..expected() };
    assert_eq!(verify(&bundles, &[], &one, &parties.policy()).unwrap().version(), &version("1.3.0"));
    assert!(parties.verify(&[parties.bundle(), parties.bundle()]).is_ok(), "signed twice");
}

#[test]
fn a_policy_in_which_one_could_be_taken_for_another_is_refused() {
    let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let refusal = |publishers: Vec<PublisherRule>| {
        TrustPolicy::new(TrustRules { publishers, ..TrustRules::default() }).unwrap_err()
    };
    let acme = || rule("acme", &[&one], &["chat"]);
    let error = refusal(vec![acme(), rule("acrne", &[&two], &["chat"])]);
    assert!(matches!(error, PolicyError::LookAlike(..)), "{error}");
    let error = refusal(vec![acme(), rule("bolt", &[&two, &one], &["chat"])]);
    assert!(matches!(error, PolicyError::SharedKey { .. }), "{error}");
    let error = refusal(vec![acme(), acme()]);
    assert!(matches!(error, PolicyError::Twice(_)), "{error}");
    let error = refusal(vec![rule("acme", &[], &["chat"])]);
    assert!(matches!(error, PolicyError::NoKey(_)), "{error}");
    let error = refusal(vec![rule("acme", &[&one], &[])]);
    assert!(matches!(error, PolicyError::NoChannel(_)), "{error}");
    for pattern in ["*", "-*", "", "acme*", "acme-**", "a-*-b", "../x", "Chat", "*-chat"] {
        assert!(pattern.parse::<ChannelPattern>().is_err(), "{pattern:?}");
    }
}

#[test]
fn a_policy_is_read_from_a_configuration() {
    let key = SigningKey::generate().unwrap();
    let text = format!(
        "revoked-keys = [\"{}\"]\nrevoked-digests = [\"{}\"]\n[[publishers]]\nname = \"acme\"\nchannels = [\"chat\", \
         \"acme-*\"]\nkeys = [\"\"\"\n{}\"\"\"]\n",
        "0".repeat(64),
        Digest::of(b"revoked"),
        key.public().to_pem()
    );
    let rules: TrustRules = toml::from_str(&text).unwrap();
    let policy = TrustPolicy::new(rules).unwrap();
    assert!(policy.revokes(&Digest::of(b"revoked")));
    assert!(verify(&[signed(&key, statement("acme", "chat", "1.2.0"))], &[], &expected(), &policy).is_ok());
    for other in [
        text.replace("acme\"", "Acme\""),
        text.replace("chat", "chat*"),
        text.replace("PUBLIC", "PRIVATE"),
        format!("x = 1\n{text}"),
    ] {
        assert!(toml::from_str::<TrustRules>(&other).is_err(), "{other}");
    }
}

#[cfg(not(feature = "keyless"))]
#[test]
fn without_the_feature_a_trusted_root_is_refused_and_says_what_to_build() {
    let refused = TrustedRoot::read(b"{}").unwrap_err();
    assert_eq!(refused, KeylessError::NotBuilt);
    assert!(refused.to_string().contains("feature `keyless`"), "{refused}");
    let sentence = TrustError::NoRoot.to_string();
    assert!(sentence.contains("(keyless, with a certificate)") && sentence.contains("feature `keyless`"), "{sentence}");
}
