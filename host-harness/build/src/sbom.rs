//! Owns: the list of what a component was made of, as CycloneDX 1.6.
//! Does not own: which packages took part in the build (`cargo`).
//!
//! The same build gives the same bytes: everything is sorted, and there is neither a time nor a serial number in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use spdx::{Expression, ParseMode};

use crate::{
    BuildError, Built,
    lock::Lock,
    workspace::{Package, Workspace},
};

/// Lists what a component was made of. `packages` says of each package that took part whether code of it is in the
/// component; the others (macros, build scripts and what they stand on) are listed as excluded.
pub(crate) fn list(
    workspace: &Workspace,
    own: &Package,
    built: &Built,
    packages: &BTreeMap<String, bool>,
) -> Result<Vec<u8>, BuildError> {
    let checksums = checksums(workspace)?;
    let taking_part: BTreeMap<&str, &Package> = workspace
        .packages
        .iter()
        .filter(|package| packages.contains_key(&package.id))
        .map(|package| (package.id.as_str(), package))
        .collect();
    let mut components: Vec<(String, Value)> = taking_part
        .values()
        .filter(|package| package.id != own.id)
        .map(|package| {
            let inside = packages.get(&package.id).copied().unwrap_or_default();
            (reference(package), component(package, inside, &checksums))
        })
        .collect();
    components.sort_by(|(one, _), (other, _)| one.cmp(other));
    let edges = workspace.edges();
    let dependencies: BTreeMap<String, BTreeSet<String>> = taking_part
        .iter()
        .map(|(id, package)| {
            let below = edges.get(id).into_iter().flat_map(|ids| ids.iter());
            let below = below.filter_map(|id| taking_part.get(id.as_str()).copied());
            (reference(package), below.map(reference).collect())
        })
        .collect();
    let channel = &built.manifest.channel;
    let mut subject = json!({
        "type": "application",
        "bom-ref": reference(own),
        "name": channel.id,
        "version": channel.version,
        "hashes": [{ "alg": "SHA-256", "content": hex::encode(Sha256::digest(&built.bytes)) }],
    });
    let stated = Some(channel.license.as_str()).filter(|text| !text.is_empty());
    put(&mut subject, "licenses", licence(stated.or(own.license.as_deref())));
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "harness", "version": env!("CARGO_PKG_VERSION") }] },
            "component": subject,
        },
        "components": components.into_iter().map(|(_, component)| component).collect::<Vec<_>>(),
        "dependencies": dependencies
            .into_iter()
            .map(|(of, on)| json!({ "ref": of, "dependsOn": on }))
            .collect::<Vec<_>>(),
    });
    Ok(document.to_string().into_bytes())
}

fn component(package: &Package, inside: bool, checksums: &BTreeMap<String, String>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": package.name,
        "version": package.version,
        "scope": if inside { "required" } else { "excluded" },
    });
    put(&mut component, "description", package.description.as_deref().map(|text| json!(text.trim())));
    put(&mut component, "licenses", licence(package.license.as_deref()));
    put(&mut component, "purl", package.source.is_some().then(|| json!(reference(package))));
    let checksum = checksums.get(&key(&package.name, &package.version, package.source.as_deref()));
    put(&mut component, "hashes", checksum.map(|digest| json!([{ "alg": "SHA-256", "content": digest }])));
    component
}

fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value);
    }
}

/// A licence as CycloneDX has it: an expression where it is one, in older spellings too, otherwise a name.
fn licence(text: Option<&str>) -> Option<Value> {
    let text = text?;
    Some(match Expression::canonicalize(text).map(|better| better.unwrap_or_else(|| text.to_owned())) {
        Ok(text) if Expression::parse_mode(&text, ParseMode::STRICT).is_ok() => json!([{ "expression": text }]),
        _ => json!([{ "license": { "name": text } }]),
    })
}

/// The name of a package in the document: its package URL, and for a folder, which has none, name and version.
fn reference(package: &Package) -> String {
    let (name, version) = (escaped(&package.name), escaped(&package.version));
    let purl = format!("pkg:cargo/{name}@{version}");
    match package.source.as_deref() {
        None => format!("{name}@{version}"),
        Some("registry+https://github.com/rust-lang/crates.io-index" | "sparse+https://index.crates.io/") => purl,
        Some(source) => match source.strip_prefix("git+") {
            Some(_) => format!("{purl}?vcs_url={}", escaped(source)),
            None => {
                let address = source.strip_prefix("registry+").or_else(|| source.strip_prefix("sparse+"));
                format!("{purl}?repository_url={}", escaped(address.unwrap_or(source)))
            }
        },
    }
}

/// As a part of a package URL.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The checksums of the lock file, by name, version and source.
fn checksums(workspace: &Workspace) -> Result<BTreeMap<String, String>, BuildError> {
    let packages = Lock::read(&Lock::path(&workspace.workspace_root))?.package;
    let checksums = packages.into_iter().filter_map(|package| {
        let checksum = package.checksum?;
        Some((key(&package.name, &package.version, package.source.as_deref()), checksum))
    });
    Ok(checksums.collect())
}

fn key(name: &str, version: &str, source: Option<&str>) -> String {
    format!("{name} {version} {}", source.unwrap_or_default())
}
