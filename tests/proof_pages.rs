//! `docs/promises.md` and `docs/security.md`: no row is missing, each names tests that exist, and the pages show the rows.
//! Does not own the rows, which stand in `docs/promises.toml` and `docs/security.toml`.

#![allow(clippy::panic, missing_docs, reason = "a test fails by panicking")]

use channel_tests::pages::{self, page, render, tables};

/// The pages with their tables, and how many rows each table has. A row that is dropped is a promise that is dropped.
const PAGES: [(&str, &[(&str, usize)]); 2] = [
    ("promises", &[("complaints", 70), ("files", 9), ("promises", 11), ("scenarios", 14)]),
    ("security", &[("attacks", 123)]),
];

#[test]
fn every_promise_names_a_test_and_every_named_test_exists() {
    let tests = pages::tests();
    for (name, counts) in PAGES {
        let tables = tables(&format!("{name}.toml"));
        let found: Vec<_> = tables.iter().map(|(table, content)| (table.as_str(), content.rows.len())).collect();
        assert_eq!(found, counts, "docs/{name}.toml");
        for row in tables.values().flat_map(|table| &table.rows) {
            let what = &row.what;
            assert!(row.how.is_some() || row.not_yet.is_some(), "neither `how` nor `not-yet`: {what}");
            assert_eq!(
                row.how.is_some(),
                !row.tests.is_empty(),
                "what is kept has tests, what is not has none: {what}"
            );
            for test in &row.tests {
                let count = tests.get(test).copied().unwrap_or_default();
                assert_eq!(count, 1, "docs/{name}.toml names `{test}`, of which there must be one: {what}");
            }
        }
    }
}

#[test]
fn both_pages_are_rendered_from_their_rows() {
    for (name, _) in PAGES {
        let file = format!("{name}.md");
        let (shown, rendered) = (page(&file), render(&page(&file), &tables(&format!("{name}.toml"))));
        if std::env::var_os("UPDATE_PAGES").is_some() {
            std::fs::write(pages::path(&file), &rendered).unwrap_or_else(|error| panic!("docs/{file}: {error}"));
        } else {
            assert!(
                shown == rendered,
                "docs/{file} does not show docs/{name}.toml. Render it with: \
                 UPDATE_PAGES=1 cargo test -p channel-tests --test host both_pages_are_rendered"
            );
        }
    }
}
