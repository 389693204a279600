//! The walls of the house: which room of the host may use which. Every `use` line and every path is read and compared with
//! the tables here; a new edge is an edit of a table, and a circle is never allowed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each crate may name of the others.
const CRATES: [(&str, &[&str]); 10] = [
    ("contract", &[]),
    ("sandbox", &["contract"]),
    ("inbox", &["contract"]),
    ("egress", &["contract"]),
    ("engine", &["contract", "egress", "inbox", "sandbox"]),
    ("automation", &["contract", "engine", "inbox"]),
    ("package", &["contract"]),
    ("server", &["automation", "contract", "engine", "inbox"]),
    ("build", &["contract"]),
    ("cli", &["automation", "build", "contract", "egress", "engine", "inbox", "package", "sandbox", "server"]),
];

/// What a crate never sees of other people's.
const NEVER: [Room; 5] = [
    ("sandbox", &["tokio"]),
    ("inbox", &["axum", "reqwest", "wasmtime"]),
    ("engine", &["axum", "hyper", "maud", "wasmtime"]),
    ("automation", &["axum", "reqwest", "rusqlite", "wasmtime"]),
    ("server", &["reqwest", "rusqlite", "wasmtime"]),
];

/// A room, and the rooms that it may use.
type Room = (&'static str, &'static [&'static str]);

/// What each room of a crate may use of the others: of rooms that are not named, nothing. `lib` and `main` wire.
const ROOMS: [(&str, &[Room]); 9] = [
    (
        "contract",
        &[
            ("asks", &["manifest", "setting_host", "text"]),
            ("checks", &["manifest", "setting_host", "syntax"]),
            ("egress", &["syntax"]),
            ("manifest", &["egress", "setting_host", "settings", "webhook"]),
            ("signed_text", &["syntax"]),
            ("webhook", &["signed_text", "syntax"]),
        ],
    ),
    (
        "sandbox",
        &[
            ("channel", &["cache", "config", "effects", "error", "exports", "inspect", "memory", "observe"]),
            ("compiler", &["config", "error"]),
            ("config", &["count"]),
            ("count", &["inspect"]),
            ("effects", &["error", "inspect", "memory"]),
            (
                "engine",
                &[
                    "cache", "channel", "compiler", "config", "count", "effects", "error", "inspect", "memory",
                    "observe",
                ],
            ),
            ("error", &["cache", "count", "inspect"]),
            ("exports", &["effects", "error", "inspect"]),
            ("inspect", &["metadata"]),
            ("observe", &["error"]),
            ("replay", &["channel", "error", "observe"]),
        ],
    ),
    (
        "inbox",
        &[
            ("error", &["model"]),
            ("follow", &["error", "model"]),
            ("sqlite", &["error", "files", "model", "store", "window", "words"]),
            ("store", &["error", "model"]),
            ("words", &["model"]),
        ],
    ),
    (
        "egress",
        &[
            ("capture", &["credentials", "error", "offload", "redact"]),
            ("body", &["error", "memory"]),
            ("client", &["body", "error", "inject", "memory", "resolver", "response"]),
            ("credentials", &["error", "redact"]),
            ("direct", &["client", "error", "resolver"]),
            ("download", &["error", "memory", "response", "send"]),
            ("inject", &["body", "capture", "credentials", "error", "memory", "offload", "policy", "sizes"]),
            ("known", &["credentials", "error", "offload", "redact"]),
            ("policy", &["error", "known", "offload", "sizes"]),
            ("redact", &["offload"]),
            ("response", &["capture", "error", "inject", "known", "memory", "offload", "redact"]),
            (
                "send",
                &[
                    "body", "capture", "client", "error", "inject", "known", "memory", "offload", "policy", "response",
                    "sizes",
                ],
            ),
        ],
    ),
    (
        "engine",
        &[
            ("accounts", &["base", "channels", "error", "network"]),
            ("base", &["error"]),
            ("channels", &["base", "error"]),
            (
                "host",
                &[
                    "accounts",
                    "base",
                    "channels",
                    "error",
                    "ingest",
                    "maintenance",
                    "media",
                    "network",
                    "observe",
                    "options",
                    "organisation",
                    "outbound",
                    "store",
                    "webhooks",
                ],
            ),
            ("ingest", &["base", "channels", "error", "network"]),
            ("maintenance", &["base", "channels", "store"]),
            ("media", &["base", "channels", "error", "network", "store"]),
            ("network", &["base", "channels", "error"]),
            ("observe", &["base"]),
            ("options", &["base", "maintenance", "store"]),
            // Of the other rooms, media alone: for the files that messages carry.
            ("organisation", &["base"]),
            ("webhooks", &["base"]),
            ("outbound", &["base", "channels", "error", "media", "network"]),
        ],
    ),
    (
        "package",
        &[
            ("copy", &["oci", "source"]),
            ("file", &["oci", "source"]),
            ("found", &["file", "layout", "oci", "reference", "registry", "signature", "source"]),
            ("installed", &["digest", "durable", "names", "signature"]),
            ("layout", &["oci", "reference", "source"]),
            ("reference", &["digest"]),
            ("registry", &["oci", "reference", "source"]),
            ("signature", &["names", "oci"]),
            ("source", &["digest", "oci"]),
        ],
    ),
    (
        "server",
        &[
            ("api", &["auth", "listener", "middleware", "problem", "streams"]),
            ("auth", &["listener", "middleware"]),
            ("files", &["api"]),
            ("listener", &["middleware", "problem"]),
            ("middleware", &["problem"]),
            ("auth", &["phone"]),
            ("pages", &["api", "auth", "listener", "middleware", "phone", "request_id", "streams"]),
            ("problem", &["request_id"]),
            (
                "router",
                &["api", "auth", "files", "listener", "middleware", "pages", "request_id", "streams", "webhooks"],
            ),
            ("streams", &["auth", "listener"]),
            ("webhooks", &["listener", "middleware", "request_id"]),
        ],
    ),
    (
        "automation",
        &[
            ("assistant", &["compose", "decision", "facts", "look", "settings", "words"]),
            ("dry_run", &["assistant", "decision", "facts", "look", "manage", "routing", "settings", "welcome"]),
            ("facts", &["words"]),
            ("follow", &["decision", "facts", "look", "routing", "settings", "welcome"]),
            ("look", &["decision", "facts", "settings"]),
            ("manage", &["assistant", "look", "settings"]),
            ("routing", &["decision", "facts", "settings"]),
            ("settings", &["words"]),
            ("welcome", &["compose", "decision", "facts", "settings"]),
        ],
    ),
    (
        "cli",
        &[("author", &["compiler", "log", "operator", "progress"]), ("operator", &["compiler", "log", "progress"])],
    ),
];

type Edges = BTreeMap<String, BTreeSet<String>>;

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("host-harness")
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// A file without its comments and its own tests, which may look anywhere.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    if text.contains("\n#![cfg(test)]\n") {
        return String::new();
    }
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The names right behind `crate::`, also those of a list in braces.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + start.len()..];
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut item) = (1, String::new());
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if c == ',' && depth == 1 {
                    found.insert(word(std::mem::take(&mut item).trim()));
                    continue;
                }
                if depth == 0 {
                    found.insert(word(item.trim()));
                    break;
                }
                item.push(c);
            }
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

