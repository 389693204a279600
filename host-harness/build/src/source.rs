//! Owns: which files a source tree consists of, and its digest.
//! Does not own: what is built from it, and with what.
//!
//! # The digest
//!
//! SHA-256 over a text: the line `inbox-channel source tree 1`, and one line for each file, sorted by the bytes of its
//! path: kind, a space, the SHA-256 of the content in 64 hexadecimal digits, a space, the path from the tree's root with
//! `/` between its parts. Each line ends with a line feed. The kind is `-` for a file, `x` for one that its owner may
//! execute, `l` for a symbolic link, whose content is the text that it points to. Folders have no line.
//!
//! The files are those that git tracks where the root is a git work tree, and otherwise all of them. Never part of it
//! are what version control keeps for itself (`.git`, `.hg`, `.jj`, `.svn`) and a folder `target` beside a `Cargo.toml`:
//! so a checkout and an archive of it have one digest.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Component, Path, PathBuf},
};

use harness_contract::text::shown;
use sha2::{Digest as _, Sha256};

use crate::environment::Environment;

/// The first line of what the digest is taken of.
const HEAD: &str = "inbox-channel source tree 1\n";
/// The most files of a tree.
const MAX_FILES: usize = 50_000;
/// The most bytes of all its files.
const MAX_BYTES: u64 = 1 << 30;
/// The longest path, in bytes.
const MAX_PATH: usize = 1024;
/// What version control keeps for itself.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Why a tree has no digest.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// git does not say which files it tracks.
    #[error("`git ls-files` in {root} failed: {reason}; install git, or package an export of the tree")]
    Git {
        /// The tree's root.
        root: PathBuf,
        /// What it said.
        reason: String,
    },
    /// A path that others could not name in the same way.
    #[error("the source tree has a file named `{}`: expected UTF-8 without control characters, at most {MAX_PATH} bytes; rename it", shown(.0))]
    Name(String),
    /// Neither file nor link.
    #[error("{0} is neither a file nor a folder nor a link; move it out of the source tree")]
    Special(PathBuf),
    /// A link that leads out of the tree.
    #[error("the link {0} leads out of the source tree; put a file in its place")]
    LeadsOut(PathBuf),
    /// Larger than anything that should be built from.
    #[error(
        "the source tree in {root} has more than {max} {what}; package a folder that holds the source alone, or let git ignore what is not source"
    )]
    TooLarge {
        /// The tree's root.
        root: PathBuf,
        /// The bound.
        max: u64,
        /// Of what.
        what: &'static str,
    },
}

impl TreeError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    File,
    Executable,
    Link,
}

/// The files of a source tree with their digests.
#[derive(Clone, Debug)]
pub struct SourceTree {
    root: PathBuf,
    files: BTreeMap<String, (Kind, [u8; 32])>,
}

impl SourceTree {
    /// The tree with this root.
    ///
    /// # Errors
    ///
    /// [`TreeError`] for what cannot be read, others could not name, or is too large.
    pub fn of(root: &Path) -> Result<Self, TreeError> {
        let root = root.canonicalize().map_err(TreeError::io(root))?;
        let paths = if root.join(".git").exists() { tracked(&root)? } else { walked(&root)? };
        Self::with(root, &paths)
    }

    /// The tree that a channel's folder belongs to: the git work tree that tracks its manifest, otherwise its workspace.
    ///
    /// # Errors
    ///
    /// As [`Self::of`].
    pub(crate) fn around(dir: &Path, workspace: &Path) -> Result<Self, TreeError> {
        let dir = dir.canonicalize().map_err(TreeError::io(dir))?;
        if let Some(root) = dir.ancestors().find(|folder| folder.join(".git").exists()) {
            let tree = Self::of(root)?;
            if tree.has(&dir.join("channel.toml")) {
                return Ok(tree);
            }
        }
        // Where git ignores the workspace's folder, that folder is all there is.
        let workspace = workspace.canonicalize().map_err(TreeError::io(workspace))?;
        let paths = walked(&workspace)?;
        Self::with(workspace, &paths)
    }

    fn with(root: PathBuf, paths: &[PathBuf]) -> Result<Self, TreeError> {
        let mut tree = Self { root, files: BTreeMap::new() };
        let mut bytes = 0;
        for path in paths {
            tree.add(path, &mut bytes)?;
        }
        Ok(tree)
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The paths of its files from the root, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How many files it has.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What the digest is taken of.
    pub fn document(&self) -> String {
        let mut text = HEAD.to_owned();
        for (path, (kind, digest)) in &self.files {
            let kind = match kind {
                Kind::File => '-',
                Kind::Executable => 'x',
                Kind::Link => 'l',
            };
            let _ = writeln!(text, "{kind} {} {path}", hex::encode(digest));
        }
        text
    }

    /// Its digest.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.document()).into()
    }

    /// Whether a file belongs to it, whichever links lead there.
    pub(crate) fn has(&self, file: &Path) -> bool {
        let real = file.canonicalize();
        let inside = real.as_deref().ok().and_then(|real| self.inside(real));
        inside.is_some_and(|path| self.files.contains_key(&path))
    }

