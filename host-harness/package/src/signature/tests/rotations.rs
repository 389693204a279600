//! Owns: tests of keys that a publisher's older key passes its trust on to.
//! Does not own: other refusals (`trust`).
#![cfg(test)]

use super::*;

fn keys<const N: usize>() -> [SigningKey; N] {
    std::array::from_fn(|_| SigningKey::generate().unwrap())
}

#[test]
fn a_new_key_that_the_old_one_signed_is_trusted_for_that_publisher() {
    let parties = Parties::new();
    let [new] = keys();
    let bundle = signed(&new, statement("acme", "chat", "1.2.0"));
    let (error, _) = parties.refusal(std::slice::from_ref(&bundle));
    assert!(matches!(error, TrustError::AnothersKey { .. }), "without the rotation");
    let verified = parties.verify(&[bundle.clone(), rotated(&parties.acme, "acme", &new)]).unwrap();
    assert_eq!(verified.signer().key(), Some(&new.public().hint()));
    assert_eq!(verified.rotated_from().collect::<Vec<_>>(), [&parties.acme.public().hint()]);
    // For that publisher, and for nothing else that it may not.
    for (publisher, channel) in [("bolt", "bolt"), ("acme", "bolt")] {
        let bundles = [signed(&new, statement(publisher, channel, "1.2.0")), rotated(&parties.acme, "acme", &new)];
        parties.refusal(&bundles);
    }
    assert!(
        parties.verify(&[parties.bundle(), rotated(&parties.acme, "acme", &new)]).is_ok(),
        "the old key still counts"
    );
}

#[test]
fn trust_is_passed_on_five_times_in_any_order_and_not_six_times() {
    let parties = Parties::new();
    let chain = keys::<6>();
    let mut links = vec![rotated(&parties.acme, "acme", &chain[0])];
    links.extend(chain.windows(2).map(|pair| rotated(&pair[0], "acme", &pair[1])));
    links.reverse();
    let by = |key: &SigningKey| [vec![signed(key, statement("acme", "chat", "1.2.0"))], links.clone()].concat();
    let verified = parties.verify(&by(&chain[4])).unwrap();
    assert_eq!(verified.rotated_from().len(), MAX_ROTATIONS);
    assert_eq!(verified.rotated_from().next(), Some(&parties.acme.public().hint()));
    let (error, sentence) = parties.refusal(&by(&chain[5]));
    assert!(matches!(error, TrustError::Rotation(RotationError::TooLong { .. })), "{sentence}");
    // A shorter way to the same key counts.
    let short = [by(&chain[5]), vec![rotated(&parties.acme, "acme", &chain[4])]].concat();
    assert_eq!(parties.verify(&short).unwrap().rotated_from().len(), 2);
}

#[test]
fn rotations_that_a_package_needed_are_known_for_the_next_one_and_no_others() {
    let mut parties = Parties::new();
    let [middle, new, stranger] = keys();
    let chain = [rotated(&parties.acme, "acme", &middle), rotated(&middle, "acme", &new)];
    let others = [
        rotated(&stranger, "acme", &stranger),
        rotated(&parties.acme, "acme", &stranger),
        rotated(&parties.bolt, "bolt", &stranger),
    ];
    let next = [signed(&new, statement("acme", "chat", "1.2.0"))];
    let verified = parties.verify(&[&next[..], &others, &chain].concat()).unwrap();
    let known: Vec<Vec<u8>> = verified.rotations().map(<[u8]>::to_vec).collect();
    assert_eq!(known, chain);
    // Those of many publishers leave as much room for signatures.
    let known = [known, vec![rotated(&parties.bolt, "bolt", &stranger); MAX_BUNDLES]].concat();
    assert_eq!(
        verify(&next, &known, &expected(), &parties.policy()).unwrap().signer().key(),
        Some(&new.public().hint())
    );
    let (error, _) = told(verify(&[], &known, &expected(), &parties.policy()));
    assert!(matches!(error, TrustError::Unsigned));
    parties.rules.revoked_keys = [middle.public().hint()].into();
    let (error, sentence) = told(verify(&next, &known, &expected(), &parties.policy()));
    assert!(matches!(error, TrustError::Rotation(RotationError::RevokedNew { .. })), "{sentence}");
}

