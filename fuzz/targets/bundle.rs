//! Any bytes are a signature bundle or a sentence of one line. What is read as a bundle has a statement that is written the
//! same again, and only the bytes that somebody signed are verified.
#![no_main]

use std::sync::LazyLock;

use harness_contract::text::misleads;
use harness_package::{
    Digest,
    signature::{Bundle, Expected, PublicKey, PublisherRule, Statement, TrustError, TrustPolicy, TrustRules, verify},
};
use libfuzzer_sys::fuzz_target;

/// The key of the seed, and what it signed.
const KEY: &str = include_str!("../corpus/bundle.pem");
const COMPONENT: &[u8] = b"component";

static POLICY: LazyLock<TrustPolicy> = LazyLock::new(|| {
    let acme = PublisherRule {
        name: "acme".parse().unwrap(),
        keys: vec![PublicKey::from_pem(KEY).unwrap()],
        identities: Vec::new(),
        channels: vec!["chat".parse().unwrap()],
    };
    TrustPolicy::new(TrustRules { publishers: vec![acme], ..TrustRules::default() }).unwrap()
});

fuzz_target!(|bytes: &[u8]| {
    match verify(&[bytes], &[], &Expected::component(Digest::of(COMPONENT)), &POLICY) {
        Ok(verified) => assert_eq!((verified.channel(), verified.version().to_string().as_str()), ("chat", "1.2.0")),
        Err(error) => told(&error),
    }
    let statement = match Bundle::read(bytes) {
        Ok(bundle) => {
            let again = Bundle::read(&bundle.to_bytes().unwrap()).unwrap();
            assert_eq!(again, bundle);
            bundle.unverified()
        }
        // The rest of the input is read as a statement itself.
        Err(_) => Statement::read(bytes),
    };
    if let Ok(statement) = statement {
        assert_eq!(Statement::read(&statement.to_bytes().unwrap()).unwrap(), statement);
    }
});

fn told(error: &TrustError) {
    let sentence = error.to_string();
    assert!(!sentence.chars().any(misleads), "{sentence:?}");
    assert!(sentence.chars().count() < 1000, "{sentence}");
}
