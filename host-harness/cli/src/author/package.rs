//! Owns: `harness package`: from a channel's folder to a package in a folder, with the statement that is to be signed.
//! Does not own: the build (`harness-build`), the formats (`harness-package`), signing and publishing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use harness_build::{Recipe, Reproducible, TARGET};
use harness_contract::text::{shown, shown_json};
use harness_package::{
    Digest, Publisher, Version,
    layout::Layout,
    names::check_channel,
    oci::{Descriptor, EMPTY, LICENCE, Manifest, SBOM, TITLE, WASM, WASM_CONFIG, WasmConfig},
    signature::{Attachment, Build, Package, PackageStatement, SourceTree, Statement},
    source::Target,
};
use harness_sandbox::{Inspection, SandboxConfig, inspect};
use serde_json::json;
use url::Url;

use crate::author::{locate, sign::statement_file};

#[derive(Args)]
pub(crate) struct PackageArguments {
    /// The channel's folder [default: plugin]
    dir: Option<PathBuf>,
    /// The folder to write; further versions may go into one that is a package's already [default:
    /// target/packages/ID-VERSION, written anew]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Who hands it out, as operators name you; without it there is no statement to sign
    #[arg(long, value_name = "NAME")]
    publisher: Option<Publisher>,
    /// Where the source can be had: an https address
    #[arg(long, value_name = "URL", requires = "publisher")]
    repository: Option<String>,
    /// The version before: its component, or its digest
    #[arg(long, value_name = "FILE|DIGEST", requires = "publisher")]
    predecessor: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: PackageArguments) -> Result<ExitCode> {
    let dir = locate::channel_dir(arguments.dir)?;
    // What would be refused afterwards, before the minute that a build takes.
    let channel = harness_build::manifest(&dir)?.channel;
    check_channel(&channel.id)?;
    let version: Version = channel.version.parse()?;
    let predecessor = arguments.predecessor.as_deref().map(digest_of).transpose()?;
    if let Some(repository) = &arguments.repository {
        check_address(repository)?;
    }

    let made = locate::reproducible(&Recipe { dir: &dir, root: None, cargo_home: None, show: false })?;
    let inspection = inspect(&made.built.bytes, SandboxConfig::default().max_component_bytes)?;
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => emptied(made.target_dir.join("packages").join(format!("{}-{version}", channel.id)))?,
    };
    let written = write(&Layout::create(&folder).await?, &made, &inspection, &version).await?;
    if made.licence.is_none() {
        tracing::warn!("neither the package nor its workspace has a LICENSE file, so the package carries no licence");
    }
    let statement = match arguments.publisher {
        Some(publisher) => {
            let of = Origin { publisher, predecessor, repository: arguments.repository };
            Some(state(&folder, &made, &written, version.clone(), of)?)
        }
        None => None,
    };
    print(&folder, &made, &written, &version, statement.as_deref(), arguments.json);
    Ok(ExitCode::SUCCESS)
}

/// The digest that is named, or that of the file.
fn digest_of(text: &str) -> Result<Digest> {
    if let Ok(digest) = text.parse() {
        return Ok(digest);
    }
    let max = SandboxConfig::default().max_component_bytes;
    let metadata = fs::metadata(text)
        .with_context(|| format!("{}: expected a component's file, or its digest as `sha256:…`", shown(text)))?;
    if !metadata.is_file() || metadata.len() > u64::try_from(max)? {
        bail!("{}: expected the component of the version before, at most {max} bytes", shown(text));
    }
    Ok(Digest::of(&fs::read(text).with_context(|| shown(text))?))
}

/// Refuses an address that nobody else could use, or that holds a secret, which is not repeated.
fn check_address(text: &str) -> Result<()> {
    let sound = Url::parse(text)
        .is_ok_and(|url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none());
    ensure!(sound, "`--repository` takes an https address without a login, such as https://example.com/acme/channel");
    Ok(())
}

fn emptied(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    Ok(folder)
}

/// What was written.
struct Written {
    component: Descriptor,
    manifest: Digest,
    attachments: Vec<Attachment>,
}

