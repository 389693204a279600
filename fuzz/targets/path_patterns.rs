//! A pattern and an address, a line each: what is admitted has a path that every server reads alike, and one that its
//! pattern fits.
#![no_main]

use harness_contract::{
    egress::{PathPattern, admit},
    manifest::EgressRule,
};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((pattern, path)) = text.split_once('\n') else { return };
    let Ok(pattern) = PathPattern::try_from(pattern.to_owned()) else { return };
    let Ok(url) = Url::parse(&format!("https://api.example.com/{path}")) else { return };
    let rule = EgressRule {
        host: "api.example.com".into(),
        methods: vec!["GET".into()],
        paths: vec![pattern.clone()],
        headers: Vec::new(),
        shown: None,
        max_request_bytes: 0,
        max_response_bytes: 0,
    };
    let rules = [rule];
    let Ok(admitted) = admit(&rules, "GET", &url, 0) else { return };
    assert_eq!(admitted.host, "api.example.com");
    assert!(pattern.matches(url.path()));
    // Read once more, as a lenient server does, it has the same segments.
    let read = percent_decoded(url.path());
    assert_eq!(read.split(['/', '\\']).count(), url.path().split('/').count());
    assert!(!read.split('/').any(|segment| matches!(segment, "." | "..")));
});

/// The bytes of a path without its escapes, as text.
fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| more.get(..2)).flatten();
        let value = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