/// Which rooms of a crate use which: a room is a file or a folder of `src`.
fn edges_of(name: &str) -> Edges {
    let src = host().join(name).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let room_of = |path: &Path| {
        let first = path.strip_prefix(&src).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let rooms: BTreeSet<String> = files.iter().map(|path| room_of(path)).collect();
    let mut edges = Edges::new();
    for path in &files {
        let room = room_of(path);
        let used = named(&code(path)).into_iter().filter(|used| *used != room && rooms.contains(used));
        let used: BTreeSet<String> = used.collect();
        edges.entry(room).or_default().extend(used);
    }
    // They wire; and what the fuzzers hold on to is built for them alone.
    for outside in ["lib", "main", "fuzzing"] {
        edges.remove(outside);
    }
    edges
}

/// A way from a room back to itself.
fn circle(edges: &Edges) -> Option<Vec<String>> {
    fn walk(edges: &Edges, way: &mut Vec<String>) -> bool {
        let here = way.last().unwrap().clone();
        for next in edges.get(&here).into_iter().flatten() {
            if *next == way[0] {
                way.push(next.clone());
                return true;
            }
            if !way.contains(next) {
                way.push(next.clone());
                if walk(edges, way) {
                    return true;
                }
                way.pop();
            }
        }
        false
    }
    edges.keys().find_map(|room| {
        let mut way = vec![room.clone()];
        walk(edges, &mut way).then_some(way)
    })
}

#[test]
fn a_room_uses_only_what_the_table_allows_it() {
    for (name, allowed) in ROOMS {
        for (room, used) in edges_of(name) {
            let may: BTreeSet<String> = allowed
                .iter()
                .filter(|(known, _)| *known == room)
                .flat_map(|(_, rooms)| rooms.iter().map(|room| (*room).to_owned()))
                .collect();
            let new: Vec<_> = used.difference(&may).collect();
            assert!(new.is_empty(), "{name}: `{room}` uses {new:?}, which the table of this test does not allow");
            let unused: Vec<_> = may.difference(&used).collect();
            assert!(unused.is_empty(), "{name}: `{room}` does not use {unused:?} any more: take it off the table");
        }
    }
}

#[test]
fn no_rooms_use_each_other_in_a_circle() {
    for (name, _) in CRATES {
        let found = circle(&edges_of(name));
        assert!(found.is_none(), "{name}: {}", found.unwrap().join(" -> "));
    }
    let two = Edges::from([("a".into(), ["b".into()].into()), ("b".into(), ["a".into()].into())]);
    assert_eq!(circle(&two).unwrap(), ["a", "b", "a"], "a circle is found");
}

#[test]
fn a_crate_depends_only_on_what_the_table_allows_it() {
    for (name, allowed) in CRATES {
        let manifest = fs::read_to_string(host().join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let used = manifest["dependencies"].as_table().unwrap().keys();
        let used: BTreeSet<&str> = used.filter_map(|dependency| dependency.strip_prefix("harness-")).collect();
        assert_eq!(used, allowed.iter().copied().collect(), "{name}");
        let strangers = NEVER.iter().filter(|(of, _)| *of == name).flat_map(|(_, crates)| *crates);
        for stranger in strangers {
            assert!(!manifest["dependencies"].as_table().unwrap().contains_key(*stranger), "{name} sees {stranger}");
        }
    }
}

#[test]
fn no_file_of_the_host_is_too_long_to_read_in_one_sitting() {
    let mut files = Vec::new();
    CRATES.iter().for_each(|(name, _)| sources(&host().join(name).join("src"), &mut files));
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 450, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_host_names_no_platform() {
    let mut files = Vec::new();
    CRATES.iter().for_each(|(name, _)| sources(&host().join(name).join("src"), &mut files));
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let named = text.split(|c: char| !c.is_alphanumeric()).find(|word| {
            // Of the third, only the name: pages have an element that is written small.
            ["instagram", "facebook"].contains(&word.to_lowercase().as_str()) || *word == "Meta"
        });
        assert_eq!(named, None, "{}: a channel, its manifest or the simulator knows that word", path.display());
    }
}

#[test]
fn every_file_of_the_host_begins_with_what_it_owns_and_what_it_does_not() {
    let mut files = Vec::new();
    CRATES.iter().for_each(|(name, _)| sources(&host().join(name).join("src"), &mut files));
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let owns = head.first().is_some_and(|line| line.starts_with("//! Owns: "));
        let not = head.iter().any(|line| line.starts_with("//! Does not own: "));
        assert!(owns && not, "{} has no such head", path.display());
    }
}
