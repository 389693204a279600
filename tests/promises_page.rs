//! `docs/promises.md`: no promise, scenario or complaint is missing, and every test that is named as proof is there.

#![allow(clippy::indexing_slicing, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use channel_tests::pages::{Sources, page, quoted, table};

/// The tables, and how many rows each has. A row that is dropped is a promise that is dropped.
const TABLES: [(&str, usize); 3] = [("What is promised", 7), ("Scenarios", 14), ("What went wrong elsewhere", 70)];

#[test]
fn every_row_has_its_number_and_names_tests_that_exist_or_says_not_yet() {
    let (page, sources) = (page("promises.md"), Sources::read());
    for (heading, count) in TABLES {
        let rows = table(&page, heading);
        assert_eq!(rows.len(), count, "{heading}");
        for (row, number) in rows.iter().zip(1..) {
            let [its_number, what, how, tests @ ..] = row.as_slice() else { panic!("{heading}: {row:?}") };
            assert_eq!(its_number.parse().ok(), Some(number), "{heading}: {what}");
            let names: Vec<_> = tests.iter().flat_map(|cell| quoted(cell)).collect();
            assert_eq!(
                names.is_empty(),
                how.starts_with("not yet"),
                "{heading} {number}: tests, or \"not yet\": {how}"
            );
            for name in names {
                let (file, test) = name.split_once(": ").unwrap_or_else(|| panic!("{name} is no `file.rs: test`"));
                assert!(sources.have(Some(file), test), "{heading} {number} names `{name}`, which is no test");
            }
        }
    }
}
