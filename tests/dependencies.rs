//! The dependencies, by the rules of `deny.toml`: licences, crates that are not wanted, sources. For machines without
//! cargo-deny, which also looks for advisories.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde::Deserialize;
use spdx::{Expression, ParseMode};

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Clone, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// None: of this workspace.
    source: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn rules() -> Rules {
    toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap()
}

/// What is built on this machine, workspace included.
fn packages() -> Vec<Package> {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new("cargo")
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    serde_json::from_slice::<Metadata>(&metadata.stdout).unwrap().packages
}

/// What the rules forbid of a package.
fn objections(rules: &Rules, package: &Package) -> Vec<String> {
    let mut objections = Vec::new();
    let mut object = |why: String| objections.push(format!("{} {}: {why}", package.name, package.version));
    match package.license.as_deref().map(|text| Expression::parse_mode(text, ParseMode::LAX)) {
        Some(Ok(licence)) => {
            let exceptions = rules.licenses.exceptions.iter().filter(|exception| exception.name == package.name);
            let allowed: Vec<_> =
                rules.licenses.allow.iter().chain(exceptions.flat_map(|exception| &exception.allow)).collect();
            if !licence.evaluate(|wanted| allowed.iter().any(|allowed| **allowed == wanted.to_string())) {
                object(format!("its licence is {licence}, which deny.toml does not allow"));
            }
        }
        Some(Err(error)) => object(format!("its licence cannot be read: {error}")),
        None => object("it names no licence".into()),
    }
    if let Some(ban) = rules.bans.deny.iter().find(|ban| ban.name == package.name) {
        object(format!("deny.toml bans it: {}", ban.reason));
    }
    let registry = package.source.as_deref().map(|source| source.trim_start_matches("registry+"));
    if let Some(from) = registry.filter(|from| !rules.sources.allow_registry.iter().any(|allowed| allowed == from)) {
        object(format!("it comes from {from}, which deny.toml does not allow"));
    }
    objections
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source_and_none_is_banned() {
    let (rules, packages) = (rules(), packages());
    assert!(packages.len() > 100, "{} packages", packages.len());
    let objections: Vec<_> = packages.iter().flat_map(|package| objections(&rules, package)).collect();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn what_is_not_allowed_is_objected_to() {
    let rules = rules();
    let good = Package {
        name: "good".into(),
        version: "1.0.0".into(),
        license: Some("GPL-3.0 OR MIT/Apache-2.0".into()),
        source: Some("registry+https://github.com/rust-lang/crates.io-index".into()),
    };
    assert_eq!(objections(&rules, &good), [] as [String; 0]);
    let copyleft = Package { license: Some("MIT AND GPL-3.0".into()), ..good.clone() };
    let exception_of_another = Package { license: Some("MPL-2.0".into()), ..good.clone() };
    let nameless = Package { license: None, ..good.clone() };
    let banned = Package { name: "openssl-sys".into(), ..good.clone() };
    let elsewhere = Package { source: Some("git+https://example.com/good".into()), ..good };
    for (package, words) in [
        (copyleft, "MIT AND GPL-3.0"),
        (exception_of_another, "MPL-2.0"),
        (nameless, "no licence"),
        (banned, "rustls"),
        (elsewhere, "comes from git+"),
    ] {
        let said = objections(&rules, &package);
        assert!(matches!(said.as_slice(), [one] if one.contains(words)), "{words}: {said:?}");
    }
}

/// The packages below one, each with its version and in the second place the features that it is built with. `edges` are
/// those of `cargo tree`.
fn tree(package: &str, edges: &str, more: &[&str]) -> BTreeSet<(String, String)> {
    let tree = Command::new("cargo")
        .args(["tree", "--offline", "--locked", "--no-dedupe", "--prefix", "none", "--format", "{p} [{f}"])
        .args(["--package", package, "--edges", edges])
        .args(more)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(" ["));
    lines
        .map(|(package, features)| {
            let name_and_version: Vec<_> = package.split_whitespace().take(2).collect();
            (name_and_version.join(" "), features.to_owned())
        })
        .collect()
}

fn names(tree: &BTreeSet<(String, String)>) -> BTreeSet<&str> {
    tree.iter().filter_map(|(package, _)| package.split(' ').next()).collect()
}

#[test]
fn an_operators_program_links_neither_the_simulator_nor_what_encodes_components() {
    let author = ["simulator", "harness-build", "wit-component", "wit-parser", "wasm-encoder"];
    // What wasmtime links for itself is its own: it writes the small modules between components with `wasm-encoder`.
    let linked =
        |features: &[&str]| tree("harness-cli", "normal,no-proc-macro", &[&["--prune", "wasmtime"], features].concat());
    let operator = linked(&["--no-default-features", "--features", "operator"]);
    let operator = names(&operator);
    assert!(operator.contains("harness-server") && operator.contains("opentelemetry-otlp"), "{operator:?}");
    let found: Vec<_> = author.iter().filter(|name| operator.contains(*name)).collect();
    assert!(found.is_empty(), "the operator's program links {found:?}");

    let whole = linked(&[]);
    let whole = names(&whole);
    assert!(
        ["simulator", "harness-build", "wasm-encoder"].iter().all(|name| whole.contains(name)),
        "they are seen: {whole:?}"
    );
}

#[test]
fn what_reads_and_writes_components_is_built_in_the_one_version_that_wasmtime_brings() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (package, _) in tree("harness-cli", "normal,build", &[]) {
        let (name, version) = package.split_once(' ').unwrap();
        versions.entry(name.to_owned()).or_default().insert(version.to_owned());
    }
    for name in ["wasm-encoder", "wasm-metadata", "wasmparser", "wasmprinter", "wit-component", "wit-parser"] {
        assert_eq!(versions.get(name).map(BTreeSet::len), Some(1), "{name}: {:?}", versions.get(name));
    }
}

#[test]
fn what_was_built_for_the_program_is_not_built_again_for_tests_and_benches() {
    let built = tree("harness-cli", "normal,build", &[]);
    // The engine shows tests the whole inbox. proptest asks for a feature of `num-traits`, above which stand two crates.
    let differ = ["harness-engine", "num-traits"];
    for (package, edges) in [("harness-cli", "normal,build,dev"), ("channel-tests", "normal,build,dev")] {
        let tests = tree(package, edges, &[]);
        let again: Vec<_> = built
            .difference(&tests)
            .filter(|(package, _)| !differ.contains(&package.split(' ').next().unwrap()))
            .collect();
        assert!(again.is_empty(), "with {package}, these are built with other features: {again:?}");
    }
}