    /// The path of a file or folder from the root, where it lies below it. The root itself is empty.
    pub(crate) fn inside(&self, path: &Path) -> Option<String> {
        path.strip_prefix(&self.root).ok()?.to_str().map(str::to_owned)
    }

    /// Writes its files into a folder that is empty, with the bits and links that they have.
    ///
    /// # Errors
    ///
    /// [`TreeError::Io`].
    pub fn copy_to(&self, to: &Path) -> Result<(), TreeError> {
        for (path, (kind, _)) in &self.files {
            let (from, to) = (self.root.join(path), to.join(path));
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(TreeError::io(folder))?;
            }
            if *kind == Kind::Link {
                let target = fs::read_link(&from).map_err(TreeError::io(&from))?;
                std::os::unix::fs::symlink(target, &to).map_err(TreeError::io(&to))?;
            } else {
                fs::copy(&from, &to).map_err(TreeError::io(&from))?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, bytes: &mut u64) -> Result<(), TreeError> {
        let too_large = |max, what| TreeError::TooLarge { root: self.root.clone(), max, what };
        if self.files.len() >= MAX_FILES {
            return Err(too_large(MAX_FILES as u64, "files"));
        }
        let name = name(path)?;
        let full = self.root.join(path);
        let metadata = fs::symlink_metadata(&full).map_err(TreeError::io(&full))?;
        let entry = if metadata.is_symlink() {
            (Kind::Link, self.link(path, &full)?)
        } else if metadata.is_file() {
            *bytes += metadata.len();
            if *bytes > MAX_BYTES {
                return Err(too_large(MAX_BYTES, "bytes"));
            }
            (kind(&metadata), hash(&full)?)
        } else {
            return Err(TreeError::Special(full));
        };
        self.files.insert(name, entry);
        Ok(())
    }

    /// The digest of where a link leads, which must be inside.
    fn link(&self, path: &Path, full: &Path) -> Result<[u8; 32], TreeError> {
        let target = fs::read_link(full).map_err(TreeError::io(full))?;
        let mut depth = path.components().count().saturating_sub(1);
        for part in target.components() {
            depth = match part {
                Component::Normal(_) => depth + 1,
                Component::CurDir => depth,
                Component::ParentDir if depth > 0 => depth - 1,
                _ => return Err(TreeError::LeadsOut(full.to_owned())),
            };
        }
        Ok(Sha256::digest(target.as_os_str().as_bytes()).into())
    }
}

fn kind(metadata: &Metadata) -> Kind {
    if metadata.permissions().mode() & 0o100 == 0 { Kind::File } else { Kind::Executable }
}

/// A path as others would write it.
fn name(path: &Path) -> Result<String, TreeError> {
    let refused = || TreeError::Name(path.to_string_lossy().into_owned());
    let name = path.to_str().ok_or_else(refused)?;
    if name.len() > MAX_PATH || name.chars().any(char::is_control) {
        return Err(refused());
    }
    Ok(name.to_owned())
}

fn hash(path: &Path) -> Result<[u8; 32], TreeError> {
    let mut file = File::open(path).map_err(TreeError::io(path))?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        let read = file.read(&mut piece).map_err(TreeError::io(path))?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(piece.get(..read).unwrap_or_default());
    }
}

/// Whether an entry of a folder never belongs to a source tree.
fn left_out(folder: &Path, name: &Path) -> bool {
    VERSION_CONTROL.iter().any(|own| name == Path::new(own))
        || (name == Path::new("target") && folder.join("Cargo.toml").is_file() && folder.join(name).is_dir())
}

/// What git tracks, submodules included.
fn tracked(root: &Path) -> Result<Vec<PathBuf>, TreeError> {
    let failed = |reason: String| TreeError::Git { root: root.to_owned(), reason };
    let mut command = Environment::default().command("git");
    command.args(["ls-files", "-z", "--cached", "--recurse-submodules"]).current_dir(root);
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(shown(String::from_utf8_lossy(&output.stderr).trim())));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let paths = names.map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name)));
    Ok(paths.filter(|path| !inner(root, path)).collect())
}

/// Whether any folder on the way to a file is left out.
fn inner(root: &Path, path: &Path) -> bool {
    let mut folder = root.to_owned();
    path.components().any(|part| {
        let out = left_out(&folder, Path::new(&part));
        folder.push(part);
        out
    })
}

/// All files below a folder.
fn walked(root: &Path) -> Result<Vec<PathBuf>, TreeError> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        let full = root.join(&folder);
        for entry in fs::read_dir(&full).map_err(TreeError::io(&full))? {
            let entry = entry.map_err(TreeError::io(&full))?;
            let name = entry.file_name();
            if left_out(&full, Path::new(&name)) {
                continue;
            }
            let path = folder.join(&name);
            if path.as_os_str().len() > MAX_PATH {
                return Err(TreeError::Name(path.to_string_lossy().into_owned()));
            }
            if entry.file_type().map_err(TreeError::io(&full))?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
            if found.len() + open.len() > MAX_FILES {
                return Err(TreeError::TooLarge { root: root.to_owned(), max: MAX_FILES as u64, what: "files" });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
