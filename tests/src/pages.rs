//! Pages that name tests as proof: every test that exists, and the rows of a page's tables.
//! Belongs here: reading both. What a page must hold stands in its test.

use std::{collections::HashMap, fs, path::Path};

use crate::root;

/// A page of `docs/`.
pub fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The table below this heading, without its head: the cells of each row.
pub fn table<'p>(page: &'p str, heading: &str) -> Vec<Vec<&'p str>> {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}"));
    let lines = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands between backticks.
pub fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The source of the workspace, by file name; files of one name are one.
pub struct Sources(HashMap<String, String>);

impl Sources {
    /// Reads all of it.
    pub fn read() -> Self {
        let mut sources = HashMap::new();
        collect(root(), &mut sources);
        Self(sources)
    }

    /// Whether there is a test of this name, in any file or in one of that name.
    pub fn have(&self, file: Option<&str>, test: &str) -> bool {
        let function = format!("fn {test}(");
        match file {
            Some(file) => self.0.get(file).is_some_and(|text| is_test(text, &function)),
            None => self.0.values().any(|text| is_test(text, &function)),
        }
    }
}

/// Whether a function has the attribute of a test, which stands at most three lines before it.
fn is_test(text: &str, function: &str) -> bool {
    text.match_indices(function).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().lines().rev().take(4);
        before.into_iter().any(|line| line.contains("test]") || line.contains("::test(") || line.contains("#[test"))
    })
}

fn collect(folder: &Path, sources: &mut HashMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, sources);
        } else if name.ends_with(".rs") {
            sources.entry(name).or_default().push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