#[test]
fn a_circle_of_rotations_ends() {
    let parties = Parties::new();
    let [one, two] = keys();
    let circle = [
        rotated(&parties.acme, "acme", &one),
        rotated(&one, "acme", &two),
        rotated(&two, "acme", &one),
        rotated(&two, "acme", &parties.acme),
        signed(&two, statement("acme", "chat", "1.2.0")),
    ];
    assert_eq!(parties.verify(&circle).unwrap().rotated_from().len(), 2);
}

#[test]
fn a_revoked_key_neither_passes_trust_on_nor_gets_it() {
    let mut parties = Parties::new();
    let [middle, new] = keys();
    let bundles = [
        signed(&new, statement("acme", "chat", "1.2.0")),
        rotated(&parties.acme, "acme", &middle),
        rotated(&middle, "acme", &new),
    ];
    assert!(parties.verify(&bundles).is_ok());
    for revoked in [&parties.acme, &middle].map(|key| key.public().hint()) {
        parties.rules.revoked_keys = [revoked].into();
        let (error, sentence) = parties.refusal(&bundles);
        assert!(matches!(error, TrustError::Rotation(_)), "{sentence}");
        assert!(sentence.contains("revoked") || sentence.contains("not trusted"), "{sentence}");
    }
    parties.rules.revoked_keys = [new.public().hint()].into();
    let (error, sentence) = parties.refusal(&bundles);
    assert!(matches!(error, TrustError::RevokedKey(_)), "{sentence}");
}

#[test]
fn a_publisher_passes_on_the_trust_in_itself_alone() {
    let parties = Parties::new();
    let [new, stranger] = keys();
    // Bolt names a key of its own for Acme.
    let (error, sentence) =
        parties.refusal(&[signed(&new, statement("acme", "chat", "1.2.0")), rotated(&parties.bolt, "acme", &new)]);
    assert!(matches!(error, TrustError::Rotation(RotationError::AnothersKey { .. })), "{sentence}");
    // Bolt claims a key of Acme's for itself: Acme's signature stays Acme's.
    let claimed = [parties.bundle(), rotated(&parties.bolt, "bolt", &parties.acme)];
    assert_eq!(parties.verify(&claimed).unwrap().publisher().as_str(), "acme");
    let claimed = [signed(&parties.acme, statement("bolt", "bolt", "1.2.0")), claimed[1].clone()];
    let (error, sentence) = parties.refusal(&claimed);
    assert!(matches!(error, TrustError::Rotation(RotationError::AnothersKey { .. })), "{sentence}");
    // A stranger names its own key for Acme.
    let (error, sentence) =
        parties.refusal(&[signed(&new, statement("acme", "chat", "1.2.0")), rotated(&stranger, "acme", &new)]);
    assert!(matches!(error, TrustError::Rotation(RotationError::UnknownKey { .. })), "{sentence}");
}

#[test]
fn a_rotation_that_was_changed_is_refused() {
    let parties = Parties::new();
    let [new, stranger] = keys();
    let renamed = String::from_utf8(rotated(&stranger, "acme", &new)).unwrap();
    let (its, acmes) = (stranger.public().hint().to_string(), parties.acme.public().hint().to_string());
    let forged = renamed.replace(&its, &acmes).into_bytes();
    let (error, sentence) = parties.refusal(&[signed(&new, statement("acme", "chat", "1.2.0")), forged]);
    assert!(matches!(error, TrustError::Rotation(RotationError::Forged { .. })), "{sentence}");
}

#[test]
fn a_rotation_is_no_signature_of_a_package_and_a_package_no_rotation() {
    let parties = Parties::new();
    let [new] = keys();
    let (error, _) = parties.refusal(&[rotated(&parties.acme, "acme", &new)]);
    assert!(matches!(error, TrustError::Unsigned));
    // The signature of one under the payload of the other.
    let read = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
    let (mut package, rotation) = (read(parties.bundle()), read(rotated(&parties.acme, "acme", &new)));
    package["dsseEnvelope"]["payload"] = rotation["dsseEnvelope"]["payload"].clone();
    let mixed = serde_json::to_vec(&package).unwrap();
    parties.refusal(&[signed(&new, statement("acme", "chat", "1.2.0")), mixed]);
}
