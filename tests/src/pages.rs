//! Pages whose tables are rendered from rows in TOML, and the tests that the rows name as proof.
//! Does not own which rows there must be: the test does.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::root;

/// A page of `docs/`.
pub fn page(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// Where a file of `docs/` lies.
pub fn path(name: &str) -> PathBuf {
    root().join("docs").join(name)
}

/// A table of a page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    columns: [String; 2],
    pub rows: Vec<Row>,
}

/// A promise, and what proves it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Row {
    /// Begins a group of rows under this heading.
    heading: Option<String>,
    pub what: String,
    /// How it is kept; none where it is not kept at all.
    pub how: Option<String>,
    /// What is not kept.
    pub not_yet: Option<String>,
    #[serde(default)]
    pub tests: Vec<String>,
}

/// The tables of a page, by name.
pub fn tables(name: &str) -> BTreeMap<String, Table> {
    toml::from_str(&page(name)).unwrap_or_else(|error| panic!("docs/{name}: {error}"))
}

/// The page with these tables between its markers: `<!-- table promises -->` for each, and `<!-- tests -->` for the
/// tests of all, both up to `<!-- end -->`.
pub fn render(page: &str, tables: &BTreeMap<String, Table>) -> String {
    let mut rendered = page.to_owned();
    let mut notes = String::new();
    for (name, table) in tables {
        rendered = between(&rendered, &format!("table {name}"), &rows(name, table, &mut notes));
    }
    between(&rendered, "tests", &notes)
}

fn rows(name: &str, table: &Table, notes: &mut String) -> String {
    let [what, how] = &table.columns;
    let mut text = String::new();
    for (row, number) in table.rows.iter().zip(1..) {
        if let Some(heading) = &row.heading {
            let _ = write!(text, "{}### {heading}\n\n", if number == 1 { "" } else { "\n" });
        }
        if number == 1 || row.heading.is_some() {
            let _ = writeln!(text, "| | {what} | {how} | Tests |\n|---|---|---|---|");
        }
        let missing = row.not_yet.as_ref().map(|missing| format!("**Not yet:** {missing}"));
        let how: Vec<&str> = [row.how.as_deref(), missing.as_deref()].into_iter().flatten().collect();
        let mark = if row.tests.is_empty() { String::new() } else { format!("[^{name}-{number}]") };
        let _ = writeln!(text, "| {number} | {} | {} | {mark} |", row.what, how.join(" "));
        if !row.tests.is_empty() {
            let _ = writeln!(notes, "{mark}: `{}`", row.tests.join("`, `"));
        }
    }
    text
}

fn between(page: &str, marker: &str, text: &str) -> String {
    let begin = format!("<!-- {marker} -->\n");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("the page has no {begin:?}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{begin:?} has no end"));
    format!("{before}{begin}\n{text}\n<!-- end -->{after}")
}

/// How many tests of each name the workspace has.
pub fn tests() -> HashMap<String, usize> {
    let mut tests = HashMap::new();
    collect(root(), &mut tests);
    tests
}

fn collect(folder: &Path, tests: &mut HashMap<String, usize>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, tests);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                // The attribute of a test stands at most three lines before its function.
                let before = lines.get(at.saturating_sub(3)..at).unwrap_or_default();
                if before.iter().any(|line| ["test]", "::test(", "#[test"].iter().any(|mark| line.contains(mark)))
                    && let Some((_, rest)) = line.split_once("fn ")
                    && let Some((test, _)) = rest.split_once('(')
                {
                    *tests.entry(test.to_owned()).or_default() += 1;
                }
            }
        }
    }
}
