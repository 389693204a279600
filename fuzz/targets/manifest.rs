//! Any text is a manifest or an error. One that parses asks for nothing beyond itself, and what it asks for is told in
//! lines that move no cursor.
#![no_main]

use harness_contract::{
    asks::{asks, beyond},
    manifest::Manifest,
    text::misleads,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(manifest) = Manifest::parse(text, "input") else { return };
    assert!(beyond(&manifest, &manifest).is_empty());
    for ask in asks(&manifest) {
        assert!(!ask.to_string().chars().any(misleads));
    }
});
