//! Owns: what a signature says: in-toto statements v1 about a package, and about a publisher's new key.
//! Does not own: who may say it (`policy`), who signed it (`verify`).

use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    dsse::MAX_PAYLOAD,
    json::{self, JsonError},
    key::PublicKey,
    quoted,
};
use crate::{Digest, NameError, Publisher, Version, names::check_channel, oci::MAX_ATTACHMENT};

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PACKAGE: &str = "urn:inbox-channel:package:v1";
const ROTATION: &str = "urn:inbox-channel:rotation:v1";

/// The longest line of text in a statement, in bytes.
const MAX_LINE: usize = 512;
/// The longest text of several lines: what `rustc -vV` prints.
const MAX_LINES: usize = 2048;
/// How many flags and attachments a statement has at most.
const MAX_ITEMS: usize = 32;

/// Why a payload is not a statement that is understood here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// Not the expected JSON.
    #[error("the signed statement cannot be read: {0}")]
    Json(#[from] JsonError),
    /// Another version of the format, or none.
    #[error("what was signed is a `{0}`, expected an in-toto statement (`{STATEMENT}`)")]
    Format(String),
    /// Another kind of statement.
    #[error("the signed statement is a `{0}`, expected one about a package (`{PACKAGE}`) or a new key (`{ROTATION}`)")]
    Kind(String),
    /// It is about something else than it should be.
    #[error("the signed statement has other subjects than {0}")]
    Subjects(&'static str),
    /// A name in it is none.
    #[error("the signed statement is refused: {0}")]
    Name(#[from] NameError),
    /// A value in it could mislead a reader or a program.
    #[error("the signed statement is refused: `{field}` should be {expected}")]
    Value {
        /// Which.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// What is signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Statement {
    /// About a package.
    Package(Box<PackageStatement>),
    /// About a publisher's new key.
    Rotation(RotationStatement),
}

/// A publisher hands out a package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackageStatement {
    /// The component.
    pub component: Digest,
    /// The OCI manifest of the package.
    pub manifest: Digest,
    /// What it is.
    pub package: Package,
}

/// The name, the version and the origin of a component.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// The channel's id.
    pub channel: String,
    /// The channel's version.
    pub version: Version,
    /// Who hands it out.
    pub publisher: Publisher,
    /// The version of the contract that it speaks.
    pub contract: Version,
    /// The component of the version before, where there is one.
    pub predecessor: Option<Digest>,
    /// What it was built from.
    pub source: SourceTree,
    /// How it was built.
    pub build: Build,
    /// What is published beside it, such as its SBOM and licence.
    pub attachments: Vec<Attachment>,
}

/// What a component was built from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceTree {
    /// The digest of the whole tree.
    pub tree: Digest,
    /// The channel's folder in it, with `/` between the parts; `.` where it is the tree itself.
    pub path: String,
    /// The digest of the lock file.
    pub lock_file: Digest,
    /// Where the source can be had (`https`), as the publisher says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// How a component was built.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// What `rustc -vV` prints.
    pub rustc: String,
    /// What `cargo --version` prints.
    pub cargo: String,
    /// The target, such as `wasm32-unknown-unknown`.
    pub target: String,
    /// The compiler's flags.
    pub flags: Vec<String>,
    /// The program that built it, with its version.
    pub builder: String,
}

/// Something that is published beside a component.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// What it is.
    pub media_type: String,
    /// Which bytes.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

/// A publisher has a new key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RotationStatement {
    /// Whose key.
    pub publisher: Publisher,
    /// The new key. The statement counts only when it is signed by a key that is trusted already.
    pub new_key: PublicKey,
}

impl From<PackageStatement> for Statement {
    fn from(of: PackageStatement) -> Self {
        Self::Package(Box::new(of))
    }
}

impl From<RotationStatement> for Statement {
    fn from(of: RotationStatement) -> Self {
        Self::Rotation(of)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewKey {
    publisher: Publisher,
    new_key: PublicKey,
}

/// An in-toto statement.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document<P> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: P,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Digests,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digests {
    sha256: String,
}

impl Subject {
    fn new(name: impl Into<String>, digest: &Digest) -> Self {
        Self { name: name.into(), digest: Digests { sha256: digest.hex() } }
    }