/// Writes the package: the same build gives the same bytes. The tag comes last.
async fn write(to: &Layout, made: &Reproducible, inspection: &Inspection, version: &Version) -> Result<Written> {
    let channel = &made.built.manifest.channel;
    let title = |ending: &str| format!("{}{ending}", channel.id);
    let component = Descriptor::of(WASM, &made.built.bytes).annotated(TITLE, title(".wasm"));
    let (exports, imports) = (inspection.exports.clone(), inspection.imports.clone());
    let config = serde_json::to_vec(&WasmConfig::of(component.digest, exports, imports))?;
    let described = Descriptor::of(WASM_CONFIG, &config);
    let manifest = Manifest::of_package(described.clone(), component.clone(), annotations(inspection, version));
    to.put_blob(&component, &made.built.bytes).await?;
    to.put_blob(&described, &config).await?;
    let bytes = manifest.to_bytes()?;
    let subject = to.put_manifest(&bytes, None).await?;

    let licence = made.licence.as_deref().map(|text| (LICENCE, title(".licence.txt"), text));
    let parts = [Some((SBOM, title(".cdx.json"), made.sbom.as_slice())), licence];
    let mut attachments = Vec::new();
    for (media_type, title, bytes) in parts.into_iter().flatten() {
        let layer = Descriptor::of(media_type, bytes).annotated(TITLE, title);
        let manifest = Manifest::of_referrer(media_type, layer.clone(), &subject);
        to.put_blob(&Descriptor::of(EMPTY, b"{}"), b"{}").await?;
        to.put_blob(&layer, bytes).await?;
        let mut referrer = to.put_manifest(&manifest.to_bytes()?, None).await?;
        referrer.artifact_type = manifest.artifact_type;
        to.put_referrer(&subject, referrer).await?;
        attachments.push(Attachment { media_type: layer.media_type, digest: layer.digest, size: layer.size });
    }
    to.put_manifest(&bytes, Some(&version.to_string())).await?;
    Ok(Written { component, manifest: subject.digest, attachments })
}

/// What tools for registries show: what the component says about itself.
fn annotations(inspection: &Inspection, version: &Version) -> BTreeMap<String, String> {
    let metadata = &inspection.metadata;
    let of = |name: &str, text: Option<&str>| Some((format!("org.opencontainers.image.{name}"), text?.to_owned()));
    let annotations = [
        of("version", Some(&version.to_string())),
        of("description", metadata.description.as_deref()),
        of("licenses", metadata.licenses.as_deref()),
        of("authors", metadata.authors.as_deref()),
    ];
    annotations.into_iter().flatten().collect()
}

/// What the publisher says, and the build does not know.
struct Origin {
    publisher: Publisher,
    predecessor: Option<Digest>,
    repository: Option<String>,
}

/// Writes what is to be signed.
fn state(folder: &Path, made: &Reproducible, written: &Written, version: Version, of: Origin) -> Result<PathBuf> {
    let channel = &made.built.manifest.channel;
    let package = Package {
        channel: channel.id.clone(),
        version,
        publisher: of.publisher,
        contract: channel.contract.parse()?,
        predecessor: of.predecessor,
        source: SourceTree {
            tree: Digest::from_bytes(made.tree.digest()),
            path: if made.path.is_empty() { ".".to_owned() } else { made.path.clone() },
            lock_file: Digest::from_bytes(made.lock_file),
            repository: of.repository,
        },
        build: Build {
            rustc: made.toolchain.rustc.clone(),
            cargo: made.toolchain.cargo.clone(),
            target: TARGET.to_owned(),
            flags: made.flags.clone(),
            builder: builder(),
        },
        attachments: written.attachments.clone(),
    };
    let file = statement_file(&package.version);
    let component = written.component.digest;
    let statement = Statement::Package(Box::new(PackageStatement { component, manifest: written.manifest, package }));
    let path = folder.join(file);
    fs::write(&path, statement.to_bytes()?).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// This program, as a statement names it.
pub(crate) fn builder() -> String {
    format!("harness {}", env!("CARGO_PKG_VERSION"))
}

fn print(
    folder: &Path,
    made: &Reproducible,
    written: &Written,
    version: &Version,
    statement: Option<&Path>,
    json: bool,
) {
    let (id, size) = (&made.built.manifest.channel.id, written.component.size);
    let (component, tree) = (written.component.digest, Digest::from_bytes(made.tree.digest()));
    if json {
        let document = json!({
            "path": folder, "id": id, "version": version, "size": size, "component": component,
            "manifest": written.manifest, "statement": statement, "attachments": written.attachments,
            "source": {
                "root": made.tree.root(), "path": made.path, "files": made.tree.len(), "tree": tree,
                "lockFile": Digest::from_bytes(made.lock_file),
            },
        });
        println!("{}", shown_json(&document.to_string()));
        return;
    }
    let next = match statement {
        Some(path) => format!("{}: sign it, then publish the folder", path.display()),
        None => "none: name yourself with `--publisher` to get one that can be signed".to_owned(),
    };
    println!(
        "{id} {version}: {}\n  component  {component} ({size} bytes)\n  manifest   {}\n  source     {tree} ({} files in {})\n  \
         statement  {next}",
        folder.display(),
        written.manifest,
        made.tree.len(),
        made.tree.root().display(),
    );
}
