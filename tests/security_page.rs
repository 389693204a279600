//! `docs/security.md`: every test that the page names as the proof of a promise is there.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

use std::{fs, path::Path};

/// The source of every test of the workspace.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut tests = String::new();
    sources(root, &mut tests);
    let (_, table) = page.split_once("## What stops each attack").unwrap();
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4).collect();
    let mut named = 0;
    for row in rows.iter().skip(1).filter(|row| !row.contains("---")) {
        let cell = row.split('|').nth(3).unwrap();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test stands in: {row}");
        for name in names {
            assert!(tests.contains(&format!("fn {name}(")), "docs/security.md names `{name}`, which is no test");
            named += 1;
        }
    }
    assert!(named > 30, "{named} tests are named");
}