    fn sha256(&self) -> Option<Digest> {
        format!("sha256:{}", self.digest.sha256).parse().ok()
    }
}

impl Statement {
    /// Reads a payload. Whether anybody signed it is another question.
    ///
    /// # Errors
    ///
    /// [`StatementError`].
    pub fn read(payload: &[u8]) -> Result<Self, StatementError> {
        let tree = json::tree(payload, MAX_PAYLOAD)?;
        let text = |name: &str| tree.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        match text("predicateType") {
            _ if text("_type") != STATEMENT => Err(StatementError::Format(quoted(text("_type")))),
            PACKAGE => package(json::typed(&tree)?),
            ROTATION => rotation(json::typed(&tree)?),
            other => Err(StatementError::Kind(quoted(other))),
        }
    }

    /// The payload that is signed: the same statement gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`StatementError`] where it would be refused by [`Self::read`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementError> {
        match self {
            Self::Package(of) => {
                of.package.check()?;
                let component = Subject::new(format!("{}.wasm", of.package.channel), &of.component);
                written(PACKAGE, vec![component, Subject::new(MANIFEST, &of.manifest)], &of.package)
            }
            Self::Rotation(of) => {
                let predicate = NewKey { publisher: of.publisher.clone(), new_key: of.new_key };
                written(ROTATION, vec![Subject::new(KEY, &of.new_key.hint().digest())], &predicate)
            }
        }
    }
}

/// The name of the subject that is the OCI manifest.
const MANIFEST: &str = "manifest";
/// The name of the subject that is a new key.
const KEY: &str = "key";

fn written<P: Serialize>(kind: &str, subject: Vec<Subject>, predicate: &P) -> Result<Vec<u8>, StatementError> {
    let document = Document { kind: STATEMENT.to_owned(), subject, predicate_type: kind.to_owned(), predicate };
    let bytes = json::written(&document)?;
    // As it is read, so that nothing is signed that nobody would take.
    Statement::read(&bytes)?;
    Ok(bytes)
}

fn package(document: Document<Package>) -> Result<Statement, StatementError> {
    let package = document.predicate;
    package.check()?;
    let refused = StatementError::Subjects("the component, named as the channel with `.wasm`, and its manifest");
    let [component, manifest] = document.subject.as_slice() else { return Err(refused) };
    let named = component.name == format!("{}.wasm", package.channel) && manifest.name == MANIFEST;
    match (component.sha256(), manifest.sha256()) {
        (Some(component), Some(manifest)) if named => Ok(PackageStatement { component, manifest, package }.into()),
        _ => Err(refused),
    }
}

fn rotation(document: Document<NewKey>) -> Result<Statement, StatementError> {
    let NewKey { publisher, new_key } = document.predicate;
    if document.subject != [Subject::new(KEY, &new_key.hint().digest())] {
        return Err(StatementError::Subjects("the new key"));
    }
    Ok(RotationStatement { publisher, new_key }.into())
}

impl Package {
    /// Bounds, and only characters that neither mislead a reader nor a program.
    fn check(&self) -> Result<(), StatementError> {
        check_channel(&self.channel)?;
        let (source, build) = (&self.source, &self.build);
        let sound = |field, sound: bool, expected| {
            if sound { Ok(()) } else { Err(StatementError::Value { field, expected }) }
        };
        let line = |field, text: &str| sound(field, is_line(text), "1 to 512 printable ASCII characters");
        sound(
            "source.path",
            is_path(&source.path),
            "a folder inside of the source tree, such as `channels/chat`, or `.`",
        )?;
        let repository = source.repository.as_deref().is_none_or(is_address);
        sound("source.repository", repository, "an `https` address of at most 512 bytes without a login")?;
        let lines = build.rustc.len() <= MAX_LINES && build.rustc.trim_end_matches('\n').split('\n').all(is_line);
        sound("build.rustc", lines, "at most 2048 bytes of printable ASCII, such as `rustc -vV` prints")?;
        line("build.cargo", &build.cargo)?;
        line("build.target", &build.target)?;
        line("build.builder", &build.builder)?;
        sound("build.flags", build.flags.len() <= MAX_ITEMS, "at most 32 flags")?;
        build.flags.iter().try_for_each(|flag| line("build.flags", flag))?;
        sound("attachments", self.attachments.len() <= MAX_ITEMS, "at most 32 entries")?;
        self.attachments.iter().try_for_each(|attachment| {
            line("attachments.mediaType", &attachment.media_type)?;
            sound("attachments.size", attachment.size <= MAX_ATTACHMENT, "at most 4 MiB")
        })
    }
}

fn is_line(text: &str) -> bool {
    (1..=MAX_LINE).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn is_path(path: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    is_line(path) && (path == "." || path.split('/').all(part))
}

fn is_address(text: &str) -> bool {
    let plain = |url: &Url| url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    is_line(text) && Url::parse(text).is_ok_and(|url| plain(&url))
}
