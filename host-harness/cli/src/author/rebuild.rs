//! Owns: `harness verify --rebuild`: whether a package's component comes from a source tree, and if not, what differs.
//! Does not own: the build (`harness-build`); whether the package is signed by somebody who is trusted.

use std::{collections::BTreeSet, fmt, fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use harness_build::{Reproducible, SourceTree};
use harness_contract::{
    manifest::Manifest as ChannelManifest,
    text::{shown, shown_json},
};
use harness_package::{
    Digest,
    found::{Found, Place},
    signature::{Bundle, PackageStatement, Statement},
};
use harness_sandbox::{SandboxConfig, inspect};
use serde::Serialize;

use crate::author::{
    locate, package,
    sign::{read_statement, statement_file},
};
use crate::operator::{max_component, registries};

/// A component, and what is said about it. Nobody has verified that: it is compared with what the build finds out.
struct Published {
    bytes: Vec<u8>,
    statement: Option<PackageStatement>,
}

/// Builds again from `source` and compares with the package.
pub(crate) async fn run(source: &Path, package: &str, json: bool) -> Result<ExitCode> {
    let published = published(package).await?;
    let tree = SourceTree::of(source)?;
    let path = channel_path(&tree, &published)?;
    let folder = tempfile::tempdir()?;
    let made = locate::rebuild(&tree, &path, folder.path())?;
    let report = Report::of(&published, &made);
    if json {
        println!("{}", shown_json(&serde_json::to_string(&report)?));
    } else {
        print!("{report}");
    }
    Ok(if report.same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads a package without trusting it.
async fn published(package: &str) -> Result<Published> {
    let place = Place::find(package, &registries(BTreeSet::new())?, max_component()).await?;
    let Found { component: bytes, version, signatures, .. } = place.read(None).await?;
    let component = Digest::of(&bytes);
    let about_it = |statement| match statement {
        Statement::Package(statement) if statement.component == component => Some(statement),
        _ => None,
    };
    let signed = signatures.bundles.iter().filter_map(|bundle| Bundle::read(bundle).ok()?.unverified().ok());
    let mut statement = signed.into_iter().find_map(about_it);
    // Not signed yet.
    let unsigned = version.map(|version| Path::new(package).join(statement_file(&version)));
    if let (None, Some(unsigned)) = (&statement, unsigned.filter(|file| file.is_file())) {
        let bytes = read_statement(&unsigned).with_context(|| unsigned.display().to_string())?;
        statement = Statement::read(&bytes).ok().and_then(about_it);
    }
    Ok(Published { bytes, statement: statement.map(|statement| *statement) })
}

/// The channel's folder in the tree: what the statement says, otherwise the one with the component's id.
fn channel_path(tree: &SourceTree, published: &Published) -> Result<String> {
    if let Some(statement) = &published.statement {
        let path = &statement.package.source.path;
        return Ok(if path == "." { String::new() } else { path.clone() });
    }
    let id = inspect(&published.bytes, SandboxConfig::default().max_component_bytes)?.manifest()?.channel.id;
    let named = |path: &&str| {
        let file = tree.root().join(path);
        let manifest = fs::read_to_string(&file).ok().and_then(|text| ChannelManifest::parse(&text, path).ok());
        manifest.is_some_and(|manifest| manifest.channel.id == id)
    };
    let manifests = tree.paths().filter(|path| *path == "channel.toml" || path.ends_with("/channel.toml"));
    let found: Vec<&str> = manifests.filter(named).collect();
    match found.as_slice() {
        [path] => Ok(path.trim_end_matches("channel.toml").trim_end_matches('/').to_owned()),
        _ => bail!(
            "{} has {} channels with the id `{id}`, and the package does not say which folder it comes from",
            tree.root().display(),
            found.len()
        ),
    }
}

/// What a rebuild found out.
#[derive(Serialize)]
struct Report {
    /// Whether the bytes are the same.
    same: bool,
    /// The package's component.
    component: Digest,
    /// What was built.
    rebuilt: Digest,
    /// What the package says, and what is otherwise here.
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Difference {
    what: &'static str,
    package: String,
    here: String,
}

impl Report {
    fn of(published: &Published, made: &Reproducible) -> Self {
        let (component, rebuilt) = (Digest::of(&published.bytes), Digest::of(&made.built.bytes));
        let mut differences = Vec::new();
        let mut compare = |what, package: String, here: String| {
            if package != here {
                differences.push(Difference { what, package, here });
            }
        };
        if let Some(statement) = &published.statement {
            let (source, build) = (&statement.package.source, &statement.package.build);
            compare("source tree", source.tree.to_string(), Digest::from_bytes(made.tree.digest()).to_string());
            compare("lock file", source.lock_file.to_string(), Digest::from_bytes(made.lock_file).to_string());
            compare("rustc", build.rustc.clone(), made.toolchain.rustc.clone());
            compare("cargo", build.cargo.clone(), made.toolchain.cargo.clone());
            compare("flags", build.flags.join(" "), made.flags.join(" "));
            compare("builder", build.builder.clone(), package::builder());
        }
        if component != rebuilt {
            let (one, other) = (&published.bytes, &made.built.bytes);
            let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
            let told = |bytes: &[u8]| format!("{} bytes, other ones from byte {at}", bytes.len());
            compare("bytes", format!("{} bytes", one.len()), told(other));
        }
        Self { same: component == rebuilt, component, rebuilt, differences }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (component, rebuilt) = (&self.component, &self.rebuilt);
        if self.same {
            writeln!(f, "the package's component comes from this source: {component}")?;
        } else {
            writeln!(f, "the package's component does not come from this source as it is built here")?;
            writeln!(f, "  the package has  {component}\n  the source gives {rebuilt}")?;
        }
        for Difference { what, package, here } in &self.differences {
            let line = |text: &str| shown(text).replace("\\n", "; ");
            writeln!(f, "  {what}: the package says {}, here it is {}", line(package), line(here))?;
        }
        Ok(())
    }
}
