//! Owns: `harness sign` and `harness publish`: a publisher's word for a package, and handing it out.
//! Does not own: making the package (`package`), keys (`key`), registries (`harness-package`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use harness_contract::text::shown;
use harness_package::{
    Version,
    copy::copy,
    file::beside,
    installed::MAX_COMPONENT,
    layout::Layout,
    oci::{self, Descriptor, Manifest},
    reference::Reference,
    registry::Registry,
    signature::{Bundle, PackageStatement, Statement},
    source::{Source as _, Target as _},
};

use super::key::{KeyFolder, Keys};
use crate::operator::registries;

/// What is signed, and how.
#[derive(Args)]
pub(crate) struct How {
    /// The version, where the folder holds several [default: the newest]
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// A sigstore bundle around the package's statement that another tool made, such as one that signs without a key
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    bundle: Option<PathBuf>,
    /// Also write the component and its signature as files, for where there is no registry
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyFolder,
}

/// The longest statement that is read, in bytes.
const MAX_STATEMENT: u64 = 64 << 10;

/// The file with what is to be signed of a version, as `package` writes it into a package's folder.
pub(super) fn statement_file(version: &Version) -> String {
    format!("statement-{version}.json")
}

/// The version that such a file is about.
fn version_of(file: &str) -> Option<Version> {
    file.strip_prefix("statement-")?.strip_suffix(".json")?.parse().ok()
}

/// Signs a version of the package in a folder: with its publisher's key, or with a signature that was made elsewhere. It is put
/// beside the package in the folder, with the words of earlier keys for this one.
pub(super) async fn sign(folder: &Path, how: &How) -> Result<ExitCode> {
    let layout = Layout::open(folder).await?;
    let (version, package) = stated(folder, how.version.as_ref())?;
    let tag = version.to_string();
    let descriptor = layout.resolve(&tag).await?;
    let manifest = Manifest::read(&layout.manifest(&descriptor.digest).await?)?;
    let component = manifest.component()?;
    ensure!(
        descriptor.digest == package.manifest && component.digest == package.component,
        "{} is about another package than the one in {}: make the package again",
        statement_file(&version),
        folder.display()
    );
    let (channel, publisher) = (package.package.channel.clone(), package.package.publisher.clone());
    let statement = Statement::Package(Box::new(package));
    let (bundles, bundle, by) = match &how.bundle {
        Some(file) => {
            let made = made_elsewhere(file, &statement).with_context(|| file.display().to_string())?;
            (vec![made.clone()], made, "as it was made elsewhere".to_owned())
        }
        None => {
            let keys = Keys::open(&how.keys)?;
            let key = keys.signing_key(&publisher)?;
            let bundle = Bundle::sign(&key, &statement)?.to_bytes()?;
            let mut bundles = keys.rotations(&publisher)?;
            bundles.push(bundle.clone());
            (bundles, bundle, format!("with the key {}", key.public().hint()))
        }
    };
    for bundle in &bundles {
        attach(&layout, &descriptor, bundle).await?;
    }
    println!("signed {channel} {tag} as {publisher}, {by}");
    if let Some(file) = &how.file {
        let bytes = layout.blob(component, component.size).await?;
        let signature = beside(file);
        for (path, bytes) in [(file.as_path(), &bytes), (signature.as_path(), &bundle)] {
            fs::write(path, bytes).with_context(|| path.display().to_string())?;
            println!("wrote {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A bundle that somebody else's tool made of the statement, such as without a key. Whom hosts would trust is theirs to say.
fn made_elsewhere(file: &Path, statement: &Statement) -> Result<Vec<u8>> {
    let bytes = bounded(file)?;
    ensure!(
        Bundle::read(&bytes)?.unverified()? == *statement,
        "it signs another statement than that of this package: sign the file as it is"
    );
    Ok(bytes)
}

/// What is to be signed of a version; of the newest, where none is named.
fn stated(folder: &Path, version: Option<&Version>) -> Result<(Version, PackageStatement)> {
    let version = match version {
        Some(version) => version.clone(),
        None => {
            let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
            let names = entries.flatten().map(|entry| entry.file_name());
            let newest = names.filter_map(|name| version_of(name.to_str()?)).max();
            newest.with_context(|| {
                format!(
                    "{} has no statement-VERSION.json: `harness package --publisher NAME` writes it",
                    folder.display()
                )
            })?
        }
    };
    let path = folder.join(statement_file(&version));
    let read = || -> Result<Statement> { Ok(Statement::read(&read_statement(&path)?)?) };
    let statement = read().with_context(|| format!("{}: `harness package` writes it", path.display()))?;
    match statement {
        Statement::Package(package) if package.package.version == version => Ok((version, *package)),
        _ => bail!("{}: it is not about version {version} of a package", path.display()),
    }
}

/// The bytes of a file with a statement.
pub(super) fn read_statement(path: &Path) -> Result<Vec<u8>> {
    bounded(path)
}

fn bounded(path: &Path) -> Result<Vec<u8>> {
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

/// Copies a signed package from a folder into a registry: the version that the reference names, or the newest.
pub(super) async fn publish(folder: &Path, to: &str, plain_http: bool) -> Result<ExitCode> {
    let reference: Reference = to.parse()?;
    let layout = Layout::open(folder).await?;
    let (version, package) = stated(folder, reference.version())?;
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
