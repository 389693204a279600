//! `docs/security.md`: every test that the page names as the proof of a promise is there.

#![allow(clippy::indexing_slicing, missing_docs, reason = "a test fails by panicking")]

use channel_tests::pages::{Sources, page, quoted, table};

#[test]
fn every_test_that_the_security_page_names_exists() {
    let (page, sources) = (page("security.md"), Sources::read());
    let mut named = 0;
    for row in table(&page, "What stops each attack") {
        let names: Vec<_> = quoted(row[2]).collect();
        assert!(!names.is_empty(), "no test stands in: {row:?}");
        for name in names {
            assert!(sources.have(None, name), "docs/security.md names `{name}`, which is no test");
            named += 1;
        }
    }
    assert!(named > 30, "{named} tests are named");
}
