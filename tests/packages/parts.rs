//! The list of parts that goes with a package: what it says, and whether others can read it. Does not own: how the package is
//! built (`reproducible`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{fs, path::Path, process::Command};

use channel_tests::small::{INSIDE, OUTSIDE, SHARED};
use serde_json::Value;

use crate::reproducible::{attachment, checkout, version_of};

#[test]
fn the_list_of_parts_is_cyclonedx_and_holds_what_is_in_the_component_with_checksums() {
    let bytes = attachment("application/vnd.cyclonedx+json");
    let list: Value = serde_json::from_slice(&bytes).unwrap();
    let of = |name: &str| list["components"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap();
    let inside = of(INSIDE);
    assert_eq!((&inside["scope"], &inside["hashes"][0]["alg"]), (&"required".into(), &"SHA-256".into()));
    assert_eq!(inside["purl"], format!("pkg:cargo/{INSIDE}@{}", version_of(INSIDE)));
    assert_eq!(inside["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!((&of(SHARED)["scope"], &of(SHARED)["purl"]), (&"required".into(), &Value::Null));
    assert_eq!(of(OUTSIDE)["scope"], "excluded", "the build script stands on it, the component does not");
    assert!(list.get("serialNumber").is_none() && list["metadata"].get("timestamp").is_none());
    let edges = list["dependencies"].as_array().unwrap();
    let own = edges.iter().find(|edge| edge["ref"] == list["metadata"]["component"]["bom-ref"]).unwrap();
    assert_eq!(own["dependsOn"], serde_json::json!([of(OUTSIDE)["bom-ref"], of(SHARED)["bom-ref"]]));
}

#[test]
fn the_list_of_parts_passes_the_validator_of_cyclonedx() {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("packages/python/bin/python");
    assert!(python.exists(), "{} is missing: .ci/setup installs it (it needs the network once)", python.display());
    let validate = |list: &[u8]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), list).unwrap();
        let script = checkout().join("tests/packages/sdks/sbom.py");
        Command::new(&python).arg(script).arg(file.path()).output().unwrap()
    };
    let list = attachment("application/vnd.cyclonedx+json");
    let said = validate(&list);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let wrong = String::from_utf8(list).unwrap().replace("\"required\"", "\"needed\"");
    assert!(!validate(wrong.as_bytes()).status.success(), "it looks at the document");
}
