//! Owns: `harness sign` and `harness publish`: a publisher's word for a package, and handing it out.
//! Does not own: making the package (`package`), keys (`key`), registries (`harness-package`).

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use harness_contract::text::shown;
use harness_package::{
    copy::copy,
    file::beside,
    installed::MAX_COMPONENT,
    layout::Layout,
    oci::{self, Descriptor, Manifest},
    reference::Reference,
    registry::Registry,
    signature::{Bundle, Statement},
    source::{Source as _, Target as _},
};

use super::key::{KeyFolder, Keys};
use crate::operator::registries;

/// The file with what is to be signed, as `package` writes it into a package's folder.
pub(super) const STATEMENT: &str = "statement.json";
/// The longest statement that is read, in bytes.
const MAX_STATEMENT: u64 = 64 << 10;

/// Signs the package in a folder with its publisher's key. The signature is put beside it in the folder, with the words of
/// earlier keys for this one.
pub(super) async fn sign(folder: &Path, keys: &KeyFolder, file: Option<&Path>) -> Result<ExitCode> {
    let layout = Layout::open(folder).await?;
    let statement = statement(folder)?;
    let Statement::Package(package) = &statement else { bail!("{STATEMENT} is not about a package") };
    let tag = package.package.version.to_string();
    let descriptor = layout.resolve(&tag).await?;
    let manifest = Manifest::read(&layout.manifest(&descriptor.digest).await?)?;
    let component = manifest.component()?;
    ensure!(
        descriptor.digest == package.manifest && component.digest == package.component,
        "{STATEMENT} is about another package than the one in {}: make the package again",
        folder.display()
    );
    let publisher = &package.package.publisher;
    let keys = Keys::open(keys)?;
    let key = keys.signing_key(publisher)?;
    let bundle = Bundle::sign(&key, &statement)?.to_bytes()?;
    let mut bundles = keys.rotations(publisher)?;
    bundles.push(bundle.clone());
    for bundle in &bundles {
        attach(&layout, &descriptor, bundle).await?;
    }
    println!("signed {} {tag} as {publisher}, with the key {}", package.package.channel, key.public().hint());
    if let Some(file) = file {
        let bytes = layout.blob(component, component.size).await?;
        let signature = beside(file);
        for (path, bytes) in [(file, &bytes), (signature.as_path(), &bundle)] {
            fs::write(path, bytes).with_context(|| path.display().to_string())?;
            println!("wrote {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn statement(folder: &Path) -> Result<Statement> {
    let path = folder.join(STATEMENT);
    let read = || -> Result<Statement> { Ok(Statement::read(&read_statement(&path)?)?) };
    read().with_context(|| format!("{}: `harness package` writes it", path.display()))
}

/// The bytes of a file with a statement.
pub(super) fn read_statement(path: &Path) -> Result<Vec<u8>> {
    ensure!(fs::metadata(path)?.len() <= MAX_STATEMENT, "it has more than {MAX_STATEMENT} bytes");
    Ok(fs::read(path)?)
}

/// Puts a bundle beside a package.
async fn attach(layout: &Layout, subject: &Descriptor, bundle: &[u8]) -> Result<()> {
    let blob = Descriptor::of(oci::BUNDLE, bundle)
        .annotated(oci::TITLE, format!("sha256-{}.sigstore.json", subject.digest.hex()));
    let empty = Descriptor::of(oci::EMPTY, b"{}");
    layout.put_blob(&blob, bundle).await?;
    layout.put_blob(&empty, b"{}").await?;
    let mut referrer = Manifest::of_referrer(oci::BUNDLE, blob, subject);
    // What other tools look for before they fetch a bundle.
    referrer.annotations.insert("dev.sigstore.bundle.content".into(), "dsse-envelope".into());
    let bytes = referrer.to_bytes()?;
    let mut descriptor = layout.put_manifest(&bytes, None).await?;
    descriptor.artifact_type = Some(oci::BUNDLE.to_owned());
    descriptor.annotations = referrer.annotations;
    layout.put_referrer(subject, descriptor).await?;
    Ok(())
}

/// Copies a signed package from a folder into a registry.
pub(super) async fn publish(folder: &Path, to: &str, plain_http: bool) -> Result<ExitCode> {
    let reference: Reference = to.parse()?;
    let layout = Layout::open(folder).await?;
    let Statement::Package(package) = statement(folder)? else { bail!("{STATEMENT} is not about a package") };
    let version = package.package.version.clone();
    if let Some(wanted) = reference.version().filter(|wanted| **wanted != version) {
        bail!("the package is version {version}, and {wanted} was named: a tag is the package's version");
    }
    let signed = layout.referrers(&package.manifest).await?;
    ensure!(
        signed.manifests.iter().any(|entry| entry.artifact_type.as_deref() == Some(oci::BUNDLE)),
        "{} is not signed, and hosts would refuse it: run `harness sign {0}`",
        folder.display()
    );
    let plain_http = plain_http.then(|| reference.authority().to_owned()).into_iter().collect();
    let registry = Registry::new(&registries(plain_http)?, &reference)?;
    let published = copy(&layout, &registry, &package.manifest, Some(&version.to_string()), MAX_COMPONENT).await?;
    println!(
        "published {} {version}: {}@{}",
        package.package.channel,
        shown(&reference.bare().to_string()),
        published.package.digest
    );
    Ok(ExitCode::SUCCESS)
}
